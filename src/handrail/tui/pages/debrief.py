"""The debrief page."""

from __future__ import annotations

from handrail.tui.debrief_view import debrief_rows
from handrail.tui.page import Scrolled
from handrail.tui.text import EMPTY, Ink, Line, ink


class DebriefPage(Scrolled[None]):
    """What the run came to."""

    of_run = True
    scope_name = "debrief"

    def __init__(self) -> None:
        super().__init__()
        self.whole = False

    def lines(self, width: int) -> list[Line]:
        """Return the debrief."""
        scene = self.scene
        return debrief_rows(scene, width, whole=self.whole) if scene else [EMPTY]

    def labels(self) -> dict[str, str]:
        """Return what the list of steps would become."""
        return {"all-steps": "By stage" if self.whole else "All steps"}

    def do_all_steps(self) -> None:
        """Show each step, or only the stages."""
        self.whole = not self.whole

    def usual(self) -> Line:
        """Return what was saved."""
        if self.more:
            return super().usual()
        scene = self.scene
        steps = sum(1 for _, now in scene.state.walked() if now.attempts) if scene else 0
        return ink(f" Saved: journal, and the output of {steps} steps", Ink.DIM)

    def _folder(self) -> str:
        scene = self.scene
        return str(scene.snap.info.folder) if scene else ""

    def do_whole_report(self) -> None:
        """Show where the record lies."""
        scene = self.scene
        run = scene.snap.info.run if scene else ""
        self.desk.box("The record", self._folder(), f"y copies the path. handrail report {run} writes it up.")

    def do_copy(self) -> None:
        """Copy the path of the record."""
        self.desk.copy(self._folder())
