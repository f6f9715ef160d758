"""A replay: at each record of a real drill it shows the screen that the drill showed; it goes where it is told, and touches nothing."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.session.world import Drive, World, a_world, runbook, step
from tests.ssh.bench import until
from tests.tui.desk import FakeDesk

from handrail.base.clock import StillClock
from handrail.engine import messages as m
from handrail.engine.words import Pace, Remarks, StepWord
from handrail.plain.tape import MARK, Tape
from handrail.session import mailbox
from handrail.session.moving import SILENT, Keeper, Moved, moments
from handrail.session.reel import LEFT, reel_of
from handrail.session.replaying import Replaying
from handrail.session.view import HostView, LiveHost, LiveStep, Mode
from handrail.store.moving import NAME as MOVING
from handrail.store.run_folder import RunFolder
from handrail.tui.app import HandrailApp
from handrail.tui.cast import recorded
from handrail.tui.pages.replay import ReplayPage
from handrail.tui.pages.run import RunPage

OLD, NEW = "10.0.0.10", "10.0.0.20"
UNDO = 'undo = { run = ["rm", "-f", "made"] }\n'
DNS = f'undo = "restore"\ndns = {{ name = "puppet.example.test", from = "{OLD}", to = "{NEW}" }}\n'
LOUD = """script = 'for n in 1 2 3 4 5 6; do echo line $n; done; printf "\\033[2J\\033]0;LIVE\\007 \\342\\200\\256\\n"; echo bad >&2; touch made; test -e allowed'
"""
BOOK = runbook(
    step('on = ["primary", "dr"]\nrun = ["uname"]', stage="look", head="reads = true\ntogether = true")
    + step(f'on = "dr"\n{LOUD}{UNDO}', stage="make")
    + step(f'confirm = "{NEW}"\nrecheck = ["look/x"]\n{DNS}', head='line = "clients move"')
)
COACH = """
format = 1
[coach]
runbook = "small"
[[note]]
id = "begin"
when = { opened = true }
say = "Nothing here is real."
"""
Screens = dict[int, list[str]]


@pytest.fixture
async def zone(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path, dns=True) as world:
        yield world


async def drilled(zone: World) -> Drive:
    """Walk there and back: a failure, a retry, a gate, an undo over the line."""
    drive = zone.open(BOOK)
    await walked(drive)
    await drive.leave()
    return drive


async def walked(drive: Drive) -> None:
    while drive.word("make/x") is not StepWord.FAILED:
        await drive.ask(m.Go())
    (drive.world["dr"].root / "allowed").touch()
    await drive.ask(m.Retry("make/x"))
    while drive.word() is not StepWord.AWAITING:
        await drive.ask(m.Go())
    await drive.ask(m.Confirm("s/x", NEW))
    await drive.undo(OLD)


class Taking(Keeper):
    """Takes the screen at the very moment at which each record was written."""

    def __init__(self, folder: Path, take: Callable[[int], None]) -> None:
        super().__init__(folder)
        self._take = take

    def keep(self, at: float, records: int, now: Moved) -> None:
        super().keep(at, records, now)
        self._take(records)


def screen(app: HandrailApp) -> list[str]:
    """Return the screen's rows but for the mark, the sentence and the keys; clocks are blanked."""
    assert app.session is not None
    app.take(app.session.snapshot)
    run_pages = [page for page in app.screen_stack if isinstance(page, RunPage)]  # a coach's note may lie over it
    page = run_pages[-1]
    page.show()
    page.pull()
    rows = [line.plain.rstrip() for line in page.body(*app.size).rows]
    return [re.sub(r"[\d.]+(ms|s|m\d\ds)\b|\d+:\d\d(:\d\d)?Z?", "t", row) for row in rows]


def _aside(exact: Callable[[Replaying], int], by: int, replay: Replaying) -> int:
    return exact(replay) + by


