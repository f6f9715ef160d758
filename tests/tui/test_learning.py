"""What a drill teaches on the full screen: coach, hidden commands, hints, foretelling, samples, slips, the debrief's questions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.desk import FakeBriefing, FakeDesk, cards
from tests.tui.fake import FakeSession, failed
from tests.tui.stage import Stage, playing
from tests.tui.test_screens import done

from handrail.engine import messages as m
from handrail.engine.words import Pace, Remarks, StepWord, Way
from handrail.session.cards import Start
from handrail.session.levels import Level
from handrail.session.view import CoachNote, Mode

COACH = (
    CoachNote("begin", "opened", "", "Nothing here is real."),
    CoachNote("changes", "next", "sync/hold", "From here on things change."),
    CoachNote("gate", "gate", "switch/dns", "This is the one gate."),
    CoachNote("over", "over", "", "Done: write a sentence while it is fresh."),
)


def remarks(session: FakeSession, kind: Remarks) -> list[tuple[str, str]]:
    return [(remark.step, remark.text) for remark in session.state.remarks if remark.kind is kind]


def taught(folder: Path, level: Level, *, predict: bool = False) -> FakeSession:
    session = FakeSession(folder)
    session.teach(level, predict=predict, coach=COACH)
    return session


async def read_note(stage: Stage, words: str) -> None:
    """See a coach's note in front, and close it."""
    stage.app.offer_note()
    await stage.settle()
    assert "COACH" in stage.text()
    assert words in stage.text()
    await stage.press("enter")
    assert "COACH" not in stage.text()


async def test_each_note_of_the_coach_is_shown_once_when_it_matters(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.GUIDED)
    async with playing(session) as stage:
        await read_note(stage, "Nothing here is real.")
        stage.app.offer_note()
        await stage.settle()
        assert "COACH" not in stage.text()
        session.to_stage("sync")
        await stage.settle()
        await read_note(stage, "things change")
        session.submit(m.Go())
        session.run("sync/hold", "sync/mask", "sync/copy", "sync/look")
        session.submit(m.Go())
        session.open_gate("switch/dns")
        await stage.settle()
        await read_note(stage, "the one gate")
        assert "CLIENTS MOVE" in stage.text()
    kept = [remark.about for remark in session.state.remarks if remark.kind is Remarks.COACH]
    assert kept == ["begin", "changes", "gate"]


async def test_nobody_is_coached_who_did_not_ask_for_it(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.FAULTS)
    async with playing(session) as stage:
        stage.app.offer_note()
        await stage.settle()
        assert "COACH" not in stage.text()


async def test_at_titles_commands_are_hidden_until_they_are_asked_for_and_asking_is_counted(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.TITLES)
    session.to_stage("sync")
    session.submit(m.SetPace(Pace.STEP))
    async with playing(session) as stage:
        assert "systemctl" not in stage.text()
        assert "The timer would copy" not in stage.text()
        assert "hidden until you ask" in stage.text()
        await stage.press("p")
        assert "systemctl stop" not in stage.text()
        await stage.press("escape", "h")
        assert "The timer would copy the old tree" in stage.text()
        assert "systemctl" not in stage.text()
        await stage.press("enter", "h")
        assert "systemctl stop puppet-ssl-sync.timer" in stage.text()
        assert "Undo: systemctl start" in stage.text()
        await stage.press("enter")
        await stage.settle()
        assert "systemctl stop puppet-ssl-sync.timer" in stage.text()
    assert session.snapshot.hints == {"sync/hold": 2}


async def test_what_was_begun_is_shown_at_every_level(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.TITLES)
    session.to_stage("sync")
    session.submit(m.Go())
    session.begin("sync/hold")
    async with playing(session) as stage:
        assert "systemctl stop puppet-ssl-sync.timer" in stage.text()


async def test_a_hint_at_a_failure_says_what_the_answer_means(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.FAULTS)
    session.to_stage("sync")
    session.submit(m.Go())
    session.run("sync/hold")
    session.begin("sync/mask")
    session.end("sync/mask", failed("h-primary", 1))
    async with playing(session) as stage:
        await stage.press("h")
        assert "Somebody else holds the unit." in stage.text()


