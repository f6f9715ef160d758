"""A console that may be killed: drives one run on a standing estate, as `--auto` does, until it is forward or back.

    python -m tests.torture.console HOME ESTATE_FOLDER RUNBOOK new|RUN forward|back

The estate outlives it, so that the world can be looked at when it is dead. Exit 0: where it was sent, the run is. Exit 3:
it stands somewhere else and says where; a person would have to decide. Exit 4: it stopped, for it could not write.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Final

from handrail.engine import order
from handrail.engine.outcome import outcome
from handrail.engine.state import State
from handrail.engine.words import Outcome
from handrail.plain.auto import Auto
from handrail.session.opening import Opening, open_run
from handrail.session.resuming import resume_run
from handrail.session.session import Session
from handrail.session.view import Mode
from handrail.store.home import Home
from handrail.store.run_folder import find_run

STOOD: Final = 3
STOPPED: Final = 4


def _session(home: Home, estate: Path, book: Path, run: str) -> Session:
    if run != "new":
        return resume_run(home, find_run(home, run))
    return open_run(home, Opening(book, estate / "estate.toml", Mode.DRILL, simulated="namespaces"))


def _where(state: State) -> str:
    step = order.standing(state)
    return f"{step.id}: {state.step(step.id).word} {state.step(step.id).detail}" if step else outcome(state).value


async def _drive(session: Session, auto: Auto) -> State:
    """Answer everything that is proposed, until there is nothing to do or a person has to decide."""
    while True:
        shown = session.snapshot
        intent = None if shown.trouble else auto.next_intent(session)
        if intent is not None:
            assert session.submit(intent) is None
        elif shown.trouble or auto.is_over(shown.state):
            return shown.state
        else:
            await session.changed(shown.seq)


async def _main(home: str, estate: str, book: str, run: str, way: str) -> int:
    session = _session(Home(Path(home)), Path(estate), Path(book), run)
    print(session.core.run, flush=True)
    try:
        state = await _drive(session, Auto() if way == "forward" else Auto(undo_to=""))
    finally:
        await session.close()
    if session.snapshot.trouble:
        print(f"stopped: {session.snapshot.trouble}", flush=True)
        return STOPPED
    there = outcome(state) is (Outcome.DONE if way == "forward" else Outcome.UNDONE)
    print(_where(state), flush=True)
    return 0 if there else STOOD


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(*sys.argv[1:])))
