"""dns: point a name at another address, compare and set, and wait until every authoritative server agrees; and back again.

A step that only reads asks whether that would be accepted now, and changes nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from handrail.actions import name_check
from handrail.actions.commands import verified
from handrail.actions.name_check import PLACE, agreement, stands_at
from handrail.actions.port import Port
from handrail.actions.work import Work
from handrail.base.clock import stamp
from handrail.base.failpoint import boundary
from handrail.base.problems import Trouble
from handrail.dns.names import canonical, rtype_of
from handrail.dns.provider import Provider, settle
from handrail.dns.results import (
    AlreadySo,
    Applied,
    Change,
    Conflict,
    NotApplied,
    NotSent,
    Refused,
    Unsettled,
    WaitingForPerson,
    make_change,
)
from handrail.dns.survey import Survey
from handrail.engine.results import Check, Result, verdict
from handrail.engine.words import Answer, ResultKind, Verdict, Way
from handrail.runbook.actions import Dns

DARK: Final = 10.0  # seconds for a server that does not answer, when a role is lost
AGREED: Final = "every authoritative server agrees"


async def perform(work: Work, port: Port) -> None:
    """Switch the name, or put back what stood there before; a step that only reads asks whether it could."""
    dns = work.hosts[PLACE].dns
    assert dns is not None
    if not work.changes:
        port.ended(await verified(work, await name_check.asked(dns, work, port), port))
        return
    try:
        _, provider = port.names()
        change = await _change(dns, work, port, provider)
        result = change if isinstance(change, Result) else await _make(change, work, port, provider)
        if work.way is Way.BACK and verdict(result) is Verdict.PASSED:
            port.remember(PLACE, {"undone": str(work.attempt)})
    except Trouble as err:
        result = _refused(str(err.problems[0]))
        if port.notes(PLACE).get("attempt") == str(work.attempt):  # it came after the change was on its way
            result = replace(result, kind=ResultKind.LOST, sent=True)
    port.ended(await verified(work, result, port))


async def probe(work: Work, port: Port) -> tuple[Answer, str]:
    """Ask the authoritative servers which of the two answers stands."""
    dns = work.hosts[PLACE].dns
    assert dns is not None
    _, provider = port.names()
    survey = await provider.survey(dns.name, rtype=rtype_of(dns.to))
    seen = f"{dns.name} is at {', '.join(survey.value) or 'no address'}"
    if not survey.answered or not survey.agreed:
        return Answer.DONT_KNOW, "; ".join(survey.differences)
    answers: dict[tuple[str, ...], Answer] = {(dns.to,): Answer.DONE, (dns.from_,): Answer.NOT_DONE}
    return answers.get(survey.value, Answer.DONT_KNOW), seen


def _refused(why: str) -> Result:
    return Result(PLACE, ResultKind.REFUSED, sent=False, detail=why)


async def _change(dns: Dns, work: Work, port: Port, provider: Provider) -> Change | Result:
    """Return what is to be changed: as noted before the first attempt, else from what stands now."""
    notes = port.notes(PLACE)
    if work.way is Way.BACK:
        if not notes:
            return Result(PLACE, ResultKind.ALREADY, sent=False, detail="nothing was sent")
        return _noted(dns, notes).back
    if work.attach and notes.get("attempt") == str(work.attempt):
        return _noted(dns, notes)
    with boundary("dns.survey"):
        survey = await provider.survey(dns.name, rtype=rtype_of(dns.to))
    wrong = _in_the_way(dns, survey, lost=work.lost)
    if wrong:
        return _refused(wrong)
    for sentence in survey.silent:
        port.say(PLACE, f"⚠ {sentence}: it is not waited for, since a role is lost")
    change = make_change(dns.name, (dns.from_,), survey.ttl, (dns.to,), survey.ttl if dns.ttl is None else dns.ttl)
    port.say(PLACE, f"now   {dns.name} {change.rtype} {dns.from_}, TTL {survey.ttl} s{_serial(survey)}")
    if "ttl" not in notes or notes.get("undone"):  # an undo goes back to the state before the first attempt
        seen = {"ttl": str(survey.ttl), "old": dns.from_, "new": dns.to, "new_ttl": str(change.new_ttl)}
        port.remember(PLACE, {**seen, "undone": ""})
    return change


def _noted(dns: Dns, notes: object) -> Change:
    assert isinstance(notes, dict)
    return make_change(dns.name, (notes["old"],), int(notes["ttl"]), (notes["new"],), int(notes["new_ttl"]))


def _in_the_way(dns: Dns, survey: Survey, *, lost: bool) -> str:
    """Return why nothing may be sent, or nothing. When a role is lost, a server that is dark like it is no reason."""
    if not survey.answered:
        return f"{dns.name} cannot be read: {'; '.join(survey.differences)}"
    if survey.blockers:
        return "; ".join(survey.blockers)
    if survey.value == canonical((dns.to,), survey.rtype):
        return stands_at(dns, survey)
    if survey.value != canonical((dns.from_,), survey.rtype):
        return f"{stands_at(dns, survey)}, not at {dns.from_}"
    wrong = survey.stale if lost else survey.differences
    return "the servers do not agree: " + "; ".join(wrong) if wrong else ""


async def _make(change: Change, work: Work, port: Port, provider: Provider) -> Result:
    async def before_send() -> None:
        port.remember(PLACE, {"attempt": str(work.attempt), "at": stamp(port.clock.now())})

    port.say(PLACE, f"then  {change.name} {change.rtype} {', '.join(change.new)}, TTL {change.new_ttl} s")
    for line in provider.describe(change):
        port.say(PLACE, f"      {line}")
    made = await provider.change(change, before_send=before_send)
    if isinstance(made, AlreadySo) and not work.attach and work.way is Way.FORWARD:
        return _refused(f"{change.name} is at {', '.join(change.new)} already: moved by somebody else")
    match made:
        case Conflict() | Refused() | NotSent():
            return _refused(str(made.problem))
        case NotApplied():
            return Result(PLACE, ResultKind.EXITED, sent=True, exit=1, detail=str(made.problem))
        case Unsettled():
            return Result(PLACE, ResultKind.LOST, sent=True, detail=str(made.problem))
        case WaitingForPerson():
            for line in made.lines:
                port.say(PLACE, line)
        case Applied(how=how) if how != "answered":
            port.say(PLACE, f"the reply was lost; the record was read back and is as wanted ({how})")
    return await _agreed(change, port, provider, DARK if work.lost else provider.patience)


async def _agreed(change: Change, port: Port, provider: Provider, dark: float) -> Result:
    """Wait until every authoritative server gives the new answer with one serial.

    A server that gives another answer in the end makes it failed; one that gives none leaves it open: a person says.
    """
    began, patience = port.clock.mono(), provider.patience
    while True:
        with boundary("dns.agree"):
            survey = await settle(provider, change)
        agreed = sum(1 for a in survey.answers if not a.problem and a.values == change.new)
        port.progress(agreed, len(survey.answers), "; ".join(survey.differences) or "all servers agree")
        if survey.agreed:
            port.say(PLACE, f"✔ {agreed} of {len(survey.answers)} servers agree{_serial(survey)}")
            check = Check(AGREED, holds=True, seen=f"{', '.join(change.new)}{_serial(survey)}")
            return Result(PLACE, ResultKind.EXITED, sent=True, exit=0, checks=(check,))
        if port.clock.mono() - began > (patience if survey.stale or not survey.answered else dark):
            holds = agreement(survey).holds if dark < patience else False
            check = Check(AGREED, holds=holds, seen="; ".join(survey.differences))
            return Result(PLACE, ResultKind.EXITED, sent=True, exit=0, checks=(check,))
        await port.sleep(provider.pause)


def _serial(survey: Survey) -> str:
    """Return the zone's serial as the end of a sentence; clouds and people go without."""
    return "" if survey.serial is None else f", serial {survey.serial}"
