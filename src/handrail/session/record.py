"""The summary beside the journal: what lists of runs show. It can be made anew from the journal at any time."""

from __future__ import annotations

from typing import Any

from handrail.engine.outcome import claim_left, outcome, stays_changed
from handrail.engine.state import State
from handrail.session.snapshots import Shown
from handrail.session.status import where_text


def summary(state: State, shown: Shown, *, whole: bool = True) -> dict[str, Any]:
    """Return what lists of runs show: derived from the journal, or from what can be read of it; never the truth."""
    return {
        "outcome": outcome(state).value,
        "where": where_text(state, whole=whole),
        "owed": [*(o.what for o in state.owed), *(f"give the claim back on {host}" for host in claim_left(state))],
        "stays": [step.id for step in stays_changed(state)],
        "mode": shown.info.mode.value,
        "runbook": shown.info.runbook,
        "estate": shown.info.estate,
        "operator": state.driver,
        "held": state.held,
        "closed": state.closed,
    }
