"""The claim on the estate: taken on every one-role host before the first change, given back when nothing is owed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handrail.base.clock import stamp
from handrail.base.failpoint import boundary
from handrail.base.problems import Trouble
from handrail.base.safe import safe
from handrail.engine import messages as m
from handrail.engine.codec import decode, encode
from handrail.engine.results import Owed
from handrail.runbook.estate import Host
from handrail.session.core import Core
from handrail.session.status import where_text
from handrail.ssh import claim as ssh_claim
from handrail.ssh import job

PATIENCE = 20.0
_LONGEST = 400  # characters of one thing that is told of a run before this one
_MOST = 100  # and of how many


def claimed_hosts(core: Core) -> tuple[Host, ...]:
    """Return the hosts that carry the claim: every one-role host of the runbook whose role is not lost."""
    binding, lost = core.binding, core.state.lost
    roles = [role for role, kind in binding.runbook.roles.items() if kind == "one" and role not in lost]
    return tuple(host for role in roles for host in binding.estate.hosts(role))


def _claim(core: Core) -> ssh_claim.Claim:
    opened = core.state.opened
    assert opened is not None
    return ssh_claim.Claim(
        run=core.run,
        operator=core.operator,
        host=core.host,
        digest=opened.digest,
        epoch=core.state.epoch,
        since=stamp(core.clock.now()),
        estate=opened.estate,
        note=opened.runbook,
    )


async def take(core: Core) -> m.ClaimNews:
    """Claim the estate; one host that another run holds is enough to be refused."""
    hosts = claimed_hosts(core)
    answers = await asyncio.gather(*(_take_one(core, host) for host in hosts))
    taken = tuple(h.key for h, a in zip(hosts, answers, strict=True) if isinstance(a, ssh_claim.Taken))
    without = tuple(h.key for h, a in zip(hosts, answers, strict=True) if isinstance(a, str))
    refused = next((a for a in answers if isinstance(a, ssh_claim.HeldBy | ssh_claim.OlderEpoch)), None)
    if refused is not None:
        if isinstance(refused, ssh_claim.HeldBy):
            await _give_up(core, taken)
        return _refused(refused)
    if hosts and not taken and core.state.claim is None:
        why = next((a for a in answers if isinstance(a, str)), "")
        return m.ClaimNews(holder="nobody: no host answers", detail=why)
    return m.ClaimNews(taken, without, inherited=_inherited(core, answers), found=_found(core, answers))


def _refused(refused: ssh_claim.HeldBy | ssh_claim.OlderEpoch) -> m.ClaimNews:
    if isinstance(refused, ssh_claim.OlderEpoch):
        return m.ClaimNews(holder="another console of this run", detail=f"the hosts have seen epoch {refused.seen}")
    holder = refused.claim
    words = f"run {holder.run} on {holder.host}, since {holder.since}"
    last = refused.owed.get("where")
    if isinstance(last, str) and last:
        words += f"; at {safe(str(refused.owed.get('at', '?')), 40)}: {safe(last, 200)}"
    return m.ClaimNews(holder=holder.operator, detail=words)


async def _take_one(core: Core, host: Host) -> ssh_claim.Taken | ssh_claim.HeldBy | ssh_claim.OlderEpoch | str:
    target, claim = core.target(host.key), _claim(core)
    try:
        async with asyncio.timeout(PATIENCE):
            with boundary("claim.take"):
                answer = await ssh_claim.take_claim(core.links, target, claim)
            if isinstance(answer, ssh_claim.HeldBy) and core.successor_of:
                name, reason = core.successor_of
                with boundary("claim.break"):
                    answer = await ssh_claim.break_claim(core.links, target, name, reason, claim)
            return answer
    except Trouble as err:
        return err.problems[0].message
    except TimeoutError:
        return f"{host.name} did not answer in {PATIENCE:.0f} s"


def _inherited(core: Core, answers: list[Any]) -> tuple[Owed, ...]:
    """Return what a run before this one still owes, as its claim on the hosts says."""
    found: dict[str, Owed] = {}
    for answer in answers:
        items = answer.owed.get("owed", []) if isinstance(answer, ssh_claim.Taken) else []
        if isinstance(answer, ssh_claim.Taken) and answer.owed.get("run") == core.run:
            continue
        for item in items if isinstance(items, list) else []:
            owed = decode(Owed, item)
            found[owed.id] = owed
    return tuple(found.values())


def _found(core: Core, answers: list[Any]) -> tuple[str, ...]:
    """Return what a run before this one had come to and changed, in words, as its claim on the hosts tells."""
    told: dict[str, None] = {}
    for answer in answers:
        said = answer.owed if isinstance(answer, ssh_claim.Taken) else {}
        run = said.get("run")
        if not isinstance(run, str) or run == core.run:
            continue
        head = f"run {run} of {said.get('driver', 'somebody')}, as it was at {said.get('at', '?')}"
        told[safe(f"{head}: {said.get('where', 'not known')}", _LONGEST)] = None
        changed = [word for word in said.get("changed", []) if isinstance(word, str)]
        told |= {safe(f"run {run} changed {word}", _LONGEST): None for word in changed}
        if not changed:
            told[safe(f"run {run} tells of nothing that it changed", _LONGEST)] = None
        told |= {safe(word, _LONGEST): None for word in said.get("before", []) if isinstance(word, str)}
    return tuple(told)[:_MOST]


def _changes(core: Core) -> list[str]:
    """Return what stands changed, newest first, each with where and with what would take it back."""
    state, names = core.state, {h.key: h.name for h in core.binding.estate.every_host()}
    told = []
    for step in reversed(state.started):
        now = state.step(step)
        first = now.first or now.forward
        where = ", ".join(names.get(key, key) for key in sorted(now.touched))
        back = "; ".join(first.undo) if first else ""
        words = f"{state.outline.step(step).name}" + (f" on {where}" if where else "")
        told.append(f"{words}; its undo: {' '.join(back.split())[:_LONGEST]}" if back else words)
    return told


async def _give_up(core: Core, taken: tuple[str, ...]) -> None:
    await asyncio.gather(*(_release_one(core, key, PATIENCE) for key in taken))


async def _release_one(core: Core, key: str, seconds: float) -> bool:
    """Take the claim off one host, and then what is left of the run's jobs; a host's silence costs only its own time."""
    released = False
    try:
        async with asyncio.timeout(seconds):
            with boundary("claim.release"):
                await ssh_claim.release_claim(core.links, core.target(key), core.run)
            released = True
            with boundary("job.forget"):
                await job.forget_jobs(core.links, core.target(key), core.run)
    except (Trouble, TimeoutError):
        return released
    return released


async def release(core: Core, seconds: float) -> m.ClaimNews:
    """Take the claim off every host that carries it, each within so many seconds; those that did not answer keep it."""
    claim = core.state.claim
    hosts = claim.hosts if claim else ()
    done = await asyncio.gather(*(_release_one(core, key, seconds) for key in hosts))
    gone = tuple(h for h, good in zip(hosts, done, strict=True) if good)
    return m.ClaimNews(gone, tuple(h for h in hosts if h not in gone), released=True)


async def write_down(core: Core) -> None:
    """Write what is owed, and where the run stands, beside the claim: a successor reads it when the folder is lost."""
    claim, asked = core.state.claim, {host.key for host in claimed_hosts(core)}  # a lost role is not spoken to
    owed = {
        "run": core.run,
        "driver": core.state.driver or core.operator,
        "at": stamp(core.clock.now()),
        "where": where_text(core.state),
        "owed": [encode(replace(o, run=o.run or core.run)) for o in core.state.owed],
        "journal": list(core.anchor()),
        "started": list(core.state.started),
        "changed": _changes(core),
        "before": [note.text for note in core.state.notes if note.by == m.ON_THE_HOSTS],
    }
    await asyncio.gather(*(_write_one(core, key, owed) for key in (claim.hosts if claim else ()) if key in asked))


async def _write_one(core: Core, key: str, owed: Mapping[str, Any]) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            with boundary("claim.update"):
                await ssh_claim.update_claim(core.links, core.target(key), core.run, owed)
    except (Trouble, TimeoutError):
        return
