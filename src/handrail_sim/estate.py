"""A running estate: puts the hosts somewhere, lays them, boots them, and wires switch, SSH and doors together.

It is the only module that knows both kinds of machine.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sys
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from handrail_sim import generated, keys, laying
from handrail_sim.doors import Door, TcpDoor, UdpDoor
from handrail_sim.folders import FolderHost
from handrail_sim.inside.wire import Entry
from handrail_sim.machine import Machine, environment
from handrail_sim.namespaces import NamespaceHost
from handrail_sim.plan import DoorPlan, EstatePlan, HostPlan, Placed, Wanted
from handrail_sim.plan import Protocol as PortKind
from handrail_sim.prepare import Preparing, deliver
from handrail_sim.sshd import SshServer, SshSettings
from handrail_sim.station import Station
from handrail_sim.switch import Switch
from handrail_sim.zygotes import Zygote

log = logging.getLogger("handrail_sim")
_AT_ONCE: Final = 6  # hosts that are laid and booted side by side: more only wait for one another in the kernel
_UNPRIVILEGED: Final = 1024
_LIFTED: Final = 10_000  # added to a privileged inside port, for its door outside
_T = TypeVar("_T")


@dataclass
class Estate:
    """The estate while it runs."""

    plan: EstatePlan
    wanted: Wanted
    placed: Placed
    switch: Switch
    zygote: Zygote | None
    preparing: Preparing
    stations: dict[str, Station] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    _trees: dict[Path, list[Entry]] = field(default_factory=dict)

    async def up(self) -> None:
        """Bring everything up and write the estate's files; raise `Refused` or `Trouble`."""
        out = self.preparing.out
        try:
            if self.zygote:
                await self.zygote.join()
            self._make_stations()
            await self.preparing.done()
            log.info("prepared")
            turns = asyncio.Semaphore(_AT_ONCE)
            await _all(self._lay_and_boot(s, out, turns) for s in self.stations.values())
        finally:
            self.preparing.end()
            deliver(out, self.wanted.folder)
        log.info("hosts are up")
        for station in self.stations.values():
            station.open_doors()
        await self._start_services()

    async def _start_services(self) -> None:
        """Start what others wait for first, and wait for it; then the rest, which has the machine to itself."""
        first = [s for s in self.stations.values() if s.ready or not s.plan.role]
        await _all(s.start_services(found_running=True) for s in first)
        for found in await _all(s.wait_ready(self.plan.ready_within) for s in first):
            self.warnings += found
        await _all(s.start_services(found_running=True) for s in self.stations.values() if s not in first)

    def _make_stations(self) -> None:
        client = keys.new_client_key(self.wanted.folder / generated.IDENTITY)
        host_keys = keys.new_host_keys(self.wanted.home, len(self.plan.hosts))
        for number, (host, host_key) in enumerate(zip(self.plan.hosts, host_keys, strict=True)):
            machine = self._machine(host, number)
            root = self.placed.root(host)
            env = environment(root, self.plan.path)
            ssh = SshServer(SshSettings(machine, env), host_key, client)
            known = laying.tokens(self.plan, self.placed, host, sys.executable)
            start = tuple(laying.replaced_text(command, known) for command in host.start)
            station = Station(host, machine, ssh, env, start, root, self._ready(host))
            station.doors = self._doors(station)
            self.stations[host.name] = station
        self._write_files()

    def _write_files(self) -> None:
        public = {n: s.ssh.host_key.export_public_key("openssh").decode().strip() for n, s in self.stations.items()}
        folder = self.wanted.folder
        (folder / generated.KNOWN_HOSTS).write_text(generated.known_hosts(self.placed, public), encoding="ascii")
        (folder / "estate.toml").write_text(generated.estate_file(self.plan, self.placed), encoding="utf-8")

    def _machine(self, host: HostPlan, number: int) -> Machine:
        if self.zygote:
            return NamespaceHost(host, number, self.zygote, self.switch, lambda: self._died(host.name))
        return FolderHost(host, Path(self.placed.root(host)), self.placed.outside[host.name], self.wanted.folder)

    def _died(self, name: str) -> None:
        station = self.stations[name]
        if station.on:
            log.warning("%s ended by itself", name)
            station.died()

    def _doors(self, station: Station) -> dict[str, Door]:
        outside = self.placed.outside[station.plan.name]
        delay = self._delay(station.plan)
        doors: dict[str, Door] = {"ssh": TcpDoor((outside, self.placed.ssh_port), station.ssh.serve, delay)}
        if self.placed.mode == "namespaces":
            for plan, port in self._wanted(station.plan):
                made = TcpDoor if plan.kind == "tcp" else UdpDoor
                connect = _connector(station.machine, plan.kind, plan.inside)
                doors[f"{plan.kind}:{plan.inside}"] = made((outside, port), connect, delay)
        return doors

    def _wanted(self, host: HostPlan) -> list[tuple[DoorPlan, int]]:
        """Return a host's doors with their outside ports: DNS by itself where [dns] names the host."""
        found = [(d, d.inside if d.inside >= _UNPRIVILEGED else d.inside + _LIFTED) for d in host.doors]
        if host.name in (*self.plan.dns.servers, *self.plan.dns.resolvers):
            found += [(DoorPlan("tcp", 53), self.placed.dns_port), (DoorPlan("udp", 53), self.placed.dns_port)]
        return found

    def _ready(self, host: HostPlan) -> tuple[int, ...]:
        """Return the ports to ask; a service for DNS binds a high one in a plain folder."""
        dns = 53 if self.placed.mode == "namespaces" else self.placed.dns_port
        return tuple(dns if port == 53 else port for port in host.ready)

    def _delay(self, host: HostPlan) -> Callable[[], float]:
        far = bool(self.plan.console) and host.site != self.plan.console
        return lambda: self.switch.rtt / 2 if far else 0.0

    async def _lay_and_boot(self, station: Station, out: Path, turns: asyncio.Semaphore) -> None:
        async with turns:
            entries = self._entries(station.plan, out)
            machine = station.machine
            if isinstance(machine, NamespaceHost):
                own = [*laying.names(self.plan, station.plan), *entries]
                await machine.lay(self.plan.size, laying.under_overlays(own, laying.overlays()))
            elif isinstance(machine, FolderHost):
                await asyncio.to_thread(machine.lay, [*laying.folder_skeleton(station.plan), *entries])
            await station.boot()

    def _entries(self, host: HostPlan, out: Path) -> list[Entry]:
        """Return what the template and its prepare program lay over a host."""
        known = laying.tokens(self.plan, self.placed, host, sys.executable)
        beside = self.wanted.template.parent
        folders = [d if (d := beside / "files" / name).is_dir() else beside / name for name in host.files]
        entries = [e for folder in folders for e in self._tree(folder)]
        prepared = out / host.name
        return laying.with_tokens([*entries, *(laying.tree(prepared) if prepared.is_dir() else ())], known)

    def _tree(self, folder: Path) -> list[Entry]:
        """Return a folder's entries, read once for all the hosts that share it."""
        if folder not in self._trees:
            self._trees[folder] = laying.tree(folder)
        return self._trees[folder]

    def set_site(self, site: str, *, dark: bool) -> None:
        """Make a site dark or bring it back: silence between it and everything else, the console included."""
        self.switch.set_site(site, dark=dark)
        for station in self.stations.values():
            if station.plan.site == site:
                station.dark = dark
                station.open_doors()

    def rekey(self, name: str) -> str:
        """Give a host a new SSH host key, which known_hosts does not know; return its blob."""
        station = self.stations[name]
        (station.ssh.host_key,) = keys.new_host_keys(self.wanted.home, 1)
        return keys.blob(station.ssh.host_key)

    async def down(self) -> None:
        """End every host and close everything."""
        for station in self.stations.values():
            for door in station.doors.values():
                door.close()
            station.on = False
        await asyncio.gather(*(s.machine.halt() for s in self.stations.values()), return_exceptions=True)
        self.switch.close()
        if self.zygote:
            self.zygote.close()
        shutil.rmtree(self.wanted.folder / "hosts", ignore_errors=True)

    def shown(self) -> dict[str, Any]:
        """Return the estate's state as `ctl status` tells it."""
        return {
            "name": self.plan.name, "mode": self.placed.mode, "rtt": self.switch.rtt, "frames": self.switch.frames,
            "hosts": [s.shown() for s in self.stations.values()], "warnings": self.warnings,
            "zygote": self.zygote.process.pid if self.zygote else 0,
        }  # fmt: skip


async def _all(jobs: Iterable[Coroutine[Any, Any, _T]]) -> list[_T]:
    """Await all, each to its end, then raise the first error: nothing goes on behind the back of a clean-up."""
    found = await asyncio.gather(*jobs, return_exceptions=True)
    for result in found:
        if isinstance(result, BaseException):
            raise result
    return [r for r in found if not isinstance(r, BaseException)]


def _connector(machine: Machine, kind: PortKind, port: int) -> Callable[[], Any]:
    return lambda: machine.connect(kind, port)
