"""doctor, the part about an estate: hosts, host keys, sudo, what of an ssh_config has no effect, names and their key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from handrail.base.clock import SystemClock
from handrail.base.problems import Trouble
from handrail.base.safe import safe
from handrail.cli.asked_here import asker
from handrail.runbook.estate import Estate, read_estate
from handrail.runbook.hosts import Host
from handrail.session.core import target_of, zone_of
from handrail.ssh.contact import ignored_options, way_to
from handrail.ssh.job import prove_sudo
from handrail.ssh.links import Links

Line = tuple[bool, str]
_PROVEN: Final = {
    "rfc2136": "the DNS key is accepted (nothing was changed)",
    "command": "the program reads the record; whether it may change it shows only when it does",
    "manual": "a person changes the record: make sure in daylight that whoever is on call can log in there",
}
_UNPROVEN: Final = "whether the record may be changed cannot be tried"


async def examine(path: Path) -> list[Line]:
    """Return what stands between a person and a run on an estate, a line each with whether it is well."""
    estate = read_estate(path)
    found = [(False, str(warning)) for warning in estate.warnings]
    found += _config(estate)
    links = Links(ask=asker())
    try:
        found += await asyncio.gather(*(_host(links, estate, host) for host in estate.every_host()))
    finally:
        await links.close()
    return [*found, *await _names(estate)]


def _config(estate: Estate) -> Iterator[Line]:
    if estate.ssh_config is None:
        return
    for option in ignored_options(estate.ssh_config):
        yield True, option


async def _host(links: Links, estate: Estate, host: Host) -> Line:
    target = target_of(estate, host)
    try:
        way = "".join(f" through {safe(hop.name)}" for hop in way_to(target))
        seconds = await links.round_trip(target)
        await prove_sudo(links, target)
    except Trouble as err:
        problem = err.problems[0]
        return False, f"{host.name}: {problem.message}" + (f" ({problem.hint})" if problem.hint else "")
    sudo = ", sudo lets you in" if target.become else ""
    return True, f"{host.name} answers with its pinned key{way}, {seconds * 1000:.0f} ms{sudo}"


async def _names(estate: Estate) -> list[Line]:
    """Return how the name stands, and what is known of the right to change it."""
    if not estate.dns:
        return []
    name = estate.vars.get("fqdn", estate.dns.zone)
    try:
        _, provider = zone_of(estate, SystemClock())
        survey = await provider.survey(name)
        stands = (survey.agreed, f"{name}: " + ("; ".join(survey.differences) or ", ".join(survey.value)))
    except Trouble as err:
        return [(False, str(err.problems[0]))]
    try:
        problem = await provider.prove(name, survey.value) if survey.value else None
    except Trouble as err:
        problem = err.problems[0]
    return [stands, (problem is None, str(problem) if problem else _PROVEN.get(provider.kind, _UNPROVEN))]
