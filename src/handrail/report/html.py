"""The report as one HTML file: nothing is fetched, nothing runs, every foreign text is escaped.

The mode stands in the title and at the head of every printed page: the whole is one table, whose head is repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from handrail.report.cells import Cell, Items, Section, Table
from handrail.report.chart import chart, legend
from handrail.report.data import Report
from handrail.report.sheet import banner, heading, sections
from handrail.report.style import STYLE

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_SHORT: Final = 24
_MODES: Final = frozenset({"drill", "check", "rehearsal", "live"})


def to_html(report: Report) -> str:
    """Return the report as a whole HTML document, with a line end."""
    title = escape(heading(report))
    mode = report.mode.lower()
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style></head>",
        f'<body class="{mode if mode in _MODES else "unknown"}">',
        '<table class="sheet" role="presentation">',
        f'<thead><tr><th scope="col">{escape(banner(report))}</th></tr></thead>',
        "<tbody><tr><td>",
        f"<h1>{title}</h1>",
        *_body(report),
        "</td></tr></tbody></table>",
        "</body></html>",
    ]
    return "\n".join(lines) + "\n"


def _body(report: Report) -> Iterator[str]:
    for section in sections(report):
        level = "h3" if section.detail else "h2"
        yield f"<section><{level}>{escape(section.title)}</{level}>"
        if section.title == "Timeline":
            yield from _picture(report)
        yield from _blocks(section)
        yield "</section>"


def _picture(report: Report) -> Iterator[str]:
    drawn = chart(report)
    if drawn:
        yield f'<figure style="margin:0">{drawn}'
        never = [f"{line.line.upper()} was not crossed" for line in report.lines if line.at is None]
        yield f'<figcaption class="dim">{escape("; ".join([legend(report), *never]))}</figcaption></figure>'


def _blocks(section: Section) -> Iterator[str]:
    for block in section.blocks:
        yield from _table(block) if isinstance(block, Table) else _items(block)


def _table(table: Table) -> Iterator[str]:
    yield f'<table class="grid{"" if table.head else " facts"}">'
    if table.head:
        yield "<thead><tr>" + "".join(f'<th scope="col">{escape(word)}</th>' for word in table.head) + "</tr></thead>"
    yield "<tbody>"
    for row in table.rows:
        first = 'th scope="row"' if not table.head else "td"
        cells = [_cell(cell, first if at == 0 else "td") for at, cell in enumerate(row)]
        yield "<tr>" + "".join(cells) + "</tr>"
    yield "</tbody></table>"


def _items(items: Items) -> Iterator[str]:
    yield "<ul>"
    for row in items.rows:
        yield "<li>" + "".join(_inline(cell) for cell in row) + "</li>"
    yield "</ul>"


def _cell(cell: Cell, tag: str) -> str:
    """Return a table cell; short texts are not broken, so that they stand in one line beside long ones."""
    tag += ' class="short"' if len(cell.text) <= _SHORT else ""
    return f"<{tag}>{_inline(cell)}</{tag.split()[0]}>"


def _inline(cell: Cell) -> str:
    text = escape(cell.text)
    if cell.code and cell.text:
        return f"<code>{text}</code>"
    return f'<span class="{cell.tone}">{text}</span>' if cell.tone else text
