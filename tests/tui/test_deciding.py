"""A step that stands: what is proposed, waiting, what a probe said, and that no sentence is cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tui.fake import FakeSession, failed
from tests.tui.stage import Stage, playing
from tests.tui.test_screens import REFUSED, copy_failed, manual_undo, primary_gone, running, undo_failed, unknown

from handrail.engine import messages as m
from handrail.engine.results import Result
from handrail.engine.words import Answer, ResultKind, Verdict
from handrail.session.view import Mode


def marked(stage: Stage) -> str:
    return next((line for line in stage.rows() if line.startswith(" ▸")), "")


def squeezed(stage: Stage) -> str:
    return " ".join(stage.text().split())


async def test_with_the_primary_gone_the_emergency_is_marked_and_enter_asks_for_its_reason(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    primary_gone(session)
    async with playing(session) as stage:
        assert "Declare the emergency" in marked(stage)
        await stage.press("enter")
        await stage.type("network says fibre cut")
        await stage.press("enter")
        declared = [i for i in session.submitted if isinstance(i, m.Declare)]
        assert [d.reason for d in declared] == ["network says fibre cut"]


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_the_failure_is_told_whole_with_its_meaning_and_what_to_do(tmp_path: Path, size: tuple[int, int]) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    primary_gone(session)
    async with playing(session, size=size) as stage:
        assert REFUSED in squeezed(stage)
        assert "Means puppet-primary does not answer, so nothing was sent." in squeezed(stage)
        assert "Next ! declares the emergency" in squeezed(stage)


async def test_on_a_small_screen_meaning_and_next_stay_and_the_rest_is_scrolled_to(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    primary_gone(session)
    async with playing(session, size=(60, 18)) as stage:
        assert "Means" in stage.text()
        assert "Next" in stage.text()
        seen = squeezed(stage)
        for _ in range(6):
            await stage.press("ctrl+d")
            seen += squeezed(stage)
        assert "No route to host" in seen
        assert "State" in seen


async def test_waiting_sends_nothing_says_since_when_and_notices_the_answer(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    primary_gone(session)
    before = len(session.submitted)
    async with playing(session) as stage:
        await stage.press("w")
        assert "Waiting for puppet-primary" in stage.rows()[-2]
        stage.clock.pass_by(60)
        await stage.settle()
        assert "since 11:59:38Z (02:" in stage.text()
        session.comes_back()
        await stage.settle()
        assert "puppet-primary answers again" in stage.rows()[-2]
        assert "Retry" in marked(stage)
        assert len(session.submitted) == before


async def test_the_mark_does_not_leave_the_choice_that_somebody_made(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    copy_failed(session)
    async with playing(session) as stage:
        assert "Retry" in marked(stage)
        await stage.press("down")
        assert "by hand" in marked(stage)
        session.goes_away("h-primary", proposes="declare")
        await stage.settle()
        assert "by hand" in marked(stage)


async def test_enter_is_dead_for_a_moment_when_the_mark_moves_by_itself(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    copy_failed(session)
    async with playing(session) as stage:
        session.goes_away("h-primary", proposes="declare")
        stage.app.take(session.snapshot)
        stage.app._show()
        assert "Declare" in marked(stage) or stage.page.menu.chosen.action == "declare"  # type: ignore[attr-defined]
        await stage.press("enter", gap=0.05)
        assert "EMERGENCY" not in stage.text()
        assert not [i for i in session.submitted if isinstance(i, m.Retry | m.Declare)]


async def test_a_host_that_does_not_answer_and_no_other_route_waiting_is_proposed(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    running(session)
    session.end("sync/copy", Result("h-dr", ResultKind.UNREACHABLE, sent=False, detail="no answer"))
    session.goes_away("h-dr")
    async with playing(session) as stage:
        assert "Wait for puppet-dr" in marked(stage)
        await stage.press("enter")
        assert "Waiting for puppet-dr" in stage.rows()[-2]


async def test_a_probe_shows_when_it_asked_and_what_it_heard(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    unknown(session)
    async with playing(session) as stage:
        for _ in range(2):  # the same answer again is shown again, with its own time
            await stage.press("b")
            assert isinstance(session.submitted[-1], m.Probe)
            await stage.settle()
            assert "just now; the answer is still to come" in stage.text()
            session.probed("sync/mask", Answer.DONT_KNOW, "neither masked nor running")
            asked = session.clock.now().strftime("%H:%M:%SZ")
            stage.app.take(session.snapshot)
            stage.app._show()
            await stage.press("down", gap=0.0)
            assert f"Asked {asked}, the probe says: don't know: neither masked nor running" in squeezed(stage)
            await stage.settle()
        assert "say what is true" in squeezed(stage)


async def test_a_key_for_what_is_refused_says_why_in_full(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    undo_failed(session)
    async with playing(session) as stage:
        assert "not now: b Probe, c Check, k Skip, u Undo" in squeezed(stage)
        await stage.press("u")
        assert "…" not in "".join(stage.rows()[-4:-1])
        assert stage.app.screen is stage.page


async def test_a_long_reason_wraps_above_the_key_bar(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    running(session)
    session.end("sync/copy", failed("h-dr", 1))
    async with playing(session, size=(60, 18)) as stage:
        await stage.press("c")
        said = " ".join(" ".join(stage.rows()[-3:-1]).split())
        assert said.endswith("retry it, or probe it")
        assert "…" not in said


async def test_an_undo_that_failed_can_be_left_by_going_forward_again(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    undo_failed(session)
    async with playing(session) as stage:
        await stage.press("f")
        assert isinstance(session.submitted[-1], m.GoForward)


async def test_an_unknown_job_can_be_asked_about(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    unknown(session)
    async with playing(session) as stage:
        await stage.press("a")
        assert isinstance(session.submitted[-1], m.Reattach)


@pytest.mark.parametrize("size", [(80, 24), (60, 18)])
async def test_a_manual_undo_says_that_it_is_one_and_shows_what_is_typed(tmp_path: Path, size: tuple[int, int]) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    manual_undo(session)
    async with playing(session, size=size) as stage:
        assert "UNDO of 2.2 Stop and mask the server" in stage.text()
        await stage.type("I saw it run")
        assert "> I saw it run" in stage.text()
        await stage.press("enter")
        reply = session.submitted[-1]
        assert isinstance(reply, m.Reply)
        assert reply.typed == "pass I saw it run"


async def test_the_undo_plan_says_what_a_person_did(tmp_path: Path) -> None:
    session = FakeSession(tmp_path, mode=Mode.LIVE)
    copy_failed(session)
    assert session.submit(m.Resolve("sync/copy", Verdict.PASSED, "copied with rsync", evidence="sums equal")) is None
    async with playing(session) as stage:
        await stage.press("u")
        assert "by hand by ana: copied with rsync" in squeezed(stage)
