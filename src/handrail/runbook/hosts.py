"""Hosts of an estate: one role's table to frozen hosts, from lists, files, programs and Ansible's inventories."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, Where, trouble
from handrail.base.program import TooLong, TooMuch, printed
from handrail.base.safe import safe
from handrail.runbook.estate_model import HostsFrom, HostTable, RoleTable, split_port
from handrail.runbook.files import INVENTORY, read_file

PATIENCE: Final = 20.0  # seconds for a program that prints hosts
MOST: Final = 5000  # hosts of one role
_FROM: Final = 'one of: { file = "hosts.txt" }, { command = ["./list-hosts"] }, { ansible = "inventory.json" }'


@dataclass(frozen=True)
class Host:
    """One machine in one role, and how it is reached."""

    key: str  # unique in the estate: the role's name for a role of one, else the host's name
    role: str
    name: str
    host: str  # what is connected to
    port: int | None = None  # None: ssh_config's, else 22
    user: str | None = None
    identity: Path | None = None
    host_key_alias: str | None = None
    become: str | None = None
    become_group: str = ""  # whose sudo password is the same
    site: str = ""
    address: str = ""  # what a name should answer when this host serves
    vars: Mapping[str, str] = field(default_factory=dict, hash=False)
    work_dir: str = "/var/tmp/handrail"  # noqa: S108
    at: Where | None = field(default=None, compare=False)  # where the estate file says how it is reached

    def facts(self) -> dict[str, str]:
        """Return what `{{ here.x }}` can say of this host without asking it: its own words, under the estate's vars."""
        port = str(self.port or 22)
        own = {"host": self.name, "name": self.name, "role": self.role, "site": self.site, "address": self.address}
        return {**own, "port": port, "user": self.user or "", **self.vars}


@dataclass(frozen=True)
class Finder:
    """What is needed to find a role's hosts: the estate's folder, whether programs may be run for it, what is known.

    `known` holds, by role, the hosts that a run was opened with; `found` collects those that were found elsewhere now.
    """

    folder: Path
    ask: bool = True
    known: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    found: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def path(self, written: str) -> Path:
        """Return where a file that the estate names stands; raise `Trouble` if it leads out of the estate's folder."""
        if written.startswith("~"):
            return Path(written).expanduser()
        if ".." in Path(written).parts:
            hint = "put the file beside the estate file, or write the whole path"
            raise trouble("path-leaves", f"`{safe(written, 80)}` leads out of the estate's folder", hint)
        return self.folder / written


def hosts_of_role(role: str, table: RoleTable, finder: Finder) -> tuple[Host, ...]:
    """Return a role's hosts in estate order; raise `Trouble` for what cannot be had."""
    if table.hosts is None:
        return (_only_host(role, table, finder),)
    entries = table.hosts if isinstance(table.hosts, tuple) else _from_elsewhere(role, table.hosts, finder)
    return tuple(_one_of_many(role, table, entry, finder) for entry in entries)


def _only_host(role: str, table: RoleTable, finder: Finder) -> Host:
    host = table.host or table.address or role
    return _host(role, table.name or table.host_key_alias or host, host, HostTable(name="x"), table, finder, key=role)


def _one_of_many(role: str, table: RoleTable, entry: HostTable, finder: Finder) -> Host:
    host = entry.host or entry.address if table.sim else entry.host
    return _host(role, entry.name, host or entry.name, entry, table, finder, key=entry.name)


def _host(role: str, name: str, host: str, entry: HostTable, table: RoleTable, finder: Finder, key: str) -> Host:
    """Return a host: what its own entry says, else what its role says."""
    identity = entry.identity or table.identity
    said = entry.model_fields_set
    many = key != role
    return Host(
        key=key,
        role=role,
        name=name,
        host=host,
        port=entry.port or table.port,
        user=entry.user or table.user,
        identity=finder.folder / Path(identity).expanduser() if identity else None,
        host_key_alias=entry.host_key_alias if many else table.host_key_alias,
        become=entry.become or table.become,
        become_group=entry.become_group or table.become_group or "",
        site=entry.site or table.site or "",
        address=(entry.address if many else table.address) or host,
        vars={**table.vars, **entry.vars},
        work_dir=entry.work_dir if "work_dir" in said else table.work_dir,
    )


def _from_elsewhere(role: str, source: HostsFrom, finder: Finder) -> tuple[HostTable, ...]:
    """Return the hosts that a file, a program or an inventory names; those a run was opened with are never asked again."""
    if role in finder.known:
        return tuple(HostTable.model_validate(entry) for entry in finder.known[role])
    named = [word for word in (source.file, source.ansible, source.command) if word is not None]
    if len(named) != 1:
        raise trouble("hosts-from", f"role `{role}` takes its hosts from {len(named)} places", _FROM)
    if source.command is not None and not finder.ask:
        return ()
    found = _read(role, source, finder)
    if not found:
        raise trouble("hosts-none", f"role `{role}`: no host stands there", "is it the right file, program or group?")
    if len(found) > MOST:
        raise trouble("hosts-many", f"role `{role}`: {len(found)} hosts, more than {MOST}", "name a smaller group")
    finder.found[role] = [entry.model_dump(mode="json", exclude_unset=True) for entry in found]
    return found


