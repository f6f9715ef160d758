"""What is not imported: help, lint and plan start without Textual, asyncssh or dnspython."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.house.source import ROOT

BOOK = """\
format = 1

[runbook]
id = "tiny"
title = "Tiny"
roles = { web = "one" }

[routes.planned]
title = "The only one"

[[stage]]
id = "only"
title = "Only"

[[stage.step]]
id = "stop"
title = "Stop the timer"
on = "web"
run = ["systemctl", "stop", "copy.timer"]
probe = { run = ["systemctl", "is-active", "copy.timer"], done = { exit = 3 }, not_done = { exit = 0 } }
undo = { run = ["systemctl", "start", "copy.timer"] }
"""
ESTATE = """\
format = 1

[estate]
name = "tiny"
class = "production"
known_hosts = "known_hosts"

[roles.web]
host = "192.0.2.10"
user = "ops"
address = "192.0.2.10"
"""
PROGRAM = """\
import json, sys
sys.argv = ["handrail", *json.loads(sys.stdin.read())]
from handrail.cli.main import main
try:
    main()
except SystemExit as end:
    code = end.code
print("\\n" + json.dumps([code, sorted(sys.modules)]))
"""
HEAVY = {"textual", "rich", "asyncssh", "cryptography", "dns", "handrail_sim"}
NO_MODEL = HEAVY | {"pydantic", "tomli", "tomli_w", "platformdirs", "asyncio", "socket"}


def loaded(*arguments: str, home: Path) -> tuple[int, set[str]]:
    """Run the command line in a new process; return its exit code and every module it had loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(arguments), capture_output=True, text=True, check=True,
        cwd=home, env={**os.environ, "HANDRAIL_HOME": str(home / "handrail-home")},
    )  # fmt: skip
    code, names = json.loads(done.stdout.splitlines()[-1])
    return code, set(names)


def tops(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.toml").write_text(BOOK, encoding="utf-8")
    (tmp_path / "estate.toml").write_text(ESTATE, encoding="utf-8")
    (tmp_path / "known_hosts").write_text("", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["drill", "--help"], ["run", "--help"]])
def test_help_loads_next_to_nothing(arguments: list[str], folder: Path) -> None:
    code, names = loaded(*arguments, home=folder)
    assert code == 0
    assert tops(names) & NO_MODEL == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["lint", "tiny.toml", "estate.toml"],
        ["plan", "tiny.toml", "--estate", "estate.toml"],
        ["schema"],
        ["explain", "no-way-back"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_opens_no_connection_loads_nothing_that_could(arguments: list[str], folder: Path) -> None:
    code, names = loaded(*arguments, home=folder)
    assert code == 0
    assert tops(names) & HEAVY == set()
    assert not {name for name in names if name.startswith(("handrail.ssh.", "handrail.store.", "handrail.tui."))}


def test_none_of_them_makes_a_home(folder: Path) -> None:
    loaded("plan", "tiny.toml", "--estate", "estate.toml", home=folder)
    assert not (folder / "handrail-home").exists()


def test_the_package_itself_loads_nothing() -> None:
    program = "import sys; import handrail; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    names = set(done.stdout.split())
    assert {name for name in names if name.startswith("handrail.")} == set()
    assert tops(names) & NO_MODEL == set()
