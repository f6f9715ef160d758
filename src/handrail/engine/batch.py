"""A batch: the events one message leads to, each decided on the state that the ones before it made."""

from __future__ import annotations

from handrail.engine.events import Event
from handrail.engine.evolve import evolve
from handrail.engine.messages import Refused
from handrail.engine.state import State

Decision = tuple[Event, ...] | Refused


class Batch:
    """Collects events and keeps the state that they lead to. Private to one call of `decide`."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.events: list[Event] = []

    def add(self, *events: Event) -> Batch:
        """Add events in order; return the batch."""
        for event in events:
            self.events.append(event)
            self.state = evolve(self.state, event)
        return self

    def done(self) -> Decision:
        """Return the events."""
        return tuple(self.events)


def refuse(reason: str, code: str = "refused") -> Refused:
    """Return a refusal: one sentence that says why."""
    return Refused(reason, code)
