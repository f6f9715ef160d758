"""run and script: a command on each host as a remote job, judged by its exit, its output and its verifies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from handrail.actions import judge, questions
from handrail.actions.port import Port, Said
from handrail.actions.work import ProbeAsk, Work
from handrail.base.failpoint import boundary
from handrail.engine.results import Check, Result
from handrail.engine.words import Answer, ResultKind

RUN: Final = "run"  # the part that is the step's own command
NEVER: Final = "it never began, and now cannot: nothing was sent. Retry sends it"


async def perform(work: Work, port: Port) -> None:
    """Run the command on every host of the attempt, `at_once` at a time, and report each host as soon as it is judged."""
    gate = asyncio.Semaphore(work.at_once)
    together = any(step.expect.same for step in work.hosts.values())
    until = port.clock.mono() + work.within

    async def one(host: str) -> Result:
        try:
            async with gate:
                result, answers[host] = await _host(work, host, port, enough, until if together else None)
                elsewhere = work.changes and _asks_elsewhere(work, result)
                if not together and not elsewhere:  # the next host's turn comes when this one is judged
                    result = await judged(result)
        finally:
            left.discard(host)
            if not left:
                sent.set()
        if not together and elsewhere:
            await sent.wait()
            async with gate:
                result = await judged(result)
        return result

    async def judged(result: Result) -> Result:
        made = await verified(work, result, port)
        port.ended(made)
        if _good(made):
            good.add(made.host)
        return made

    def enough() -> bool:
        return len(good) >= max(1, work.need)

    good: set[str] = set()
    left, sent = set(work.hosts), asyncio.Event()
    answers: dict[str, Said] = {}
    results = await asyncio.gather(*(one(host) for host in work.hosts))
    if together:
        while not (alike := judge.same(answers)).holds and not work.changes and port.clock.mono() + work.every <= until:
            port.progress(0, 0, f"{alike.what}: {alike.seen}; asking again")
            await port.sleep(work.every)
            results = await asyncio.gather(*(one(host) for host in work.hosts))
        for result in results:
            port.ended(await verified(work, replace(result, checks=(*result.checks, alike)), port))


async def _host(
    work: Work, host: str, port: Port, enough: Callable[[], bool], until: float | None
) -> tuple[Result, Said]:
    """Return what came of one host, without its verifies: probed first, so that what is so already is not sent again."""
    known = await _known(work, host, port)
    said, result = known or await _until_it_holds(work, host, port, enough, until)
    if said.kind is ResultKind.EXITED and _is_probed(work, host):
        result = replace(result, checks=(*result.checks, await _probed_after(work, host, port)))
    return result, said


async def _known(work: Work, host: str, port: Port) -> tuple[Said, Result] | None:
    """Return what came where nothing is to be sent now: its job was asked about, or had begun, or it is so already."""
    command = work.hosts[host]
    if work.asks:
        said = await port.found(host, command, RUN, spend=True)
        if said is None:
            return Said(ResultKind.REFUSED, sent=False), Result(host, ResultKind.REFUSED, sent=False, detail=NEVER)
        return said, _judged(work, host, said)
    said, seen = await _begun_or_so(work, host, port) if _is_probed(work, host) else (None, "")
    if said is not None:
        return said, _judged(work, host, said)
    if seen:
        port.say(host, f"already so: {seen}")
        return Said(ResultKind.ALREADY, sent=False), Result(host, ResultKind.ALREADY, sent=False, detail=seen)
    return None


def _is_probed(work: Work, host: str) -> bool:
    return work.changes and work.probe is not None and host in work.probe.each


async def _begun_or_so(work: Work, host: str, port: Port) -> tuple[Said | None, str]:
    """Return what came of a change that an earlier console had begun, else what the probe saw if it is so already.

    A console that died before its probe was answered has begun nothing: then the probe is asked as at first.
    """
    assert work.probe is not None
    command = work.hosts[host]
    said = await port.found(host, command, RUN, spend=False) if work.attach else None
    if said is not None:
        return said, ""
    meant, seen = await questions.probe(ProbeAsk({host: work.probe.each[host]}), port, "probe.before")
    if meant is not work.wanted:
        return None, ""
    # Its start may still be on its way: "already so, and nothing was sent" is true only when it cannot come true any more.
    return (await port.found(host, command, RUN, spend=True) if work.attach else None), seen


async def _probed_after(work: Work, host: str, port: Port) -> Check:
    assert work.probe is not None
    meant, seen = await questions.probe(ProbeAsk({host: work.probe.each[host]}), port, "probe.after")
    wanted = work.wanted
    what = "the probe says it is in place" if wanted is Answer.DONE else "the probe says it is not in place"
    return Check(what, {wanted: True, Answer.DONT_KNOW: None}.get(meant, False), seen)


async def _until_it_holds(
    work: Work, host: str, port: Port, enough: Callable[[], bool], until: float | None
) -> tuple[Said, Result]:
    """Run a change once; ask a read again until it holds, its time is up, or enough others hold: a dark host holds nobody up."""
    until = port.clock.mono() + work.within if until is None else until
    turn = 0
    while True:
        turn += 1
        part = RUN if work.changes else f"{RUN}.{turn}"
        attach = work.attach and work.changes
        said = await port.command(host, work.hosts[host], part, changes=work.changes, limit=work.limit, attach=attach)
        result = _judged(work, host, said)
        if work.changes or not work.within or _good(result) or enough() or port.clock.mono() + work.every > until:
            return said, result
        port.again(host, turn, work.every, until - port.clock.mono(), result.sentence)
        await port.sleep(work.every)


def _good(result: Result) -> bool:
    exited = result.kind is ResultKind.EXITED and result.exit in result.expected
    return exited and all(check.holds for check in result.checks)


def _judged(work: Work, host: str, said: Said) -> Result:
    expect = work.hosts[host].expect
    checks: tuple[Check, ...] = ()
    found: Mapping[str, str] = {}
    if said.kind is ResultKind.EXITED and said.exit in expect.exits:
        checks = judge.output_checks(expect, said.stdout)
        found, missing = judge.captured(work.captures.get(host, {}), said.stdout)
        checks += missing
    detail = said.detail
    if said.kind is ResultKind.EXITED and said.exit not in expect.exits:
        detail = said.complaint or detail
    return Result(
        host,
        said.kind,
        sent=said.sent and work.changes,
        exit=said.exit,
        expected=expect.exits,
        signal=said.signal,
        checks=checks,
        captures=found,
        detail=detail,
    )


def _asks_elsewhere(work: Work, result: Result) -> bool:
    """Tell whether a verify asks other hosts too: it holds only once the change was sent to all of them."""
    return any(set(ask.each) - {result.host} for ask in work.verifies({result.host: result.captures}))


async def verified(work: Work, result: Result, port: Port) -> Result:
    """Return a result with the step's verifies asked, if it is good so far: independent reads, after the action."""
    so_far = result.kind is ResultKind.ALREADY or (result.kind is ResultKind.EXITED and result.exit in result.expected)
    if not so_far or any(check.holds is False for check in result.checks):
        return result
    checks = list(result.checks)
    for number, ask in enumerate(work.verifies({result.host: result.captures})):
        with boundary("verify.ask"):
            check = await questions.put(ask, port, f"verify{number}.{result.host}")
        port.say(result.host, f"{'✔' if check.holds else '✖'} {check.what}: {check.seen}")
        checks.append(check)
    return replace(result, checks=tuple(checks))
