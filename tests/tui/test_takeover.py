"""Taking over: who drives is asked first; name and reason count only once nobody answers. And being asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.desk import FakeDesk, held_run, standing
from tests.tui.fake import FakeSession
from tests.tui.stage import Stage, matches, playing

from handrail.engine import messages as m
from handrail.session.standing import Reply
from handrail.session.standing import Stage as Asking
from handrail.session.view import Mode, Relief
from handrail.tui.dialogs import Choose
from handrail.tui.pages.home import HomePage
from handrail.tui.pages.run import RunPage
from handrail.tui.pages.takeover import TakeoverPage

RUN = "20261122-1104-k3f9q2"
WAITING = Reply(Asking.WAITING, left=30.0)
SILENT = Reply(Asking.SILENT)


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path, mode=Mode.LIVE)


def driven(session: FakeSession, *replies: Reply) -> FakeDesk:
    run = held_run(driven=True, holder="maria")
    return FakeDesk((run,), session=session, replies=[Reply(Asking.UNASKED), *replies])


async def look(stage: Stage) -> None:
    """Let a second pass: the page looks for an answer."""
    stage.clock.pass_by(1.0)
    stage.page.tick()
    stage.page.repaint()
    await stage.idle()


async def test_who_drives_is_asked_and_nothing_is_taken_while_they_may_answer(session: FakeSession) -> None:
    desk = driven(session, WAITING)
    async with playing(desk=desk) as stage:
        await stage.press("r")
        assert isinstance(stage.page, TakeoverPage)
        await stage.type("your VPN is down")
        await stage.press("enter")
        assert desk.asked == [("ask", RUN, "your VPN is down")]
        assert "maria is asked, and has 30 s to answer." in stage.text()
        desk.replies[0] = replace(WAITING, left=12.0)
        await look(stage)
        assert "has 12 s to answer" in stage.text()
        await stage.type("maria")
        await stage.press("enter", "enter")
        assert [what[0] for what in desk.asked] == ["ask"]
        await stage.press("escape")
        await stage.idle()
        assert isinstance(stage.page, HomePage)
        assert desk.asked[-1] == ("withdraw", RUN)


async def test_one_who_does_not_answer_is_taken_over_from_by_reason_and_name(session: FakeSession) -> None:
    desk = driven(session, SILENT)
    async with playing(desk=desk) as stage:
        await stage.press("r", "enter")
        await look(stage)
        assert "maria does not answer" in stage.text()
        await stage.press("enter")
        assert "Reason: it cannot be left empty" in stage.rows()[-2]
        await stage.type("lost VPN")
        await stage.press("enter")
        await stage.type("mario")
        await stage.press("enter")
        assert "that is not maria" in stage.rows()[-2]
        assert not [what for what in desk.asked if what[0] == "resume"]
        await stage.press("backspace")
        await stage.type("a")
        await stage.press("enter")
        await stage.settle()
        assert ("resume", RUN, "lost VPN", "maria") in desk.asked
        assert isinstance(stage.page, RunPage)


async def test_a_name_that_is_pasted_does_not_count(session: FakeSession) -> None:
    desk = driven(session, SILENT)
    async with playing(desk=desk) as stage:
        await stage.press("r", "enter")
        await look(stage)
        await stage.type("why")
        await stage.press("enter")
        await stage.press(*"maria", gap=0.001)
        await stage.press("enter")
        assert "please type it" in stage.text()
        assert not [what for what in desk.asked if what[0] == "resume"]


async def test_one_who_declines_is_left_alone_with_their_word(session: FakeSession) -> None:
    desk = driven(session, Reply(Asking.DECLINED, "two more minutes"), WAITING)
    async with playing(desk=desk) as stage:
        await stage.press("r", "enter")
        await look(stage)
        assert "maria goes on driving: two more minutes" in stage.text()
        await stage.press("enter")
        assert [what[0] for what in desk.asked] == ["ask", "ask"]


async def test_a_run_that_is_let_go_of_is_taken_up_by_itself(session: FakeSession) -> None:
    desk = driven(session, WAITING)
    async with playing(desk=desk) as stage:
        await stage.press("r", "enter")
        desk.replies[0] = Reply(Asking.HANDING, "the copy is good", 20.0)
        await look(stage)
        assert "maria hands over once the running step has ended: the copy is good" in stage.text()
        desk.replies[0] = Reply(Asking.FREE)
        await look(stage)
        await stage.settle()
        assert ("resume", RUN, "", "") in desk.asked
        assert isinstance(stage.page, RunPage)


async def test_one_whose_process_is_gone_is_not_asked(session: FakeSession) -> None:
    desk = driven(session)
    desk.replies, desk.standing = [Reply(Asking.GONE)], standing(gone=True)
    async with playing(desk=desk) as stage:
        await stage.press("r")
        assert "the process of maria is gone" in stage.text()
        assert "console its process is gone" in " ".join(stage.text().split())


@pytest.mark.parametrize("size", [(80, 24), (60, 18), (160, 48)], ids=["80x24", "60x18", "160x48"])
async def test_what_one_who_takes_over_has_to_know(session: FakeSession, size: tuple[int, int]) -> None:
    desk = driven(session, SILENT)
    async with playing(desk=desk, size=size) as stage:
        await stage.press("r", "enter")
        await look(stage)
        await stage.type("maria lost VPN")
        await stage.press("enter")
        await stage.type("mar")
        shown = " ".join(stage.text().split())
        for fact in ("TAKE OVER from maria on bastion1", "silent for 250 s", "2.2 Stop and mask the server", "mar"):
            assert fact in shown, fact
        matches(stage, f"takeover-{size[0]}x{size[1]}")


# ------------------------------------------------------------------ being asked

BOB = Relief("q1", "bob", "bastion2", "I can take it from here", until=900.0)


def ask(session: FakeSession, asked: Relief | None = BOB) -> None:
    session.show(lambda snap: replace(snap, relief=asked))


async def asked_on(stage: Stage) -> None:
    await stage.settle()
    stage.app.offer_answer()
    await stage.idle()


async def test_being_asked_opens_a_question_that_enter_does_not_answer(session: FakeSession) -> None:
    session.to_stage("sync")
    session.submit(m.Go())
    session.begin("sync/hold")
    async with playing(session) as stage:
        ask(session)
        await asked_on(stage)
        assert isinstance(stage.page, Choose)
        shown = " ".join(stage.text().split())
        assert "bob on bastion2 asks for this run" in shown
        assert 'They say: "I can take it from here"' in shown
        matches(stage, "relief-80x24")
        before = len(session.submitted)
        await stage.press("enter")
        assert isinstance(stage.page, RunPage)
        assert len(session.submitted) == before
        await look(stage)
        assert "? bob asks for this run (may take it in" in stage.text()
        await asked_on(stage)
        assert isinstance(stage.page, RunPage), "it opens once by itself"
        await stage.press("A")
        await stage.press("a", "enter")
        await stage.type("copy is good")
        await stage.press("enter")
        assert session.submitted[-1] == m.HandOver(note="copy is good", at_once=False)


async def test_declining_takes_a_word(session: FakeSession) -> None:
    async with playing(session) as stage:
        ask(session)
        await asked_on(stage)
        await stage.press("d", "enter", "enter")
        assert not [i for i in session.submitted if isinstance(i, m.Decline)]
        await stage.type("two more minutes")
        await stage.press("enter")
        assert session.submitted[-1] == m.Decline(words="two more minutes")


async def test_nobody_is_interrupted_while_typing_at_a_gate(session: FakeSession) -> None:
    session.to_stage("switch")
    session.submit(m.Go())
    session.open_gate("switch/dns")
    async with playing(session) as stage:
        await stage.type("10.9")
        ask(session)
        await asked_on(stage)
        assert isinstance(stage.page, RunPage)
        assert "? bob asks for this run" in stage.text()
        await stage.type(".0.1")
        assert "10.9.0.1" in stage.text()
        await stage.press("f5")
        assert isinstance(stage.page, Choose)


async def test_with_nobody_asking_there_is_nothing_to_answer(session: FakeSession) -> None:
    async with playing(session) as stage:
        await stage.press("A")
        assert "nobody asks for this run" in stage.rows()[-2]
