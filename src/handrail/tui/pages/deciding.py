"""What can be done about a step that failed, is UNKNOWN, or whose undo failed: each asks for the words it needs."""

from __future__ import annotations

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.outline import StepOutline
from handrail.engine.words import StepWord, Verdict
from handrail.tui.choices import Menu
from handrail.tui.dialogs import AskWords, Field
from handrail.tui.page import OfRun


class Deciding(OfRun):
    """The actions of the decide menu."""

    def __init__(self) -> None:
        super().__init__()
        self.menu = Menu()

    def do_choose(self) -> None:
        """Do what is marked, or say why not."""
        chosen = self.menu.chosen
        if chosen is None:
            return
        if chosen.why:
            self.tell(chosen.why)
            return
        self.act(chosen.action)

    def _standing(self) -> StepOutline:
        step = order.standing(self.now.state)
        assert step is not None
        return step

    def do_retry(self) -> None:
        """Send it again where it did not pass."""
        self.desk.submit(m.Retry(self._standing().id))

    def do_probe(self) -> None:
        """Ask the host what is so."""
        self.desk.submit(m.Probe(self._standing().id))

    def do_check(self) -> None:
        """Ask the checks again; nothing is sent that changes."""
        self.desk.submit(m.CheckAgain(self._standing().id))

    def do_by_hand(self) -> None:
        """Say that it was done by hand, with reason and evidence."""
        step = self._standing()
        undo = self.now.state.step(step.id).word in (StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN)
        what = f"the undo of {step.name}" if undo else step.name
        says = ["Your word stands in the record instead of a check. Say why, and what you saw that proves it."]
        fields = [Field("reason", "Reason"), Field("evidence", "Evidence: what you saw, and where")]
        self.desk.ask(
            AskWords(f"Mark {what} as done by hand", says, fields),
            lambda said: self.desk.submit(m.Resolve(step.id, Verdict.PASSED, said["reason"], said["evidence"])),
        )

    def do_not_done(self) -> None:
        """Say that it was not done."""
        step = self._standing()
        says = ["It then counts as FAILED: it can be retried, skipped or undone."]
        self.desk.ask(
            AskWords(f"Say that {step.name} was not done", says, [Field("reason", "How do you know?")]),
            lambda said: self.desk.submit(m.Resolve(step.id, Verdict.FAILED, said["reason"])),
        )

    def do_skip(self) -> None:
        """Skip it, with a reason."""
        step = self._standing()
        self.desk.ask(
            AskWords(
                f"Skip {step.name}", ["The runbook allows it. It stands in the report."], [Field("reason", "Why")]
            ),
            lambda said: self.desk.submit(m.Skip(step.id, said["reason"])),
        )

    def do_owe(self) -> None:
        """Set the undo aside."""
        step = self._standing()
        says = ["The walk back goes on above it. It stays owed until it is done, or somebody says that it was."]
        self.desk.ask(
            AskWords(f"Set the undo of {step.name} aside", says, [Field("reason", "Why can it not be done now?")]),
            lambda said: self.desk.submit(m.Owe(step.id, said["reason"])),
        )

    def do_leave_undo(self) -> None:
        """End the way back here."""
        self.desk.submit(m.LeaveUndo())
