"""Reading an estate: a file to roles with hosts, DNS servers and values, or every problem at once.

It opens the estate file and the host lists it names; of keys and host keys it looks only at owner and mode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, Where, in_order
from handrail.base.safe import safe
from handrail.runbook.document import Document, digest, read_document
from handrail.runbook.estate_model import EstateFile, RoleTable
from handrail.runbook.estate_sim import SimTable
from handrail.runbook.files import check_file, read_file
from handrail.runbook.hosts import Finder, Host, hosts_of_role
from handrail.runbook.positions import Path as TomlPath
from handrail.runbook.salvage import nothing, validate

__all__ = ["Dns", "Estate", "Host", "read_estate"]


@dataclass(frozen=True)
class Dns:
    """Where names are changed; paths are resolved."""

    provider: Literal["rfc2136", "command", "manual"]
    zone: str
    servers: tuple[str, ...]
    port: int = 53
    key_file: Path | None = None
    resolvers: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    timeout: float = 30.0


@dataclass(frozen=True)
class Estate:
    """The machines a runbook is bound to."""

    name: str
    class_: Literal["production", "staging"]
    path: Path
    digest: str
    known_hosts: Path | None  # None only in a simulated estate's template
    ssh_config: Path | None
    allowed_signers: Path | None
    roles: Mapping[str, tuple[Host, ...]]
    many: frozenset[str]  # the roles written with `hosts`
    dns: Dns | None = None
    vars: Mapping[str, str] = field(default_factory=dict)
    sim: SimTable | None = None
    simulated: bool = False
    warnings: tuple[Problem, ...] = ()
    found: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)  # hosts that came from elsewhere

    def hosts(self, role: str) -> tuple[Host, ...]:
        """Return a role's hosts in estate order; nothing for a role it does not have."""
        return self.roles.get(role, ())

    def host(self, key: str) -> Host:
        """Return the host with that key; raise KeyError if there is none."""
        return self._by_key[key]

    @cached_property
    def _by_key(self) -> dict[str, Host]:
        return {host.key: host for host in self.every_host()}

    def every_host(self) -> Iterator[Host]:
        """Yield all hosts, role by role."""
        for hosts in self.roles.values():
            yield from hosts


def read_estate(path: Path, *, ask: bool = True) -> Estate:
    """Return the estate in a file; raise `Trouble` with all its problems.

    `ask=False` runs no program: roles whose hosts come from a `command` are then empty.
    """
    data = read_file(path)
    estate, problems = examine_estate(read_document(data, safe(str(path))), path, digest(data), ask=ask)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors or estate is None:
        raise Trouble(*errors)
    return estate


