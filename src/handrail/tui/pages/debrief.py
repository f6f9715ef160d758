"""The debrief page."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.engine import messages as m
from handrail.engine.foretold import foretold
from handrail.engine.words import Remarks
from handrail.session.lessons import NOT_SO, QUESTIONS, SO, is_ones_own, last_lines, reflections, to_judge
from handrail.tui.debrief_lesson import WAS_IT_SO
from handrail.tui.debrief_view import debrief_rows
from handrail.tui.dialogs import AskWords, Field
from handrail.tui.frame import Body
from handrail.tui.page import Scrolled
from handrail.tui.text import EMPTY, Ink, Line, ink

_TOLD = 5  # rows that one foretold step takes at least


class DebriefPage(Scrolled[None]):
    """What the run came to."""

    of_run = True
    scope_name = "debrief"

    def __init__(self) -> None:
        super().__init__()
        self.whole = False
        self._came: dict[str, tuple[str, ...]] = {}
        self._asked_at = 0  # the row of the marked step that was foretold
        self._follow = False  # it is brought into view once

    def lines(self, width: int) -> list[Line]:
        """Return the debrief."""
        scene = self.scene
        if scene is None:
            return [EMPTY]
        rows = debrief_rows(scene, width, whole=self.whole, actual=self._actual())
        self._asked_at = next((at for at, line in enumerate(rows) if WAS_IT_SO in line.plain), 0)
        return rows

    def _actual(self) -> Mapping[str, tuple[str, ...]]:
        """Return the last lines that each foretold step has said; read once, for the run is over."""
        scene, session = self.scene, self.desk.session
        if scene is not None and session is not None:
            for one in foretold(scene.state):
                if one.step not in self._came:
                    self._came[one.step] = last_lines(session.output(one.step))
        return self._came

    def labels(self) -> dict[str, str]:
        """Return what enter does, and what the list of steps would become."""
        writes = "Write" if self._question() else "Record"
        return {
            "write": writes,
            "whole-report": "" if writes == "Record" else "Record",
            "was-so": "Was so" if self._foretold() else "",
            "was-not-so": "Was not" if self._foretold() else "",
            "all-steps": "By stage" if self.whole else "All steps",
        }

    def _question(self) -> tuple[str, str] | None:
        """Return the next open question; None where nobody practises, or all are answered."""
        scene = self.scene
        if scene is None or not is_ones_own(scene.snap) or scene.watching:
            return None
        answered = reflections(scene.state)
        return next((one for one in QUESTIONS if one[0] not in answered), None)

    def do_write(self) -> None:
        """Answer the next open question in one's own words; where there is none, show where the record lies."""
        found = self._question()
        if found is None:
            self.do_whole_report()
            return
        about, question = found
        says = ["In your own words, for yourself. It stands in the drill's record; no score is shown to others."]
        self.desk.ask(
            AskWords(question, says, [Field("words", "Your answer")]),
            lambda said: self.desk.submit(m.Remark(Remarks.REFLECTION, said["words"], about=about)),
        )

    def _foretold(self) -> str:
        """Return the step whose coming is to be judged next; nothing for whoever did not drill here."""
        scene = self.scene
        return to_judge(scene.snap) if scene and is_ones_own(scene.snap) and not scene.watching else ""

    def do_was_so(self) -> None:
        """Keep that the marked step came as it was foretold."""
        self._judge(SO)

    def do_was_not_so(self) -> None:
        """Keep that the marked step did not come as it was foretold."""
        self._judge(NOT_SO)

    def _judge(self, word: str) -> None:
        step = self._foretold()
        if not step:
            self.tell("nothing that was foretold waits for your word")
        elif not self._in_view():
            self.first = max(0, self._asked_at - 1)
            self.tell("this is what you foretold, and what came: was it so? + or -")
        elif self.desk.submit(m.Remark(Remarks.JUDGED, word, step)):
            self._follow = True

    def _in_view(self) -> bool:
        """Tell whether what is to be judged can be read: nobody judges what they do not see."""
        return self.first <= self._asked_at < self.first + max(1, self._height - _TOLD)

    def body(self, width: int, height: int) -> Body:
        """Return the part that is in view; once something was judged, what is to be judged next."""
        made = super().body(width, height)
        if self._follow and self._foretold() and not self._in_view():
            self.first = max(0, self._asked_at - 1)
            made = super().body(width, height)
        self._follow = False
        return made

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
