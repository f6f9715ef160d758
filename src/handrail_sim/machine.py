"""What the estate asks of one host, whichever way it is made: boot, halt, start a command, connect to a port.

It declares shapes and the environment of commands; the two kinds of machine are in `namespaces` and `folders`.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from handrail_sim.plan import WORK_DIR, HostPlan
from handrail_sim.plan import Protocol as PortKind

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PLAIN_WORDS: Final = re.compile(r"/[\w/.:@%+, -]+")  # nothing in it that a shell would do something with
GONE: Final = -9  # the status of a job whose host died: killed


class HostDown(Exception):
    """The host is off, or went down meanwhile."""


@dataclass(frozen=True)
class Order:
    """A command to start: its argv, what is added to the environment, and either three descriptors or a terminal's size."""

    argv: tuple[str, ...]
    fds: tuple[int, ...] = ()  # stdin, stdout, stderr; copied, the caller closes its own
    env: dict[str, str] = field(default_factory=dict)
    size: tuple[int, int] | None = None  # rows, columns
    program: tuple[str, ...] = ()  # the same as plain words, if it is that simple: may be run without a shell ...
    log: str = ""  # ... with its output in this file


@dataclass
class Job:
    """A started command. `master` is its terminal's other side, the caller's to close; `ended` its status (-n: signal)."""

    pid: int
    ended: asyncio.Future[int]
    signal: Callable[[int], None]
    master: int = -1
    error: str = ""


class Machine(Protocol):
    """One host's machinery."""

    async def boot(self) -> None:
        """Bring the host up; what its disk held is kept."""

    async def halt(self) -> None:
        """End every process of the host at once, like pulling the plug."""

    async def spawn(self, order: Order) -> Job:
        """Start a command in a session of its own; raise `HostDown`."""

    async def connect(self, kind: PortKind, port: int) -> socket.socket:
        """Return a non-blocking socket connected to a port of the host; raise OSError or `HostDown`."""

    async def fill(self, *, full: bool) -> None:
        """Fill the host's disk, or give it its room back; raise `Trouble` where that cannot be done."""


def shell(command: str) -> tuple[str, ...]:
    """Return the argv of a command line as sshd would run it; an empty one is a login shell."""
    return ("/bin/bash", "-c", command) if command else ("/bin/bash", "-l")


def environment(root: str, more_path: tuple[str, ...]) -> dict[str, str]:
    """Return the environment of every command of a host; `root` is its folder, or "" inside a namespace."""
    own = f"{_PATH}:{':'.join(more_path)}".rstrip(":")
    prefixed = ":".join(f"{root}{part}" for part in own.split(":"))
    return {
        "PATH": f"{prefixed}:{_PATH}" if root else own,
        "HOME": f"{root}/root",
        "USER": "root",
        "LOGNAME": "root",
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "HANDRAIL_SIM_ROOT": root,
        "HANDRAIL_WORK": f"{root}{WORK_DIR}",
    }


def boot_order(host: HostPlan, command: str, number: int, root: str) -> Order:
    """Return the order of one `start` command, in the background: no input, output into the host's own log folder."""
    log = f"{root}/var/log/sim-start-{number}.log"
    if root and command.startswith("/") and Path(f"{root}{command.split()[0]}").exists():
        command = f"{root}{command}"
    argv = ("/bin/bash", "-c", 'exec >>"$0" 2>&1 </dev/null; eval "$1"', log, command)
    words = tuple(command.split()) if _PLAIN_WORDS.fullmatch(command) else ()
    return Order(argv, fds=_null_fds(), program=words, log=log)


def _null_fds() -> tuple[int, ...]:
    global _null
    if _null < 0:
        _null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    return (_null, _null, _null)


_null = -1