def examine_estate(
    document: Document,
    path: Path,
    identity: str,
    *,
    ask: bool = False,
    known: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> tuple[Estate | None, tuple[Problem, ...]]:
    """Return the estate a document describes, and every problem with it.

    `known` are the hosts, by role, that came from elsewhere when a run was opened (`Estate.found`): they are not asked
    for again, and what their file or program says by now does not matter.
    """
    salvaged = validate(document, EstateFile) if document.data or document.whole else nothing()
    look = _Look(document, Finder(path.absolute().parent, ask, known or {}))
    look.problems += [*document.problems, *salvaged.problems]
    file = salvaged.model
    estate = look.estate(file, path, identity) if isinstance(file, EstateFile) else None
    return estate, in_order(dict.fromkeys(look.problems))


class _Look:
    """One look at an estate file's meaning; problems are collected."""

    def __init__(self, document: Document, finder: Finder) -> None:
        self.document = document
        self.finder = finder
        self.problems: list[Problem] = []

    def estate(self, file: EstateFile, path: Path, identity: str) -> Estate:
        roles = {role: self._hosts(role, table, file) for role, table in file.roles.items()}
        self._told_apart(roles)
        for role, table in file.roles.items():
            self._keys(role, table, file)
        known_hosts = self._known_hosts(file)
        return Estate(
            name=file.head.name,
            class_=file.head.class_,
            path=path,
            digest=identity,
            known_hosts=known_hosts,
            ssh_config=self._beside(file, "ssh_config"),
            allowed_signers=self._beside(file, "allowed_signers"),
            roles=roles,
            many=frozenset(role for role, table in file.roles.items() if table.hosts is not None),
            dns=self._dns(file),
            vars=file.vars,
            sim=file.sim,
            simulated=file.simulated,
            found={**self.finder.known, **self.finder.found},
            warnings=tuple(problem for problem in self.problems if problem.severity != "error"),
        )

    def _tell(self, code: str, message: str, hint: str, path: TomlPath, severity: str = "error") -> None:
        where = self.document.positions.where(self.document.name, path)
        self.problems.append(Problem(code, message, hint, where, severity))

    def _take(self, error: Trouble, path: TomlPath) -> None:
        here = self.document.positions.where(self.document.name, path)
        for problem in error.problems:
            inner = "" if problem.where in (None, here) else f"{problem.where}: "
            self.problems.append(Problem(problem.code, inner + problem.message, problem.hint, here, problem.severity))

    def _hosts(self, role: str, table: RoleTable, file: EstateFile) -> tuple[Host, ...]:
        path = ("roles", role)
        if table.hosts is not None and table.host is not None:
            self._tell(
                "role-hosts", f"role `{role}` has `host` and `hosts`", "one host, or many: keep one of them", path
            )
        reachable = table.host or table.hosts is not None or (file.simulated and table.address)
        if not reachable and not (file.simulated and table.sim):
            self._tell("role-hosts", f"role `{role}` has no host", 'write host = "192.0.2.10", or hosts = [...]', path)
        try:
            hosts = hosts_of_role(role, table, self.finder)
        except Trouble as error:
            self._take(error, (*path, "hosts") if table.hosts is not None else path)
            return ()
        return tuple(replace(host, at=self._at(role, table, number)) for number, host in enumerate(hosts))

    def _at(self, role: str, table: RoleTable, number: int) -> Where:
        """Return where a host of a role stands in the file: its own entry, or what names the list it came from."""
        path: TomlPath = ("roles", role, "hosts" if table.hosts is not None else "host" if table.host else "address")
        path = (*path, number) if isinstance(table.hosts, tuple) else path
        return self.document.positions.where(self.document.name, path)

    def _told_apart(self, roles: Mapping[str, tuple[Host, ...]]) -> None:
        """Refuse two hosts with one key: results, jobs and files are told apart by it."""
        seen: dict[str, str] = {}
        for role, hosts in roles.items():
            for host in hosts:
                if host.key in seen or (host.key != role and host.key in roles):
                    other = seen.get(host.key, host.key)
                    message = f"`{safe(host.key, 60)}` in role `{role}` has the name of one in role `{other}`"
                    self._tell("host-twice", message, "give one of them another `name`", ("roles", role, "hosts"))
                seen[host.key] = role

    def _keys(self, role: str, table: RoleTable, file: EstateFile) -> None:
        self._private(("roles", role, "identity"), table.identity)
        if isinstance(table.hosts, tuple):
            for number, entry in enumerate(table.hosts):
                self._private(("roles", role, "hosts", number, "identity"), entry.identity)

    def _private(self, path: TomlPath, written: str | None) -> Path | None:
        found = self._path(path, written)
        if found is not None:
            self._doubt(path, found, private=True)
        return found

    def _path(self, path: TomlPath, written: str | None) -> Path | None:
        if written is None:
            return None
        try:
            return self.finder.path(written)
        except Trouble as error:
            self._take(error, path)
            return None

    def _doubt(self, path: TomlPath, file: Path, *, private: bool) -> None:
        problem = check_file(file, private=private)
        if problem is None:
            return
        severity = "warning" if problem.code == "file-missing" else "error"
        self._tell(problem.code, f"{safe(str(file), 120)}: {problem.message}", problem.hint, path, severity)

    def _known_hosts(self, file: EstateFile) -> Path | None:
        written = file.head.known_hosts
        if written is None and not file.simulated:
            hint = 'write known_hosts = "known_hosts", and let `handrail trust` fill it'
            self._tell("known-hosts", "`estate` names no known_hosts: no host could be trusted", hint, ("estate",))
        found = self._path(("estate", "known_hosts"), written)
        if found is not None and found.exists():
            self._doubt(("estate", "known_hosts"), found, private=False)
        return found

    def _beside(self, file: EstateFile, key: Literal["ssh_config", "allowed_signers"]) -> Path | None:
        """Return a file that the estate may name, which only its owner may write."""
        path: TomlPath = ("estate", key)
        found = self._path(path, getattr(file.head, key))
        if found is not None:
            self._doubt(path, found, private=False)
        return found

    def _dns(self, file: EstateFile) -> Dns | None:
        table = file.dns
        if table is None:
            return None
        path = ("dns",)
        if not table.servers and table.provider != "command":
            self._tell("dns-servers", "`dns.servers` is empty", "name every authoritative server", path)
        if table.provider == "rfc2136" and table.key_file is None:
            self._tell("dns-key", "`rfc2136` needs a `key_file`", 'key_file = "dr-switch.key"', path)
        if table.provider == "command" and not (table.read and table.change):
            self._tell(
                "dns-command", "`command` needs `read` and `change`", "each is a list: program and arguments", path
            )
        template = file.simulated
        key = self._path((*path, "key_file"), table.key_file)
        if key is not None and not template:
            self._doubt((*path, "key_file"), key, private=True)
        return Dns(
            provider=table.provider,
            zone=table.zone,
            servers=table.servers,
            port=table.port,
            key_file=key,
            resolvers=table.resolvers,
            read=table.read or (),
            change=table.change or (),
            timeout=table.timeout,
        )
