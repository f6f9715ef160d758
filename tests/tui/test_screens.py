"""Every screen as a person sees it, as text, at the sizes that count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.desk import FakeDesk, cards, held_run
from tests.tui.fake import FakeSession, failed, lost, passed
from tests.tui.stage import matches, playing

from handrail.engine import messages as m
from handrail.engine.results import Check, Question, Result
from handrail.engine.words import Answer, ResultKind, Way
from handrail.session.view import LiveHost, LiveStep, Mode
from handrail.tui.look import Look

SIZES = {"80x24": (80, 24), "160x48": (160, 48), "60x18": (60, 18)}


def at_pause(s: FakeSession) -> None:
    s.to_stage("sync")


def running(s: FakeSession) -> None:
    s.to_stage("sync")
    assert s.submit(m.Go()) is None
    s.run("sync/hold", "sync/mask")
    s.begin("sync/copy")
    for n in range(30):
        s.clock.pass_by(1)
        s.say("sync/copy", "h-dr", f"+ ca/signed/web{n:02}.example.test.pem\n")
    s.say("sync/copy", "h-dr", "staging 4 files, live tree untouched", None)
    s.say("sync/copy", "h-dr", "warning: ca/serial is older than the inventory\n", "err")
    seen = {"h-dr": LiveHost("h-dr", "", s.at)}
    s.live("sync/copy", LiveStep(4, 7, "ssl, ca → dr  9.2 kB", seen))


def no_link(s: FakeSession) -> None:
    running(s)
    s.tell(m.LinkNews("sync/copy", "h-dr", up=False, why="timeout"))
    s.clock.pass_by(62)


def copy_failed(s: FakeSession) -> None:
    running(s)
    s.end("sync/copy", failed("h-dr", 1, "", Check("manifests equal", False, "ca/serial differs on the two sides")))


def unknown(s: FakeSession) -> None:
    s.to_stage("sync")
    assert s.submit(m.Go()) is None
    s.run("sync/hold")
    s.begin("sync/mask")
    s.clock.pass_by(41)
    s.end("sync/mask", lost("h-primary", "the host answers, and knows of no such job"))


def gate(s: FakeSession) -> None:
    s.to_stage("switch")
    s.open_gate("switch/dns")


def gate_closed(s: FakeSession) -> None:
    gate(s)
    bad = replace(s.gate("switch/dns").rechecks[0], holds=False, seen="exit 35: another CA")
    s.open_gate("switch/dns", rechecks=(bad,))


def canaries(s: FakeSession) -> None:
    s.to_stage("clients")
    assert s.submit(m.Go()) is None
    s.begin("clients/canaries")
    s.clock.pass_by(64)
    good = Check("served by the DR", True, "10.9.0.10")
    bad = Check("served by the DR", False, "asked 10.0.0.10, 212 s left of its cache")
    s.end("clients/canaries", passed("h-web01", good), failed("h-web02", 0, "", bad), failed("h-db01", 1))


REFUSED = (
    "/etc/puppetlabs/puppetserver/ca/serial at primary cannot be read: puppet-primary (192.0.2.10 port 22) cannot be "
    "reached: [Errno 113] No route to host"
)


def primary_gone(s: FakeSession) -> None:
    running(s)
    s.end("sync/copy", Result("h-dr", ResultKind.REFUSED, sent=False, detail=REFUSED))
    s.goes_away("h-primary", proposes="declare", asked=s.at - 3)


def unknown_and_asked(s: FakeSession) -> None:
    unknown(s)
    assert s.submit(m.Probe("sync/mask")) is None
    s.clock.pass_by(7)
    s.probed("sync/mask", Answer.DONT_KNOW, "puppetserver.service is neither masked nor running")


def asked_again(s: FakeSession) -> None:
    s.to_stage("clients")
    assert s.submit(m.Go()) is None
    s.begin("clients/canaries")
    s.clock.pass_by(41)
    seen = LiveHost("h-web02", "exit 1, expected 0", s.at - 3, None, 4, s.at + 7, s.at + 199)
    s.live("clients/canaries", LiveStep(hosts={"h-web02": seen}))


def undo_failed(s: FakeSession) -> None:
    running(s)
    s.end("sync/copy")
    assert s.submit(m.Pause()) is None
    assert s.submit(m.Undo("sync")) is None
    s.begin("sync/copy", Way.BACK)
    s.end("sync/copy", failed("h-dr", 1, "the snapshot is not where it was"))


def emergency(s: FakeSession) -> None:
    s.to_stage("sync")
    assert s.submit(m.Go()) is None
    s.run("sync/hold", "sync/mask")
    assert s.submit(m.Pause()) is None
    assert s.submit(m.Declare("emergency", "network says fibre cut, no ETA")) is None


def no_way_back(s: FakeSession) -> None:
    s.to_stage("sign")
    s.open_gate("sign/first")


def done(s: FakeSession) -> None:
    s.to_stage("sign")
    s.open_gate("sign/first")
    assert s.submit(m.Confirm("sign/first", "sign")) is None
    s.begin("sign/first")
    s.end("sign/first")
    s.show(
        lambda snap: replace(snap, restored=708.0, turn_back_by=None, slips={"sync/copy": 1}, hints={"sync/copy": 2})
    )


def manual(s: FakeSession) -> None:
    s.to_stage("sync")
    assert s.submit(m.Go()) is None
    s.run("sync/hold", "sync/mask", "sync/copy")
    s.begin("sync/look")
    names = ("pass: the lights are green", "fail: red, or dark", "cannot: nobody is there", "who looked, and when")
    s.ask("sync/look", Question("Look at rack 4: which lights are on at the old primary?", "", names))


def manual_undo(s: FakeSession) -> None:
    s.to_stage("sync")
    assert s.submit(m.Go()) is None
    s.run("sync/hold", "sync/mask")
    assert s.submit(m.Pause()) is None
    assert s.submit(m.Undo("sync")) is None
    s.begin("sync/mask", Way.BACK)
    names = ("pass: the unit runs again", "fail: it does not", "cannot: nobody is there", "who looked, and when")
    s.ask("sync/mask", Question("Start the server at the old primary again.", "", names))


def removals(s: FakeSession) -> None:
    running(s)
    names = tuple(f"ca/signed/gone{n}.pem" for n in range(6))
    s.ask("sync/copy", Question("6 files would vanish at puppet-dr", "6", names))


def held(s: FakeSession) -> None:
    running(s)
    assert s.submit(m.Leave("left by the operator")) is None


def guarded(s: FakeSession) -> None:
    s.to_stage("clients")
    s.tell(m.GuardNews("primary-back", tripped=True, seen="exit 0"))


STATES: dict[str, tuple[Callable[[FakeSession], None], tuple[str, ...], Mode]] = {
    "run-pause": (at_pause, ("80x24", "160x48", "60x18"), Mode.DRILL),
    "run-running": (running, ("80x24", "160x48", "60x18"), Mode.DRILL),
    "run-no-link": (no_link, ("80x24",), Mode.LIVE),
    "run-asked-again": (asked_again, ("80x24", "60x18"), Mode.LIVE),
    "run-held": (held, ("80x24",), Mode.LIVE),
    "run-guard": (guarded, ("80x24",), Mode.LIVE),
    "run-emergency": (emergency, ("80x24",), Mode.LIVE),
    "decide-failed": (copy_failed, ("80x24", "160x48", "60x18"), Mode.LIVE),
    "decide-primary-gone": (primary_gone, ("80x24", "160x48", "60x18"), Mode.LIVE),
    "decide-asked": (unknown_and_asked, ("80x24", "60x18"), Mode.LIVE),
    "decide-canaries": (canaries, ("80x24",), Mode.LIVE),
    "decide-unknown": (unknown, ("80x24",), Mode.LIVE),
    "decide-undo-failed": (undo_failed, ("80x24",), Mode.REHEARSAL),
    "gate": (gate, ("80x24", "160x48", "60x18"), Mode.LIVE),
    "gate-closed": (gate_closed, ("80x24",), Mode.LIVE),
    "gate-no-way-back": (no_way_back, ("80x24",), Mode.LIVE),
    "question-manual-undo": (manual_undo, ("80x24", "60x18"), Mode.LIVE),
    "question-manual": (manual, ("80x24",), Mode.DRILL),
    "question-removals": (removals, ("80x24",), Mode.DRILL),
}
CASES = [(name, size) for name, (_, sizes, _) in STATES.items() for size in sizes]


@pytest.mark.parametrize(("name", "size"), CASES, ids=lambda value: str(value))
async def test_run_screens(tmp_path: Path, name: str, size: str) -> None:
    arrange, _, mode = STATES[name]
    session = FakeSession(tmp_path, mode=mode)
    arrange(session)
    async with playing(session, size=SIZES[size]) as stage:
        matches(stage, f"{name}-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_home(size: str) -> None:
    driven = held_run(run="20261122-1150-q7f2mz", driven=True, holder="maria", mode=Mode.REHEARSAL, estate="staging")
    over = held_run(run="20261119-1000-aaaaaa", outcome="done", mode=Mode.DRILL, owed=())
    async with playing(desk=FakeDesk((held_run(), driven, over)), size=SIZES[size]) as stage:
        matches(stage, f"home-{size}")


async def test_home_without_runbooks() -> None:
    async with playing(desk=FakeDesk(runbooks=())) as stage:
        matches(stage, "home-empty-80x24")


async def test_home_at_a_broken_runbook() -> None:
    async with playing(desk=FakeDesk(runbooks=cards()[2:])) as stage:
        text = stage.text()
        assert "handrail lint /home/ana/dr/broken.toml" in text
        await stage.press("d")
        assert "does not read" in stage.rows()[-2]


@pytest.mark.parametrize(("key", "name"), [("d", "briefing-drill"), ("R", "briefing-live")])
async def test_briefing(key: str, name: str) -> None:
    async with playing() as stage:
        await stage.press(key)
        await stage.settle()
        matches(stage, f"{name}-80x24")


async def test_undo_plan_over_clients_move(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    session.to_stage("clients")
    async with playing(session) as stage:
        await stage.press("u", "down")
        await stage.type("10.0.0.2")
        matches(stage, "undo-80x24")


async def test_log(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    running(session)
    async with playing(session) as stage:
        await stage.press("l", "t", "up", "up")
        matches(stage, "log-80x24")


async def test_plan_help_status(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    running(session)
    session.show(lambda s: replace(s, info=replace(s.info, folder=Path("/nowhere/to/write"))))
    async with playing(session) as stage:
        await stage.press("p")
        matches(stage, "plan-80x24")
        await stage.press("escape", "question_mark")
        matches(stage, "help-80x24")
        await stage.press("escape", "s")
        matches(stage, "status-80x24")
        await stage.press("escape", "colon")
        matches(stage, "commands-80x24")


async def test_debrief(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    done(session)
    async with playing(session) as stage:
        await stage.press("enter")
        assert "DEBRIEF" in stage.text()
        stage.run.show(
            lambda s: replace(s, info=replace(s.info, folder=Path("/home/ana/.local/state/handrail/runs/x")))
        )
        await stage.settle()
        matches(stage, "debrief-80x24")


async def test_the_four_verbs_and_leaving(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    running(session)
    async with playing(session) as stage:
        await stage.press("ctrl+c")
        matches(stage, "verbs-80x24")
        await stage.press("escape", "q")
        matches(stage, "leave-80x24")


async def test_ascii(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    copy_failed(session)
    async with playing(session, look=Look(ascii=True)) as stage:
        assert stage.text().isascii()
        matches(stage, "decide-failed-ascii-80x24")
        await stage.press("escape")
        assert stage.text().isascii()
        matches(stage, "run-failed-ascii-80x24")


async def test_below_the_least_size_keys_stay_alive(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    at_pause(session)
    async with playing(session, size=(52, 16)) as stage:
        assert "needs 60x18, has 52x16" in stage.text()
        await stage.press("enter")
        assert isinstance(session.submitted[-1], m.Go)


@pytest.mark.parametrize("name", ["x", "nobody"])
async def test_a_result_says_how_it_was(tmp_path: Path, name: str) -> None:
    session = FakeSession(tmp_path)
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.begin("sync/hold")
    session.end("sync/hold", Result("h-dr", ResultKind.UNREACHABLE, sent=False, detail=f"no route to {name}"))
    async with playing(session) as stage:
        assert "nothing was sent" in stage.text()
        assert f"no route to {name}" in stage.text()
