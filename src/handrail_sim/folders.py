"""A host as a plain folder: its commands are ordinary processes of this machine. One of the two kinds of machine.

There is no isolation: it is for shipped templates only, and for machines that allow no namespaces. Every process of a
host is found again by HANDRAIL_SIM_ROOT in its environment, whatever session it moved to.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import struct
import subprocess
import termios
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from handrail.base.problems import trouble
from handrail_sim.inside.wire import Entry
from handrail_sim.leftovers import Ledger, kill_all
from handrail_sim.machine import HostDown, Job, Order
from handrail_sim.plan import LAID_DIR_MODE, HostPlan
from handrail_sim.plan import Protocol as PortKind

_CONNECT_WITHIN: Final = 10.0
# A session leader without a terminal gets the first one it opens: bash opens its own, then runs the command.
_ON_TERMINAL: Final = 'exec 0<>"$0" 1>&0 2>&0; exec "$@"'


class FolderHost:
    """A host whose root is a folder and whose address is a loopback address."""

    def __init__(self, plan: HostPlan, root: Path, address: str, estate: Path) -> None:
        self.plan, self.root, self.address = plan, root, address
        self._ledger = Ledger(estate)
        self._on = False

    def lay(self, entries: Iterable[Entry]) -> None:
        """Write what lies on the host's disk."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, kind, mode, data in entries:
            _write(self.root / path, kind, mode, data)

    async def boot(self) -> None:
        """Let commands start."""
        self._on = True

    async def halt(self) -> None:
        """Kill every process of the host."""
        self._on = False
        await asyncio.to_thread(kill_all, self.root)

    async def spawn(self, order: Order) -> Job:
        """Start a command in a session of its own, at home in the host's folder; raise `HostDown`."""
        if not self._on:
            raise HostDown(self.plan.name)
        master, slave, argv, fds = -1, -1, order.argv, order.fds
        if order.size:
            master, slave = os.openpty()
            fds = (slave, slave, slave)
            argv = ("/bin/bash", "-c", _ON_TERMINAL, os.ttyname(slave), *order.argv)
            _resize(slave, order.size)
        try:
            process = subprocess.Popen(  # noqa: ASYNC220 - returns as soon as the child has started
                argv, stdin=fds[0], stdout=fds[1], stderr=fds[2], start_new_session=True,
                cwd=self.root / "root", env=order.env,
            )  # fmt: skip
        finally:
            if slave >= 0:
                os.close(slave)
        self._ledger.note(process.pid)
        return Job(process.pid, _ended(process), lambda sig: _signal(process.pid, sig), master)

    async def connect(self, kind: PortKind, port: int) -> socket.socket:
        """Return a socket connected to one of the host's ports."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        sock.setblocking(False)
        try:
            connecting = asyncio.get_running_loop().sock_connect(sock, (self.address, port))
            await asyncio.wait_for(connecting, _CONNECT_WITHIN)
        except BaseException:
            sock.close()
            raise
        return sock

    async def fill(self, *, full: bool) -> None:
        """Refuse: the folder lies on the machine's own disk."""
        raise trouble("sim-fill", f"{self.plan.name} is a plain folder: filling it would fill this machine's disk")


def _ended(process: subprocess.Popen[bytes]) -> asyncio.Future[int]:
    """Return a future of the process's status, which also reaps it."""
    loop = asyncio.get_running_loop()
    if not hasattr(os, "pidfd_open"):
        return asyncio.ensure_future(asyncio.to_thread(process.wait))
    ended: asyncio.Future[int] = loop.create_future()
    pidfd = os.pidfd_open(process.pid)

    def reap() -> None:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        status = process.wait()
        if not ended.done():
            ended.set_result(status)

    loop.add_reader(pidfd, reap)
    return ended


def _signal(pid: int, sig: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.Signals(sig))


def _resize(fd: int, size: tuple[int, int]) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))


def _write(target: Path, kind: str, mode: int, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if kind == "d":
        target.mkdir(exist_ok=True)
        if mode != LAID_DIR_MODE:
            target.chmod(mode)
        return
    target.unlink(missing_ok=True)
    if kind == "l":
        target.symlink_to(os.fsdecode(data))
        return
    target.write_bytes(data)
    target.chmod(mode)
