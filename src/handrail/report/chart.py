"""The timeline as a picture: inline SVG, a row per step, the lines across the rail, and marks for what people did. Pure.

A bar says by its word and its form what it says by its colour: an undo is an outline, what never ended is pale.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from handrail.base.durations import show_clock
from handrail.engine.words import Way
from handrail.report.data import Kind, Report, ReportAttempt, ReportStep
from handrail.report.scale import Scale, scale

WIDTH: Final = 1000.0
LEFT: Final = 230.0  # where names end
RIGHT: Final = 110.0  # where words stand
ROW: Final = 20.0
TOP: Final = 64.0
_SHORTEST: Final = 2.5
_NAME: Final = 34
_TONES: Final = {"passed": "good", "failed": "bad", "unknown": "unsure", "running": "unsure"}
_MARKS: Final = {
    Kind.CONFIRM: ("◆", "mode", "a value was typed"),
    Kind.FAILED: ("✖", "bad", "something failed"),
    Kind.UNKNOWN: ("⁇", "unsure", "not known, late, or different"),
    Kind.EMERGENCY: ("!", "bad", "the route was changed"),
    Kind.UNDO: ("↶", "unsure", "an undo began"),
    Kind.NOTE: ("✎", "dim", "a note"),
    Kind.GUARD: ("◎", "unsure", "a guard"),
}


def chart(report: Report) -> str:
    """Return the picture as SVG text; empty when nothing was started."""
    rows = [step for step in report.steps if step.attempts]
    if not rows:
        return ""
    on = _scale(report, rows)
    height = TOP + ROW * len(rows) + 30
    said = escape(f"{report.mode} timeline of run {report.run}: {len(rows)} steps in {show_clock(report.at)}")
    parts = [f'<svg viewBox="0 0 {WIDTH:g} {height:g}" role="img" aria-label="{said}">', f"<title>{said}</title>"]
    parts += _folds(on, height)
    parts += _ticks(on, height)
    parts += _marks(report, on)
    for at, step in enumerate(rows):
        parts += _row(step, on, TOP + ROW * at, report.at)
    parts += _lines(report, on, height)
    parts.append("</svg>")
    return "\n".join(parts)


def legend(report: Report) -> str:
    """Return what the marks mean, of those that are drawn, as one line of plain text."""
    drawn = {kind for kind in _MARKS for entry in report.timeline if entry.kind == kind and entry.mark}
    marks = [f"{glyph} {words}" for kind, (glyph, _, words) in _MARKS.items() if kind in drawn]
    return "; ".join([*marks, "outlined bars are undos", "pale bars never ended"])


def _scale(report: Report, rows: list[ReportStep]) -> Scale:
    busy = [(a.at, a.until if a.until is not None else report.at) for step in rows for a in step.attempts]
    moments = [entry.at for entry in report.timeline]
    return scale(max(report.at, 1.0), WIDTH - LEFT - RIGHT, busy, moments)


def _text(x: float, y: float, text: str, css: str = "", anchor: str = "") -> str:
    look = (f' class="{css}"' if css else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x:g}" y="{y:g}"{look}>{escape(text)}</text>'


def _folds(on: Scale, height: float) -> Iterator[str]:
    for fold in on.folds:
        left, right = LEFT + on.x(fold.since), LEFT + on.x(fold.until)
        gone = escape(f"{show_clock(fold.until - fold.since)} in which nothing ran, drawn shorter")
        yield (
            f'<rect class="gap" x="{left:g}" y="{TOP - 8:g}" width="{right - left:g}" height="{height - TOP - 14:g}">'
            f"<title>{gone}</title></rect>"
        )
        yield _text((left + right) / 2, height - 8, "≈", "dim", "middle")


def _ticks(on: Scale, height: float) -> Iterator[str]:
    for at in on.ticks():
        x = LEFT + on.x(at)
        yield f'<line class="rule" x1="{x:g}" y1="{TOP - 8:g}" x2="{x:g}" y2="{height - 22:g}"/>'
        yield _text(x, height - 8, f"T+{show_clock(at)}", "dim", "middle")


def _marks(report: Report, on: Scale) -> Iterator[str]:
    for entry in report.timeline:
        glyph, css, _ = _MARKS.get(Kind(entry.kind), ("", "", ""))
        if glyph and entry.mark:
            x = LEFT + on.x(entry.at)
            said = escape(f"T+{show_clock(entry.at)} {entry.text}")
            yield f"<g><title>{said}</title>{_text(x, TOP - 14, glyph, css, 'middle')}</g>"


def _row(step: ReportStep, on: Scale, y: float, now: float) -> Iterator[str]:
    name = step.name if len(step.name) <= _NAME else step.name[: _NAME - 1] + "…"
    yield f"<g><title>{escape(step.name)}</title>{_text(LEFT - 8, y + 13, name, '', 'end')}</g>"
    for attempt in step.attempts:
        yield _bar(step, attempt, on, y, now)
    tone = {"passed": "good", "failed": "bad", "undo-failed": "bad"}.get(step.state.value, "unsure")
    word = step.state.value.upper() if tone == "bad" or "unknown" in step.state.value else step.state.value
    yield _text(WIDTH - RIGHT + 8, y + 13, word, "dim" if step.state.value in ("undone", "pending") else tone)


def _bar(step: ReportStep, attempt: ReportAttempt, on: Scale, y: float, now: float) -> str:
    left = LEFT + on.x(attempt.at)
    right = LEFT + on.x(attempt.until if attempt.until is not None else now)
    way = " back" if attempt.way == Way.BACK else (" open" if attempt.until is None else "")
    took = show_clock(attempt.seconds) if attempt.seconds is not None else "not ended"
    what = "undo" if attempt.way == Way.BACK else f"attempt {attempt.number}"
    said = escape(f"{step.name}, {what}: {attempt.result}, {took}")
    return (
        f'<rect class="{_TONES[attempt.result]}{way}" x="{left:g}" y="{y + 3:g}"'
        f' width="{max(_SHORTEST, right - left):g}" height="{ROW - 8:g}" rx="2"><title>{said}</title></rect>'
    )


def _lines(report: Report, on: Scale, height: float) -> Iterator[str]:
    """Draw the lines that were crossed; those that never were are told in words below the picture."""
    for level, line in enumerate(line for line in report.lines if line.at is not None):
        assert line.at is not None
        x, y = LEFT + on.x(line.at), 14.0 + 15 * level
        yield f'<line class="line" x1="{x:g}" y1="{y + 4:g}" x2="{x:g}" y2="{height - 22:g}"/>'
        side = "end" if x > WIDTH * 0.7 else "start"
        yield _text(x + (-4 if side == "end" else 4), y, f"⚑ {line.line.upper()}", "", side)
