"""The `sim` tables of a simulated estate's template. The console only checks them; `handrail_sim` reads and obeys them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from handrail.runbook.actions import Count
from handrail.runbook.values import HostName, Line, Name, Seconds, Table, Texts, Value, wrong


def _door(value: str) -> str:
    kind, _, port = value.partition(":")
    if kind not in ("tcp", "udp") or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise wrong("sim-door", f"{value[:40]!r} is not a port of a host", 'write "tcp:8140" or "udp:53"')
    return value


Door = Annotated[str, AfterValidator(_door)]


class SimMachine(Table):
    """What a simulated host is made of."""

    files: Texts = Field(default=(), description="Folders laid over each host's root, in this order.")
    start: tuple[str, ...] = Field(default=(), description="Shell commands that run at boot, in the background.")
    ready: tuple[Door, ...] = Field(
        default=(), description='Ports that must answer before it counts as up: "tcp:8140".'
    )
    looks: Mapping[Line, Line] = Field(
        default_factory=dict,
        description="What must be the same again after an undo: a name, and a command that tells it.",
    )
    doors: tuple[Door, ...] = Field(default=(), description="Ports that can be reached from outside the estate.")


class RoleSim(SimMachine):
    """What a role's simulated hosts are made of."""

    count: Count | None = Field(default=None, description="How many hosts; more are made up after those listed.")


class SimHost(SimMachine):
    """A simulated host without a role, such as a name server."""

    name: HostName = Field(description="Its name.")
    site: Line | None = Field(default=None, description="Where it stands.")
    address: HostName | None = Field(default=None, description="Its address inside the estate.")
    vars: Mapping[Name, Value] = Field(default_factory=dict, description="Values for the files laid on it.")
    count: Count | None = Field(default=None, description="Not used for a host without a role.")


class Shortens(Table):
    """The TTL of the name that is switched: a drill says what production's would add."""

    here: Seconds = Field(description="The TTL in the simulated estate.")
    production: Seconds = Field(description="What it often is in production.")


class SimTable(Table):
    """What a simulated estate is made of beyond its roles."""

    prepare: Line | None = Field(
        default=None, description="A program that runs once and writes trees laid over the hosts."
    )
    console: Line | None = Field(default=None, description="The site from which the console looks.")
    rtt: Line | None = Field(default=None, description='The round trip between two sites, such as "40ms".')
    path: tuple[str, ...] = Field(default=(), description="Folders that stand first in every host's PATH.")
    preload: tuple[str, ...] = Field(
        default=(), description="Python modules that the stand-ins share: loaded once, so that services start at once."
    )
    shortens: Shortens | None = Field(default=None, description="Which wait is shorter here than in production.")
    size: Line | None = Field(default=None, description='The size of a host\'s own disk, such as "256m".')
    hosts: tuple[SimHost, ...] = Field(default=(), alias="host", description="Hosts without a role.")
