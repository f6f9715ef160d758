"""What can be done about a step that failed, is UNKNOWN, or whose undo failed: each asks for the words it needs."""

from __future__ import annotations

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.outline import StepOutline
from handrail.engine.state import Told
from handrail.engine.words import StepWord, Verdict
from handrail.tui import decide, happened
from handrail.tui.choices import Choice, Menu
from handrail.tui.dialogs import AskWords, Field
from handrail.tui.happened import names_of
from handrail.tui.output import OutputView
from handrail.tui.page import OfRun
from handrail.tui.text import EMPTY, Ink, Line, ink, rule

_LEAST = 6  # rows of what happened that a long menu leaves


class Deciding(OfRun):
    """The decide menu: its painting and its actions."""

    output: OutputView

    def __init__(self) -> None:
        super().__init__()
        self.menu = Menu()
        self.not_now: list[Choice] = []  # what cannot be chosen now
        self.output = OutputView()
        self._facts_at = 0
        self._facts_room = 1
        self._waiting = ""  # the decision for which somebody chose to wait
        self._silent: tuple[str, str] = ("", "")  # the decision, and who did not answer there
        self._answers_again = ""
        self._told: tuple[str, Told | None] | None = None  # the decision, and what was answered there last

    def on_unmount(self) -> None:
        """Close the outputs."""
        self.output.close()

    @property
    def showing(self) -> str:
        """Return the face that is shown: run, gate, decide or question."""
        return self.scope

    def deciding(self) -> str:
        """Return which decision it is; nothing when none is to be taken."""
        step = order.standing(self.now.state)
        return f"{step.id}:{len(self.now.state.step(step.id).attempts)}" if step else ""

    def turn_menu(self) -> None:
        """Follow what can be chosen; enter is dead for a moment where the mark moves by itself."""
        step = order.standing(self.now.state)
        if step is not None and self.now.state.step(step.id).asking is not None:
            return  # what is asked is answered in a moment: the menu stays as it is
        self._turn_told(step)
        before = self.menu.chosen.action if self.menu.chosen else ""
        can, self.not_now = decide.split(decide.choices(self.now, self.desk.keys))
        self.menu.update(can)
        after = self.menu.chosen.action if self.menu.chosen else ""
        if before and after != before and self.showing == "decide":
            self.desk.deaden()
        self._turn_silence()

    def _turn_told(self, step: StepOutline | None) -> None:
        """Say what a probe or a check has just answered."""
        said = self.now.state.step(step.id).told if step else None
        if said is not None and self._told is not None and said != self._told[1] and self._told[0] == self.deciding():
            self.tell(f"asked at {happened.told_words(self.now, said)}")
        self._told = (self.deciding(), said)

    def _turn_silence(self) -> None:
        """Notice that a host answers again for which the step stands."""
        now, gone = self.deciding(), names_of(self.now.away)
        was, names = self._silent
        if was != now or gone:
            self._answers_again = ""
        if was == now and names and not gone:
            self._answers_again = names
            self.desk.bell()
        if was != now:
            self._facts_at = 0
        self._silent = (now, gone)

    def decide_rows(self, width: int, height: int, host: str) -> list[Line]:
        """Return the panel: what happened, what to do next, then the menu; then the last output where there is room."""
        step = self._standing()
        low = height < 14
        reasons = decide.refused(self.not_now, self.desk.keys, width, height)
        facts = self._facts(step, width, 99)
        fixed = (1 if low else 3) + len(self.menu.choices)
        if fixed + len(facts) + len(reasons) + 1 > height:
            reasons = decide.refused(self.not_now, self.desk.keys, width, 0)
        room = max(_LEAST, height - fixed - len(reasons))
        shown = self._window(facts if len(facts) <= room else self._facts(step, width, room), room)
        above = [happened.head(self.now, step, width), *([] if low else [EMPTY]), *shown]
        below = [
            *([] if low else [ink(" What now?", Ink.BOLD)]),
            *self._menu(width, height - len(above), low=low),
            *reasons,
        ]
        lines = [*above, *([EMPTY] if len(above) + len(below) < height else []), *below]
        left = height - len(lines) - 2
        if left >= 3 and self.output.count:
            last = rule(width, ink(f"last output of {self.now.host(host)}", Ink.DIM))
            lines += [EMPTY, last, *self.output.rows(width, left)]
        return lines

    def _menu(self, width: int, room: int, *, low: bool) -> list[Line]:
        """Return the menu in the room that is left; it scrolls where that is too little."""
        rows = room - (1 if self.not_now else 0) - (0 if low else 1)
        return self.menu.lines(self.desk.look, width, max(2, rows), label_at=36 if width < 100 else 56)

    def _facts(self, step: StepOutline, width: int, room: int) -> list[Line]:
        marked = next((c for c in self.menu.choices if c.proposed), None)
        verb, key = (marked.action, marked.key) if marked else ("", "")
        return happened.facts(self.now, step, width, verb, key, room=room)

    def _window(self, facts: list[Line], room: int) -> list[Line]:
        """Return the part of what happened that is in view; the last row says that there is more."""
        self._facts_room = room
        if len(facts) <= room:
            self._facts_at = 0
            return facts
        self._facts_at = max(0, min(self._facts_at, len(facts) - room))
        shown = facts[self._facts_at : self._facts_at + room]
        left = len(facts) - self._facts_at - room
        if left:
            key = self.desk.keys.key("decide", "page-down")
            shown = [*shown[:-1], ink(f"   and {left + 1} more lines: {key.keys[0] if key else ''}", Ink.MUTED)]
        return shown

    def page_facts(self, way: int) -> None:
        """Move what happened by half of what is in view."""
        self._facts_at = max(0, self._facts_at + way * max(1, self._facts_room // 2))

    def usual(self) -> Line:
        """Return who is waited for, and that they answer again."""
        if self.showing != "decide" or self.now.state.held:
            return super().usual()
        gone = names_of(self.now.away)
        if self._answers_again:
            return ink(f" {self._answers_again} answers again. Decide: nothing was sent meanwhile.", Ink.LOUD)
        if gone and self._waiting == self.deciding():
            return ink(f" Waiting for {gone}. It is asked every 5 s; nothing else is sent.", Ink.CALM)
        return super().usual()

    def do_wait(self) -> None:
        """Wait for a host that does not answer: it is asked again and again, and nothing is sent."""
        if not self.now.away:
            self.tell("the hosts that this step needs answer: there is nothing to wait for")
            return
        self._waiting = self.deciding()
        self.menu.to("wait")

    def do_attach(self) -> None:
        """Ask the host what became of the job."""
        self.desk.submit(m.Reattach(self._standing().id))

    def do_forward_again(self) -> None:
        """Do the step again whose undo failed; it ends the way back."""
        self.desk.submit(m.GoForward(self._standing().id))

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
