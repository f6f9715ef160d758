"""The plan page: every step, its commands and what undoes them; it opens no connection."""

from __future__ import annotations

from collections.abc import Sequence

from handrail.session.cards import PlanLine
from handrail.tui.page import Scrolled
from handrail.tui.plan_view import plan_of, plan_rows
from handrail.tui.text import EMPTY, Ink, Line, ink


class PlanPage(Scrolled[None]):
    """The plan of the run that is open, or one that was made of a runbook."""

    scope_name = "plan"

    def __init__(self, plan: Sequence[PlanLine] = (), title: str = "") -> None:
        super().__init__()
        self._plan, self._title = plan, title

    def lines(self, width: int) -> list[Line]:
        """Return the plan."""
        scene = self.scene
        plan = self._plan or (plan_of(scene) if scene else ())
        head = ink(f" PLAN  {self._title}" if self._title else " PLAN  nothing is sent by reading it", Ink.BOLD)
        return [head, EMPTY, *plan_rows(plan, self.desk.look, width)]
