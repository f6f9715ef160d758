"""What takes a job's output: stored in few pieces, in order, and synced aside before it is sealed."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handrail.base.clock import SystemClock
from handrail.session.attempt import Catch
from handrail.session.storing import AT_ONCE, HELD, MUCH
from handrail.store.disk import Disk
from handrail.store.spool import Spool
from handrail.store.spool_reader import SpoolReader


class Waiting(Disk):
    """A disk whose syncs are done when it is said so; it notes which of them were waited for by the event loop's thread."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.asked = threading.Event()
        self.waited_for: list[str] = []

    def sync(self, at: str, fd: int) -> None:
        if at == "spool.create":
            return
        self.asked.set()
        if threading.current_thread() is threading.main_thread() and not self.go.is_set():
            self.waited_for.append(at)
            return
        self.go.wait(30)


class Written(Spool):
    """A spool that counts what is written at once, and may have a fault of ours."""

    pieces: list[tuple[str, bytes]]
    fault: Exception | None = None
    go: threading.Event | None = None  # what is written in a thread waits for it
    begun: threading.Event

    def write(self, stream: Any, chunk: bytes, at: float) -> None:
        if self.fault:
            raise self.fault
        if self.go is not None and threading.current_thread() is not threading.main_thread():
            self.begun.set()
            self.go.wait(30)
        self.pieces.append((stream, chunk))
        super().write(stream, chunk, at)


class Port:
    """What a catch needs of its attempt."""

    step, attempt, quiet = "s/x", 1, False

    def __init__(self, out: Path, disk: Disk | None = None) -> None:
        out.mkdir(0o700)
        self.clock = SystemClock()
        spool = Written.open(out, "x.log", self.clock, disk=disk or Disk())
        assert isinstance(spool, Written)
        self.spool, self.heard = spool, 0
        spool.pieces, spool.begun = [], threading.Event()
        self.core = SimpleNamespace(spool=lambda *_: spool, heard=self._heard)

    def _heard(self, *_: str) -> None:
        self.heard += 1


def catch(port: Port) -> Catch:
    return Catch(port, "one", stored=True, most=10)  # type: ignore[arg-type]


async def test_what_one_turn_of_the_loop_brings_is_written_at_once_and_in_order(tmp_path: Path) -> None:
    port = Port(tmp_path / "out")
    one = catch(port)
    at = {"out": 0, "err": 0}
    for stream, data in (("out", b"a\n"), ("out", b"b\n"), ("err", b"!\n"), ("out", b"c\n")):
        one.take(stream, at[stream], data)
        at[stream] += len(data)
    assert port.spool.pieces == []
    await asyncio.sleep(0)
    assert port.spool.pieces == [("out", b"a\nb\n"), ("err", b"!\n"), ("out", b"c\n")]
    assert port.heard == 1
    assert (bytes(one.first), one.errors) == (b"a\nb\nc\n", b"!\n")
    one.take("out", 6, b"d\n")
    await one.settle()  # the job has ended: nothing of it is left behind
    port.spool.close()
    reader = SpoolReader(tmp_path / "out" / "x.log")
    reader.refresh()
    assert [line.raw for line in reader.lines(0, 9)] == [b"a", b"b", b"!", b"c", b"d"]
    reader.close()


async def test_much_output_is_synced_while_the_loop_goes_on(tmp_path: Path) -> None:
    disk = Waiting()
    port = Port(tmp_path / "out", disk)
    one = catch(port)
    one.take("out", 0, b"x" * (MUCH + 1))
    settling = asyncio.create_task(one.settle())
    await asyncio.to_thread(disk.asked.wait, 30)
    assert not settling.done()  # whoever waits for the result waits for the disk; the loop does not
    assert disk.waited_for == []
    disk.go.set()
    await settling
    assert port.spool.unsynced == 0
    port.spool.close()


async def test_a_fault_of_ours_goes_to_who_waits_for_the_job(tmp_path: Path) -> None:
    port = Port(tmp_path / "out")
    one = catch(port)
    port.spool.fault = ZeroDivisionError()
    one.take("out", 0, b"a\n")
    await asyncio.sleep(0)
    with pytest.raises(ZeroDivisionError):
        one.take("out", 2, b"b\n")
    with pytest.raises(ZeroDivisionError):
        await one.settle()
    port.spool.close()


async def test_much_is_stored_while_the_loop_goes_on_and_what_comes_meanwhile_follows_it(tmp_path: Path) -> None:
    port = Port(tmp_path / "out")
    port.spool.go = threading.Event()
    one, first = catch(port), b"a" * AT_ONCE
    one.take("out", 0, first)
    await asyncio.to_thread(port.spool.begun.wait, 30)
    one.take("err", 0, b"!\n")
    one.take("out", len(first), b"b\n")
    await asyncio.sleep(0)
    assert port.spool.pieces == []  # the first one is under way, and nothing overtakes it
    port.spool.go.set()
    await one.settle()
    assert port.spool.pieces == [("out", first), ("err", b"!\n"), ("out", b"b\n")]
    assert port.spool.seal().length == len(first) + 4


async def test_who_gives_up_leaves_nothing_unstored(tmp_path: Path) -> None:
    port = Port(tmp_path / "out")
    port.spool.go = threading.Event()
    one, first = catch(port), b"a" * AT_ONCE
    one.take("out", 0, first)
    await asyncio.to_thread(port.spool.begun.wait, 30)
    one.take("out", len(first), b"b\n")
    settling = asyncio.create_task(one.settle())
    await asyncio.sleep(0)
    settling.cancel()
    await asyncio.gather(settling, return_exceptions=True)
    port.spool.go.set()
    one.store()
    assert port.spool.pieces == [("out", first), ("out", b"b\n")]
    port.spool.close()


async def test_a_host_that_is_faster_than_the_disk_is_asked_to_wait(tmp_path: Path) -> None:
    port, told = Port(tmp_path / "out"), list[str]()
    port.spool.go = threading.Event()
    one, at = catch(port), 0
    one.valve.bind(lambda: told.append("stop"), lambda: told.append("go"))
    while at <= HELD:
        one.take("out", at, b"x" * AT_ONCE)
        at += AT_ONCE
        await asyncio.sleep(0)
    assert told == ["stop"]
    port.spool.go.set()
    await one.settle()
    assert told == ["stop", "go"]
    assert port.spool.so_far().length == at
    port.spool.close()


async def test_a_fault_beside_the_loop_goes_to_who_waits_for_the_job(tmp_path: Path) -> None:
    port = Port(tmp_path / "out")
    one = catch(port)
    port.spool.fault = ZeroDivisionError()
    one.take("out", 0, b"x" * AT_ONCE)
    await asyncio.sleep(0)
    with pytest.raises(ZeroDivisionError):
        await one.settle()
    with pytest.raises(ZeroDivisionError):
        one.take("out", AT_ONCE, b"b\n")
    port.spool.close()
