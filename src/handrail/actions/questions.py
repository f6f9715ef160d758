"""Asking: verifies and probes on one or more hosts, asked again until they hold or their time is up. Reads only."""

from __future__ import annotations

import asyncio

from handrail.actions import judge
from handrail.actions.port import Port, Said
from handrail.actions.work import Ask, ProbeAsk
from handrail.engine.results import Check
from handrail.engine.words import Answer, ResultKind


async def put(ask: Ask, port: Port, part: str) -> Check:
    """Return whether a question holds; None when too few hosts could be asked."""
    until = port.clock.mono() + ask.within
    turn = 0
    while True:
        turn += 1
        check = await _once(ask, port, f"{part}.{turn}")
        if check.holds or port.clock.mono() + ask.every > until:
            return check
        port.again("", turn, ask.every, until - port.clock.mono(), f"{check.what}: {check.seen}")
        await port.sleep(ask.every)


async def _once(ask: Ask, port: Port, part: str) -> Check:
    hosts = list(ask.each)
    answers = await asyncio.gather(
        *(port.command(h, ask.each[h], f"{part}.{h}", changes=False, limit=ask.limit) for h in hosts)
    )
    said = dict(zip(hosts, answers, strict=True))
    if ask.same:
        alike = judge.same(said)
        if alike.holds is not True:
            return Check(ask.title, alike.holds, alike.seen)
    return _count(ask, {host: _one(ask, host, answer) for host, answer in said.items()})


def _one(ask: Ask, host: str, said: Said) -> Check:
    if said.kind is not ResultKind.EXITED or said.exit is None:
        return Check(ask.title, None, f"{host}: {said.detail or said.kind.value}")
    expect = ask.expects[host]
    if said.exit not in expect.exits:
        words = said.complaint or judge.quote(said.stdout)
        return Check(ask.title, holds=False, seen=f"{host}: exit {said.exit}, {words}")
    wrong = next((c for c in judge.output_checks(expect, said.stdout) if not c.holds), None)
    if wrong:
        return Check(ask.title, holds=False, seen=f"{host}: {wrong.seen}")
    return Check(ask.title, holds=True, seen=f"{host}: {judge.quote(said.stdout)}")


def _count(ask: Ask, checks: dict[str, Check]) -> Check:
    good = [c for c in checks.values() if c.holds]
    if len(good) >= ask.need:
        seen = good[0].seen if len(checks) == 1 and good else f"{len(good)} of {len(checks)}"
        return Check(ask.title, holds=True, seen=seen)
    bad = [c for c in checks.values() if c.holds is False]
    worst = (bad or [c for c in checks.values() if c.holds is None])[0]
    rest = f" ({len(good)} of {len(checks)}, {ask.need} needed)" if len(checks) > 1 else ""
    return Check(ask.title, worst.holds, worst.seen + rest)


async def probe(ask: ProbeAsk, port: Port, part: str, *, limit: float = 60.0) -> tuple[Answer, str]:
    """Return what a probe says: done or not done only when every host asked says so."""
    hosts = list(ask.each)
    answers = await asyncio.gather(
        *(port.command(h, ask.each[h], f"{part}.{h}", changes=False, limit=limit) for h in hosts)
    )
    meant = [judge.answer(ask.each[h], said) for h, said in zip(hosts, answers, strict=True)]
    seen = "; ".join(f"{h}: {_words(said)}" for h, said in zip(hosts, answers, strict=True))
    return (meant[0] if meant and len(set(meant)) == 1 else Answer.DONT_KNOW), seen


def _words(said: Said) -> str:
    if said.kind is not ResultKind.EXITED:
        return said.detail or said.kind.value
    return f"exit {said.exit}, {judge.quote(said.stdout)}"
