"""The words one can type in the plain front end, and the intents they stand for. Pure; it asks for what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from handrail.base.frozen import dataclass
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.offers import Offer
from handrail.engine.state import State
from handrail.engine.words import Pace, Verdict


@dataclass(frozen=True)
class Say:
    """Nothing is asked of the run: show this."""

    what: str  # help, status, who, log, menu, plan, or a sentence


@dataclass(frozen=True)
class Missing:
    """A word is missing: ask this, and try again with the answer appended."""

    prompt: str


Parsed = m.Intent | Say | Missing

HELP: Final = (
    "enter or go [STAGE|STEP]   go on with what is next",
    "pause                      finish this step, then stand",
    "stop                       end the running command, and prove it",
    "undo [STAGE] [VALUE]       back to the pause point before a stage (start: all); asks for the value it puts back",
    "retry | probe | check      at a step that stands: send again, ask the host, ask the verifies",
    "attach | forward           ask what became of an UNKNOWN job; do a step again whose undo failed",
    "hand REASON ; EVIDENCE     it was done by hand, and this proves it",
    "notdone REASON             an UNKNOWN step was not done",
    "skip REASON                pass a step that the runbook lets one skip",
    "owe REASON | leaveundo     set a failed undo aside, or end the undo here",
    "settle ID [WORDS]          do what is owed, or say that it is done",
    "emergency REASON           declare it: a role is lost",
    "pace step | pace stage     stop before every step, or before every stage",
    "note TEXT                  for those who come after",
    "answer TEXT                to a message that waits for one",
    "status | who | menu | log [STEP] | hint [STEP] | debrief | help",
    "leave                      go away; the run is held",
    "handover [now] [NOTE]      to who asks for the run: once this step has ended, or now",
    "decline WORDS              go on driving, and say so to who asks",
    "close REASON               nobody will finish this run",
)


def parse(line: str, state: State) -> Parsed:
    """Return what a typed line asks for."""
    word, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    gate = order.awaiting(state)
    asking = order.asking(state)
    if asking and word not in _ALWAYS:
        return m.Reply(asking.id, "" if word == "no" else line.strip())
    if gate and (not word or word.lower() not in _VERBS):
        return _at_gate(gate.id, line) if word else Say("gate")
    if gate and word == "no":
        return m.LeaveGate(gate.id)
    left = order.interrupted(state)
    if not word and left is not None:  # enter does what is proposed: to go on with an undo that was interrupted
        return _undo(left or "start", state)
    verb = _VERBS.get(word.lower() or "go")
    return verb(rest, state) if verb else Say(f"there is no command {word!r}: type help")


def _at_gate(step: str, line: str) -> m.Confirm:
    value, _, reason = line.strip().partition(" ")
    return m.Confirm(step, value, reason.strip())


def _standing(state: State) -> str:
    step = order.standing(state)
    return step.id if step else ""


def _need(rest: str, prompt: str, make: Callable[[str], m.Intent]) -> Parsed:
    return make(rest) if rest else Missing(prompt)


def _undo(rest: str, state: State) -> Parsed:
    words = rest.split()
    known = {word: stage.id for stage in state.outline.stages for word in (stage.id, stage.number)} | {"start": ""}
    target = known.get(words[0]) if words else ""
    values = tuple(words[1:])
    if target is None:  # no stage was named: what was typed may be the value that all of it puts back
        if tuple(words) != order.put_back(state, order.to_undo(state, "")):
            return m.Undo(words[0])
        target, values = "", tuple(words)
    wanted = order.put_back(state, order.to_undo(state, target))
    if wanted and not values and state.started:
        return Missing(f"this puts {' and '.join(wanted)} back. Type it")
    return m.Undo(target, values)


def _hand(rest: str, state: State) -> Parsed:
    reason, _, evidence = rest.partition(";")
    if not reason.strip():
        return Missing("what was done by hand, and why")
    if not evidence.strip():
        return Missing("; what proves it")
    return m.Resolve(_standing(state), Verdict.PASSED, reason.strip(), evidence=evidence.strip())


def _skip(rest: str, state: State) -> Parsed:
    step = order.standing(state) or order.next_step(state)
    return _need(rest, "why it is skipped", lambda reason: m.Skip(step.id if step else "", reason))


def _emergency(rest: str, state: State) -> Parsed:
    other = next((name for name, lost in state.outline.routes.items() if lost and name != state.route), state.route)
    return _need(rest, "what is lost, and how you know", lambda reason: m.Declare(other, reason))


def _hand_over(rest: str) -> Parsed:
    first, _, note = rest.partition(" ")
    now = first.lower() == "now"
    return m.HandOver(note=note.strip() if now else rest, at_once=now)


def _settle(rest: str, state: State) -> Parsed:
    owed, _, words = rest.partition(" ")
    if not owed:
        names = ", ".join(o.id for o in state.owed)
        return Missing(f"which one: {names}") if names else Say("nothing is owed")
    return m.Settle(owed, words.strip())


def _pace(rest: str, _state: State) -> Parsed:
    return m.SetPace(Pace.STEP if rest.startswith("step") else Pace.STAGE)


def _stop(_rest: str, state: State) -> Parsed:
    working = order.busy(state)
    return m.StopStep(working[0].id if working else "")


_VERBS: Final[Mapping[str, Callable[[str, State], Parsed]]] = {
    "go": lambda rest, _s: m.Go(rest),
    "pause": lambda _r, _s: m.Pause(),
    "stop": _stop,
    "undo": _undo,
    "retry": lambda _r, s: m.Retry(_standing(s)),
    "probe": lambda _r, s: m.Probe(_standing(s)),
    "check": lambda _r, s: m.CheckAgain(_standing(s)),
    "attach": lambda _r, s: m.Reattach(_standing(s)),
    "forward": lambda _r, s: m.GoForward(_standing(s)),
    "hand": _hand,
    "notdone": lambda r, s: _need(r, "how you know", lambda why: m.Resolve(_standing(s), Verdict.FAILED, why)),
    "skip": _skip,
    "owe": lambda r, s: _need(r, "why it is set aside", lambda why: m.Owe(_standing(s), why)),
    "leaveundo": lambda _r, _s: m.LeaveUndo(),
    "settle": _settle,
    "emergency": _emergency,
    "pace": _pace,
    "note": lambda r, _s: _need(r, "the note", m.Note),
    "answer": lambda r, _s: _need(r, "your answer", m.AnswerCard),
    "leave": lambda _r, _s: m.Leave("left by the operator"),
    "quit": lambda _r, _s: m.Leave("left by the operator"),
    "handover": lambda r, _s: _hand_over(r),
    "decline": lambda r, _s: _need(r, "a word to who asks", lambda words: m.Decline(words=words)),
    "close": lambda r, _s: _need(r, "why nobody will finish it", m.Close),
    "no": lambda _r, _s: Say("there is nothing to say no to"),
    "help": lambda _r, _s: Say("help"),
    "?": lambda _r, _s: Say("help"),
    "status": lambda _r, _s: Say("status"),
    "who": lambda _r, _s: Say("who"),
    "menu": lambda _r, _s: Say("menu"),
    "log": lambda r, _s: Say(f"log {r}".strip()),
    "debrief": lambda _r, _s: Say("debrief"),
    "hint": lambda r, _s: Say(f"hint {r}".strip()),
}
_ALWAYS: Final = frozenset(
    {
        "help",
        "?",
        "status",
        "who",
        "note",
        "leave",
        "quit",
        "stop",
        "menu",
        "log",
        "hint",
        "handover",
        "decline",
        "answer",
    }
)


def menu_line(offer: Offer) -> str:
    """Return one line of the menu: what can be asked, or why not."""
    wants = f" ({', '.join(offer.wants)})" if offer.wants else ""
    mark = "proposed" if offer.proposed else ("yes" if offer.granted else "no")
    return f"  {mark:8} {offer.label}{wants}" + (f": {offer.why}" if offer.why else "")