def nearby(app: HandrailApp, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Yield the screen, and what it is some milliseconds aside: output and records of one moment have no order on a busy machine."""
    exact = Replaying.now_ms.fget  # type: ignore[attr-defined]
    for aside in (0, *(sign * ms for ms in (1, 2, 3, 5, 8, 12, 20, 35, 60) for sign in (-1, 1))):
        with monkeypatch.context() as patch:
            patch.setattr(Replaying, "now_ms", property(partial(_aside, exact, aside)))
            yield screen(app)


async def practised(drive: Drive) -> None:
    """Walk as somebody who practises: coached, foretelling, asking for hints, halted and written to by an instructor."""
    while not drive.session.snapshot.foretell:  # of what only reaches a role nothing is foretold
        await drive.ask(m.Go())
    told = drive.session.snapshot
    (asked,) = told.foretell
    remarks = (
        *(m.Remark(Remarks.COACH, note.say, about=note.id) for note in told.notes),
        m.Remark(Remarks.PREDICTED, "two names", asked),
        m.Remark(Remarks.PREDICTED_UNDO, "-", asked),
        m.Remark(Remarks.HINT, "look first", "make/x"),
    )
    for remark in remarks:
        drive.submit(remark)
    for letter, text in (("halt", "what comes next?"), ("card", "The CTO asks for an ETA"), ("go", "")):
        mailbox.leave(drive.folder, letter, text, "tom", "the CTO")
    await drive.until(lambda state: bool(state.halts and state.cards))
    drive.submit(m.AnswerCard("ten minutes"))
    await walked(drive)


GUIDED = {"level": "guided", "predict": True, "pace": Pace.STEP}
WAYS = [
    ((80, 24), walked, {}),
    ((160, 48), walked, {}),
    ((80, 24), practised, GUIDED),
    ((160, 48), practised, {**GUIDED, "level": "titles"}),
]


@pytest.mark.parametrize(("size", "way", "how"), WAYS)
async def test_each_record_shows_the_screen_that_the_drill_showed(
    zone: World,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    way: Callable[[Drive], Awaitable[None]],
    how: dict[str, Any],
) -> None:
    shown: Screens = {}
    app = HandrailApp(FakeDesk(), frame=60.0)
    taking: list[bool] = []

    def take(records: int) -> None:
        if taking and records not in shown:
            shown[records] = screen(app)

    monkeypatch.setattr("handrail.session.session.Keeper", partial(Taking, take=take))
    async with app.run_test(size=size) as pilot:
        (zone.place / "coach").mkdir()
        (zone.place / "coach" / "small.toml").write_text(COACH)
        drive = zone.open(BOOK, **how)
        app.open_session(drive.session)
        await pilot.pause()
        taking.append(True)
        try:
            await way(drive)
        finally:
            taking.clear()
        await drive.leave()
        await app.close_session()
    folder = RunFolder.open(zone.home, drive.run)
    assert len(shown) > 20
    again = HandrailApp(FakeDesk(), frame=60.0)
    async with again.run_test(size=size) as pilot:
        replay = Replaying(folder, paused=True)
        again.open_session(replay)
        await pilot.pause()
        assert isinstance(again.screen, ReplayPage)
        for number, rows in shown.items():
            replay.to_record(number)
            assert rows in nearby(again, monkeypatch), f"record {number}: {next(nearby(again, monkeypatch))}"
        assert "REPLAY of DRILL" in again.screen.paint(*size)[0].plain
        assert again.title.startswith("REPLAY of DRILL")


async def test_what_it_shows_and_refuses_writes_nothing(zone: World) -> None:
    drive = await drilled(zone)

    def digests() -> dict[str, str]:
        files = sorted(path for path in drive.folder.rglob("*") if path.is_file())
        return {str(path): sha256(path.read_bytes()).hexdigest() for path in files}

    before, jobs = digests(), (zone["dr"].jobs, zone["primary"].jobs)
    app = HandrailApp(FakeDesk(), frame=60.0)
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_session(Replaying(RunFolder.open(zone.home, drive.run)))
        await pilot.pause()
        for key in ("down", "down", "up", "l", "escape", "plus", "space", "s", "n", "exclamation_mark", "u", "x", "y"):
            await pilot.press(key)
        await pilot.press("end", "enter", "s", "n", "escape", "ctrl+c")
        await pilot.pause()
    replay = Replaying(RunFolder.open(zone.home, drive.run))
    for intent in (m.Go(), m.Note("no"), m.Leave("no"), m.Close("no")):
        refused = replay.submit(intent)
        assert refused is not None
        assert "replay" in refused.reason
    assert digests() == before
    assert (zone["dr"].jobs, zone["primary"].jobs) == jobs
    assert app.said_at_parting == {}


async def test_from_the_debrief_of_a_run_that_is_over_it_plays_that_run(zone: World) -> None:
    drive = zone.open(BOOK)
    await walked(drive)
    desk = FakeDesk()
    app = HandrailApp(desk, frame=60.0)
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_session(drive.session)
        await pilot.pause()
        app.open_debrief()
        await pilot.pause()
        desk.replayed = Replaying(RunFolder.open(zone.home, drive.run), paused=True)
        await pilot.press("r")
        await until(lambda: isinstance(app.screen, ReplayPage))
    assert desk.asked == [("replay", drive.run)]
    assert drive.run in app.said_at_parting


async def test_it_goes_by_step_and_by_seconds_and_stays_within(zone: World) -> None:
    drive = await drilled(zone)
    replay = Replaying(RunFolder.open(zone.home, drive.run), paused=True)
    begun = []
    while not (shown := replay.snapshot).playing.over:  # type: ignore[union-attr]
        replay.step(1)
        begun.append([s.id for s, now in replay.state.walked() if now.word in (StepWord.RUNNING, StepWord.UNDOING)])
    mine = [names[0] for names in begun if names and not names[0].startswith("look/")]
    assert mine == ["make/x", "make/x", "s/x", "s/x", "make/x"]
    assert shown.state.at == replay.reel.length
    replay.skip(-3600.0)
    assert replay.snapshot.at == 0.0
    replay.skip(3600.0)
    assert replay.snapshot.playing.over  # type: ignore[union-attr]
    replay.step(-1)
    assert [s.id for s, now in replay.state.walked() if now.word is StepWord.UNDOING] == ["make/x"]
    replay.begin_at("2.1")
    assert replay.state.step("make/x").word is StepWord.RUNNING
    with pytest.raises(Exception, match=r"no step 7\.7 was begun"):
        replay.begin_at("7.7")


async def test_output_comes_when_it_came_and_goes_when_one_goes_back(zone: World) -> None:
    drive = await drilled(zone)
    folder = RunFolder.open(zone.home, drive.run)
    replay = Replaying(folder, paused=True)
    replay.begin_at("2.1")
    assert said(replay) == []
    replay.step(1)
    whole = [f"line {n}" for n in range(1, 7)]  # and one that is hostile
    assert [line for line in said(replay, 1) if line.startswith("line")] == whole
    replay.begin_at("2.1")
    assert said(replay) == []
    assert not replay.snapshot.playing.spread  # type: ignore[union-attr]
    for index in folder.out.glob("*.idx"):
        index.unlink()
    replay = Replaying(folder, paused=True)
    assert replay.snapshot.playing.spread  # type: ignore[union-attr]
    attempt = replay.reel.frames[-1].state.step("make/x").attempts[0]
    replay._move((attempt.started + (attempt.ended or 0.0)) / 2)
    assert 0 < len(said(replay)) < 7


def said(replay: Replaying, attempt: int = 0) -> list[str]:
    """Return the lines of 2.1 as far as they had come; `attempt` 1 asks for the first one's file."""
    output = replay.output("make/x")
    hosts = output.hosts()
    reader = output._past(next(output._out.glob("make+x.1.*.log"))) if attempt else hosts and output.reader(hosts[0])
    if not reader:
        return []
    reader.refresh()
    lines = [line.raw.decode() for line in reader.lines(0, 100) if line.stream != "note"]
    reader.close()
    return lines


async def test_time_in_which_nothing_happened_is_shortened_and_told(zone: World) -> None:
    drive = await drilled(zone)
    folder = RunFolder.open(zone.home, drive.run)
    replay = Replaying(folder, paused=True)
    reel = replay.reel
    late = tuple(replace(f, at=f.at + 600.0) if n >= 5 else f for n, f in enumerate(reel.frames))
    gapped = reel_of(late, ())
    assert len(gapped.gaps) == 1
    begin = gapped.gaps[0][0]
    assert gapped.gap(begin + 100.0) == pytest.approx(gapped.gaps[0][1] - begin)
    assert gapped.onward(begin, LEFT / 2) == pytest.approx((begin + gapped.gaps[0][1]) / 2)
    assert gapped.onward(begin, LEFT + 0.5) == pytest.approx(gapped.gaps[0][1] + 0.5)


async def test_line_by_line_every_line_is_marked_and_the_run_is_told_whole(zone: World) -> None:
    drive = await drilled(zone)
    lines: list[str] = []
    replay = Replaying(RunFolder.open(zone.home, drive.run), speed=0.0)
    Tape(replay, lines.append).all(replay.onward)
    assert all(line.startswith(f"{MARK} ") for line in lines)
    text = "\n".join(lines)
    for words in ("DRILL run", "line 6", "FAILED 2.1 X", f"confirmed by typing {NEW}", "undone 3.1 X", "was undone"):
        assert words in text, words


async def test_line_by_line_one_goes_where_one_likes_and_is_told_where_one_is(zone: World) -> None:
    drive = await drilled(zone)
    lines: list[str] = []
    replay = Replaying(RunFolder.open(zone.home, drive.run), paused=True)
    tape = Tape(replay, lines.append)
    tape.look()
    for word, told in (("next", "running 1."), ("end", "between two steps"), ("before", "running 2.1 X")):
        lines.clear()
        assert not tape._take(word)
        tape.look()
        assert told in lines[0], (word, lines)
        assert not any("line 6" in line for line in lines)
    lines.clear()
    assert not tape._take("+")
    assert not tape._take("dance")
    assert lines[0] == f"{MARK} paused"
    assert len(lines) == 7
    assert tape._take("leave")


async def test_a_cast_is_the_replay_s_screen_with_a_marker_for_each_step(zone: World) -> None:
    drive = await drilled(zone)
    replay = Replaying(RunFolder.open(zone.home, drive.run), StillClock())
    text = await recorded(replay, FakeDesk())
    head, *lines = [json.loads(line) for line in text.splitlines()]
    assert (head["version"], head["width"], head["height"]) == (2, 100, 30)
    assert head["title"].startswith("REPLAY of DRILL small on small")
    times = [line[0] for line in lines]
    assert times == sorted(times)
    marks = [label for _, kind, label in lines if kind == "m"]
    assert marks[-5:] == ["2.1 X", "2.1 X, attempt 2", "3.1 X", "undo of 3.1 X", "undo of 2.1 X"]
    shown = "".join(data for _, kind, data in lines if kind == "o")
    assert set(re.findall(r"\x1b(?!\[[\d;]*m|\[\d+;1H|\[\?25[lh]|\[2J)", shown)) == set()
    assert shown.count("\x1b[2J") == 1
    assert "\x1b]" not in shown
    assert "\u202e" not in shown
    words = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown)
    assert "REPLAY of DRILL" in words
    assert "line 6" in words