def _read(role: str, source: HostsFrom, finder: Finder) -> tuple[HostTable, ...]:
    group, or_all = source.group or role, source.group is None
    if source.file is not None:
        path = finder.path(source.file)
        return _from_lines(read_file(path, INVENTORY), safe(str(path)))
    if source.ansible is not None:
        path = finder.path(source.ansible)
        return _from_ansible(read_file(path, INVENTORY), group, or_all, safe(str(path)))
    assert source.command is not None
    data, name = _output(source.command, finder.folder), safe(source.command[0], 40)
    if data.lstrip().startswith(b"{"):  # what ansible-inventory --list, or an inventory script, prints
        return _from_ansible(data, group, or_all, name)
    return _from_lines(data, name)


def _output(argv: tuple[str, ...], folder: Path) -> bytes:
    """Return what a program prints; raise `Trouble` if it fails, is silent too long, or prints without end."""
    shown = safe(" ".join(argv), 80)
    try:
        done = printed(argv, folder=folder, seconds=PATIENCE, most=INVENTORY)
    except TooLong:
        raise trouble("hosts-command", f"`{shown}` did not end within {PATIENCE:.0f} s", "run it by hand") from None
    except TooMuch:
        most = f"{INVENTORY >> 20} MiB"
        raise trouble("hosts-command", f"`{shown}` prints more than {most}", "it is to print one host a line") from None
    except (OSError, ValueError) as error:
        raise trouble("hosts-command", f"`{shown}` cannot be run: {safe(str(error), 80)}", "check its path") from None
    if done.status != 0:
        last = safe(done.stderr.strip().rsplit(b"\n", 1)[-1], 120)
        raise trouble("hosts-command", f"`{shown}` ended with {done.status}: {last}", "run it by hand")
    return done.stdout


def _from_lines(data: bytes, name: str) -> tuple[HostTable, ...]:
    """Return the hosts of a text with one host a line; `#` begins a comment."""
    found: list[HostTable] = []
    problems: list[Problem] = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        word = line.partition("#")[0].strip()
        if not word:
            continue
        try:
            found.append(_entry(word))
        except (ValidationError, PydanticCustomError):
            message = f'"{safe(word, 60)}" is not a host'
            problems.append(
                Problem("host-name", message, 'one a line: "web01" or "web02:2222"', Where(name, number, 1))
            )
    if problems:
        raise Trouble(*problems[:20])
    return tuple(found)


def _entry(word: str) -> HostTable:
    host, port = split_port(word)
    return HostTable.model_validate({"name": host} if port is None else {"name": host, "port": port})


def _from_ansible(data: bytes, group: str, or_all: bool, name: str) -> tuple[HostTable, ...]:
    """Return the hosts of one group of what `ansible-inventory --list` prints (its JSON, with _meta.hostvars)."""
    try:
        inventory: Any = json.loads(data)
        names = _members(inventory, group if group in inventory or not or_all else "all")
        hostvars = inventory.get("_meta", {}).get("hostvars", {})
        return tuple(_ansible_host(host, hostvars.get(host, {})) for host in names)
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as error:
        hint = "write it with: ansible-inventory --list > inventory.json"
        raise trouble("ansible", f"no hosts can be read from it: {safe(str(error), 120)}", hint, Where(name)) from None


def _members(inventory: Mapping[str, Any], group: str) -> list[str]:
    """Return a group's hosts and its children's, each once, in order."""
    if group not in inventory:
        raise KeyError(f"no group {group}")
    seen: dict[str, None] = {}
    done: set[str] = set()
    todo = [group]
    while todo:
        name = todo.pop(0)
        if name in done:
            continue
        done.add(name)
        entry = inventory.get(name, {})
        seen.update(dict.fromkeys(str(host) for host in entry.get("hosts", ())))
        todo += [str(child) for child in entry.get("children", ())]
    return list(seen)


_ANSIBLE: Final = {  # ours: theirs, the newer name first
    "host": ("ansible_host", "ansible_ssh_host"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "user": ("ansible_user", "ansible_ssh_user"),
    "identity": ("ansible_ssh_private_key_file", "ansible_private_key_file"),
}


def _ansible_host(name: str, said: Mapping[str, Any]) -> HostTable:
    table: dict[str, Any] = {"name": name}
    for ours, theirs in _ANSIBLE.items():
        value = next((said[key] for key in theirs if said.get(key) not in (None, "")), None)
        if value is not None:
            table[ours] = int(value) if ours == "port" else str(value)
    return HostTable.model_validate(table)
