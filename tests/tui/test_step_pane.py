"""What came back from many hosts: as many lines as there is room for, and how many more there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.fake import FakeSession

from handrail.engine.results import Check, Result
from handrail.engine.state import Attempt, StepState
from handrail.engine.words import ResultKind, StepWord, Way
from handrail.session.view import LiveHost, LiveStep
from handrail.tui.happened import facts
from handrail.tui.scene import Scene
from handrail.tui.step_pane import checks, step_head

HOSTS = tuple(f"h{number:02}" for number in range(12))
ANSWERED = {
    "h01": Result("h01", ResultKind.EXITED, sent=True, exit=0),
    "h04": Result("h04", ResultKind.EXITED, sent=True, exit=0, checks=(Check("it runs", holds=True),)),
    "h07": Result(
        "h07", ResultKind.EXITED, sent=True, exit=1, checks=(Check("a", holds=False), Check("b", holds=None))
    ),
}
LIVE = {
    "h02": LiveHost("h02", tries=3, text="not yet"),
    "h03": LiveHost("h03", tries=1),
    "h05": LiveHost("h05", last_output=1.0),
    "h06": LiveHost("h06", tries=2, text="of no account: its link is gone"),
    "": LiveHost("", tries=2, text="1 of 2"),
}


@pytest.mark.parametrize("ended", [None, 9.0])
@pytest.mark.parametrize("most", range(1, 24))
def test_what_there_is_no_room_for_is_counted(tmp_path: Path, most: int, ended: float | None) -> None:
    snap = FakeSession(tmp_path).snapshot
    step = snap.state.outline.steps[0]
    attempt = Attempt(1, Way.FORWARD, HOSTS, 0.0, results=ANSWERED, ended=ended)
    now = StepState(StepWord.RUNNING, attempts=(attempt,), no_link={"h06": 2.0})
    snap = replace(snap, state=replace(snap.state, steps={step.id: now}), live={step.id: LiveStep(hosts=LIVE)})
    scene = Scene(snap, 10.0, snap.wall)
    whole = [line.plain for line in checks(scene, step, 70, 0)]
    shown = [line.plain for line in checks(scene, step, 70, most)]
    if len(whole) <= most:
        assert shown == whole
    else:
        assert shown[:-1] == whole[: most - 1]
        assert f"and {len(whole) - most + 1} more lines" in shown[-1]


def test_many_hosts_that_answered_alike_are_told_together(tmp_path: Path) -> None:
    snap = FakeSession(tmp_path).snapshot
    step = snap.state.outline.steps[0]
    answers = {"h03": 2, "h08": 2} | dict.fromkeys(("h00", "h01", "h05", "h09"), 1)
    results = {h: Result(h, ResultKind.EXITED, sent=True, exit=answers.get(h, 0)) for h in reversed(HOSTS)}
    now = StepState(StepWord.FAILED, attempts=(Attempt(1, Way.FORWARD, HOSTS, 0.0, 9.0, results),))
    snap = replace(snap, state=replace(snap.state, steps={step.id: now}))
    told = [line.plain.rstrip() for line in facts(Scene(snap, 10.0, snap.wall), step, 40)]
    assert told[:7] == [
        "   4 hosts ✖ exit 1, expected 0",
        "             h00, h01, h05, h09",
        "   h03     ✖ exit 2, expected 0",
        "   h08     ✖ exit 2, expected 0",
        "   6 hosts ✔ exit 0",
        "             h02, h04, h06, h07, h10,…",
        told[6],
    ]
    assert told[6].startswith("   Means")


def test_of_many_hosts_it_is_told_how_many_have_answered(tmp_path: Path) -> None:
    snap = FakeSession(tmp_path).snapshot
    step = snap.state.outline.steps[0]
    now = StepState(StepWord.RUNNING, attempts=(Attempt(1, Way.FORWARD, HOSTS, 0.0, results=ANSWERED),))
    snap = replace(snap, state=replace(snap.state, steps={step.id: now}), live={step.id: LiveStep(hosts=LIVE)})
    scene = Scene(snap, 10.0, snap.wall)
    head = [line.plain.rstrip() for line in step_head(scene, step, 80, roomy=True)]
    assert any(line.endswith("3 of 12 hosts have answered, 1 did not pass") for line in head), head
    assert checks(scene, step, 80, 0)[0].plain.split()[1] == "h07"