async def test_a_live_run_is_a_replay_too_and_never_wears_its_colour(zone: World) -> None:
    zone.pin(forget=True)
    drive = zone.open(BOOK, Mode.LIVE, reason="a test")
    await drive.go(1)
    await drive.leave()
    app = HandrailApp(FakeDesk(), frame=60.0)
    async with app.run_test(size=(80, 24)) as pilot:
        app.open_session(Replaying(RunFolder.open(zone.home, drive.run), paused=True))
        await pilot.pause()
        page = app.screen
        assert isinstance(page, ReplayPage)
        first = page.paint(80, 24)[0]
        mode = drive.session.snapshot.info.mode.value
        assert first.plain.startswith(f" ◁ REPLAY of {mode}")
        assert {span.ink.name for span in first.spans} == {"REPLAY"}


def test_what_moved_is_a_memory_and_no_truth(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    (tmp_path / MOVING).mkdir()
    keeper.keep(1.0, 1, Moved(watchers=("ana",)))  # it cannot be written: nobody hears of it
    keeper.close()


def test_what_moved_is_read_as_it_was_kept_with_each_record(tmp_path: Path) -> None:
    keeper, kept = Keeper(tmp_path), []
    host = HostView("h1", "web01", "clients", "10.0.0.1")
    shown = [
        Moved(hosts={"h1": host}),
        Moved({"a/x": LiveStep(hosts={"h1": LiveHost("h1", "hm", 0.5)})}, {"h1": replace(host, link="up")}),
        Moved({"a/x": LiveStep(3.0, 7.0, "copying", {"h1": LiveHost("h1", "hm", 0.9), "h2": LiveHost("h2", tries=2)})}),
        Moved(
            {"a/x": LiveStep(silent=("db01",), hosts={"h2": LiveHost("h2", tries=3, until=9.0)})}, {}, ("h2",), ("tom",)
        ),
        Moved(watchers=()),
    ]
    for number, moved in enumerate(shown, 1):
        keeper.keep(float(number), number, moved)
        kept.append(moved)
    keeper.close()
    with (tmp_path / MOVING).open("ab") as file:
        file.write(b'{"at": 9, "n": 9, "live": {"a/x"')  # cut off by a crash
    found = moments(tmp_path)
    assert [moment.records for moment in found] == [1, 2, 3, 4, 5]
    for moment, moved in zip(found, kept, strict=True):
        assert moment.moved.live == moved.live
        assert (moment.moved.waits_for, moment.moved.watchers) == (moved.waits_for, moved.watchers)
    assert found[1].moved.hosts["h1"].link == "up"


def test_a_host_that_speaks_all_the_time_costs_a_line_a_second(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    for tenth in range(100):
        keeper.keep(tenth / 10, 1, Moved({"a/x": LiveStep(hosts={"h1": LiveHost("h1", last_output=tenth / 10)})}))
    keeper.close()
    assert 9 <= len(moments(tmp_path)) <= 12


def test_a_fleet_that_is_silent_is_kept_as_far_as_it_is_shown(tmp_path: Path) -> None:
    keeper, fleet = Keeper(tmp_path), tuple(f"node{n:06d}" for n in range(10_000))
    for look in range(20):
        silent = fleet[look * 10 :]
        keeper.keep(
            float(look), 1, Moved({"a/x": LiveStep(10.0 * look, 10_000.0, f"{len(silent)} silent", silent=silent)})
        )
    keeper.close()
    assert (tmp_path / MOVING).stat().st_size < 20 * 2_500
    found = moments(tmp_path)
    assert [moment.moved.live["a/x"].silent for moment in found] == [
        fleet[at : at + SILENT] for at in range(0, 200, 10)
    ]
