"""Every scenario, end to end: it passes with who does the right thing, and does not with who does the obvious wrong thing.

`make test` takes a few of them; `make scenarios` (HANDRAIL_SCENARIOS=all), which CI runs, takes them all.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.runbooks.bed import RUNBOOKS
from tests.scenarios.operators import where
from tests.scenarios.people import PEOPLE

from handrail.engine.outcome import outcome
from handrail.engine.words import Outcome
from handrail.runbook.scenario import read_scenario
from handrail.session import simulator
from handrail.session.cards import Start
from handrail.session.desk import Desk
from handrail.session.recorded import replayed
from handrail.session.session import Session
from handrail.session.view import Mode
from handrail.store.home import Home
from handrail.store.run_folder import RunFolder

FILES = {path.stem: path for path in sorted((RUNBOOKS / "scenarios").glob("*.toml"))}
FEW = ("dr-other-ca",)
NAMES = list(FILES) if os.environ.get("HANDRAIL_SCENARIOS") == "all" else [name for name in FILES if name in FEW]


def test_everything_that_ships_is_played_by_two_people() -> None:
    assert sorted(PEOPLE) == list(FILES)
    assert len(FILES) >= 15


async def played(name: str, home: Path, *, well: bool) -> tuple[bool, dict[str, Any]]:
    """Return whether the end is as it should be, and what the scenario told."""
    scenario = read_scenario(FILES[name])
    desk = Desk(Home(home).make(), simulator_options=("--mode", "auto"), scenario=FILES[name])
    briefing = await desk.brief(desk.card(RUNBOOKS / f"{scenario.head.runbook}.toml"), Mode.DRILL, print)
    start = Start(
        route=scenario.head.route, emergency="the primary is dark" if scenario.head.route != "planned" else ""
    )
    session = await briefing.start(start)
    assert isinstance(session, Session)
    run, estate = session.snapshot.info.folder, next(desk.store.estates.iterdir())
    try:
        state = await PEOPLE[name][0 if well else 1]().work(session)
        print(where(state))
        told = await simulator.judge(estate, run)
    finally:
        await session.close()
        await simulator.down(estate)
    if outcome(state) is Outcome.DONE:
        kept = replayed(RunFolder.open(desk.store, run.name)).state.scenario
        assert kept is not None
        assert (kept.name, kept.holds) == (name, told["holds"])
    return bool(told["holds"]), told


@pytest.mark.parametrize("name", NAMES)
async def test_who_does_the_right_thing_ends_well(name: str, tmp_path: Path) -> None:
    holds, told = await played(name, tmp_path, well=True)
    assert holds, told
    refused = [act for act in told["acts"] if act["problem"]]
    assert not refused
    assert len(told["acts"]) == len(read_scenario(FILES[name]).act), told["acts"]


@pytest.mark.parametrize("name", NAMES)
async def test_who_does_the_obvious_wrong_thing_does_not(name: str, tmp_path: Path) -> None:
    holds, told = await played(name, tmp_path, well=False)
    assert not holds, told
