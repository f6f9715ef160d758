"""A console that may be killed: drives one run on a standing estate, as `--auto` does, until it is forward or back.

    python -m tests.torture.console HOME ESTATE_FOLDER RUNBOOK new|RUN forward|back|close[+slow][+idle][+told][+after NAME]

`after NAME`: this one takes the run from NAME; a new run, the estate's claim. `told`: it is the drill of a scenario.

The estate outlives it, so that the world can be looked at when it is dead. Exit 0: where it was sent, the run is. Exit 3:
it stands somewhere else and says where; a person would have to decide. Exit 4: it stopped, for it could not write. Exit 5: it left.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.torture.person import Person

from handrail.engine import messages as m
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
LEFT: Final = 5


def _session(home: Home, estate: Path, book: Path, run: str, flags: list[str]) -> Session:
    holder = next((flag.removeprefix("after ") for flag in flags if flag.startswith("after ")), "")
    if run == "new":
        opening = Opening(book, estate / "estate.toml", Mode.DRILL, simulated="namespaces", successor_of=holder)
        if "told" in flags:
            opening = replace(opening, sim_dir=str(estate), scenario=book.parent / "scenarios" / "told.toml")
        return open_run(home, opening)
    return resume_run(home, find_run(home, run), reason="they do not answer" if holder else "", typed=holder)


def _where(state: State) -> str:
    step = order.standing(state)
    return f"{step.id}: {state.step(step.id).word} {state.step(step.id).detail}" if step else outcome(state).value


def acknowledged(session: Session) -> int:
    """Return how many records the front end has been told are on the disk."""
    tail = session._files.journal.tail
    return tail.seq if tail else 0


def _who(book: Path, *, back: bool, flags: list[str]) -> Auto | Person:
    if book.stem == "torture":
        return Person(back, slow="slow" in flags, idle="idle" in flags)
    return Auto(undo_to="") if back else Auto()


async def _drive(session: Session, auto: Auto | Person) -> State:
    """Answer everything that is proposed, until there is nothing to do or a person has to decide."""
    while True:
        shown = session.snapshot
        intent = None if shown.trouble else auto.next_intent(session)
        if intent is not None:
            refused = session.submit(intent)
            if (
                refused and session.snapshot.trouble
            ):  # the disk refused to write it down: that is shown, and it ends here
                continue
            assert refused is None, (intent, refused)
            print(f"acked {acknowledged(session)}", flush=True)
        elif shown.trouble or auto.is_over(shown.state):
            return shown.state
        else:
            await session.changed(shown.seq)


async def main(home: str, estate: str, book: str, run: str, way: str) -> int:
    """Drive one run to where it is sent; return the exit status."""
    way, *flags = way.split("+")
    session = _session(Home(Path(home)), Path(estate), Path(book), run, flags)
    print(session.core.run, flush=True)
    try:
        if way == "close":
            refused = session.submit(m.Close("nobody will finish it"))
            assert refused is None, refused
            return 0
        state = await _drive(session, _who(Path(book), back=way == "back", flags=flags))
    finally:
        await session.close()
    if session.snapshot.trouble:
        print(f"stopped: {session.snapshot.trouble}", flush=True)
        return STOPPED
    if state.held:
        return LEFT
    there = outcome(state) is (Outcome.DONE if way == "forward" else Outcome.UNDONE)
    print(_where(state), flush=True)
    return 0 if there else STOOD


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
