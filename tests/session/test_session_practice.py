"""A person's practice: who is new, what a level brings, when the next drill is due, and whose time a drill took."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.tui.fake import FakeSession
from tests.tui.test_screens import done

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.words import Remarks, Verdict, Way
from handrail.runbook.scenario import read_scenario
from handrail.runbook.shipped import shipped
from handrail.session import practice
from handrail.session.lessons import in_production, spent
from handrail.session.levels import Level, harder
from handrail.session.view import CACHES, Before, Snapshot
from handrail.store.drills import Drill, add_drill
from handrail.store.home import Home
from handrail.store.training import trainee

BOOK = shipped() / "puppet-failover.toml"


def finished(folder: Path, level: Level = Level.GUIDED, every: int = 0, *, slip: bool = False) -> Snapshot:
    session = FakeSession(folder)
    session.teach(level)
    session.show(lambda s: replace(s, info=replace(s.info, before=Before(drills=1, every=every))))
    if slip:
        session.submit(m.Remark(Remarks.SLIP, "go: 2.3 waits for 2.2", "sync/copy"))
    done(session)
    return session.snapshot


@pytest.mark.parametrize(("every", "days"), [(0, 7), (7, 30), (30, 91), (91, 91)])
def test_the_next_drill_is_due_later_each_time_and_one_level_harder(tmp_path: Path, every: int, days: int) -> None:
    shown = finished(tmp_path, every=every)
    following = practice.next_drill(shown)
    assert (following.every, following.level) == (days, Level.TITLES)
    assert following.due == date.fromordinal(shown.wall.date().toordinal() + days)


def test_after_a_slip_it_is_due_in_a_week_at_the_same_level(tmp_path: Path) -> None:
    following = practice.next_drill(finished(tmp_path, every=91, slip=True))
    assert (following.every, following.level) == (7, Level.GUIDED)


def test_levels_grow_harder_and_then_stay(tmp_path: Path) -> None:
    assert [harder(level) for level in Level] == [Level.TITLES, Level.TITLES, Level.FAULTS, Level.FAULTS]


def test_a_newcomer_is_one_who_has_finished_no_drill(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    assert practice.is_newcomer(home, "ana")
    practice.remember(home, finished(tmp_path / "run"))
    assert not practice.is_newcomer(home, "ana")
    assert trainee(home, "ana").drills[0].due == "2026-11-29"
    add_drill(home, Drill("d", "x", "2026-11-22T12:00:00.000Z", "tom", "done"))
    assert not practice.is_newcomer(home, "tom")
    assert practice.is_newcomer(home, "eve")


def test_nothing_is_kept_where_nobody_practises(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    session = FakeSession(tmp_path / "run")
    done(session)
    practice.remember(home, session.snapshot)
    assert not home.training.exists()


def test_a_level_brings_its_scenario(tmp_path: Path) -> None:
    def scenario(level: Level, seed: int | None = None, route: str = "planned") -> Path | None:
        return practice.scenario_for(level, "puppet-failover", BOOK, tmp_path, route, seed)

    assert (scenario(Level.GUIDED) or Path()).stem == "dr-other-ca"
    assert scenario(Level.GUIDED, route="emergency") is None
    assert scenario(Level.NONE) is scenario(Level.TITLES) is None
    picked = {scenario(Level.FAULTS, seed) for seed in range(40)}
    assert len(picked) > 3
    assert scenario(Level.FAULTS, 7) == scenario(Level.FAULTS, 7)
    folders = {
        practice.scenario_for(Level.FAULTS, "puppet-failover", BOOK, tmp_path, "planned", seed, whole=False)
        for seed in range(40)
    }
    assert not [path for path in folders if path and read_scenario(path).head.needs]
    heads = [read_scenario(path).head for path in picked if path]
    assert {(head.runbook, head.route, head.told) for head in heads} == {("puppet-failover", "planned", None)}


def test_whose_time_it_took_is_kept_apart(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.teach(Level.NONE)
    session.to_stage("switch")
    session.clock.pass_by(100)  # somebody reads
    session.tell(m.Halt("tom", "what comes next?"))
    session.clock.pass_by(60)
    session.tell(m.EndHalt("tom"))
    session.submit(m.Go())
    session.open_gate("switch/dns")
    session.submit(m.Confirm("switch/dns", session.gate("switch/dns").token))
    session.run("switch/dns")
    caches = replace(session.base.texts["switch/caches"], spends=CACHES)
    session.show(lambda s: replace(s, texts={**s.texts, "switch/caches": caches}, restored=200.0))
    session.run("switch/caches")
    took = spent(session.snapshot)
    assert took.caches == 5.0
    assert took.halted == 60.0
    assert 100.0 <= took.person < 160.0, "standing still is not theirs"
    assert took.machine + took.person + took.caches + took.halted == pytest.approx(session.at)
    assert in_production(session.snapshot) == 200.0 + 295.0


def test_the_time_of_a_step_is_that_of_all_its_attempts() -> None:
    events = (
        e.AttemptStarted(1.0, "s/a", 1, Way.FORWARD, ("h",)),
        e.AttemptEnded(3.0, "s/a", 1, Way.FORWARD, Verdict.FAILED),
        e.AttemptStarted(10.0, "s/a", 2, Way.FORWARD, ("h",)),
        e.AttemptEnded(14.0, "s/a", 2, Way.FORWARD, Verdict.PASSED),
        e.AttemptStarted(20.0, "s/b", 1, Way.FORWARD, ("h",)),
    )
    assert practice.times_of(events) == {"s/a": 6.0}
