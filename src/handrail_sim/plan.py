"""The plan of a simulated estate: hosts, addresses, doors. Frozen data; it knows neither files nor processes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

Mode = Literal["namespaces", "folders"]
Protocol = Literal["tcp", "udp"]

WORK_DIR: Final = "/var/tmp/handrail"  # noqa: S108 - a folder of the simulated host, not of this machine
LAID_DIR_MODE: Final = 0o755


@dataclass(frozen=True)
class DoorPlan:
    """A port inside a host that the console may reach from outside."""

    kind: Protocol
    inside: int


@dataclass(frozen=True)
class HostPlan:
    """One host as the template declares it; `address` is the one inside the estate's own network."""

    name: str
    site: str
    address: str
    role: str = ""  # "" for a host that no role names
    user: str = "root"
    files: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    ready: tuple[int, ...] = ()  # inside TCP ports polled until they accept
    doors: tuple[DoorPlan, ...] = ()
    looks: tuple[tuple[str, str], ...] = ()  # (what, command): must be the same again after an undo
    vars: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DnsPlan:
    """The template's [dns]: names of simulated hosts instead of addresses."""

    servers: tuple[str, ...] = ()
    resolvers: tuple[str, ...] = ()
    table: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EstatePlan:
    """A whole template. `roles` are its [roles.X] tables without `sim`, for the generated estate file."""

    name: str
    hosts: tuple[HostPlan, ...]
    dns: DnsPlan = DnsPlan()
    prepare: str = ""
    console: str = ""  # the console's site: doors of other sites are rtt/2 away; "" makes every door near
    rtt: float = 0.0
    path: tuple[str, ...] = ()  # more folders for PATH, after the usual ones
    preload: tuple[str, ...] = ()  # Python modules that the stand-ins share: loaded once for all hosts
    ready_within: float = 10.0  # seconds that `ready` ports may take before a warning
    size: str = "256m"  # of each host's disk
    estate: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, dict[str, Any]] = field(default_factory=dict)
    vars: dict[str, Any] = field(default_factory=dict)

    def host(self, name: str) -> HostPlan | None:
        """Return the host of a name, or None."""
        return next((h for h in self.hosts if h.name == name), None)


@dataclass(frozen=True)
class Placed:
    """Where an estate was put: the outside address of each host, and the ports that all hosts share."""

    mode: Mode
    outside: dict[str, str]  # host name to 127.x.y.z
    ssh_port: int
    dns_port: int  # the console's; inside a namespace it is 53
    folders: dict[str, str] = field(default_factory=dict)  # host name to its folder, in folders mode

    def address(self, host: HostPlan) -> str:
        """Return the address that the host's own services bind and other hosts use."""
        return host.address if self.mode == "namespaces" else self.outside[host.name]

    def root(self, host: HostPlan) -> str:
        """Return what stands before the host's absolute paths."""
        return self.folders.get(host.name, "")


@dataclass(frozen=True)
class Wanted:
    """What `up` was asked for: where the estate comes from, where it goes, and how it may be made."""

    template: Path
    plan: EstatePlan
    folder: Path
    home: Path
    mode: str  # auto, namespaces, folders
