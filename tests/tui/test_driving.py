"""Driving a run: what each key asks of the session, and the rules for going on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.fake import FakeSession, failed, lost
from tests.tui.stage import Stage, playing
from textual import events

from handrail.engine import messages as m
from handrail.engine.results import Question
from handrail.engine.words import Pace, StepWord, Verdict
from handrail.session.view import Mode
from handrail.tui.pages.run import RunPage
from handrail.tui.text import Ink


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path, mode=Mode.LIVE)


def asked(session: FakeSession, kind: type[m.Intent]) -> list[m.Intent]:
    return [i for i in session.submitted if isinstance(i, kind)]


async def fail_the_copy(stage: Stage) -> None:
    session = stage.run
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.run("sync/hold", "sync/mask")
    session.begin("sync/copy")
    session.end("sync/copy", failed("h-dr"))
    await stage.settle()


async def test_enter_starts_a_stage_and_only_that(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("enter")
        assert asked(session, m.Go) == [m.Go()]
        await stage.press("enter")
        assert len(asked(session, m.Go)) == 1
        assert "nothing to press" in stage.text()


async def test_the_next_stage_never_starts_by_itself(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("enter")
        session.run("checks/ca", "checks/serves")
        await stage.settle()
        assert len(asked(session, m.Go)) == 1
        assert "enter starts stage 2" in stage.text()


async def test_enter_is_dead_for_600_ms_after_a_step_ends_and_while_it_is_held(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("enter")
        session.begin("checks/ca")
        session.begin("checks/serves")
        stage.app.take(session.snapshot)
        session.end("checks/ca")
        session.end("checks/serves")
        stage.app.take(session.snapshot)
        for _ in range(40):  # held down: it repeats every 30 ms, for longer than 600 ms
            stage.clock.pass_by(0.03)
            stage.page.press("enter", "", stage.clock.mono())
        assert len(asked(session, m.Go)) == 1
        await stage.press("enter", gap=0.4)
        assert len(asked(session, m.Go)) == 2


async def test_by_step_it_stops_before_every_step(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("full_stop")
        assert session.state.pace is Pace.STEP
        await stage.settle()
        assert "Start 1.1" in stage.rows()[-1]
        await stage.press("full_stop")
        assert [i for i in session.submitted if isinstance(i, m.SetPace)][-1] == m.SetPace(Pace.STAGE)


async def test_space_pauses(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("enter")
        session.begin("checks/ca")
        await stage.settle()
        await stage.press("space")
        assert asked(session, m.Pause)


async def test_a_dimmed_key_says_why(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("u")
        assert "there is nothing to undo" in stage.rows()[-2]
        await stage.press("space")
        assert "stands at a pause point" in stage.rows()[-2]
        await stage.press("x")
        assert "no step is running" in stage.rows()[-2]


async def test_stop_takes_two_presses_and_says_what_it_leaves(session: FakeSession) -> None:
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.begin("sync/hold")
    async with playing(session) as stage:
        await stage.press("x")
        assert not asked(session, m.StopStep)
        assert "x again ends 2.1" in stage.rows()[-2]
        stage.clock.pass_by(10)
        await stage.press("x")
        assert not asked(session, m.StopStep)
        await stage.press("x")
        assert asked(session, m.StopStep) == [m.StopStep("sync/hold")]


async def test_ctrl_c_does_nothing_by_itself_and_the_safe_choice_stands_first(session: FakeSession) -> None:
    async with playing(session) as stage:
        before = len(session.submitted)
        await stage.press("ctrl+c", "enter")
        assert isinstance(stage.page, RunPage)
        await stage.press("ctrl+c", "down", "escape")
        assert len(session.submitted) == before


async def test_ctrl_z_is_refused_and_ctrl_s_ignored(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("ctrl+s")
        assert "not while driving" not in stage.text()
        await stage.press("ctrl+z")
        assert "not while driving" in stage.text()


async def test_ctrl_q_asks_and_leaving_holds_the_run(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("ctrl+q")
        assert "Leave this run?" in stage.text()
        await stage.press("enter")
        assert not asked(session, m.Leave)
        await stage.press("q", "down", "enter")
        assert asked(session, m.Leave)
        assert session.closed
        assert stage.app.return_value == 130


async def test_leaving_takes_its_time_and_the_screen_says_so(session: FakeSession) -> None:
    session.closing.clear()
    async with playing(session) as stage:
        await stage.press("q", "down", "enter")
        stage.app._tick()
        stage.app._pull()
        await stage.pilot.pause()
        assert "Leaving" in stage.rows()[-2]
        assert not session.closed
        session.closing.set()
        await stage.pilot.pause()
    assert session.closed
    assert stage.app.return_value == 130


async def test_leaving_at_a_failed_step_says_so_to_whoever_started_it(session: FakeSession) -> None:
    async with playing(session) as stage:
        await fail_the_copy(stage)
        await stage.press("q", "down", "enter")
        assert stage.app.return_value == 1


async def test_a_run_that_is_done_is_left_without_asking(session: FakeSession) -> None:
    session.to_stage("sign")
    session.open_gate("sign/first")
    assert session.submit(m.Confirm("sign/first", "sign")) is None
    session.begin("sign/first")
    session.end("sign/first")
    async with playing(session) as stage:
        await stage.press("q")
        assert stage.app.return_value == 0


# ---------------------------------------------------------------- after FAILED and UNKNOWN


async def test_retry_from_the_menu(session: FakeSession) -> None:
    async with playing(session) as stage:
        await fail_the_copy(stage)
        await stage.press("enter")
        assert asked(session, m.Retry) == [m.Retry("sync/copy")]


async def test_a_refused_choice_says_why_and_asks_nothing(session: FakeSession) -> None:
    async with playing(session) as stage:
        await fail_the_copy(stage)
        before = len(session.submitted)
        await stage.press("k")
        assert "not skippable" in stage.rows()[-2]
        await stage.press("b")
        assert "has no probe" in " ".join(stage.rows()[-3:-1])
        assert len(session.submitted) == before


async def test_by_hand_needs_reason_and_evidence(session: FakeSession) -> None:
    async with playing(session) as stage:
        await fail_the_copy(stage)
        await stage.press("m", "enter")
        assert "cannot be left empty" in stage.text()
        await stage.type("copied with rsync")
        await stage.press("enter")
        await stage.type("sums are equal")
        await stage.press("enter")
        assert asked(session, m.Resolve) == [
            m.Resolve("sync/copy", Verdict.PASSED, "copied with rsync", "sums are equal")
        ]
        assert session.state.step("sync/copy").word is StepWord.PASSED


async def test_unknown_proposes_to_ask_the_host(session: FakeSession) -> None:
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.begin("sync/hold")
    session.end("sync/hold", lost("h-dr"))
    async with playing(session) as stage:
        await stage.press("enter")
        assert asked(session, m.Probe) == [m.Probe("sync/hold")]


async def test_looking_at_the_run_from_a_decision_and_back(session: FakeSession) -> None:
    async with playing(session) as stage:
        await fail_the_copy(stage)
        await stage.press("escape")
        assert "IF YOU TURN BACK NOW" in stage.text()
        before = len(session.submitted)
        await stage.press("enter")
        assert "What now?" in stage.text()
        assert len(session.submitted) == before


async def test_the_emergency_needs_a_reason(session: FakeSession) -> None:
    async with playing(session) as stage:
        await fail_the_copy(stage)
        await stage.press("exclamation_mark", "enter")
        assert not asked(session, m.Declare)
        await stage.type("fibre cut")
        await stage.press("enter")
        assert asked(session, m.Declare) == [m.Declare("emergency", "fibre cut")]
        await stage.settle()
        assert "EMERGENCY" in stage.rows()[0]


# ---------------------------------------------------------------- the gate


async def at_the_gate(stage: Stage) -> None:
    stage.run.to_stage("switch")
    stage.run.open_gate("switch/dns")
    await stage.settle()
    stage.run.open_gate("switch/dns")
    await stage.settle()


async def test_only_the_new_value_opens_the_gate(session: FakeSession) -> None:
    async with playing(session) as stage:
        await at_the_gate(stage)
        done = len(asked(session, m.Confirm))
        for wrong in ("yes", "10.0.0.10", "10.9.0.1"):
            await stage.type(wrong)
            await stage.press("enter")
            assert len(asked(session, m.Confirm)) == done
            await stage.press("ctrl+u")
        await stage.type("10.9.0.10")
        await stage.press("enter")
        assert asked(session, m.Confirm)[-1] == m.Confirm("switch/dns", "10.9.0.10")
        assert session.state.step("switch/dns").confirmed == "10.9.0.10"


async def test_the_gate_takes_the_whole_screen(session: FakeSession) -> None:
    async with playing(session) as stage:
        await at_the_gate(stage)
        assert "TURN BACK" not in stage.text()
        assert "STAGE 3" not in stage.text()


async def test_pasting_at_the_gate_is_dropped(session: FakeSession) -> None:
    async with playing(session) as stage:
        await at_the_gate(stage)
        stage.page.post_message(events.Paste("10.9.0.10"))
        await stage.pilot.pause()
        assert "please type it" in stage.text()
        await stage.press("enter")
        assert session.state.step("switch/dns").word is StepWord.AWAITING


async def test_typing_too_fast_at_the_gate_is_dropped(session: FakeSession) -> None:
    async with playing(session) as stage:
        await at_the_gate(stage)
        await stage.press(*("1", "0", "full_stop", "9"), gap=0.005)
        assert "please type it" in stage.text()


async def test_a_recheck_that_does_not_hold_closes_the_gate(session: FakeSession) -> None:
    async with playing(session) as stage:
        await at_the_gate(stage)
        await stage.type("10.9.0.10")
        bad = replace(session.gate("switch/dns").rechecks[0], holds=False, seen="exit 35")
        session.open_gate("switch/dns", rechecks=(bad,))
        await stage.settle()
        await stage.press("enter")
        assert session.state.step("switch/dns").word is StepWord.AWAITING
        assert "DOES NOT" in stage.text()


async def test_a_recheck_that_is_old_closes_the_gate_until_it_is_asked_again(session: FakeSession) -> None:
    async with playing(session) as stage:
        await at_the_gate(stage)
        stage.clock.pass_by(60)
        await stage.type("10.9.0.10")
        await stage.press("enter")
        assert session.state.step("switch/dns").word is StepWord.AWAITING
        session.open_gate("switch/dns")
        await stage.settle()
        await stage.press("enter")
        assert session.state.step("switch/dns").confirmed


async def test_without_what_could_not_be_asked_it_needs_a_reason_on_the_emergency_route(session: FakeSession) -> None:
    async with playing(session) as stage:
        session.to_stage("switch")
        assert session.submit(m.Declare("emergency", "fibre cut")) is None
        assert session.submit(m.Go()) is None
        silent = replace(session.gate("switch/dns").rechecks[0], holds=None, seen="no route to host")
        session.open_gate("switch/dns", rechecks=(silent,))
        await stage.settle()
        session.open_gate("switch/dns", rechecks=(replace(silent, at=session.at),))
        await stage.settle()
        await stage.type("10.9.0.10")
        await stage.press("enter")
        assert not session.state.step("switch/dns").confirmed
        await stage.press("tab")
        await stage.type("primary is dark!")
        await stage.press("enter")
        assert session.state.step("switch/dns").reason == "primary is dark!"


async def test_a_click_never_confirms(session: FakeSession) -> None:
    async with playing(session) as stage:
        await at_the_gate(stage)
        await stage.type("10.9.0.10")
        column = stage.rows()[-1].index("enter Confirm")
        before = len(session.submitted)
        await stage.pilot.click(offset=(column + 1, 23))
        await stage.pilot.pause()
        assert len(session.submitted) == before
        column = stage.rows()[-1].index("esc Not now")
        await stage.pilot.click(offset=(column + 1, 23))
        await stage.pilot.pause()
        assert asked(session, m.LeaveGate)


async def test_not_now(session: FakeSession) -> None:
    async with playing(session) as stage:
        await at_the_gate(stage)
        await stage.press("escape")
        assert session.state.step("switch/dns").word is StepWord.PENDING


async def test_what_was_typed_is_forgotten_when_the_gate_opens_again(session: FakeSession) -> None:
    async with playing(session) as stage:
        await at_the_gate(stage)
        await stage.type("10.9")
        await stage.press("escape")
        await stage.settle()
        await stage.press("enter")
        session.open_gate("switch/dns")
        await stage.settle()
        page = stage.page
        assert isinstance(page, RunPage)
        assert page.typing.value == ""


# ---------------------------------------------------------------- questions


async def manual(stage: Stage) -> None:
    session = stage.run
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.run("sync/hold", "sync/mask", "sync/copy")
    session.begin("sync/look")
    names = ("pass: green", "fail: red", "cannot: nobody there", "who looked")
    session.ask("sync/look", Question("Which lights are on?", "", names))
    await stage.settle()


@pytest.mark.parametrize(("tabs", "word"), [(0, "pass"), (1, "fail"), (2, "cannot")])
async def test_a_manual_step_takes_a_verdict_and_words(session: FakeSession, tabs: int, word: str) -> None:
    async with playing(session) as stage:
        await manual(stage)
        await stage.press("enter")
        assert not asked(session, m.Reply)
        await stage.press(*["tab"] * tabs)
        await stage.type("tom, 12:01")
        await stage.press("enter")
        assert asked(session, m.Reply) == [m.Reply("sync/look", f"{word} tom, 12:01")]


async def test_a_question_with_a_word_takes_that_word_or_no(session: FakeSession) -> None:
    async with playing(session) as stage:
        session.to_stage("sync")
        assert session.submit(m.Go()) is None
        session.run("sync/hold", "sync/mask")
        session.begin("sync/copy")
        session.ask("sync/copy", Question("3 files would vanish", "3", ("a", "b", "c")))
        await stage.settle()
        await stage.type("2")
        await stage.press("enter")
        assert "type 3" in stage.rows()[-2]
        await stage.press("escape")
        assert asked(session, m.Reply) == [m.Reply("sync/copy", "")]


# ---------------------------------------------------------------- the way back


async def test_undo_shows_the_plan_and_then_asks(session: FakeSession) -> None:
    async with playing(session) as stage:
        await fail_the_copy(stage)
        await stage.press("u")
        assert not asked(session, m.Undo)
        assert "exchange the snapshot back" in stage.text()
        await stage.press("enter")
        assert asked(session, m.Undo)
        assert session.state.walk is not None


async def test_undo_over_clients_move_asks_for_the_value_it_puts_back(session: FakeSession) -> None:
    session.to_stage("clients")
    async with playing(session) as stage:
        await stage.press("u", "enter")
        assert session.state.walk is None
        assert "type the value" in stage.rows()[-2]
        await stage.type("10.0.0.10")
        await stage.press("enter")
        assert asked(session, m.Undo) == [m.Undo("switch", ("10.0.0.10",))]


async def test_undo_never_passes_the_line_and_says_which_runbook_goes_on(session: FakeSession) -> None:
    session.to_stage("sign")
    session.open_gate("sign/first")
    assert session.submit(m.Confirm("sign/first", "sign")) is None
    session.begin("sign/first")
    session.end("sign/first", failed("h-dr"))
    async with playing(session) as stage:
        await stage.press("u", "enter")
        assert "puppet-failback" in stage.text()
        assert not asked(session, m.Undo)


# ---------------------------------------------------------------- looking, noting, watching


async def test_looking_at_another_stage_and_back(session: FakeSession) -> None:
    session.to_stage("sync")
    async with playing(session) as stage:
        await stage.press("1")
        assert "VIEWING 1, RUNNING 2" in stage.text()
        before = len(session.submitted)
        await stage.press("enter")
        assert len(session.submitted) == before
        assert "STAGE 2 of 5" in stage.text()
        await stage.press("9")
        assert "has 5 stages" in stage.rows()[-2]


async def test_a_note_and_the_status_sentence(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("n")
        await stage.type("net says fibre")
        await stage.press("enter")
        assert asked(session, m.Note) == [m.Note("net says fibre")]
        await stage.press("s")
        assert "LIVE production, puppet-failover" in stage.text()
        written = (session.folder / "status.txt").read_text()
        assert written.startswith("LIVE production, puppet-failover")


async def test_copy_goes_to_a_file_too(session: FakeSession) -> None:
    async with playing(session) as stage:
        await fail_the_copy(stage)
        await stage.press("y")
        assert "$ sync /etc/puppetlabs" in (session.folder / "copied.txt").read_text()
        assert stage.app.clipboard.startswith("2.3 Copy certificates and CA")


async def test_what_is_owed_is_settled_by_a_word(session: FakeSession) -> None:
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.run("sync/hold", "sync/mask")
    assert session.submit(m.Pause()) is None
    assert session.submit(m.Declare("emergency", "dark")) is None
    async with playing(session) as stage:
        await stage.press("o")
        assert "What is owed" in stage.text()
        await stage.press("down", "down", "enter")
        await stage.type("tom unmasked it")
        await stage.press("enter")
        settled = asked(session, m.Settle)
        assert isinstance(settled[0], m.Settle)
        assert settled[0].word == "tom unmasked it"


async def test_the_command_line_does_what_the_keys_do(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("colon")
        await stage.type("pac")
        await stage.press("enter")
        await stage.pilot.pause()
        assert session.state.pace is Pace.STEP


async def test_watching_asks_for_nothing_but_notes(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    session.watching = True
    async with playing(session) as stage:
        assert "You watch" in stage.text()
        await stage.press("enter", "u", "exclamation_mark", "full_stop", "x", "space")
        assert session.submitted == []
        await stage.press("n")
        await stage.type("seen")
        await stage.press("enter")
        assert session.submitted == [m.Note("seen")]
        await stage.press("q")
        assert session.closed
        assert not asked(session, m.Leave)


# ---------------------------------------------------------------- looks


@pytest.mark.parametrize(
    "theme", ["dark", "light", "high-contrast", "ansi-dark", "ansi-light", "nord", "no-such-theme"]
)
async def test_every_theme_shows_every_ink(tmp_path: Path, theme: str) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    async with playing(session, theme=theme) as stage:
        await fail_the_copy(stage)
        assert stage.app.theme == ("dark" if theme == "no-such-theme" else theme)
        styles = {str(stage.page.canvas._ink(ink)) for ink in Ink}
        assert len(styles) > 10
        assert "FAILED" in stage.text()


async def test_zoom_gives_the_output_the_whole_width(session: FakeSession) -> None:
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.begin("sync/hold")
    async with playing(session) as stage:
        await stage.press("z")
        assert "IF YOU TURN BACK" not in stage.text()
        await stage.press("z")
        assert "IF YOU TURN BACK" in stage.text()


async def test_tab_gives_the_arrows_to_the_output(session: FakeSession) -> None:
    session.to_stage("sync")
    assert session.submit(m.Go()) is None
    session.begin("sync/hold")
    for n in range(100):
        session.say("sync/hold", "h-dr", f"line {n:03}\n")
    async with playing(session) as stage:
        await stage.press("tab", "g")
        assert "line 000" in stage.text()
        await stage.press("down")
        assert "line 000" not in stage.text()
        await stage.press("tab", "up")
        assert "1.2 The DR server answers a client" in stage.text()


async def test_the_mouse_looks_and_scrolls(session: FakeSession) -> None:
    session.to_stage("sync")
    async with playing(session) as stage:
        rows = stage.rows()
        at = next(n for n, row in enumerate(rows) if row.startswith(" · 2.3"))
        await stage.pilot.click(offset=(5, at))
        await stage.pilot.pause()
        assert "sync /etc/puppetlabs" in stage.text()
        at = next(n for n, row in enumerate(stage.rows()) if row.startswith(" ✔ 1 "))
        await stage.pilot.click(offset=(5, at))
        await stage.pilot.pause()
        assert "VIEWING 1" in stage.text()


async def test_resizing_keeps_everything(session: FakeSession) -> None:
    async with playing(session) as stage:
        await at_the_gate(stage)
        await stage.type("10.9")
        for size in ((60, 18), (20, 5), (160, 48), (61, 19), (300, 100), (80, 24)):
            await stage.pilot.resize_terminal(*size)
            await stage.pilot.pause()
            assert len(stage.rows()) == size[1]
        assert "10.9.0.10:  10.9" in stage.text()


async def test_status_is_not_written_through_a_link(session: FakeSession, tmp_path: Path) -> None:
    target = tmp_path / "target"
    (session.folder / "status.txt").symlink_to(target)
    async with playing(session) as stage:
        await stage.press("s")
        assert not target.exists()
