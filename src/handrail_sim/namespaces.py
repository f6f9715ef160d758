"""A host in namespaces of its own: its pid 1 does what the estate asks. One of the two kinds of machine."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from typing import Any, Final

from handrail_sim.inside import wire
from handrail_sim.inside.kernel import Refused
from handrail_sim.machine import GONE, HostDown, Job, Order
from handrail_sim.plan import HostPlan
from handrail_sim.plan import Protocol as PortKind
from handrail_sim.switch import Switch
from handrail_sim.wires import AsyncWire
from handrail_sim.zygotes import Zygote, host_message

_BOOT_TRIES: Final = 50  # a dead host's overlay is let go of a little after its death (EBUSY meanwhile)
_TRY_AGAIN: Final = 0.02  # seconds
_CONNECT_WITHIN: Final = 10.0  # seconds

Answer = tuple[wire.Message, list[int]]


class NamespaceHost:
    """A host whose pid 1 is asked over a message socket. It is laid once (`lay`) and may boot many times."""

    def __init__(
        self, plan: HostPlan, number: int, zygote: Zygote, switch: Switch, on_death: Callable[[], None]
    ) -> None:
        self.plan = plan
        self.pid = 0
        self._number, self._zygote, self._switch, self._on_death = number, zygote, switch, on_death
        self._boots = 0
        self._asked = 0
        self._wire: AsyncWire | None = None
        self._waiting: dict[tuple[str, int], asyncio.Future[Answer]] = {}
        self._jobs: dict[int, Job] = {}
        self._dead = asyncio.Event()
        self._dead.set()
        self._pidfd = -1

    async def lay(self, size: str, entries: list[wire.Entry]) -> None:
        """Make the host's disk and write what lies on it; raise `Refused`."""
        fd = wire.memory_file(wire.pack(entries))
        try:
            await self._zygote.call({"op": "lay", "name": self.plan.name, "size": size}, [fd])
        finally:
            os.close(fd)
        self._size = size

    async def boot(self) -> None:
        """Bring the host up; raise `Refused` with the stage that was not allowed."""
        for last in [False] * _BOOT_TRIES + [True]:
            try:
                await self._boot_once()
            except Refused as e:
                if last or e.code not in (errno.EBUSY, errno.EEXIST):
                    raise
                await asyncio.sleep(_TRY_AGAIN)
            else:
                return

    async def _boot_once(self) -> None:
        self._boots += 1
        card = f"v{self._number}.{self._boots}"
        ours, theirs = wire.pair()
        with theirs:
            self._wire = AsyncWire(ours, self._on_message, self._on_end)
            up = self._expect("up", 0)
            answer, _ = await self._zygote.call(
                host_message(self.plan.name, self.plan.address, card), [theirs.fileno()]
            )
        self._watch(answer["pid"])
        message, _ = await up
        if "fail" in message:
            await self._dead.wait()
            fault = message["fail"]
            raise Refused(fault["stage"], fault["errno"], fault["text"])
        _, fds = await self._zygote.call({"op": "port", "card": card})
        self._switch.plug(self.plan.address, self.plan.site, socket.socket(fileno=fds[0]))

    def _watch(self, pid: int) -> None:
        """Hear of the death of pid 1, after which the kernel has ended everything in the host."""
        self.pid = pid
        try:
            self._pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        self._dead.clear()
        asyncio.get_running_loop().add_reader(self._pidfd, self._died)

    def _died(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        if self._wire:
            self._wire.close()
        self._on_end()
        self._switch.unplug(self.plan.address)
        self._dead.set()
        self._on_death()

    async def halt(self) -> None:
        """Kill pid 1 and wait until the kernel has ended the rest."""
        if self._pidfd >= 0:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        await self._dead.wait()

    async def spawn(self, order: Order) -> Job:
        """Start a command; raise `HostDown`. One that cannot be started has ended with 126 and `error`."""
        number = self._next_number()
        started, done = self._expect("started", number), self._expect("done", number)
        message = {
            "op": "exec", "id": number, "argv": list(order.argv), "env": order.env, "size": order.size,
            "program": list(order.program), "log": order.log,
        }  # fmt: skip
        self._send(message, order.fds)
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        job = Job(0, ended, lambda sig: self._kill(number, sig))
        done.add_done_callback(lambda f: _end(job, f.result()[0]))
        done.add_done_callback(lambda f: _pass_on(f, started))
        answer, fds = await started
        job.pid = answer.get("pid", 0)
        job.master = fds[0] if fds else -1
        return job

    def _kill(self, number: int, sig: int) -> None:
        if not self._dead.is_set():
            self._send({"op": "kill", "id": self._next_number(), "job": number, "signal": sig})

    async def connect(self, kind: PortKind, port: int) -> socket.socket:
        """Return a socket of the host's own network, connected to one of its ports."""
        number = self._next_number()
        answer = self._expect("socket", number)
        self._send({"op": "socket", "id": number, "kind": kind})
        message, fds = await answer
        if not fds:
            raise HostDown(message.get("error", self.plan.name))
        sock = socket.socket(fileno=fds[0])
        sock.setblocking(False)
        try:
            connecting = asyncio.get_running_loop().sock_connect(sock, (self.plan.address, port))
            await asyncio.wait_for(connecting, _CONNECT_WITHIN)
        except BaseException:
            sock.close()
            raise
        return sock

    async def fill(self, *, full: bool) -> None:
        """Make the disk exactly as large as what lies on it, or give it its size back."""
        await self._zygote.call({"op": "resize", "name": self.plan.name, "size": "used" if full else self._size})

    def _next_number(self) -> int:
        self._asked += 1
        return self._asked

    def _expect(self, kind: str, number: int) -> asyncio.Future[Answer]:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[kind, number] = future
        return future

    def _send(self, message: wire.Message, fds: tuple[int, ...] = ()) -> None:
        if self._wire is None or self._dead.is_set():
            self._on_end()
            raise HostDown(self.plan.name)
        try:
            self._wire.send(message, fds)
        except ValueError:
            for kind in ("started", "done"):
                self._waiting.pop((kind, message["id"]), None)
            raise

    def _on_message(self, message: wire.Message, fds: list[int]) -> None:
        keys: list[tuple[str, int]] = [(k, message[k]) for k in ("started", "done", "socket") if k in message]
        if "up" in message or "fail" in message:
            keys = [("up", 0)]
        for key in keys:
            self._settle(key, message, fds)

    def _settle(self, key: tuple[str, int], message: wire.Message, fds: list[int]) -> None:
        future = self._waiting.pop(key, None)
        if key[0] == "done":
            self._waiting.pop(("started", key[1]), None)
            sock = self._waiting.pop(("socket", key[1]), None)
            if sock and not sock.done():
                sock.set_result((message, []))
        if future and not future.done():
            future.set_result((message, fds))
        else:
            for fd in fds:
                os.close(fd)

    def _on_end(self) -> None:
        """Settle everything that is waited for: the host is gone."""
        gone: dict[str, Any] = {"rc": GONE, "fail": {"stage": "pid 1", "errno": errno.ECHILD, "text": "it ended"}}
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_result((gone, []))


def _pass_on(done: asyncio.Future[Answer], started: asyncio.Future[Answer]) -> None:
    if not started.done():
        started.set_result(done.result())


def _end(job: Job, message: wire.Message) -> None:
    job.error = message.get("error", "")
    if not job.ended.done():
        job.ended.set_result(message["rc"])
