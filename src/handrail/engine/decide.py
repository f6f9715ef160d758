"""decide(state, message) -> events | Refused: the one function that says what may happen. Pure; everybody asks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from handrail.engine import decide_answers as answers
from handrail.engine import decide_back as back
from handrail.engine import decide_forward as forward
from handrail.engine import decide_lesson as lesson
from handrail.engine import decide_run as run
from handrail.engine import messages as m
from handrail.engine.batch import Decision, refuse
from handrail.engine.state import State

Rule = Callable[[State, Any], Decision]

RULES: Final[Mapping[type[m.Message], Rule]] = {
    m.Go: forward.go,
    m.SetPace: forward.set_pace,
    m.Confirm: forward.confirm,
    m.LeaveGate: forward.leave_gate,
    m.Reply: forward.reply,
    m.Pause: forward.pause,
    m.StopStep: forward.stop_step,
    m.Retry: forward.retry,
    m.CheckAgain: forward.check_again,
    m.Probe: forward.probe,
    m.Reattach: forward.reattach,
    m.GoForward: forward.go_forward,
    m.Skip: forward.skip,
    m.Resolve: forward.resolve,
    m.Undo: back.undo,
    m.Owe: back.owe,
    m.LeaveUndo: back.leave_undo,
    m.Settle: back.settle,
    m.Declare: run.declare,
    m.Note: run.note,
    m.Remark: run.remark,
    m.Leave: run.leave,
    m.HandOver: run.hand_over,
    m.Decline: run.decline,
    m.Resume: run.resume,
    m.Close: run.close,
    m.GateSeen: answers.gate_seen,
    m.Ready: answers.ready,
    m.NotReady: answers.not_ready,
    m.Remember: answers.remember,
    m.Ended: answers.ended,
    m.AskEnded: answers.ask_ended,
    m.Asks: answers.asks,
    m.Late: answers.late,
    m.LinkNews: answers.link_news,
    m.GuardNews: answers.guard_news,
    m.ClaimNews: answers.claim_news,
    m.SettleEnded: back.settle_ended,
    m.Recalled: answers.recalled,
    m.ScenarioNews: answers.scenario_news,
    m.ShowCard: lesson.show_card,
    m.AnswerCard: lesson.answer_card,
    m.FaultNews: lesson.fault_news,
    m.Halt: lesson.halt,
    m.EndHalt: lesson.end_halt,
}

_WHILE_HELD: Final = (m.Resume, m.Note, m.Remark, m.Close)


def decide(state: State, message: m.Message) -> Decision:
    """Return what is now so because of a message, or the one sentence that says why not."""
    if isinstance(message, m.Intent):
        if state.closed and not isinstance(message, m.Note | m.Remark):
            return refuse(f"this run was closed: {state.closed}")
        if state.held and not isinstance(message, _WHILE_HELD):
            return refuse("this run is held: resume it first")
        waits = lesson.halted(state, message)
        if waits:
            return refuse(waits)
    return RULES[type(message)](state, message)
