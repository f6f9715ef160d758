"""What a drill teaches line by line: the coach, hints, foretelling, samples, the debrief; by the same session as the screen."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.tui.fake import FakeSession
from tests.tui.test_screens import done

from handrail.engine import messages as m
from handrail.engine.words import Pace, Remarks
from handrail.plain.console import Console
from handrail.session.levels import Level
from handrail.session.view import CoachNote

COACH = (CoachNote("begin", "opened", "", "Nothing here is real."),)


async def typed(session: FakeSession, *lines: str) -> list[str]:
    """Return what a console says while these lines are typed, one by one; it leaves at the end."""
    said: list[str] = []
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    console = Console(session, said.append, queue)
    running = asyncio.create_task(console.run())
    for line in (*lines, "leave"):
        await asyncio.sleep(0)
        queue.put_nowait(line)
        while not queue.empty():
            await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.sleep(0)
    await asyncio.wait_for(running, 10)
    return said


def remarks(session: FakeSession, kind: Remarks) -> list[tuple[str, str]]:
    return [(remark.step, remark.text) for remark in session.state.remarks if remark.kind is kind]


async def test_the_coach_speaks_once_and_says_what_is_next(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.teach(Level.GUIDED, coach=COACH)
    said = await typed(session, "status", "who")
    assert said.count("COACH: Nothing here is real.") == 1
    assert [line for line in said if line.startswith("next: 1.1")]
    assert [line for line in said if line.strip().startswith("why: From Puppet 7 on")]


async def test_a_hint_is_given_and_counted(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.teach(Level.TITLES)
    said = await typed(session, "hint", "hint 2.1", "hint sync/hold")
    text = "\n".join(said)
    assert "From Puppet 7 on" in text
    assert "$ systemctl stop puppet-ssl-sync.timer" in text
    assert session.snapshot.hints == {"checks/ca": 1, "sync/hold": 2}


async def test_it_is_foretold_before_anything_runs(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.teach(Level.NONE, predict=True)
    session.to_stage("sync")
    session.submit(m.SetPace(Pace.STEP))
    session.submitted.clear()
    said = await typed(session, "", "later", "", "nothing", "start it again")
    assert (
        said.count(
            "Before 2.1 Hold the 15-minute sync: what will it print, or what will be so? In your own words (or: later)"
        )
        == 2
    )
    kinds = [type(intent).__name__ for intent in session.submitted]
    assert kinds == ["Remark", "Remark", "Go", "Leave"]
    assert remarks(session, Remarks.PREDICTED) == [("sync/hold", "nothing")]


async def test_lines_are_as_expected_or_deviate(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.say_against_sample()
    said: list[str] = []
    console = Console(session, said.append, asyncio.Queue())
    await console._look(0)
    session.end("sync/hold")
    await console._look(0)
    text_of = "\n".join(said)
    assert "puppet-dr, as expected: serial = 0A1F" in text_of
    assert "puppet-dr, DEVIATES: something else" in text_of
    assert "2.1 on puppet-dr: missing: at risk: none" in text_of


async def test_the_debrief_is_told_and_its_questions_are_asked(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.teach(Level.GUIDED)
    done(session)
    said = await typed(session, "debrief", "the gate", "", "read more")
    text = "\n".join(said)
    assert "DEBRIEF, guided drill 1 of ana" in text
    assert "time: machines" in text
    assert "next drill due" in text
    assert [text for _, text in remarks(session, Remarks.REFLECTION)] == ["the gate", "read more"]


async def test_whether_it_came_so_is_said_by_who_foretold_it(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.teach(Level.NONE, predict=True)
    session.foretold("checks/ca", "checks/serves", "sync/hold")
    done(session)
    said = await typed(session, "debrief", "", "", "", "maybe", "yes", "n", "", "debrief", "", "", "", "")
    assert remarks(session, Remarks.JUDGED) == [("checks/ca", "so"), ("checks/serves", "not so")]
    assert "yes or no, or an empty line" in said
    assert said.count("  in your own word: not so") == 1


async def test_by_step_every_read_is_heard_and_side_by_side_only_its_outcome(tmp_path: Path) -> None:
    for pace, heard in ((Pace.STEP, True), (Pace.STAGE, False)):
        session = FakeSession(tmp_path / pace.value)
        assert session.outline.stage("checks").together
        session.submit(m.SetPace(pace))
        session.submit(m.Go())
        said: list[str] = []
        console = Console(session, said.append, asyncio.Queue())
        session.begin("checks/ca")
        await console._look(0)
        session.say("checks/ca", "h-dr", "/etc/puppetlabs\n")
        session.end("checks/ca")
        await console._look(0)
        assert any("/etc/puppetlabs" in line for line in said) is heard
