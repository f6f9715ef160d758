"""An instructor beside a drill: what they leave reaches its record and its operator; a run on real hosts hears nothing of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.session.test_session_people import TOUCH
from tests.session.world import World

from handrail.base.problems import Trouble
from handrail.engine import messages as m
from handrail.engine.words import Remarks, StepWord
from handrail.plain.commands import parse
from handrail.plain.words import changes
from handrail.session import mailbox
from handrail.session.cards import DrillView
from handrail.session.instructing import Instructor
from handrail.session.post import CARDS, Post
from handrail.session.view import Mode


def seen(world: World) -> DrillView:
    (one,) = Instructor(world.home, who="tom").look()
    return one


async def test_a_halted_drill_stands_still_until_it_is_let_go_on(world: World) -> None:
    drive = world.open(TOUCH)
    mailbox.leave(drive.folder, "halt", "look at the gate \x1b[2J", "tom")
    await drive.until(lambda state: state.halted is not None)
    assert "tom has halted this drill: look at the gate" in drive.submit(m.Go())
    assert "halted" in drive.submit(m.Undo())
    assert not any(offer.proposed for offer in drive.session.allowed())
    assert drive.submit(m.Note("I wait")) == ""
    assert "tom" in seen(world).waits
    assert seen(world).halted
    before = replace(drive.state, halted=None)
    assert any(line.startswith("HALTED by tom") for line in changes(before, drive.session.snapshot))
    mailbox.leave(drive.folder, "go", "", "tom")
    await drive.until(lambda state: state.halted is None)
    await drive.go(2)
    assert drive.word() is StepWord.PASSED
    assert [r.body["by"] for r in drive.events("halted")] == ["tom"]
    ((since, until),) = drive.state.halts
    assert until > since


async def test_a_message_is_shown_once_and_answered(world: World, tmp_path: Path) -> None:
    drive = world.open(TOUCH)
    assert "no message" in drive.submit(m.AnswerCard("ten minutes"))
    mailbox.leave(drive.folder, "card", "The CTO asks for an ETA", "tom", "the CTO")
    await drive.until(lambda state: bool(state.open_cards))
    card = drive.state.open_cards[0]
    assert (card.says, card.by) == ("The CTO asks for an ETA", "the CTO")
    before = replace(drive.state, cards=())
    told = list(changes(before, drive.session.snapshot))
    assert "MESSAGE from the CTO: The CTO asks for an ETA (type: answer TEXT)" in told
    assert parse("answer ten minutes", drive.state) == m.AnswerCard("ten minutes")
    assert any(o.verb == "answer-card" and o.granted for o in drive.session.allowed())
    assert seen(world).cards == 1
    assert drive.session.tell(m.ShowCard(card.card, "again", "tom")) is None
    assert drive.submit(m.AnswerCard(" ")) != ""
    assert drive.submit(m.AnswerCard("ten minutes")) == ""
    assert not drive.state.open_cards
    assert drive.state.answers[card.card].words == "ten minutes"
    assert len(drive.events("card_shown")) == 1


async def test_slips_are_counted_as_they_come(world: World) -> None:
    drive = world.open(TOUCH)
    tom = Instructor(world.home, who="tom")
    assert tom.look()[0].slips == 0
    assert drive.submit(m.Remark(Remarks.SLIP, "it waits for 1.1", "s/x")) == ""
    (one,) = tom.look()
    assert (one.slips, one.last_slip) == (1, "s/x: it waits for 1.1")


async def test_on_real_hosts_an_instructor_does_nothing(world: World) -> None:
    world.pin(forget=True)
    drive = world.open(TOUCH, Mode.LIVE, reason="never drilled")
    for kind in ("halt", "card", "fault"):
        mailbox.leave(drive.folder, kind, "power dr off", "tom")
    mailbox.leave(drive.folder, "note", "the last one", "tom")
    await drive.until(lambda state: any(n.text == "the last one" for n in state.notes))
    assert (drive.state.halted, drive.state.cards, drive.state.faults) == (None, (), ())
    assert Instructor(world.home).look() == ()
    with pytest.raises(Trouble, match="an instructor can do nothing to it"):
        Instructor(world.home).find(drive.run)


async def test_what_has_no_simulated_estate_is_left_alone(world: World) -> None:
    drive = world.open(TOUCH)
    tom = Instructor(world.home, who="tom")
    (one,) = tom.find("all")
    assert (one.run, one.who, one.driven) == (drive.run, drive.state.driver, True)
    assert "to go on" in one.waits
    with pytest.raises(Trouble, match="no drill here"):
        tom.find("nobody")
    with pytest.raises(Trouble, match="nothing an estate can be asked"):
        await tom.fault(one, "format dr")
    with pytest.raises(Trouble, match="gone"):
        await tom.fault(one, "power dr off")
    with pytest.raises(Trouble, match="say why"):
        tom.halt(one, " ")


def test_a_scenarios_messages_are_read_as_they_come(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    post = Post(tmp_path / "run", tmp_path, taught=True)
    assert [*post.take()] == []
    line = json.dumps({"card": "scenario-1", "say": "ETA?", "by": "the CTO"}).encode()
    (tmp_path / CARDS).write_bytes(b"[]\n{\n" + line[:10])
    assert [*post.take()] == []
    (tmp_path / CARDS).write_bytes(b"[]\n{\n" + line + b"\n")
    assert [*post.take()] == [m.ShowCard("scenario-1", "ETA?", "the CTO")]
    assert [*post.take()] == []
