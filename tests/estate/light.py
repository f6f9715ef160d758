"""Puppet on the real estate as the simulated estate's stand-ins play it: everything else about the hosts is real."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.estate.estate import TEMPLATE, Estate

from handrail_sim import laying
from handrail_sim.inside.wire import Entry
from handrail_sim.plan import EstatePlan, HostPlan

_REAL_HERE = (
    "usr/local/bin/getent",
    "usr/local/sbin/rndc",
    "usr/local/sbin/zone-set",
    "usr/local/sbin/puppet-ssl-sync",
    "usr/local/bin/ssh",
    "usr/local/sbin/sshd",
)
_REAL_UNITS = ("named.service", "ssl-export.service")


def facts(plan: EstatePlan) -> EstatePlan:
    """Return the plan as it is: the stand-ins have the template's folders."""
    return plan


def entries(made: Estate, prepared: Path, host: HostPlan) -> list[Entry]:
    """Return the simulated estate's files for a host, without those whose real thing is here."""
    folders = [TEMPLATE.parent / name for name in (host.files or ("system",))]
    found = [e for folder in folders for e in laying.tree(folder)]
    if host.role:
        found += laying.tree(prepared / host.name)
    kept = [e for e in found if e[0] not in _REAL_HERE and not e[0].endswith(_REAL_UNITS)]
    return laying.with_tokens(kept, laying.tokens(made.plan, made.placed, host, sys.executable))


def begin(made: Estate) -> None:
    """Start the servers, then the agents."""
    for role in ("primary", "dr"):
        made.role(role).sh("systemctl default; systemctl is-active puppetserver")
    for host in made.plan.hosts:
        if host.role == "clients":
            made[host.name].sh("systemctl default")
