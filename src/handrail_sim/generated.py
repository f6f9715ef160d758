"""The estate file that the console reads, and its known_hosts: made from the plan and from where the estate was placed.

Pure: it returns texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import tomli_w

from handrail_sim.plan import WORK_DIR, EstatePlan, HostPlan, Placed

IDENTITY: Final = "id_ed25519"
KNOWN_HOSTS: Final = "known_hosts"


def estate_file(plan: EstatePlan, placed: Placed) -> str:
    """Return a plain estate file (TOML), without `sim` tables."""
    roles = {role: _role(role, table, plan, placed) for role, table in plan.roles.items()}
    made: dict[str, Any] = {
        "format": 1,
        "estate": {"name": plan.name, "class": "staging", **plan.estate, "known_hosts": KNOWN_HOSTS},
        "roles": roles,
    }
    if plan.dns.table:
        made["dns"] = _dns(plan, placed)
    if plan.vars:
        made["vars"] = {key: _listed(value, plan) for key, value in plan.vars.items()}
    return tomli_w.dumps(made)


def _listed(value: Any, plan: EstatePlan) -> Any:  # noqa: ANN401 - whatever the TOML holds
    """Return a variable with `@clients.fqdns@` told: the full names of a role's hosts, as many as there are."""
    if not isinstance(value, str):
        return value
    for role in plan.roles:
        names = " ".join(f"{h.name}.{plan.dns.table.get('zone', 'invalid')}" for h in plan.hosts if h.role == role)
        value = value.replace(f"@{role}.fqdns@", names)
    return value


def _role(role: str, table: dict[str, Any], plan: EstatePlan, placed: Placed) -> dict[str, Any]:
    hosts = [h for h in plan.hosts if h.role == role]
    rest = {k: v for k, v in table.items() if k not in ("site", "address", "vars", "identity")}
    many = len(hosts) != 1 or "address" not in table
    shared = {**rest, "user": hosts[0].user if hosts else "root", "identity": IDENTITY}
    if not many:
        return {**shared, **_host(hosts[0], placed)}
    return {**shared, "hosts": [_host(h, placed) for h in hosts]}


def _host(host: HostPlan, placed: Placed) -> dict[str, Any]:
    root = placed.root(host)
    entry: dict[str, Any] = {
        "name": host.name,
        "host": placed.outside[host.name],
        "port": placed.ssh_port,
        "host_key_alias": host.name,
        "site": host.site,
        "address": placed.address(host),
        "work_dir": f"{root}{WORK_DIR}",
    }
    if host.vars:
        entry["vars"] = rooted(host.vars, root)
    return entry


def rooted(values: Mapping[str, Any], root: str) -> dict[str, Any]:
    """Return a host's facts with its root before every absolute path."""
    return {k: f"{root}{v}" if isinstance(v, str) and v.startswith("/") else v for k, v in values.items()}


def _dns(plan: EstatePlan, placed: Placed) -> dict[str, Any]:
    table = {
        **plan.dns.table,
        "servers": [f"{name}={placed.outside[name]}" for name in plan.dns.servers],
        "port": placed.dns_port,
    }
    if plan.dns.resolvers:
        table["resolvers"] = [f"{name}={placed.outside[name]}" for name in plan.dns.resolvers]
    return table


def known_hosts(placed: Placed, keys: Mapping[str, str]) -> str:
    """Return known_hosts lines: each host by its alias and by its door, with its public key line."""
    return "".join(f"{name},[{placed.outside[name]}]:{placed.ssh_port} {key}\n" for name, key in keys.items())
