"""Whether a name could be switched now, asked without changing anything: before the run begins, and by CHECK. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from handrail.actions.port import Port
from handrail.actions.work import Work
from handrail.base.durations import show_duration
from handrail.base.problems import Problem, Trouble
from handrail.dns.answer import UNTOLD, Answer
from handrail.dns.names import canonical, rtype_of, spell
from handrail.dns.provider import Provider
from handrail.dns.survey import Survey
from handrail.dns.zone import NameServer, Zone
from handrail.engine.results import Check, Result, verdict
from handrail.engine.words import ResultKind, Verdict
from handrail.runbook.actions import Dns

PLACE: Final = "dns"
NOT_ASKED: Final = frozenset({"dns-unreachable", "dns-no-reply"})  # nothing was learned about the key
PROOFS: Final = {  # what each provider can prove; of another one only what is wrong is shown
    "rfc2136": ("an update would be taken", "tried at {}, nothing was changed"),
    "command": ("the program reads the same", "whether it may write cannot be tried"),
}


async def asked(dns: Dns, work: Work, port: Port) -> Result:
    """Return whether the switch would be accepted now; asked again until it holds, for as long as the step allows."""
    until = port.clock.mono() + work.within
    while True:
        try:
            zone, provider = port.names()
            result = await look(dns, work.lag, port, zone, provider)
        except Trouble as err:
            return Result(PLACE, ResultKind.REFUSED, sent=False, detail=str(err.problems[0]))
        if verdict(result) is Verdict.PASSED or port.clock.mono() + work.every > until:
            return result
        await port.sleep(work.every)


async def look(dns: Dns, lag: float, port: Port, zone: Zone, provider: Provider) -> Result:
    """Return whether the name could be switched now: who agrees, what stands in the way, does the key do, and how soon.

    `lag` is for how many seconds after a switch clients may be left behind; a longer TTL is told, and refuses nothing.
    """
    survey = await provider.survey(dns.name, rtype=rtype_of(dns.to))
    if not survey.answered:
        why = f"{dns.name} cannot be read: {'; '.join(survey.differences)}"
        return Result(PLACE, ResultKind.UNREACHABLE, sent=False, detail=why)
    for answer in survey.answers:
        port.say(PLACE, _said(answer))
    checks = [*_stands(dns, survey), agreement(survey)]
    if survey.value and survey.ttl != UNTOLD:
        caches = await _cached(zone, dns.name, survey)
        checks.append(_follows(dns, survey, lag, caches, port.clock.now()))
    checks += await _provable(dns, survey, zone, provider)
    return Result(PLACE, ResultKind.EXITED, sent=False, exit=0, checks=tuple(checks))


def _stands(dns: Dns, survey: Survey) -> Iterable[Check]:
    """Yield whether one plain address stands there, and whether it is the one that is to be left."""
    if survey.blockers:
        yield Check("one plain address stands there", holds=False, seen="; ".join(survey.blockers))
        return
    holds = survey.value == canonical((dns.from_,), survey.rtype)
    yield Check(f"it is {dns.from_}, alone", holds=holds, seen="" if holds else stands_at(dns, survey))


def stands_at(dns: Dns, survey: Survey) -> str:
    """Return what stands at a name now, as people read it."""
    if survey.value == canonical((dns.to,), survey.rtype):
        return f"{dns.name} is at {dns.to} already: moved by somebody else"
    return f"{dns.name} is at {spell(survey.value) if survey.value else 'no address'}"


def agreement(survey: Survey) -> Check:
    """Return whether every authoritative server gives the same; open while the only fault is that one does not answer."""
    holds = True if survey.agreed else (False if survey.stale else None)
    labels = spell(tuple(a.server.label for a in survey.answers))
    serial = f", serial {survey.serial}" if survey.serial is not None else ""
    return Check("every name server agrees", holds, "; ".join(survey.differences) or f"{labels}{serial}")


async def _provable(dns: Dns, survey: Survey, zone: Zone, provider: Provider) -> Iterable[Check]:
    what, seen = PROOFS.get(provider.kind, ("", ""))
    problem: Problem | None
    try:
        problem = await provider.prove(dns.name, survey.value)
    except Trouble as err:  # a key file that cannot be used
        problem = err.problems[0]
    if problem is not None:
        holds = None if problem.code in NOT_ASKED else False
        return [Check(what or "the provider can change it", holds, str(problem))]
    label = zone.servers[0].label if zone.servers else provider.where
    return [Check(what, holds=True, seen=seen.format(label))] if what else []


async def _cached(zone: Zone, name: str, survey: Survey) -> tuple[tuple[NameServer, int], ...]:
    """Return which watched caches hold an answer longer than the zone says now: the TTL was lowered not long ago."""
    from handrail.dns.lookup import ask_resolvers

    answers = await ask_resolvers(zone, name, survey.rtype) if zone.resolvers else ()
    return tuple((a.server, a.ttl) for a in answers if not a.problem and a.ttl > survey.ttl)


def _follows(dns: Dns, survey: Survey, lag: float, caches: tuple[tuple[NameServer, int], ...], now: datetime) -> Check:
    """Return until when clients follow; unless the step bounds the TTL it holds, and a person weighs that."""
    longest = max((survey.ttl, *(left for _, left in caches)))
    seen = f"if switched now, old answers end by {_at(now, longest)}"
    if dns.ttl is not None:
        shown = f"{survey.ttl} s; {seen}"
        return Check(
            f"its TTL is at most {dns.ttl} s", survey.ttl <= dns.ttl, shown, _too_long(survey, lag, caches, now)
        )
    return Check(f"TTL {show_duration(survey.ttl)}", True, seen, _too_long(survey, lag, caches, now))


def _too_long(survey: Survey, lag: float, caches: tuple[tuple[NameServer, int], ...], now: datetime) -> str:
    """Return what to do about a TTL that leaves clients behind for too long, and when one may switch then; else nothing."""
    longest = max((left for _, left in caches), default=0)
    if survey.ttl > lag:
        goal = show_duration(min(lag, 60))
        return (
            f"the TTL is long: lower it to {goal} first, then switch from {_at(now, max(survey.ttl, longest))} on; "
            "or go on, and wait for the caches"
        )
    if longest > lag:
        label = next(server.label for server, left in caches if left == longest)
        return f"the TTL was lowered, but the cache {label} keeps the old answer: switch from {_at(now, longest)} on"
    return ""


def _said(answer: Answer) -> str:
    """Return what one server says, as a line of output."""
    if answer.problem:
        return f"{answer.server.label} {answer.problem}"
    ttl = f", TTL {answer.ttl} s" if answer.ttl != UNTOLD else ""
    serial = f", serial {answer.serial}" if answer.serial is not None else ""
    return f"{answer.server.label} says {'; '.join((spell(answer.values), *answer.other))}{ttl}{serial}"


def _at(now: datetime, seconds: float) -> str:
    return f"{now + timedelta(seconds=seconds):%H:%M:%SZ}"
