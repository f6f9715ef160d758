"""What was rehearsed of a runbook, step by step; and what changed in it since. Both open no connection."""

from __future__ import annotations

from collections.abc import Sequence

from handrail.base.clock import unstamp
from handrail.session.coverage import Coverage, Drilled
from handrail.tui.clocks import day
from handrail.tui.look import Mark
from handrail.tui.page import Scrolled
from handrail.tui.text import EMPTY, Ink, Line, fit, ink, row


class OfRunbook(Scrolled[None]):
    """A long page about a runbook, of which no run is open."""

    scope_name = "plan"

    def labels(self) -> dict[str, str]:
        """Leave out what needs a run."""
        return {"status": "", "note": ""}


class CoveragePage(OfRunbook):
    """Each step: when it was drilled forward, when its undo was, by whom, on which scenario."""

    def __init__(self, made: Coverage) -> None:
        super().__init__()
        self._made = made

    def lines(self, width: int) -> list[Line]:
        """Return a row for each step."""
        made = self._made
        head = f" COVERAGE  {made.runbook} at {made.digest[:12]}"
        sums = f"forward {made.forward} of {len(made.steps)} steps, undo {made.back} of {made.undoable}"
        lines = [ink(head, Ink.BOLD), ink(f" {sums}, in {made.runs} drills since the file was changed", Ink.DIM), EMPTY]
        each = 18 if width < 110 else max(18, (width - 50) // 2)
        wide = width - 2 * each - 4
        lines.append(ink(f" {'step':{wide}}  {'forward':{each}} undo", Ink.DIM))
        for step in made.steps:
            back = self._when(step.back, each) if step.undoable else ink("-", Ink.MUTED)
            name = fit(ink(f"{step.number} {step.title}", Ink.TEXT), wide)
            lines.append(fit(row(" ", name, "  ", fit(self._when(step.forward, each), each), " ", back), width))
        more = [f"not counted, its record is not whole: {run}" for run in made.unreadable]
        if made.never_undone:
            more.append("prove an undo with: handrail drill --turn-back STEP")
        return [*lines, EMPTY, *(ink(f" {text}", Ink.DIM) for text in more)]

    def _when(self, one: Drilled | None, width: int) -> Line:
        if one is None:
            return row(ink(self.desk.look.glyph(Mark.FAILED), Ink.WARNING), ink(" never", Ink.WARNING))
        about = f" {one.by}" + (f", {one.scenario}" if one.scenario and width > 18 else "")
        when = day(unstamp(one.when))
        done = row(ink(self.desk.look.glyph(Mark.DONE), Ink.TEXT), ink(f" {when}", Ink.TEXT), ink(about, Ink.DIM))
        return fit(done, width)


class SincePage(OfRunbook):
    """What is different since the last drill: the steps, then the lines of both files."""

    def __init__(self, runbook: str, lines: Sequence[str]) -> None:
        super().__init__()
        self._runbook, self._lines = runbook, lines

    def lines(self, width: int) -> list[Line]:
        """Return the sentences and the diff."""
        head = ink(f" CHANGED  {self._runbook}, since its last drill", Ink.BOLD)
        inks = {"+": Ink.ACCENT, "-": Ink.WARNING, "@": Ink.DIM}
        return [head, EMPTY, *(ink(f" {line}", inks.get(line[:1], Ink.TEXT)) for line in self._lines)]
