"""The layout of Puppet 4 to 6 on the real estate: the CA inside ssl/. The DR server is as its packages left it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.estate import light
from tests.estate.estate import Estate

from handrail_sim.inside.wire import Entry
from handrail_sim.plan import EstatePlan, HostPlan

SSL, BESIDE = "/etc/puppetlabs/puppet/ssl", "/etc/puppetlabs/puppetserver/ca"
CA = f"{SSL}/ca"
SERVERS = ("primary", "dr")


def facts(plan: EstatePlan) -> EstatePlan:
    """Return the plan with that folder, and with a DR server that nobody has set up."""
    return replace(plan, hosts=tuple(_placed(h) if h.role in SERVERS else h for h in plan.hosts))


def _placed(host: HostPlan) -> HostPlan:
    if host.role == "primary":
        return replace(host, vars=host.vars | {"ca_dir": CA})
    files = ("system", "puppet", "server", "../puppet-setup-dr/new")
    return replace(host, vars=host.vars | {"ca_dir": CA, "state": "new"}, files=files)


def entries(made: Estate, prepared: Path, host: HostPlan) -> list[Entry]:
    """Return the stand-ins' files with the CA moved, and with a puppet.conf that says where it is."""
    laid = light.entries(made, prepared, host)
    whole: list[Entry] = [(f"/{path.lstrip('/')}", kind, mode, data) for path, kind, mode, data in laid]
    return [_moved(e) for e in whole if e[0] != CA and not _copys_own(e[0])]


def _copys_own(path: str) -> bool:
    """Tell whether a file is what setting up lays: the estate's own copy is not wanted here."""
    return "puppet-ssl-sync" in path


def _moved(entry: Entry) -> Entry:
    path, kind, mode, data = entry
    if path.endswith("/puppet.conf"):
        data = data.replace(b"[main]\n", f"[main]\ncadir = {CA}\n".encode(), 1)
    if path == BESIDE or path.startswith(f"{BESIDE}/"):
        path = CA + path.removeprefix(BESIDE)
    return (path, kind, mode, data)


def begin(made: Estate) -> None:
    """Start the primary and the agents; the DR server has never been started, and has nothing of the copy's."""
    made.role("primary").sh("systemctl default; systemctl is-active puppetserver")
    made.role("dr").sh("rm -f /usr/local/sbin/puppet-ssl-sync; systemctl is-active puppetserver || true")
    for host in made.plan.hosts:
        if host.role == "clients":
            made[host.name].sh("systemctl default")
