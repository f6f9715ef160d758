"""The results as a page: the machine, each part's figures beside the others', and whether what was to be reached is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from benchmarks.machine import machine
from benchmarks.measured import Part, Row, Table, figure

HEAD = """# Results

Written by `make bench`; [how it is measured](README.md). Medians of interleaved rounds. A ratio is Handrail's figure divided by
the one beside it: below 1x Handrail is faster, or takes less. A figure that falls short stands here as it is; why, and what was tried,
is told in the [README](README.md#what-falls-short).
"""


def page(parts: Sequence[Part], seconds: float) -> str:
    """Return the whole page."""
    return "\n".join(_lines(parts, seconds)) + "\n"


def _lines(parts: Sequence[Part], seconds: float) -> Iterator[str]:
    yield HEAD
    rows = [row for part in parts for row in part.rows if row.reached is not None]
    yield f"{sum(bool(row.reached) for row in rows)} of {len(rows)} targets reached."
    yield f"Measured {datetime.now(UTC):%Y-%m-%d %H:%MZ} in {seconds / 60:.0f} minutes."
    yield ""
    yield from _table(("machine", ""), [list(pair) for pair in machine()])
    for part in parts:
        yield f"\n## {part.title}\n"
        yield from (part.how, "")
        yield from _table(("what", "Handrail", "beside", "", "ratio", "target", ""), [_cells(row) for row in part.rows])
        for table in part.tables:
            yield from _extra(table)
        yield from (f"\n![{name.removesuffix('.svg')}]({name})" for name in part.pictures)
        yield from (f"\nNot measured: {why}." for why in part.missing)


def _extra(table: Table) -> Iterator[str]:
    yield f"\n{table.title}\n"
    yield from _table(table.columns, [list(row) for row in table.rows])


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{'---|' * len(columns)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _cells(row: Row) -> list[str]:
    reached = {None: "", True: "reached", False: "**falls short**"}[row.reached]
    note = f" ({row.note})" if row.note else ""
    theirs = figure(row.theirs, row.unit) if row.theirs is not None else ""
    ratio = f"{row.ratio:.2f}x" if row.ratio is not None else ""
    return [row.what + note, figure(row.ours, row.unit), row.beside, theirs, ratio, row.target, reached]


def lines(part: Part) -> Iterator[str]:
    """Yield a part's figures for a terminal."""
    yield f"{part.title}"
    for row in part.rows:
        what, ours, beside, theirs, ratio, target, reached = _cells(row)
        yield f"  {what:58} {ours:>10}  {ratio:>7} {beside} {theirs}  {target} {reached}".rstrip()
    for table in part.tables:
        yield f"  {table.title}"
        yield from (f"    {'  '.join(f'{word:>14}' for word in row)}" for row in (table.columns, *table.rows))
    yield from (f"  not measured: {why}" for why in part.missing)
