"""What a person foretold of steps, gathered from what is kept of them. Pure; nothing is decided by it."""

from __future__ import annotations

from handrail.base.frozen import dataclass
from handrail.engine.state import State
from handrail.engine.words import Remarks


@dataclass(frozen=True)
class Foretold:
    """What somebody said before a step: what it will print, what undoes it; and afterwards whether it came so."""

    step: str
    prints: str
    undone: str = ""
    judged: str = ""  # in the word of who foretold it, or nothing yet


def foretold(state: State) -> tuple[Foretold, ...]:
    """Return what was foretold, in the order of the steps; of what was said twice, the last."""
    said = {(remark.step, remark.kind): remark.text for remark in state.remarks}
    kinds = (Remarks.PREDICTED, Remarks.PREDICTED_UNDO, Remarks.JUDGED)
    steps = (step.id for step, _ in state.walked() if (step.id, Remarks.PREDICTED) in said)
    return tuple(Foretold(step, *(said.get((step, kind), "") for kind in kinds)) for step in steps)
