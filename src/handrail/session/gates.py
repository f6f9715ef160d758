"""The gate before a confirmed step: what it shows, with proofs that are seconds old, and the rechecks behind the typing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from handrail.actions import perform, questions
from handrail.base.durations import show_duration
from handrail.base.failpoint import boundary
from handrail.base.problems import Trouble
from handrail.dns.names import rtype_of
from handrail.engine.results import Check, Gate, Recheck, verdict
from handrail.engine.results import together as judged
from handrail.engine.words import ResultKind, Verdict
from handrail.runbook.actions import Dns
from handrail.runbook.checks import Command
from handrail.runbook.estate import Host
from handrail.runbook.model import Step
from handrail.session.attempt import AttemptPort
from handrail.session.core import Core
from handrail.session.texts import gist_lines, undo_gist, undo_lines

SEEN_THERE: Final = '{ ip -o addr || hostname -I; } 2>/dev/null | grep -qwF -- "$1"'
PATIENCE: Final = 8.0  # seconds for one recheck; later it could not be asked


async def look(core: Core, step_id: str) -> Gate:
    """Return the gate as it is now: values, proofs and rechecks, all asked at once."""
    orders = core.orders
    spot = orders.spot(step_id)
    place = core.state.outline.step(step_id).places[0].key
    step = orders.step(spot, orders.host(place))
    names = core.binding.names_for(orders.host(place), core.state.values)
    with boundary("gate.look"):
        rechecks, shown = await asyncio.gather(_rechecks(core, spot), _shown(core, step))
    back = undo_gist(spot, names)
    undo = "; ".join((*((back,) if back else undo_lines(spot, names)), *((shown.undo,) if shown.undo else ())))
    return replace(
        shown,
        token=step.confirm or "",
        undo=undo,
        stays=spot.stays or "",
        proofs=step.shows,
        rechecks=rechecks,
        where=shown.where or ", ".join(p.key for p in core.state.outline.step(step_id).places),
        what=shown.what or "; ".join(gist_lines(spot, names)[:3]),
    )


async def _rechecks(core: Core, step: Step) -> tuple[Recheck, ...]:
    outline, route = core.state.outline, core.state.route
    wanted = [s for s in step.recheck if outline.has_step(s) and outline.needed(outline.step(s), route)]
    return tuple(await asyncio.gather(*(recheck(core, other) for other in wanted)))


async def recheck(core: Core, step_id: str) -> Recheck:
    """Ask a read once more, quietly; `holds` is None when it could not be asked."""
    outline = core.state.outline
    step = outline.step(step_id)
    hosts = tuple(p.key for p in outline.places(step, core.state.route))
    port = AttemptPort(core, step_id, 0, quiet=True, label=f"recheck{core.turn()}")
    try:
        async with asyncio.timeout(PATIENCE):
            work = replace(core.orders.forward(step_id, hosts, 0), within=0.0)
            await perform.perform(work, port)
    except TimeoutError:
        if sum(verdict(r) is Verdict.PASSED for r in port.results) < (step.need or len(hosts)):
            return Recheck(step_id, step.title, holds=None, seen=f"no answer in {PATIENCE:.0f} s", at=core.now())
    except Trouble as err:
        return Recheck(step_id, step.title, holds=None, seen=err.problems[0].message, at=core.now())
    results = {r.host: r for r in port.results}
    made = judged(results, step.need or len(hosts))
    worst = next((r for r in results.values() if verdict(r) is not Verdict.PASSED), None)
    reached = all(r.sent or r.exit is not None for r in results.values())
    holds = True if made is Verdict.PASSED else (False if reached and made is Verdict.FAILED else None)
    seen = worst.sentence if worst and not holds else next((r.sentence for r in results.values()), "")
    return Recheck(step_id, step.title, holds, seen, core.now())


async def _shown(core: Core, step: Step) -> Gate:
    """Return what is particular to the action: for a name, what it answers now and what it will."""
    if step.dns is None:
        return Gate("")
    return await _name(core, step.dns)


async def _name(core: Core, dns: Dns) -> Gate:
    _, provider = core.names()
    survey, (then, proof) = await asyncio.gather(
        provider.survey(dns.name, rtype=rtype_of(dns.to)), _proof(core, dns.to)
    )
    seen = f"{core.clock.now():%H:%M:%SZ}"
    servers = ", ".join(answer.server.label for answer in survey.answers)
    now = f"{', '.join(survey.value) or 'no address'}  {_whose(core, survey.value)}"
    agree = f"{servers} agree" if survey.agreed else "; ".join(survey.differences)
    ttl = f"TTL {survey.ttl}" + (f" → {dns.ttl}" if dns.ttl is not None and dns.ttl != survey.ttl else "")
    blocked = "; ".join(survey.blockers)
    if not survey.answered:
        blocked = f"{dns.name} cannot be read: {'; '.join(survey.differences)}"
    elif not blocked and survey.value != (dns.from_,):
        blocked = f"{dns.name} is at {', '.join(survey.value) or 'no address'}, not at {dns.from_}"
    return Gate(
        token="",
        what=f"{dns.name}  {survey.rtype}   {ttl}",
        now=f"{now}  ({agree}, {seen})",
        then=f"{dns.to}  {then}  ({proof})",
        where=provider.where,
        undo=f"caches lag {show_duration(max(0, survey.ttl))}",
        blocked=blocked,
    )


def _whose(core: Core, values: tuple[str, ...]) -> str:
    host = _host_at(core, values[0]) if len(values) == 1 else None
    return host.name if host else ""


def _host_at(core: Core, address: str) -> Host | None:
    return next((h for h in core.binding.estate.every_host() if h.address == address), None)


async def _proof(core: Core, address: str) -> tuple[str, str]:
    """Return whose an address is, and how that was seen: on the host itself, over a link with its pinned key."""
    host = _host_at(core, address)
    if host is None:
        return "", "no host of the estate has this address"
    port = AttemptPort(core, "", 0, quiet=True, label=f"proof{core.turn()}")
    command = Command(script=SEEN_THERE, args=(address,))
    said = await port.command(host.key, command, "address", changes=False, limit=PATIENCE)
    if said.kind is not ResultKind.EXITED:
        return host.name, f"as the estate says; its host could not be asked: {said.detail or said.kind.value}"
    seen = (
        f"seen on that host, {core.clock.now():%H:%M:%SZ}" if said.exit == 0 else "as the estate says; its host answers"
    )
    return host.name, seen


async def recall(core: Core, step_id: str) -> Check:
    """Ask the verifies of a step that has passed, once more and quietly."""
    step = core.orders.spot(step_id)
    hosts = tuple(p.key for p in core.state.outline.places(core.state.outline.step(step_id), core.state.route))
    port = AttemptPort(core, step_id, 0, quiet=True, label=f"recall{core.turn()}")
    asks = core.orders.verifies(step.verify, step, hosts)({})
    with boundary("recall.ask"):
        checks = [await questions.put(replace(ask, within=0.0), port, f"verify{n}") for n, ask in enumerate(asks)]
    wrong = next((c for c in checks if c.holds is not True), None)
    return wrong or Check(step.title, holds=True, seen="holds")
