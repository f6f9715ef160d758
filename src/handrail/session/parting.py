"""What stands at the shell when a console has gone: where the run is, how to come back, what is changed and owed. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from handrail.base.safe import Safe, safe
from handrail.engine import outcome as ends
from handrail.engine.words import Outcome
from handrail.session.practice import next_drill
from handrail.session.status import changed_steps, where_text
from handrail.session.view import Mode, Snapshot

_OVER: Final = {
    Outcome.DONE: "is done",
    Outcome.UNDONE: "is undone: what it changed was taken back",
    Outcome.CLOSED: "is closed, unfinished",
}


def parting(snap: Snapshot, *, watched: bool = False) -> tuple[Safe, ...]:
    """Return a few lines for whoever sits at the shell now; `watched` when this console only looked on."""
    return tuple(safe(line) for line in (_watched(snap) if watched else _driven(snap)))


def _watched(snap: Snapshot) -> Iterator[str]:
    run, state = snap.info.run, snap.state
    if state.held or state.closed or ends.outcome(state) in _OVER:
        yield f"You watched run {run}; nobody drives it now. Its report: handrail report {run}"
    else:
        yield f"You watched run {run}; {state.driver or 'somebody'} drives on. Look again: handrail watch {run}"


def _driven(snap: Snapshot) -> Iterator[str]:
    run, what = snap.info.run, f"{snap.info.mode.value} {snap.info.runbook} on {snap.info.estate}"
    over = _OVER.get(ends.outcome(snap.state))
    if snap.trouble:
        yield f"This console drives run {run} no more: {snap.trouble}"
        yield f"Look on: handrail watch {run}. Once that is seen to, come back: handrail resume {run}"
    elif ends.handed_to(snap.state):
        yield f"Run {run} ({what}) was handed over to {ends.handed_to(snap.state)}, at {where_text(snap.state)}."
        yield f"Look on: handrail watch {run}"
    elif over:
        yield f"Run {run} ({what}) {over}. Its report: handrail report {run}"
    else:
        yield f"Run {run} ({what}) is held at {where_text(snap.state)}: nobody drives it, nothing more is sent."
        yield f"Come back: handrail resume {run}"
    yield from _stays(snap)
    yield f"Its folder: {snap.info.folder}"


def _stays(snap: Snapshot) -> Iterator[str]:
    changed, gone = changed_steps(snap), snap.info.mode is Mode.DRILL and ends.outcome(snap.state) in _OVER
    if changed:
        back = "" if snap.state.closed or gone else f" Way back: handrail undo {snap.info.run}"
        yield f"Stays changed: {', '.join(changed)}.{back}"
    else:
        yield "Nothing stands changed."
    if gone:
        if snap.info.level and ends.outcome(snap.state) is not Outcome.CLOSED:
            following = next_drill(snap)
            yield f"Your next drill of it is due on {following.due}: handrail training lists it."
        yield "Its simulated estate is taken down, and whatever was changed there is gone with it."
    left = () if gone else ends.claim_left(snap.state)
    if left:
        hosts = ", ".join(snap.names.get(host, host) for host in left)
        yield f"Its claim still stands on {hosts}, which did not answer: other runs are refused there."
        yield f'Once it answers: handrail close {snap.info.run} --reason "give the claim back"'
    for item in snap.state.owed:
        yield f"Owed: {item.what} ({item.why})"
