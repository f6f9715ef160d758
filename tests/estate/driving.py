"""Runs of a shipped runbook on the real estate, driven as `tests.runbooks` drives drills, but LIVE."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.estate.estate import RUNBOOKS, Estate
from tests.runbooks.bed import drive, stands_at

from handrail.engine.outcome import outcome
from handrail.engine.state import State
from handrail.engine.words import Outcome, Pace, StepWord
from handrail.plain.auto import Auto
from handrail.session.opening import Opening, open_run
from handrail.session.session import Session
from handrail.session.view import Mode
from handrail.store.home import Home

REASON = "the real estate's tests: it was never drilled here"


def live(home: Path, estate: Estate, runbook: str = "puppet-failover", pace: Pace = Pace.STEP, **more: Any) -> Session:
    """Open a LIVE run of a shipped runbook, the file itself, byte for byte what a drill runs; `more` is of `Opening`."""
    file = RUNBOOKS / f"{runbook}.toml"
    told = Opening(file, estate.file, Mode.LIVE, reason=REASON, pace=pace, **more)
    return open_run(Home(home).make(), told)


def passed(step: str) -> Callable[[State], bool]:
    """Return what tells whether a step has passed, and nothing is on its way."""
    return lambda state: state.step(step).word is StepWord.PASSED


async def fails_at(session: Session, step: str) -> str:
    """Drive on until a step fails, which has to be this one; return what was said about it."""
    state = await drive(session)
    at, told = stands_at(state)
    assert at == step, f"{at}: {told}"
    return told


async def undone(session: Session) -> None:
    """Walk all the way back, which has to end well."""
    auto = Auto(undo_to="")
    intent = auto.next_intent(session)
    assert intent is not None
    assert session.submit(intent) is None
    while (shown := session.snapshot).state.walk is None:
        await session.changed(shown.seq)
    state = await drive(session, auto)
    assert outcome(state) is Outcome.UNDONE, {s.id: (n.word, n.detail) for s, n in state.walked() if n.touched}
