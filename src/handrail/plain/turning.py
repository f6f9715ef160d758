"""drill --turn-back: walk forward until one step has passed, then all the way back. A front end that submits intents."""

from __future__ import annotations

from handrail.base.frozen import dataclass
from handrail.engine.messages import Intent
from handrail.engine.state import State
from handrail.engine.words import StepWord
from handrail.plain.auto import Auto
from handrail.session.api import SessionApi

_BEHIND = (StepWord.PASSED, StepWord.SKIPPED)


@dataclass(frozen=True)
class TurnBack(Auto):
    """Goes forward step by step to `step`, and walks back to the start once it has passed."""

    step: str = ""

    def next_intent(self, session: SessionApi) -> Intent | None:
        """Return what to ask for now."""
        state = session.snapshot.state
        if self._turned(state):
            return self._undo(state)
        return super().next_intent(session)

    def is_over(self, state: State) -> bool:
        """Tell whether everything is taken back, or a person has to decide."""
        if self._turned(state) and not state.started and not state.walk:
            return True
        return super().is_over(state)

    def _turned(self, state: State) -> bool:
        return state.step(self.step).word in _BEHIND or any(now.undone for _, now in state.walked())
