"""Reads a template: an ordinary estate file with `sim` tables, as a plan. It starts nothing and writes nothing."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import tomli

from handrail.base.durations import parse_duration
from handrail.base.ids import is_slug
from handrail.base.problems import Trouble, Where, trouble
from handrail_sim.plan import DnsPlan, DoorPlan, EstatePlan, HostPlan

_SIM_ROLE_KEYS: Final = frozenset({"files", "start", "ready", "doors", "count", "looks"})
_SIM_HOST_KEYS: Final = _SIM_ROLE_KEYS | {"name", "site", "address", "vars"}
_SIM_KEYS: Final = frozenset(
    {"prepare", "host", "console", "rtt", "path", "size", "ready_within", "preload", "shortens"}
)
_ENTRY_KEYS: Final = frozenset({"name", "site", "address", "vars"})
_MOST_HOSTS: Final = 250


def read_template(file: Path, clients: int | None = None) -> EstatePlan:
    """Return the plan of a template file; raise `Trouble` with what is wrong in it."""
    where = Where(str(file))
    try:
        raw = tomli.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as e:
        raise trouble("sim-template", f"the template cannot be read: {e}", where=where) from e
    try:
        return _plan(raw, clients)
    except Trouble as e:
        raise Trouble(*(type(p)(p.code, p.message, p.hint, where) for p in e.problems)) from e


def _plan(raw: dict[str, Any], clients: int | None) -> EstatePlan:
    sim = _table(raw, "sim")
    _known(sim, _SIM_KEYS, "[sim]")
    hosts = [_sim_host(h) for h in sim.get("host", [])]
    roles: dict[str, dict[str, Any]] = {}
    counted = any("count" in _table(table, "sim") for table in _table(raw, "roles").values())
    for role, table in _table(raw, "roles").items():
        roles[role] = {k: v for k, v in table.items() if k not in ("sim", "name", "hosts")}
        grows = "count" in _table(table, "sim") or not counted  # a role without a count is as large as it is listed
        hosts += _role_hosts(role, table, clients if grows else None)
    _unique(hosts)
    estate = _table(raw, "estate")
    return EstatePlan(
        name=str(estate.get("name", "simulated")),
        hosts=tuple(hosts),
        dns=_dns(_table(raw, "dns"), hosts),
        prepare=str(sim.get("prepare", "")),
        console=str(sim.get("console", "")),
        rtt=parse_duration(str(sim.get("rtt", "0s"))),
        ready_within=parse_duration(str(sim.get("ready_within", "10s"))),
        path=_texts(sim.get("path", ())),
        preload=_texts(sim.get("preload", ())),
        size=str(sim.get("size", "256m")),
        estate=estate,
        roles=roles,
        vars=_table(raw, "vars"),
    )


@dataclass(frozen=True)
class _Sim:
    """A role's `sim` table, which all its hosts share."""

    files: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    ready: tuple[int, ...] = ()
    doors: tuple[DoorPlan, ...] = ()
    looks: tuple[tuple[str, str], ...] = ()
    vars: dict[str, Any] = field(default_factory=dict)


def _shared(table: dict[str, Any], values: dict[str, Any]) -> _Sim:
    doors = tuple(_door(text) for text in table.get("doors", ()))
    ready = [_door(text) for text in table.get("ready", ())]
    if any(r.kind != "tcp" for r in ready):
        raise trouble("sim-template", "`ready` takes tcp ports only: a udp port cannot be asked")
    files = table.get("files", ())
    return _Sim(
        files=(files,) if isinstance(files, str) else _texts(files),
        start=_texts(table.get("start", ())),
        ready=tuple(r.inside for r in ready),
        doors=doors,
        looks=tuple((str(what), str(command)) for what, command in _table(table, "looks").items()),
        vars=dict(values),
    )


def _sim_host(table: dict[str, Any]) -> HostPlan:
    _known(table, _SIM_HOST_KEYS, "[[sim.host]]")
    return _host(table, "", "root", _shared(table, table.get("vars", {})))


