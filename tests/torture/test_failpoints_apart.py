"""Consoles killed where somebody else has a hand in it: a cut link, a torn or full disk, a take-over, a foreign claim."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from tests.session.test_session_people import Early
from tests.ssh.bench import until
from tests.table import Notes
from tests.torture.failpoints import APART, sides
from tests.torture.nest import ROOT, Nest
from tests.torture.trial import BOOK, EFFECTS, Console, Ground, Walk

from handrail.base.clock import SystemClock
from handrail.session import bundles, mailbox, simulator
from handrail.store import asking, manifest, training
from handrail.store.home import Home
from handrail.store.journal import Journal, read_journal
from handrail.store.lock import holder_of, read_epoch
from handrail.store.run_folder import RunFolder

KILLED: Final = -signal.SIGKILL
STOOD, STOPPED, LEFT = 3, 4, 5
QUIET: Final = 0.3  # seconds in which nothing was written


def sides_of(*words: str) -> list[str]:
    """Return both sides of every failpoint that begins so."""
    return sides(frozenset(name for name in APART if name.startswith(words)))


@pytest.fixture
async def second(ground: Ground) -> AsyncIterator[Nest]:
    """Return where a second console beside the first comes from."""
    made = await Nest.made()
    try:
        yield made
    finally:
        await made.close()


def note(table: Notes, wanted: list[str], hit: list[str]) -> None:
    """Note what became of each; all of them must have been hit."""
    for side in wanted:
        table.note("failpoint", side, survived=side in hit)
    assert set(hit) == set(wanted), set(wanted) ^ set(hit)


async def beside(walk: Walk, act: Callable[[], Awaitable[object]], ready: Callable[[], Awaitable[bool]]) -> None:
    """Do something again and again beside a walk, for as long as something is armed."""
    while walk.armed:
        if await ready():
            await act()
        await asyncio.sleep(0.3)


async def test_killed_as_a_link_goes_and_comes_back(ground: Ground, table: Notes) -> None:
    wanted = sides_of("event.link_")
    walk = Walk(ground, set(wanted))

    async def runs() -> bool:
        return "+ trouble/late" in await ground.bed.said("two", "cat /srv/effects; true")

    cutting = asyncio.create_task(beside(walk, lambda: ground.bed.control("drop-ssh", "two"), runs))
    broken = await walk.there_and_back()
    cutting.cancel()
    assert not broken, (walk.killed_at, broken)
    note(table, wanted, walk.killed_at)


async def test_killed_while_a_torn_journal_is_repaired(ground: Ground, table: Notes) -> None:
    wanted = sides_of("journal.torn.", "journal.cut.")
    walk = Walk(ground, {"sync.copy:before"})
    assert await walk.one("forward") == KILLED
    for side in wanted:
        if read_journal(walk.folder.journal).state == "clean":
            with walk.folder.journal.open("ab") as journal:
                journal.write(b'{"seq": 99, "torn')
        walk.armed = {side}
        assert await walk.one("forward") == KILLED, side
    walk.armed = set()
    assert await walk.go("forward")
    assert await walk.go("back")
    assert not walk.broken
    assert read_journal(walk.folder.journal).state == "clean"
    assert (await ground.look()).files["one"] == "data\n0B"
    note(table, wanted, walk.killed_at[1:])


async def test_killed_while_what_a_full_disk_refuses_is_kept_elsewhere(ground: Ground, table: Notes) -> None:
    wanted = sides_of("emergency.")
    walk, before = Walk(ground), await ground.look()
    for number, side in enumerate(wanted):
        walk.armed = {f"journal.append.sync_data:EIO:{9 + number}", side}
        assert await walk.one("forward") == KILLED, side
    walk.armed = {"journal.append.sync_data:EIO:9"}  # and one that lives on says so, and sends nothing more
    assert await walk.one("forward") == STOPPED, walk.said
    walk.armed = set()
    assert await walk.go("forward")
    there = await ground.look()
    assert await walk.go("back")
    assert not [*walk.broken, *walk.judged(before, there, await ground.look())]
    note(table, wanted, [side for side in walk.killed_at if side in wanted])


async def test_killed_while_a_run_is_taken_over(ground: Ground, second: Nest, table: Notes) -> None:
    wanted = sides_of("lock.takeover", "epoch.")
    walk, before, hit = Walk(ground), await ground.look(), []
    for side in wanted:
        holder = await walk.start("forward+idle", operator="ann")
        await until(partial(_asks, walk, holder))
        epoch = read_epoch(walk.folder.path)
        os.kill(holder.pid, signal.SIGSTOP)
        asking.ask_for(walk.folder.path, "bob", "another", Early())
        walk.armed = {side}
        taker = await walk.start("forward+idle+after ann", nest=second, operator="bob")
        assert await walk.end(taker) == KILLED, walk.said
        hit += walk.killed_at[-1:]
        walk.armed = set()
        os.kill(holder.pid, signal.SIGCONT)
        if read_epoch(walk.folder.path) > epoch:  # it is not theirs any more: they notice, and stop
            assert await walk.end(holder) in (STOPPED, 1), (side, walk.said)
            assert "sends nothing more" in walk.said
        else:
            os.kill(holder.pid, signal.SIGKILL)
            assert await walk.end(holder) == KILLED
    assert await walk.go("forward")
    there = await ground.look()
    assert await walk.go("back")
    assert not [*walk.broken, *walk.judged(before, there, await ground.look())]
    note(table, wanted, hit)


def _asks(walk: Walk, console: Console) -> bool:
    """Tell whether a console drives the run, stands at the question that it does not answer, and writes nothing."""
    walk.learn(console)
    holder = holder_of(walk.folder.path) if walk.run != "new" else None
    if holder is None or holder.pid != console.pid:
        return False
    quiet = time.time() - walk.folder.journal.stat().st_mtime > QUIET
    return quiet and "asked" in {record.event for record in read_journal(walk.folder.journal).records}


async def test_killed_while_a_run_is_asked_for_and_handed_over(ground: Ground, table: Notes) -> None:
    wanted = sides_of("intent.decline", "intent.handover", "answer.")
    walk, before = Walk(ground, {"sync.copy:before"}), await ground.look()
    assert await walk.one("forward") == KILLED
    walk.armed = set(wanted)

    async def nobody_asks() -> bool:
        return asking.asked(walk.folder.path) is None

    async def ask() -> None:
        asking.ask_for(walk.folder.path, "bob", "another", Early())

    way = asyncio.create_task(beside(walk, ask, nobody_asks))
    while walk.armed:
        assert await walk.one("forward+idle") in (KILLED, LEFT), walk.said
    way.cancel()
    assert await walk.go("forward")
    there = await ground.look()
    assert await walk.go("back")
    assert not [*walk.broken, *walk.judged(before, there, await ground.look())]
    note(table, wanted, walk.killed_at[1:])


async def test_killed_at_a_foreign_claim_and_while_it_is_broken(ground: Ground, table: Notes) -> None:
    first, before = Walk(ground, {"sync.copy:before"}), await ground.look()
    assert await first.one("forward") == KILLED
    wanted = [*sides_of("event.claim_refused"), *sides_of("claim.break")]
    other = Walk(ground, set(sides_of("event.claim_refused")))
    while other.armed:
        assert await other.one("forward") == KILLED, other.said
    assert await other.one("forward") == STOOD, other.said  # refused, by the holder's name, at every resume
    hit = other.killed_at
    for side in sides_of("claim.break"):
        heir = Walk(ground, {side})
        assert await heir.one("forward+after root") == KILLED, heir.said
        hit += heir.killed_at
    last = Walk(ground, effects={**EFFECTS, "one": (), "two": tuple(e for e in EFFECTS["two"] if "hold/mark" not in e)})
    claimed = await ground.look()
    assert [e for _, e in claimed.effects["two"][len(before.effects["two"]) :]] == ["+ hold/mark"]
    last.armed = {"sync.copy:before"}
    assert await last.one("forward+after root") == KILLED, last.said
    assert await first.one("forward") == STOOD, first.said  # whose claim was broken sends nothing that changes
    assert await last.go("forward")
    there = await ground.look()
    assert await last.go("back")
    found = list(last.judged(claimed, there, await ground.look()))
    assert not [*last.broken, *found], found
    note(table, wanted, hit)


async def test_killed_while_a_run_is_closed(ground: Ground, table: Notes) -> None:
    wanted, hit = sides_of("intent.close", "event.run_closed"), []
    for side in wanted:
        walk = Walk(ground, {"intent.go:after"})
        assert await walk.one("forward") == KILLED
        walk.armed = {side}
        assert await walk.one("close") == KILLED
        hit += walk.killed_at[-1:]
        closed = "run_closed" in {record.event for record in read_journal(walk.folder.journal).records}
        assert await walk.one("close") == (1 if closed else 0), walk.said
        assert await walk.one("forward") == 1
        assert "nobody will finish it" in walk.said
    note(table, wanted, hit)


async def test_killed_while_a_scenario_tells_what_it_was(ground: Ground, table: Notes) -> None:
    wanted = sides_of("event.scenario_told")
    await simulator.begin(ground.bed.up.folder, BOOK.parent / "scenarios" / "told.toml")
    walk = Walk(ground, set(wanted))
    while walk.armed:
        assert await walk.one("forward+told") == KILLED, walk.said
    assert await walk.one("forward+told") == 0, walk.said
    told = [r.body for r in read_journal(walk.folder.journal).records if r.event == "scenario_told"]
    assert told
    assert all(check["holds"] for body in told for check in body["checks"])
    note(table, wanted, walk.killed_at)


async def test_killed_while_an_instructor_teaches(ground: Ground, table: Notes) -> None:
    """Whatever was left for the run is in its journal in the end, whichever console took it up and died of it."""
    wanted = sides_of("event.card_", "event.halt", "event.fault_made", "intent.answercard")
    walk, before = Walk(ground, {"sync.copy:before"}), await ground.look()
    assert await walk.one("forward") == KILLED
    walk.armed, left = set(wanted), 0

    async def read() -> bool:
        return not any((walk.folder.path / "inbox").glob("*.json"))

    async def leave() -> None:
        nonlocal left
        left += 1
        for kind in ("card", "fault", "halt", "go", "note"):
            mailbox.leave(walk.folder.path, kind, f"{kind} {left}.", "ann")

    teaching = asyncio.create_task(beside(walk, leave, read))
    while walk.armed:
        assert await walk.one("forward+idle") == KILLED, walk.said
    teaching.cancel()
    assert await walk.go("forward")
    there = await ground.look()
    assert await walk.go("back")
    assert not [*walk.broken, *walk.judged(before, there, await ground.look())]
    records = read_journal(walk.folder.journal).records
    said = [str(r.body) for r in records if r.event in ("card_shown", "fault_made", "note_made")]
    kinds = ("card", "fault", "note")
    assert not [f"{k} {n}." for k in kinds for n in range(1, left + 1) if not any(f"{k} {n}." in s for s in said)]
    cards = [r.body["card"] for r in records if r.event == "card_shown"]
    assert len(cards) == len(set(cards)) == left
    note(table, wanted, walk.killed_at[1:])


def bit(what: str, folder: Path, side: str = "") -> list[str]:
    """Do a small act in a process of its own, killed at one side of a failpoint; return what struck."""
    log = folder / "log"
    armed = {"HANDRAIL_FAILPOINT": side, "HANDRAIL_FAILPOINT_LOG": str(log)} if side else {}
    env = {**os.environ, **armed, "HANDRAIL_OPERATOR": "bob"}
    argv = [sys.executable, "-m", "tests.torture.bits", what, str(folder)]
    assert subprocess.run(argv, env=env, cwd=ROOT, check=False).returncode == (KILLED if side else 0), side
    said = log.read_text().splitlines() if side else []
    return [line.split()[1] for line in said if line.startswith("struck ")][-1:]


def test_killed_while_a_drill_is_kept(tmp_path: Path, table: Notes) -> None:
    home, hit = Home(tmp_path / "home").make(), []
    bit("train", home.path)
    for side in sides_of("training."):
        kept = training.trainee(home, "ann").drills
        hit += bit("train", home.path, side)
        now = training.trainee(home, "ann").drills
        assert now[: len(kept)] == kept, "what was kept before is lost"
        assert len(now) - len(kept) in (0, 1)
    bit("train", home.path)
    note(table, sides_of("training."), hit)


def test_killed_while_a_run_is_signed(tmp_path: Path, table: Notes) -> None:
    folder, hit = signed_run(tmp_path), []
    for side in sides_of("manifest."):
        for name in (manifest.NAME, manifest.SIGNATURE):
            (folder.path / name).unlink(missing_ok=True)
        hit += bit("sign", folder.path, side)
        found = bundles.check_folder(folder)
        assert found.found.ok, (side, found.found.problems)
        assert (folder.path / manifest.SIGNATURE).exists() or found.signed == "not signed", (
            "it counts as signed and is not"
        )
        bit("sign", folder.path)
        assert bundles.check_folder(folder).signed != "not signed"
    note(table, sides_of("manifest."), hit)


def signed_run(place: Path) -> RunFolder:
    """Return a run of one record, and a key beside it to sign it with."""
    run = RunFolder.create(Home(place / "home").make(), "20261101-1000-aaaaaa", runbook=b"", inputs={}, estate=b"")
    journal = Journal.create(run.path, SystemClock(), "ann", 1)
    journal.append("run_opened", {"mode": "DRILL", "run": run.run_id})
    journal.close()
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(run.path / "key")]
    subprocess.run(words, check=True)
    return run


@pytest.mark.parametrize("what", ["ask", "copy"])
def test_killed_in_small_acts(tmp_path: Path, what: str, table: Notes) -> None:
    wanted = sides_of({"ask": "asked.", "copy": "beside."}[what])
    old, hit = {"ask": "asked", "copy": "copied.txt"}[what], []
    (tmp_path / old).write_text("old\n")
    for side in wanted:
        hit += bit(what, tmp_path, side)
        text = (tmp_path / old).read_text()
        assert text in ("old\n", "new " * 1000 + "\n") or (what == "ask" and asking.asked(tmp_path) is not None), text
    note(table, wanted, hit)
