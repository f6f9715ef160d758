"""Closing a run that nobody will finish: with its hosts where they can be reached, else in the record alone.

What stays changed and owed stays so; closing says it and takes nothing of it away.
"""

from __future__ import annotations

from handrail.base.clock import Clock, SystemClock
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.engine import messages as m
from handrail.engine.codec import encode_event
from handrail.engine.decide import decide
from handrail.engine.evolve import evolve
from handrail.engine.messages import Refused
from handrail.engine.outcome import claim_left
from handrail.engine.state import State
from handrail.session.farewell import say_farewell
from handrail.session.people import operator
from handrail.session.record import summary
from handrail.session.recorded import replayed
from handrail.session.resuming import resume_run
from handrail.session.snapshots import Shown, still
from handrail.session.view import Snapshot
from handrail.store.home import Home
from handrail.store.journal import Journal
from handrail.store.lock import acquire
from handrail.store.run_folder import RunFolder

_GONE = "estate-gone"


async def close_run(home: Home, folder: RunFolder, reason: str, clock: Clock | None = None) -> Snapshot:
    """Close a held run and return what it has come to; raise `Trouble` when that is refused, or somebody drives it."""
    if not folder.inputs().get("sim_dir") and claim_left(replayed(folder, clock).state):
        return await _give_the_claim_back(home, folder, reason, clock)
    try:
        session = resume_run(home, folder, reason, clock=clock)
    except Trouble as err:
        if err.problems[0].code != _GONE:
            raise
        return await _close_in_the_record(home, folder, reason, clock or SystemClock())
    refused = session.submit(m.Close(reason))
    await session.close()
    if refused:
        raise trouble("close", refused.reason)
    return session.snapshot


async def _give_the_claim_back(home: Home, folder: RunFolder, reason: str, clock: Clock | None) -> Snapshot:
    """Give back, of a run that is over, the claim on the hosts that did not answer then."""
    session = resume_run(home, folder, reason, clock=clock, giving_back=True)
    await session.close()
    return session.snapshot


async def _close_in_the_record(home: Home, folder: RunFolder, reason: str, clock: Clock) -> Snapshot:
    """Close a run whose simulated estate is gone: nothing can be asked or given back there any more."""
    who = operator()
    lock = acquire(folder.path, who, clock)
    try:
        journal = Journal.open(folder.path, clock, who, lock.epoch, guard=lock.check)
        try:
            run = replayed(folder, clock)
            if run.state.closed:
                raise trouble(
                    "run-closed", f"run {folder.run_id} was closed: {safe(run.state.closed)}", "see its report"
                )
            state = _told(journal, run.state, m.Leave("its simulated estate is gone", by=who, at=run.state.at))
            state = _told(journal, state, m.Close(reason, by=who, at=run.state.at))
            folder.write_summary(journal.head, summary(state, Shown(run.info)))
            shown = still(run.at(state, tuple(journal.records)), 1, state.at, clock.now())
        finally:
            journal.close()
    finally:
        lock.release()
    await say_farewell(home, folder, shown)
    return shown


def _told(journal: Journal, state: State, intent: m.Intent) -> State:
    made = decide(state, intent)
    if isinstance(made, Refused):
        if isinstance(intent, m.Leave) and state.held:
            return state  # it was left before
        raise trouble("close", made.reason)
    for event in made:
        journal.append(*encode_event(event))
        state = evolve(state, event)
    return state
