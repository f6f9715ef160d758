r"""The report as Markdown (CommonMark with GitHub's tables). Foreign text cannot become markup.

Code goes into code spans with a fence longer than any run of backticks in it (CommonMark 0.31, 6.1). In prose every
character that could begin something is escaped; text that a reader's program could turn into a link, a mention or an
emoji by itself (GitHub's autolinks look at the text after the escapes) is written as code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from handrail.report.cells import Cell, Items, Section, Table
from handrail.report.data import Report
from handrail.report.sheet import banner, heading, sections

_SPECIAL: Final = re.compile(r"([\\`*\[\]<>|&~$!]|(?<![^\W_])_|_(?![^\W_]))")
_LEADING: Final = re.compile(r"^([#+=-]|\d{1,9}(?=[.)](?:\s|$)))")
_BY_ITSELF: Final = re.compile(
    r"://|www\.|@|mailto:|xmpp:|\bGH-\d|:(?=[\w+-]*[a-z+-])[\w+-]+:|:\d{3,4}:", re.IGNORECASE
)
_TICKS: Final = re.compile(r"`+")


def to_markdown(report: Report) -> str:
    """Return the report as Markdown text, with a line end."""
    lines = [f"# {prose(heading(report))}", "", f"**{prose(banner(report))}**"]
    for section in sections(report):
        lines += ["", *_section(section, report)]
    lines += ["", "---", "", f"**{prose(banner(report))}**"]
    return "\n".join(lines) + "\n"


def prose(text: str) -> str:
    """Return text that no Markdown reader takes for anything else."""
    text = text.strip()
    if _BY_ITSELF.search(text):
        return code(text)
    return _LEADING.sub(_escaped_lead, _SPECIAL.sub(r"\\\1", text))


def _escaped_lead(found: re.Match[str]) -> str:
    lead = found[0]
    return f"{lead}\\" if lead.isdigit() else f"\\{lead}"


def code(text: str) -> str:
    """Return code spans. A bar stands between two of them: inside one, readers do not agree on how it is escaped."""
    return "\\|".join(_span(part) for part in text.split("|")) if text.strip() else ""


def _span(text: str) -> str:
    if not text:
        return ""
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[:1] in " `" or text[-1:] in " `" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _section(section: Section, report: Report) -> Iterator[str]:
    yield f"{'###' if section.detail else '##'} {prose(section.title)}"
    for block in section.blocks:
        yield ""
        yield from _table(block) if isinstance(block, Table) else _items(block)


def _table(table: Table) -> Iterator[str]:
    head = table.head or ("", "")
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in table.rows:
        yield "| " + " | ".join(_cell(cell) for cell in row) + " |"


def _items(items: Items) -> Iterator[str]:
    for row in items.rows:
        yield "- " + "".join(_lead(cell, first=at == 0) for at, cell in enumerate(row))


def _lead(cell: Cell, *, first: bool) -> str:
    space = " " if not first and cell.text[:1] == " " else ""
    after = " " if cell.text[-1:] == " " and not cell.code else ""
    return f"{space}{_cell(cell)}{after}"


def _cell(cell: Cell) -> str:
    if cell.code:
        return code(cell.text)
    made = prose(cell.text)
    return f"**{made}**" if cell.tone in ("bad", "unsure") and made else made
