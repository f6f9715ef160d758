"""The instructor's screen, and what the operator sees of an instructor: messages that wait, a drill that stands still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.tui.fake import Clock, FakeSession
from tests.tui.stage import Stage, matches, playing

from handrail.base.safe import Safe
from handrail.engine import messages as m
from handrail.session.cards import DrillView
from handrail.tui.app import HandrailApp
from handrail.tui.dialogs import AskWords, Choose
from handrail.tui.pages.instructing import InstructPage
from handrail.tui.pages.run import RunPage

ANA = DrillView(
    run="20261122-1104-k3f9q2", who=Safe("ana"), runbook=Safe("app-failover"), scenario=Safe("unannounced"),
    where=Safe("stage 2 of 4, 2.3 Copy CA (running)"), waits=Safe("app-dr"), at=192.0, silent=2.0, driven=True,
    slips=2, last_slip="2.3 waits for 2.2 Stop it", cards=1, faults=1,
)  # fmt: skip
BOB = replace(
    ANA, run="20261122-1105-aaaaaa", who=Safe("bob"), where=Safe("stage 3 of 4, 3.1 Switch DNS (awaiting)"),
    waits=Safe("bob: to type 10.9.0.10"), silent=100.0, at=481.0, slips=0, cards=0, faults=0,
)  # fmt: skip
LEFT = replace(BOB, run="20261122-1106-bbbbbb", who=Safe("cleo"), waits=Safe("nobody drives it"), driven=False)


class FakeInstructor:
    """Drills of its own; it keeps what was asked of it."""

    who = "tom"

    def __init__(self, *drills: DrillView, watched: FakeSession | None = None) -> None:
        self.drills, self.did, self.refuses, self.watched = drills, list[tuple[str, ...]](), "", watched

    def look(self) -> tuple[DrillView, ...]:
        return self.drills

    async def faults(self, drill: DrillView) -> tuple[tuple[str, str], ...]:
        return (("power dr off", "dr: the power goes"),)

    async def fault(self, drill: DrillView, line: str) -> str:
        self.did.append(("fault", drill.who, line))
        return self.refuses

    def halt(self, drill: DrillView, why: str) -> None:
        self.did.append(("halt", drill.who, why))
        self.drills = tuple(replace(d, halted=f"tom: {why}") if d.run == drill.run else d for d in self.drills)

    def go_on(self, drill: DrillView) -> None:
        self.did.append(("go", drill.who))

    def say(self, drill: DrillView, words: str, by: str = "") -> None:
        self.did.append(("say", drill.who, words, by))

    def note(self, drill: DrillView, words: str) -> None:
        self.did.append(("note", drill.who, words))

    async def watch(self, drill: DrillView) -> FakeSession:
        assert self.watched is not None
        return self.watched


async def instructing(instructor: FakeInstructor, play: Callable[[Stage], object]) -> None:
    clock = Clock()
    app = HandrailApp(_NoDesk(), page=lambda: InstructPage(instructor), mono=clock.mono, today=clock.now, frame=60.0)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        stage = Stage(app, pilot, clock)
        await until(stage, lambda: bool(instructor.drills) == bool(_page(stage).drills))
        await play(stage)  # type: ignore[misc]


class _NoDesk:
    """An instructor needs none."""


def _page(stage: Stage) -> InstructPage:
    return next(p for p in stage.app.pages if isinstance(p, InstructPage))


async def until(stage: Stage, holds: Callable[[], bool]) -> None:
    while not holds():
        stage.clock.pass_by(2.0)
        _page(stage).tick()
        await stage.pilot.pause()
    _page(stage).repaint()
    await stage.idle()


async def test_every_drill_stands_in_a_row_and_the_marked_one_is_told_of() -> None:
    async def play(stage: Stage) -> None:
        matches(stage, "instruct-80x24")
        await stage.press("down", "down", "down")
        assert "nobody drives it" in stage.text()

    await instructing(FakeInstructor(ANA, BOB, LEFT), play)


async def test_what_is_asked_reaches_the_marked_one_or_all_that_are_driven() -> None:
    tom = FakeInstructor(ANA, BOB, LEFT)

    async def play(stage: Stage) -> None:
        await stage.press("m")
        assert isinstance(stage.page, AskWords)
        await stage.type("ETA?")
        await stage.press("tab")
        await stage.type("the CTO")
        await stage.press("enter")
        assert tom.did == [("say", "ana", "ETA?", "the CTO")]
        await stage.press("down", "n")
        await stage.type("well done")
        await stage.press("enter", "a")
        assert "all 2 drills" in stage.text()
        await stage.press("f")
        await until(stage, lambda: isinstance(stage.app.screen, Choose))
        await stage.press("down", "down", "enter")
        await until(stage, lambda: len(tom.did) == 4)
        assert tom.did[1:] == [
            ("note", "bob", "well done"),
            ("fault", "ana", "power dr off"),
            ("fault", "bob", "power dr off"),
        ]
        await stage.press("a", "H")
        await stage.type("think")
        await stage.press("enter")
        await until(stage, lambda: bool(_page(stage).drills[1].halted))
        assert tom.did[-1] == ("halt", "bob", "think")
        assert "Let go on" in stage.rows()[-1]
        await stage.press("H")
        assert list(tom.did[-1]) == ["go", "bob"]

    await instructing(tom, play)


async def test_what_the_estate_refuses_is_said() -> None:
    tom = FakeInstructor(ANA)
    tom.refuses = "puppet-dr is down"

    async def play(stage: Stage) -> None:
        await stage.press("f")
        await until(stage, lambda: isinstance(stage.app.screen, Choose))
        await stage.press("down", "down", "enter")
        await until(stage, lambda: len(tom.did) == 1)
        await until(stage, lambda: "refused: puppet-dr is down" in stage.text())

    await instructing(tom, play)


async def test_watching_one_comes_back_to_all(tmp_path: Path) -> None:
    tom = FakeInstructor(ANA, watched=FakeSession(tmp_path, watching=True))

    async def play(stage: Stage) -> None:
        await stage.press("enter")
        await until(stage, lambda: isinstance(stage.app.screen, RunPage))
        await stage.press("q")
        await until(stage, lambda: isinstance(stage.app.screen, InstructPage))

    await instructing(tom, play)


async def test_where_nobody_practises_nothing_can_be_done() -> None:
    async def play(stage: Stage) -> None:
        assert "No drill goes on here" in stage.text()
        await stage.press("H")
        assert "nobody practises" in stage.text()

    await instructing(FakeInstructor(), play)


async def test_a_message_waits_on_the_operators_screen_until_it_is_answered(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with playing(session) as stage:
        session.tell(m.ShowCard("c1", "Customers call. ETA?", "the desk"))
        await stage.settle()
        assert "? the desk: Customers call. ETA? (A answers)" in stage.text()
        await stage.press("A")
        await stage.type("ten minutes")
        await stage.press("enter")
        assert m.AnswerCard("ten minutes", "c1") in [replace(i, at=0.0, by="") for i in session.submitted]


async def test_a_halted_drill_says_so_and_what_is_waited_for(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    async with playing(session) as stage:
        session.tell(m.Halt("tom", "what comes next?"))
        await stage.settle()
        assert "! HALTED by tom, who instructs: what comes next?" in stage.text()
        assert "Nothing begins until tom" in stage.text()
        for proposed in ("enter Start", "enter starts"):
            assert proposed not in stage.text(), "nothing is proposed that would be refused"
        session.submitted.clear()
        await stage.press("enter")
        assert not session.submitted
        assert "tom has halted this drill" in stage.text()
        session.clock.pass_by(75)
        session.tell(m.EndHalt("tom"))
        await stage.settle()
        assert "halted 01:1" in stage.text()
        assert "enter Start" in stage.text()
