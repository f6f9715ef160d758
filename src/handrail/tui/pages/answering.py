"""What is typed to a run: the new value at a gate, the answer to a running step's question."""

from __future__ import annotations

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.outline import StepOutline
from handrail.engine.results import Gate
from handrail.tui import asking, gate
from handrail.tui.choices import Menu
from handrail.tui.entry import Entry
from handrail.tui.pages.deciding import Deciding


class Answering(Deciding):
    """The actions of the gate and of the question."""

    def __init__(self) -> None:
        super().__init__()
        self.typing = Entry(guarded=True)
        self.reason = Entry()
        self.on_reason = False
        self.answers = Menu()

    def keeps(self, char: str) -> bool:
        """Keep `!` as a key at a gate, unless it is part of what must be typed."""
        found = self.gate_now()
        return (
            char == "!" and self.showing == "gate" and not self.on_reason and bool(found and "!" not in found[1].token)
        )

    def gate_now(self) -> tuple[StepOutline, Gate] | None:
        """Return the step whose gate is open, with what stands on it."""
        state = self.now.state
        step = order.awaiting(state)
        shown = state.step(step.id).gate if step else None
        return (step, shown) if step and shown else None

    def do_confirm(self) -> None:
        """Send it, once what is typed matches and nothing closes the gate."""
        found = self.gate_now()
        if found is None:
            return
        self.desk.submit(m.Confirm(found[0].id, self.typing.value, self.reason.value))

    def why_dead(self) -> str:
        """Return why enter does nothing at the gate; empty once what is typed matches and nothing closes the gate."""
        found = self.gate_now()
        if found is None:
            return "no gate is open"
        typed, reason = self.typing.value, self.reason.value
        if gate.may_send(self.now, *found, typed, reason):
            return ""
        if not typed:
            return "enter is dead: type the new value first"
        return gate.closed(self.now, *found, reason) or "enter is dead until it matches"

    def do_not_now(self) -> None:
        """Leave the gate."""
        step = order.awaiting(self.now.state)
        if step:
            self.desk.submit(m.LeaveGate(step.id))

    def do_other_entry(self) -> None:
        """Go to the reason and back, where one is asked."""
        found = self.gate_now()
        if found and gate.needs_reason(self.now, found[1]):
            self.on_reason = not self.on_reason
        else:
            self.tell("no reason is asked here")

    # ------------------------------------------------------------ question

    def do_answer(self) -> None:
        """Give the answer that is typed, or chosen."""
        step = order.asking(self.now.state)
        if step is None:
            return
        answer, why = asking.answer(self.now, step, self.answers, self.typing)
        if why:
            self.tell(why)
        else:
            self.desk.submit(m.Reply(step.id, answer))

    def do_refuse(self) -> None:
        """Answer no."""
        step = order.asking(self.now.state)
        if step is None:
            return
        if asking.is_manual(self.now, step):
            self.tell("say passed, failed or not possible: tab changes it")
            return
        self.desk.submit(m.Reply(step.id, ""))

    def do_other_choice(self) -> None:
        """The next of the answers that a manual step knows."""
        if self.answers.choices:
            self.answers.at = (self.answers.at + 1) % len(self.answers.choices)
