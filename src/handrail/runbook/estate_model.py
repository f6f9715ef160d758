"""The estate file as it is written: tables and keys. What they come to (hosts, paths) is worked out in `estate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from handrail.runbook.actions import Port
from handrail.runbook.estate_sim import RoleSim, SimTable
from handrail.runbook.values import Argv, Format, HostName, Line, Name, Role, Seconds, ServerName, Table, Value, wrong

WORK_DIR: Final = "/var/tmp/handrail"  # noqa: S108  (a folder on the remote host; the job wrapper makes it 0700)


def _host_port(value: object) -> object:
    """Return the table that "web02:2222" or "[2001:db8::1]:22" is short for."""
    if not isinstance(value, str):
        return value
    host, port = split_port(value)
    return {"name": host} if port is None else {"name": host, "port": port}


def split_port(text: str) -> tuple[str, int | None]:
    """Return host and port of "web01", "web02:2222", "2001:db8::1" or "[2001:db8::1]:22"."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        tail = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, tail = text.partition(":")
    else:
        return text, None
    if not tail:
        return host, None
    if not (tail.isascii() and tail.isdigit()):
        raise wrong("host-name", f"{text[:60]!r} is not a host and a port", 'write "web02" or "web02:2222"')
    return host, int(tail)


class Reach(Table):
    """How a host is reached; at a role it stands for every host of the role."""

    port: Port | None = Field(default=None, description="The SSH port; without it, ssh_config's or 22.")
    user: Line | None = Field(default=None, description="The login name; without it, ssh_config's or your own.")
    identity: Line | None = Field(default=None, description="The private key's file, mode 0600; without it, the agent.")
    host_key_alias: HostName | None = Field(
        default=None, description="The name its key is pinned under in known_hosts."
    )
    become: Literal["sudo"] | None = Field(
        default=None, description='Run everything as root: "sudo". A password it wants is asked for in the briefing.'
    )
    become_group: Line | None = Field(
        default=None,
        description="Hosts of one group share a sudo password, asked for once; without it, all with one user.",
    )
    site: Line | None = Field(default=None, description="Where it stands; `pick` spreads over sites.")
    address: HostName | None = Field(default=None, description="What the DNS name should answer when this host serves.")
    work_dir: Line = Field(default=WORK_DIR, description="Where jobs keep their folders on the host.")
    vars: Mapping[Name, Value] = Field(default_factory=dict, description="Facts: `{{ role.x }}`, `{{ here.x }}`.")


class HostTable(Reach):
    """One host of a role with many."""

    name: HostName = Field(description="Its name, by which it is shown and told apart.")
    host: HostName | None = Field(
        default=None, description="Where it is reached, a name or an address; without it, its name."
    )


class HostsFrom(Table):
    """Where a role's hosts come from when they are not written here."""

    file: Line | None = Field(default=None, description="A text file: one host a line.")
    command: Argv | None = Field(default=None, description="A program that prints one host a line.")
    ansible: Line | None = Field(default=None, description="What `ansible-inventory --list` printed, in a file.")
    group: Line | None = Field(
        default=None, description="The inventory's group; without it, the role's name, else all."
    )


HostEntry = Annotated[HostTable, BeforeValidator(_host_port, json_schema_input_type=str | HostTable)]
Hosts = Annotated[
    Annotated[tuple[HostEntry, ...], Tag("<list>")] | Annotated[HostsFrom, Tag("<from>")],
    Discriminator(lambda value: "<from>" if isinstance(value, dict | HostsFrom) else "<list>"),
]


class RoleTable(Reach):
    """One role: a host, or where its hosts come from."""

    name: HostName | None = Field(
        default=None, description="What its host is called; without it, the alias or the host."
    )
    host: HostName | None = Field(
        default=None, description="A management name or address, never the name that is being switched."
    )
    hosts: Hosts | None = Field(default=None, description="Many hosts: a list, or `file`, `command` or `ansible`.")
    sim: RoleSim | None = Field(default=None, description="For a simulated estate: what its hosts are made of.")


class DnsTable(Table):
    """Where the name is changed, and where that is checked."""

    provider: Literal["rfc2136", "command", "manual"] = Field(
        description="Who changes it: a signed update, a program, or a person while the console looks."
    )
    zone: HostName = Field(description="The zone the name is in.")
    servers: tuple[ServerName, ...] = Field(
        description='Every authoritative server, with a label if you like ("ns1=192.0.2.53"); the first takes the updates. '
        "`command` may list none: then `read` is believed."
    )
    port: Port = Field(default=53, description="Their port (53 unless given).")
    key_file: Line | None = Field(default=None, description="The TSIG key, in BIND's own format, mode 0600 (rfc2136).")
    resolvers: tuple[ServerName, ...] = Field(default=(), description="Caching resolvers to watch.")
    read: Argv | None = Field(
        default=None, description="For `command`: prints the addresses now, one a line; `{{ name }}` is replaced."
    )
    change: Argv | None = Field(
        default=None,
        description="For `command`: makes the change; `{{ name }}`, `{{ from }}`, `{{ to }}`, `{{ ttl }}` are replaced.",
    )
    timeout: Seconds = Field(default=30.0, description="How long one call of the program, or one query, may take.")


class EstateHead(Table):
    """The table `[estate]`."""

    name: Line = Field(description="Its name, which is typed before a LIVE run.")
    class_: Literal["production", "staging"] = Field(
        default="production", alias="class", description='"staging": LIVE\'s rules under a REHEARSAL banner.'
    )
    known_hosts: Line | None = Field(
        default=None, description="The pinned host keys, always explicit; `handrail trust` writes it."
    )
    ssh_config: Line | None = Field(default=None, description="An OpenSSH client configuration to read.")
    allowed_signers: Line | None = Field(
        default=None, description="Whose signed approvals count: an allowed_signers file, as in ssh-keygen(1)."
    )


class EstateFile(Table):
    """A whole estate file."""

    format: Format = Field(description="The version of this format: 1.")
    head: EstateHead = Field(alias="estate", description="Name, class, host keys.")
    roles: Mapping[Role, RoleTable] = Field(description="The roles and their hosts.")
    dns: DnsTable | None = Field(default=None, description="Where names are changed.")
    vars: Mapping[Name, Value] = Field(default_factory=dict, description="Values for the runbook's variables.")
    sim: SimTable | None = Field(default=None, description="For a simulated estate only.")

    @property
    def simulated(self) -> bool:
        """Tell whether this is the template of a simulated estate."""
        return self.sim is not None or any(role.sim is not None for role in self.roles.values())
