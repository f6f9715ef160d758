"""The report as plain text for a terminal: the same sections, one fact a line, no table wider than its words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from handrail.report.cells import Cell, Items, Table
from handrail.report.data import Report
from handrail.report.sheet import banner, heading, sections

_WIDEST = 40  # characters that a column is padded to


def to_plain(report: Report) -> str:
    """Return the report as plain text, with a line end."""
    lines = [heading(report), banner(report)]
    for section in sections(report):
        lines += ["", section.title if section.detail else section.title.upper()]
        for block in section.blocks:
            lines += _table(block) if isinstance(block, Table) else _items(block)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _table(table: Table) -> Iterator[str]:
    rows = [*((tuple(Cell(word) for word in table.head),) if table.head else ()), *table.rows]
    widths = [min(_WIDEST, max(len(cell.text) for cell in column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(f"{cell.text:{width}}" for cell, width in zip(row, widths, strict=True))


def _items(items: Items) -> Iterator[str]:
    for row in items.rows:
        yield "  - " + "".join(cell.text for cell in row)