def _role_hosts(role: str, table: dict[str, Any], clients: int | None) -> list[HostPlan]:
    sim = _table(table, "sim")
    _known(sim, _SIM_ROLE_KEYS, f"[roles.{role}.sim]")
    shared = _shared(sim, table.get("vars", {}))
    user = str(table.get("user", "root"))
    if "hosts" not in table:
        return [_host(table, role, user, shared, strict=False)]
    entries = [dict(e) if isinstance(e, dict) else {"name": e} for e in table["hosts"]]
    wanted = clients if clients is not None else int(sim.get("count", len(entries)))
    entries = _more(entries[:wanted] if wanted >= 1 else entries[:1], wanted)
    return [_host(e, role, user, shared) for e in entries]


def _more(entries: list[dict[str, Any]], wanted: int) -> list[dict[str, Any]]:
    """Return the entries and as many more as are wanted, in the sites of the given ones by turns."""
    if not entries or wanted > _MOST_HOSTS:
        raise trouble("sim-template", f"a role with {wanted} hosts", f"list at least one; {_MOST_HOSTS} is the most")
    sites = sorted({str(e.get("site", "a")) for e in entries} | {"a", "b"})
    taken = {str(e.get("name")) for e in entries} | {str(e.get("address")) for e in entries}
    number = 0
    while len(entries) < wanted:
        number += 1
        name = f"node{number:02}"
        address = f"10.77.{100 + number // 200}.{10 + number % 200}"
        if name not in taken and address not in taken:
            entries.append({"name": name, "site": sites[number % len(sites)], "address": address})
    return entries


def _host(table: dict[str, Any], role: str, user: str, sim: _Sim, *, strict: bool = True) -> HostPlan:
    if strict:
        _known(table, _ENTRY_KEYS | _SIM_ROLE_KEYS, f"a host of {role or '[sim]'}")
    name = str(table.get("name", role))
    if not is_slug(name):
        raise trouble("sim-template", f"{name!r} is not a host name", "lower-case letters, digits, inner hyphens")
    address = str(table.get("address", ""))
    try:
        inside = ipaddress.ip_address(address) in ipaddress.ip_network("10.77.0.0/16")
    except ValueError:
        inside = False
    if not inside:
        raise trouble("sim-template", f"{name} has no address in 10.77.0.0/16: {address!r}")
    return HostPlan(
        name=name, site=str(table.get("site", "a")), address=address, role=role, user=user,
        files=sim.files, start=sim.start, ready=sim.ready, doors=sim.doors, looks=sim.looks,
        vars={**sim.vars, **(table.get("vars", {}) if strict else {})},
    )  # fmt: skip


def _dns(table: dict[str, Any], hosts: list[HostPlan]) -> DnsPlan:
    names = {h.name for h in hosts}
    servers, resolvers = _texts(table.get("servers", ())), _texts(table.get("resolvers", ()))
    missing = [n for n in (*servers, *resolvers) if n not in names]
    if missing:
        raise trouble("sim-template", f"[dns] names no simulated host: {', '.join(missing)}")
    rest = {k: v for k, v in table.items() if k not in ("servers", "resolvers", "port")}
    return DnsPlan(servers, resolvers, rest)


def _door(text: str) -> DoorPlan:
    """Return the door of "tcp:8140"."""
    kind, _, port = text.partition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise trouble("sim-template", f"{text!r} is not a port", 'write it as "tcp:8140" or "udp:53"')
    if kind == "tcp":
        return DoorPlan("tcp", int(port))
    if kind == "udp":
        return DoorPlan("udp", int(port))
    raise trouble("sim-template", f"{text!r} is neither tcp nor udp")


def _unique(hosts: list[HostPlan]) -> None:
    for what, values in (("name", [h.name for h in hosts]), ("address", [h.address for h in hosts])):
        twice = sorted({v for v in values if values.count(v) > 1})
        if twice:
            raise trouble("sim-template", f"two hosts have the {what} {', '.join(twice)}")
    if not hosts:
        raise trouble("sim-template", "the template has no host")


def _table(raw: dict[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        raise trouble("sim-template", f"`{key}` must be a table")
    return value


def _texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - whatever the TOML holds
    if not isinstance(value, (list, tuple)) or not all(isinstance(v, str) for v in value):
        raise trouble("sim-template", f"a list of texts was expected, not {value!r}")
    return tuple(value)


def _known(table: dict[str, Any], keys: frozenset[str], where: str) -> None:
    unknown = sorted(set(table) - keys)
    if unknown:
        raise trouble(
            "sim-template", f"{where} has unknown keys: {', '.join(unknown)}", f"known: {', '.join(sorted(keys))}"
        )
