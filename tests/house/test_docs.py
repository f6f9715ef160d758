"""The documents: links lead somewhere, commands and options exist, examples lint, generated pages are fresh, no private paths."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.house.source import ROOT, committed

from handrail.base.problems import Problem
from handrail.cli.main import COMMANDS, cli
from handrail.runbook.lint import lint_file

PAGES = [path for path in committed() if path.suffix == ".md"]
GUIDES = [path for path in PAGES if path.parent in (ROOT, ROOT / "docs")]
LINK = re.compile(r"!?\[[^\]]*\]\((?!https?://|mailto:)([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
ADDRESS_OF_A_REGISTRY = re.compile(r"(?:--index-url|--extra-index-url|/simple/|artifactory|nexus\.)", re.IGNORECASE)
# In two pieces, so that this file is not one of those it looks for.
OURS = re.compile(
    "|".join(("/wo" + "rk/(?:main|shared|\\.)", "/ro" + "ot/\\.(?!ssh\\b)", "/tmp/BR" + "IEF", "bash_" + "jobs"))
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    missing = []
    for target in LINK.findall(text):
        file, _, anchor = target.partition("#")
        there = (page.parent / file) if file else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            missing.append(target)
    assert missing == []


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def commands(page: Path) -> Iterator[str]:
    """Yield every `handrail ...` line of a page: in blocks line by line, in running text between backticks."""
    text = page.read_text(encoding="utf-8")
    for _, block in FENCE.findall(text):
        yield from (line.split(" #")[0].strip() for line in block.splitlines() if line.startswith("handrail "))
    yield from (code.strip() for code in CODE.findall(FENCE.sub("", text)) if code.startswith("handrail "))


@pytest.mark.parametrize("page", GUIDES, ids=name)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    assert [f"{line}: {wrong}" for line in commands(page) if (wrong := fault(line))] == []


def fault(line: str) -> str:
    """Return what is wrong with a line: a command or an option that is not there."""
    words = line.split()[1:]
    found: click.Command = cli
    while words and isinstance(found, click.Group) and not words[0].startswith("-"):
        under = found.get_command(click.Context(found), words[0])
        if under is None:
            return "" if found is not cli and found.invoke_without_command else f"no command {words[0]}"
        found, words = under, words[1:]
    known = {option for param in found.params for option in param.opts} | {"--help", "-h"}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    return f"no option {', '.join(unknown)}" if unknown else ""


def test_the_guide_shows_every_command() -> None:
    shown = {line.split()[1] for page in GUIDES for line in commands(page) if len(line.split()) > 1}
    assert set(COMMANDS) - shown == set()


@pytest.mark.parametrize("line", ["handrail dril x", "handrail drill --atuo", "handrail estate sideways"])
def test_the_rule_sees_a_wrong_line(line: str) -> None:
    assert fault(line)


def examples() -> Iterator[tuple[str, str]]:
    for page in GUIDES:
        for number, (kind, block) in enumerate(FENCE.findall(page.read_text(encoding="utf-8"))):
            if kind == "toml" and "format = 1" in block:
                yield f"{name(page)}-{number}", block


@pytest.mark.parametrize(("where", "text"), list(examples()))
def test_every_whole_example_lints(where: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "example.toml"
    file.write_text(text, encoding="utf-8")
    for folder in re.findall(r"files = \[([^\]]*)\]", text):
        for each in re.findall(r'"([^"]+)"', folder):
            (tmp_path / each).mkdir()
    found: list[Problem] = list(lint_file(file))
    assert [str(problem) for problem in found if problem.severity == "error"] == []


def test_the_trap_that_is_shown_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "writing-runbooks.md").read_text(encoding="utf-8")
    trap = next(block for kind, block in FENCE.findall(text) if kind == "text" and "[stage.step.sync]" in block)
    head = 'format = 1\n[runbook]\nid = "x"\ntitle = "X"\nroles = { primary = "one", dr = "one" }\n'
    file = tmp_path / "trap.toml"
    file.write_text(f'{head}[[stage]]\nid = "s"\ntitle = "S"\n{trap}', encoding="utf-8")
    assert "key-after-table" in {problem.code for problem in lint_file(file)}


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), "python docs/generate.py"


def test_decisions_are_numbered_and_short() -> None:
    found = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [path.name[:3] for path in found]
    assert all(number.isdigit() for number in numbers)
    assert len(set(numbers)) == len(numbers)
    for path in found:
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequence"], path.name
        assert len(text.splitlines()) <= 20, path.name


def test_no_file_knows_where_it_was_made() -> None:
    told = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        hits = OURS.findall(text) + (ADDRESS_OF_A_REGISTRY.findall(text) if path != Path(__file__) else [])
        told += [f"{name(path)}: {hit}" for hit in hits]
    assert told == []