async def test_before_a_step_it_is_asked_what_it_will_print_and_what_undoes_it(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.NONE, predict=True)
    session.to_stage("sync")
    session.submit(m.SetPace(Pace.STEP))
    session.submitted.clear()
    async with playing(session) as stage:
        await stage.press("enter")
        assert "Before 2.1 Hold" in stage.text()
        assert not any(isinstance(intent, m.Go) for intent in session.submitted)
        await stage.press("escape")
        assert not any(isinstance(intent, m.Go) for intent in session.submitted), "nothing runs that was not foretold"
        await stage.press("enter")
        await stage.type("nothing")
        await stage.press("tab")
        await stage.type("start it")
        await stage.press("enter")
        assert isinstance(session.submitted[-1], m.Go)
        assert remarks(session, Remarks.PREDICTED) == [("sync/hold", "nothing")]
        assert remarks(session, Remarks.PREDICTED_UNDO) == [("sync/hold", "start it")]
        session.begin("sync/hold")
        session.say("sync/hold", "h-dr", "stopped\n")
        session.end("sync/hold")
        await stage.settle()
        stage.app.open_debrief()
        await stage.settle()
        await stage.press("G")
        text = " ".join(stage.text().split())
    assert session.state.step("sync/hold").word is StepWord.PASSED
    assert "2.1 Hold" in text


async def test_by_stage_every_step_of_it_is_foretold_first(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.NONE, predict=True)
    async with playing(session) as stage:
        await stage.press("enter")
        await stage.type("a folder")
        await stage.press("enter")
        assert "Before 1.2" in stage.text()
        await stage.type("200")
        await stage.press("enter")
        assert isinstance(session.submitted[-1], m.Go)
    assert [step for step, _ in remarks(session, Remarks.PREDICTED)] == ["checks/ca", "checks/serves"]


async def test_a_wrong_value_at_the_gate_is_kept_of_who_practises(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.FAULTS)
    session.to_stage("switch")
    session.submit(m.Go())
    session.open_gate("switch/dns")
    async with playing(session) as stage:
        await stage.type("10.0.0.9")
        await stage.press("enter")
        assert not any(isinstance(intent, m.Confirm) for intent in session.submitted)
    assert remarks(session, Remarks.SLIP) == [("switch/dns", "typed 10.0.0.9 where 10.9.0.10 is asked")]


async def test_lines_are_marked_as_they_are_expected_and_what_is_missing_is_named(tmp_path: Path) -> None:
    session = FakeSession(tmp_path)
    session.say_against_sample()
    async with playing(session) as stage:
        await stage.settle()
        shown = stage.text()
        assert "= serial = 0A1F" in shown
        assert "≠ something else" in shown
        assert "1 of 2 lines of the sample came; to come:" in shown
        session.say("sync/hold", "h-dr", "at risk: none\n")
        await stage.settle()
        assert "1 line deviates from the sample" in stage.text()
        assert "to come" not in stage.text()


async def test_the_debrief_asks_three_questions_and_keeps_the_answers(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.GUIDED)
    session.show(lambda s: replace(s, info=replace(s.info, coach=())))
    done(session)
    async with playing(session) as stage:
        stage.app.open_debrief()
        await stage.settle()
        assert "guided drill 1 of ana" in stage.text()
        assert "machines" in stage.text()
        assert "Next drill" in stage.text()
        for words in ("the gate", "a sample", "read more"):
            await stage.press("enter")
            await stage.type(words)
            await stage.press("enter")
        assert "the gate" in stage.text()
    assert [text for _, text in remarks(session, Remarks.REFLECTION)] == ["the gate", "a sample", "read more"]


@pytest.mark.parametrize(("presses", "level"), [(0, "guided"), (1, "titles"), (2, "faults"), (3, "none")])
async def test_the_briefing_proposes_a_level_and_another_can_be_chosen(presses: int, level: str) -> None:
    briefing = FakeBriefing(cards()[0], Mode.DRILL, FakeDesk())
    briefing.view = replace(briefing.view, level="guided", wanted=(), told=Start(predict=True, seed=7))
    async with playing(briefing=briefing) as stage:
        await stage.press("tab", *["right"] * presses)
        assert f"Level  > ◂ {level} ▸" in stage.text()
        assert (" undo " in stage.text()) == (level != "titles"), "an undo is a hint of what is done"
        await stage.press("enter")
    assert briefing.started is not None
    assert (briefing.started.level, briefing.started.predict, briefing.started.seed) == (level, True, 7)
    assert briefing.started.step_by_step


async def test_a_briefing_that_is_no_drill_knows_no_level() -> None:
    briefing = FakeBriefing(cards()[0], Mode.LIVE, FakeDesk())
    async with playing(briefing=briefing) as stage:
        assert "Level" not in stage.text()


