"""From one host to another in pieces: little is held, the slower side sets the pace, and a lost link loses nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator

import pytest
from tests.ssh.bench import QUICK, RUN, Host, through, until
from tests.ssh.proxy import Proxy

from handrail.base.problems import trouble
from handrail.ssh import channel
from handrail.ssh.flow import HELD, Feed, Pipe
from handrail.ssh.job import UNHEARD, Command, Exited, JobKey, NotStarted, Permit, run_job
from handrail.ssh.links import Links

PIECE = 1 << 16
MANY = 24 << 20  # bytes: many times what may be held
WINDOW = 4 << 20  # bytes that SSH itself may hold on the way, on both ends
READS = Permit("ann", RUN, 1, changes=False)


def piece(number: int) -> bytes:
    return number.to_bytes(4, "big") * (PIECE // 4)


def whole(size: int) -> bytes:
    return hashlib.sha256(b"".join(piece(n) for n in range(size // PIECE))).hexdigest().encode()


async def test_a_full_pipe_stops_what_fills_it_and_lets_it_go_on_when_half_is_taken() -> None:
    pipe, told = Pipe(most=10), list[str]()
    pipe.valve.bind(lambda: told.append("stop"), lambda: told.append("go"))
    for text in (b"12345", b"67890", b"1", b"2"):
        pipe.put(text)
    assert told == ["stop"]
    pipe.end()
    taken = [text async for text in pipe.pieces()]
    assert b"".join(taken) == b"123456789012"
    assert told == ["stop", "go"]


async def test_a_pipe_that_is_full_stops_the_next_channel_too() -> None:
    pipe, told = Pipe(most=1), list[str]()
    pipe.put(b"12")
    pipe.valve.bind(lambda: told.append("stop"), lambda: told.append("go"))
    assert told == ["stop"]


async def test_input_is_asked_for_no_faster_than_the_host_takes_it(host: Host) -> None:
    ahead = 0

    async def flow() -> AsyncGenerator[bytes]:
        nonlocal ahead
        for number in range(MANY // PIECE):
            arrived = sum(p.stat().st_size for p in host.work.glob(f"runs/{RUN}/in.*"))
            ahead = max(ahead, number * PIECE - arrived)
            yield piece(number)
            await asyncio.sleep(0)

    end, heard = await host.run(Command(argv=("sha256sum",), stdin=Feed(MANY, flow)))
    assert isinstance(end, Exited)
    assert heard.out.split()[0] == whole(MANY)
    assert ahead < HELD + WINDOW


async def test_output_that_nobody_takes_stays_at_the_host(host: Host) -> None:
    pipe, taken = Pipe(), 0

    def take(_stream: str, _at: int, data: bytes) -> None:
        pipe.put(data)

    command = Command(argv=("head", "-c", str(MANY), "/dev/zero"))
    key = JobKey(RUN, "stage/step", "1.run")
    running = asyncio.create_task(
        run_job(host.links, host.target, key, command, READS, start="fresh", output=take, valve=pipe.valve)
    )
    running.add_done_callback(lambda _: pipe.end())
    await until(lambda: pipe.valve._paused)
    most = 0
    async for data in pipe.pieces():
        taken += len(data)
        most = max(most, host.server.passed - taken)
        await asyncio.sleep(0)
    assert isinstance(await running, Exited)
    assert taken == MANY
    assert most < HELD + WINDOW


async def test_unheard_output_is_not_sent_and_its_size_is_told(host: Host) -> None:
    for number, script in enumerate(("head -c 3000000 /dev/zero", "head -c 3000000 /dev/zero; echo no >&2; sleep 1.2")):
        heard: list[tuple[str, int]] = []
        end = await run_job(
            host.links,
            host.target,
            JobKey(RUN, "stage/step", f"{number}.run"),
            Command(script=script),
            READS,
            start="fresh",
            output=lambda stream, _at, data, heard=heard: heard.append((stream, len(data))),  # type: ignore[misc]
            offsets=(UNHEARD, 0),
        )
        assert isinstance(end, Exited)
        assert end.out_bytes == 3_000_000
        assert [stream for stream, _ in heard if stream == "out"] == []
        assert bool(heard) is (number == 1)  # what it complains of is heard


async def test_links_cut_on_both_sides_lose_nothing_and_start_nothing_twice(host: Host) -> None:
    """The source's job has ended and gives its output anew for every call; the target's job is started once, with all of it."""
    size, opened = 64 * PIECE, 0
    giving, taking = Proxy(host.server.port), Proxy(host.server.port)
    await giving.start()
    await taking.start()
    links = Links(limits=QUICK)
    script = (
        'for n in $(seq 0 63); do printf "\\\\0\\\\0\\\\0\\\\%03o" "$n"; done | sha256sum; head -c "$1" /dev/urandom'
    )
    packed = JobKey(RUN, "stage/step", "1.send")
    done = await run_job(
        links, host.target, packed, Command(script=script, args=(str(size),)), READS,
        start="fresh", output=lambda *_: None, offsets=(UNHEARD, 0),
    )  # fmt: skip
    assert isinstance(done, Exited)

    async def flow() -> AsyncGenerator[bytes]:
        nonlocal opened
        opened += 1
        giving.cuts = [300_000, 900_000]
        if opened < 3:
            asyncio.get_running_loop().call_later(0.2 * opened, taking.cut)
        pipe = Pipe()
        source = links_of_its_own, through(host, giving)
        task = asyncio.create_task(
            run_job(*source, packed, Command(argv=("true",)), READS, start="attach",
                    output=lambda stream, _at, data: pipe.put(data) if stream == "out" else None, valve=pipe.valve)
        )  # fmt: skip
        task.add_done_callback(lambda _: pipe.end())
        try:
            async for data in pipe.pieces():
                yield data
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    links_of_its_own = Links(limits=QUICK)
    try:
        command = Command(script="echo x >>count; sha256sum", stdin=Feed(done.out_bytes, flow))
        end, heard = await host.run(command, part="1.receive", links=links, target=through(host, taking))
        assert isinstance(end, Exited)
    finally:
        await links.close()
        await links_of_its_own.close()
        await giving.stop()
        await taking.stop()
    out = (host.folder(packed) / "out").read_bytes()
    assert heard.out.split()[0] == hashlib.sha256(out).hexdigest().encode()
    assert (host.server.home / "count").read_text() == "x\n"


async def test_input_that_breaks_off_starts_nothing(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "FIRST_WORD", 0.0)

    async def flow() -> AsyncGenerator[bytes]:
        yield piece(1)
        raise trouble("gone", "the source is gone")

    end, _ = await host.run(Command(script="echo x >>count", stdin=Feed(2 * PIECE, flow)))
    assert isinstance(end, NotStarted)
    assert not (host.server.home / "count").exists()
    assert list(host.work.glob(f"runs/{RUN}/in.*")) == []


async def test_a_job_that_is_there_already_asks_for_no_input(host: Host) -> None:
    """A console that asks again for a job that began does not send everything once more."""
    command = Command(script="echo x >>count; cat >/dev/null; read go <gate; echo done", stdin=b"one\ntwo\n")
    (host.server.home / "count").touch()
    gate = host.server.home / "gate"
    await asyncio.to_thread(__import__("os").mkfifo, gate)
    first = asyncio.create_task(host.run(command))
    await until(lambda: "x" in (host.server.home / "count").read_text())
    host.server.cut()
    await until(lambda: len(host.link_news) > 2)
    await asyncio.to_thread(gate.write_text, "go\n")
    end, heard = await first
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"done\n"
    assert (host.server.home / "count").read_text() == "x\n"
