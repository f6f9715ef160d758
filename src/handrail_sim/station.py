"""One host as the estate runs it: its machine, its SSH server, its doors, and whether it is on. Faults are set here."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, field, replace
from typing import Any, Final

from handrail_sim.doors import Door
from handrail_sim.machine import HostDown, Job, Machine, Order, boot_order, shell
from handrail_sim.pipes import Source
from handrail_sim.plan import HostPlan
from handrail_sim.sshd import SshServer
from handrail_sim.switch import Link

FOUND_RUNNING: Final = "HANDRAIL_SIM_FOUND_RUNNING"
_ASK_EVERY: Final = 0.02
_LINGER: Final = 1.0
_MOST_OUTPUT: Final = 1 << 20


@dataclass
class Station:
    """A host with all that belongs to it."""

    plan: HostPlan
    machine: Machine
    ssh: SshServer
    env: dict[str, str]
    start: tuple[str, ...]  # commands with their tokens replaced
    root: str = ""
    ready: tuple[int, ...] = ()  # ports that must accept before the estate is ready
    doors: dict[str, Door] = field(default_factory=dict)  # "ssh", "tcp:8140", ...
    on: bool = False
    link: Link = "up"
    dark: bool = False  # its site is down
    starting: list[Job] = field(default_factory=list)  # the `start` commands of the last boot

    async def boot(self) -> None:
        """Bring the machine up; services are started by `start_services`, once all hosts are there."""
        if not self.on:
            await self.machine.boot()
            self.on = True

    async def start_services(self, *, found_running: bool = False) -> None:
        """Run the `start` commands, in the background. `found_running`: they are to be as if up for long, not booting."""
        env = {**self.env, FOUND_RUNNING: "1"} if found_running else self.env
        orders = (boot_order(self.plan, command, number, self.root) for number, command in enumerate(self.start, 1))
        self.starting = [await self.machine.spawn(replace(order, env=env)) for order in orders]

    async def wait_ready(self, within: float) -> list[str]:
        """Ask the declared ports until they accept; return warnings for those that did not in time."""
        warnings = []
        for port in self.ready:
            try:
                async with asyncio.timeout(within):
                    await self._accepts(port)
            except TimeoutError:
                warnings.append(f"{self.plan.name}: tcp:{port} does not accept after {within:g} s")
        return warnings

    async def wait_booted(self, within: float) -> list[str]:
        """Wait as `wait_ready` does, but not for what nothing starts any more: a service may be masked or disabled."""
        waiting, booted = asyncio.create_task(self.wait_ready(within)), asyncio.create_task(self._booted())
        await asyncio.wait([waiting, booted], return_when=asyncio.FIRST_COMPLETED)
        booted.cancel()
        await asyncio.wait([waiting], timeout=_LINGER)
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        return [f"{self.plan.name}: what boots has booted, and not all of its ports accept"]

    async def _booted(self) -> list[str]:
        await asyncio.gather(*(asyncio.shield(job.ended) for job in self.starting))
        return []

    async def _accepts(self, port: int) -> None:
        while True:
            with contextlib.suppress(OSError, HostDown):
                (await self.machine.connect("tcp", port)).close()
                return
            await asyncio.sleep(_ASK_EVERY)

    def open_doors(self) -> None:
        """Listen outside, unless the host is off or cut off."""
        for door in self.doors.values():
            if self.on and self.link != "cut":
                door.open()
                door.stall(on=self.link == "stall" or self.dark)
            else:
                door.close()

    async def halt(self) -> None:
        """Pull the plug: the doors refuse, every process ends; the disk keeps what it holds."""
        self.on = False
        self.open_doors()
        await self.machine.halt()

    def died(self) -> None:
        """Take note that the host ended by itself."""
        self.on = False
        self.open_doors()

    def drop_ssh(self) -> int:
        """Break the SSH connections that there are now; return how many."""
        return self.doors["ssh"].drop()

    async def run(self, command: str) -> dict[str, Any]:
        """Run a command to its end; return rc, out and err (at most 1 MiB each)."""
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(2)]
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        heard = [bytearray(), bytearray()]
        sources = [Source(read_end, into.extend) for (read_end, _write), into in zip(pipes, heard, strict=True)]
        try:
            job = await self.machine.spawn(Order(shell(command), (null, pipes[0][1], pipes[1][1]), self.env))
        except BaseException:
            for source in sources:
                source.close()
            raise
        finally:
            for fd in (null, pipes[0][1], pipes[1][1]):
                os.close(fd)
        rc = await job.ended
        await asyncio.wait([s.ended for s in sources], timeout=_LINGER)  # what it left in the background may hold them
        for source in sources:
            source.close()
        out, err = (h[:_MOST_OUTPUT].decode("utf-8", "replace") for h in heard)
        return {"rc": rc, "out": out, "err": err + job.error}

    def shown(self) -> dict[str, Any]:
        """Return the host's state as `ctl hosts` tells it."""
        return {
            "name": self.plan.name, "role": self.plan.role, "site": self.plan.site, "address": self.plan.address,
            "power": "on" if self.on else "off", "link": self.link, "pid": getattr(self.machine, "pid", 0),
            "doors": {name: list(door.outside) for name, door in self.doors.items()},
        }  # fmt: skip
