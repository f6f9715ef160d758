"""The claim on a host: one changing run, and the host itself refuses the others."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from tests.ssh.bench import QUICK, RUN, Host

from handrail.base.problems import Trouble
from handrail.ssh.claim import (
    Claim,
    HeldBy,
    OlderEpoch,
    Taken,
    break_claim,
    raise_epoch,
    read_claim,
    release_claim,
    take_claim,
    update_claim,
)
from handrail.ssh.job import Exited, Refused
from handrail.ssh.links import Links

MINE = Claim(RUN, "ann", "laptop", "sha256:1", 1, "2026-01-01T00:00:00.000Z", "production", "failing over it's €")
OTHER = replace(MINE, run="20260101-0001-other", operator="bob")
OWED = {"steps": [{"id": "a/b", "why": 'it\'s "gone"\n\t€'}]}


async def test_a_claim_is_taken_read_and_released(host: Host) -> None:
    assert await read_claim(host.links, host.target) is None
    assert await take_claim(host.links, host.target, MINE) == Taken()
    assert await take_claim(host.links, host.target, MINE) == Taken()
    assert await read_claim(host.links, host.target) == HeldBy(MINE)
    assert await take_claim(host.links, host.target, OTHER) == HeldBy(MINE)
    assert await release_claim(host.links, host.target, OTHER.run) == HeldBy(MINE)
    assert await release_claim(host.links, host.target, RUN) is None
    assert await release_claim(host.links, host.target, RUN) is None
    assert await take_claim(host.links, host.target, OTHER) == Taken()


async def test_of_many_who_claim_at_once_one_gets_it(host: Host) -> None:
    rivals = [replace(MINE, run=f"20260101-0000-rival{n}", operator=f"op{n}") for n in range(8)]
    links = [Links(limits=QUICK) for _ in rivals]
    results = await asyncio.gather(
        *(take_claim(each, host.target, rival) for each, rival in zip(links, rivals, strict=True))
    )
    for each in links:
        await each.close()
    winners = [rival for rival, result in zip(rivals, results, strict=True) if isinstance(result, Taken)]
    assert len(winners) == 1
    assert [r for r in results if isinstance(r, HeldBy)] == [HeldBy(winners[0])] * 7


async def test_whoever_is_refused_learns_by_whom_even_while_claims_come_and_go(host: Host) -> None:
    """Between two answers the holder may have given it up: then there is none, and never one without a name."""

    async def comes_and_goes(claim: Claim) -> list[Claim]:
        links = Links(limits=QUICK)
        refused = []
        for _ in range(12):
            answer = await take_claim(links, host.target, claim)
            if isinstance(answer, HeldBy):
                refused.append(answer.claim)
            else:
                await release_claim(links, host.target, claim.run)
        await links.close()
        return refused

    claims = [replace(MINE, run=f"20260101-0000-rival{n}", operator=f"op{n}") for n in range(4)]
    refusals = await asyncio.gather(*map(comes_and_goes, claims))
    for mine, seen in zip(claims, refusals, strict=True):
        assert all(claim in claims and claim != mine for claim in seen), seen


async def test_the_host_refuses_a_change_of_another_run_and_allows_its_reads(host: Host) -> None:
    await take_claim(host.links, host.target, OTHER)
    end, heard = await host.run("echo x >>count", changes=True)
    assert isinstance(end, Refused)
    assert end.reason == "claim"
    assert json.loads(end.holder)["operator"] == "bob"
    assert (bytes(heard.out), heard.news) == (b"", [])
    assert not (host.server.home / "count").exists()
    assert isinstance((await host.run("true", part="2.run"))[0], Exited)
    await release_claim(host.links, host.target, OTHER.run)
    assert isinstance((await host.run("echo x >>count", changes=True))[0], Exited)


async def test_the_host_refuses_a_change_of_an_older_epoch(host: Host) -> None:
    await take_claim(host.links, host.target, MINE)
    assert isinstance((await host.run("true", changes=True))[0], Exited)
    assert await raise_epoch(host.links, host.target, RUN, 2) is None
    end, _ = await host.run("echo x >>count", part="2.run", changes=True, epoch=1)
    assert end == Refused("epoch", "2")
    assert await raise_epoch(host.links, host.target, RUN, 1) == OlderEpoch(2)
    assert await take_claim(host.links, host.target, MINE) == OlderEpoch(2)
    assert isinstance((await host.run("true", part="2.run", changes=True, epoch=2))[0], Exited)
    assert not (host.server.home / "count").exists()


async def test_a_change_tells_the_host_of_a_newer_epoch(host: Host) -> None:
    await host.run("true", changes=True, epoch=3)
    assert (await host.run("true", part="2.run", changes=True, epoch=2))[0] == Refused("epoch", "3")


async def test_breaking_takes_the_name_and_a_reason_and_inherits_what_is_owed(host: Host) -> None:
    await take_claim(host.links, host.target, OTHER)
    assert await update_claim(host.links, host.target, OTHER.run, OWED)
    with pytest.raises(Trouble, match="held by bob"):
        await break_claim(host.links, host.target, "ann", "his laptop is gone", MINE)
    with pytest.raises(Trouble, match="reason"):
        await break_claim(host.links, host.target, "bob", " ", MINE)
    assert await read_claim(host.links, host.target) == HeldBy(OTHER, OWED)
    assert await break_claim(host.links, host.target, "bob", "his laptop is gone", MINE) == Taken(OWED)
    held = await read_claim(host.links, host.target)
    assert held is not None
    assert (held.claim.run, held.owed) == (RUN, OWED)
    assert held.claim.note == "broke the claim of bob (20260101-0001-other): his laptop is gone"
    kept = list((host.work / "broken").glob("*/claim.json"))
    assert [json.loads(path.read_text())["operator"] for path in kept] == ["bob"]
    assert isinstance((await host.run("true", run=OTHER.run, changes=True))[0], Refused)


async def test_of_many_who_break_a_claim_one_gets_it(host: Host) -> None:
    rivals = [replace(MINE, run=f"20260101-0000-rival{n}", operator=f"op{n}") for n in range(4)]
    links = [Links(limits=QUICK) for _ in rivals]
    for turn in range(2):
        holder = replace(OTHER, run=f"{OTHER.run}{turn}")
        await take_claim(host.links, host.target, holder)
        results = await asyncio.gather(
            *(break_claim(each, host.target, "bob", "gone", rival) for each, rival in zip(links, rivals, strict=True)),
            return_exceptions=True,
        )
        winners = [rival for rival, result in zip(rivals, results, strict=True) if isinstance(result, Taken)]
        held = await read_claim(host.links, host.target)
        assert held is not None
        assert [held.claim.run] == [winner.run for winner in winners], results
        await release_claim(host.links, host.target, held.claim.run)
    for each in links:
        await each.close()


async def test_only_the_holder_writes_what_is_owed(host: Host) -> None:
    assert not await update_claim(host.links, host.target, RUN, OWED)
    await take_claim(host.links, host.target, OTHER)
    assert not await update_claim(host.links, host.target, RUN, OWED)


@pytest.mark.parametrize("text", ["", "[]", "not json", '{"operator": 5, "epoch": "x", "more": 1}'])
async def test_a_damaged_claim_still_has_a_holder(host: Host, text: str) -> None:
    await take_claim(host.links, host.target, OTHER)
    (host.work / "claim" / "claim.json").write_text(text)
    held = await read_claim(host.links, host.target)
    assert held is not None
    assert held.claim.operator
    assert isinstance(await take_claim(host.links, host.target, MINE), HeldBy)


async def test_a_claim_that_was_cut_short_is_held_by_an_unknown(host: Host) -> None:
    host.work.mkdir(mode=0o755)
    (host.work / "claim").mkdir()
    taken = await take_claim(host.links, host.target, MINE)
    assert isinstance(taken, HeldBy)
    assert taken.claim.operator == "unknown"
    assert isinstance(await break_claim(host.links, host.target, "unknown", "half made", MINE), Taken)