async def test_what_slipped_is_shown_to_nobody_else(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.GUIDED)
    session.submit(m.Remark(Remarks.SLIP, "go: 2.3 waits for 2.2", "sync/copy"))
    session.submit(m.Remark(Remarks.REFLECTION, "I was afraid", about="surprised"))
    done(session)
    session.show(lambda s: replace(s, info=replace(s.info, operator="tom", coach=())))
    async with playing(session, size=(100, 80)) as stage:
        stage.app.open_debrief()
        await stage.settle()
        for words in ("What was refused", "slips", "I was afraid", "In your own words", "drill 1 of"):
            assert words not in stage.text()
        session.show(lambda s: replace(s, info=replace(s.info, operator="ana")))
        await stage.settle()
        assert "go: 2.3 waits for 2.2" in stage.text()


async def test_whether_it_came_so_is_said_by_who_foretold_it(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.NONE, predict=True)
    session.foretold("checks/ca", "checks/serves")
    done(session)
    async with playing(session, size=(100, 80)) as stage:
        stage.app.open_debrief()
        await stage.settle()
        assert "was it so?" in stage.text()
        await stage.press("+", "-", "+")
        assert "was it so?" not in stage.text()
        assert "nothing that was foretold waits" in stage.text()
    assert remarks(session, Remarks.JUDGED) == [("checks/ca", "so"), ("checks/serves", "not so")]


async def test_whose_output_stands_below_the_next_step_and_the_others_are_one_key_away(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.GUIDED)
    session.show(lambda s: replace(s, info=replace(s.info, coach=())))
    session.submit(m.SetPace(Pace.STEP))
    session.submit(m.Go())
    session.begin("checks/ca")
    for host in ("h-primary", "h-dr"):
        session.say("checks/ca", host, f"a digest from {host}\n")
    session.end("checks/ca")
    async with playing(session) as stage:
        assert "1 of 2: ← →" in stage.text()
        first = "h-dr" if "a digest from h-dr" in stage.text() else "h-primary"
        await stage.press("right")
        assert f"a digest from {first}" not in stage.text()
        assert "a digest from" in stage.text()
        await stage.press("l")
        assert "a digest from" in stage.text(), "the log is that of what is shown, not of what is next"


async def test_what_was_done_twice_is_no_trouble_and_an_undo_is_no_try(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.NONE)
    session.to_stage("sync")
    session.submit(m.Go())
    session.run("sync/hold", "sync/mask")
    session.submit(m.Pause())
    session.submit(m.Undo("sync"))
    for step in ("sync/mask", "sync/hold"):
        session.begin(step, Way.BACK)
        session.end(step)
    session.submit(m.Go())
    session.run("sync/hold", "sync/mask")
    async with playing(session, size=(100, 80)) as stage:
        stage.app.open_debrief()
        await stage.settle()
        assert "What did not go at once" not in stage.text()
        await stage.press("a")
        rows = [line for line in stage.text().splitlines() if "2.1 Hold" in line and "00:" in line]
        assert rows
        assert all("      2" in row for row in rows), "begun twice; that it was undone once between is no third try"


async def test_leaving_says_what_is_so_at_this_moment(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.NONE)
    session.to_stage("sync")
    session.submit(m.Go())
    session.begin("sync/hold")
    async with playing(session) as stage:
        await stage.press("q")
        assert "goes on behind this question" in stage.text()
        assert "Nothing stands changed" not in stage.text() or "2.1 Hold" in stage.text()
        session.end("sync/hold")
        session.run("sync/mask")
        await stage.settle()
        assert "2.2" in stage.text(), "what stands changed grows while it is asked"


async def test_what_a_stage_leads_on_to_is_foretold_with_it(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.NONE, predict=True)
    session.to_stage("sync")
    asked = session.snapshot.foretell
    assert asked[0] == "sync/hold"
    assert asked[-1] == "switch/dns", "the stage leads on to the gate of the next: nobody is asked in between"


async def test_nobody_judges_what_they_do_not_see(tmp_path: Path) -> None:
    session = taught(tmp_path, Level.NONE, predict=True)
    session.foretold("checks/ca", "checks/serves", "sync/hold", "sync/mask", "sync/copy")
    done(session)
    async with playing(session) as stage:
        stage.app.open_debrief()
        await stage.settle()
        assert "was it so?" not in stage.text()
        await stage.press("+")
        assert "was it so?" in stage.text(), "it is brought into view first"
        assert remarks(session, Remarks.JUDGED) == []
        await stage.press("+", "-", "+", "-")
        assert "was it so?" in stage.text(), "the next one follows"
    assert [text for _, text in remarks(session, Remarks.JUDGED)] == ["so", "not so", "so", "not so"]
