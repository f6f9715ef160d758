"""The three layouts that Puppet has had, on the real estate, with a DR server that is as its packages left it.

The stand-ins know Puppet 7's folders: here their files, and what those say, are moved to the folders of another layout.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tests.estate import light
from tests.estate.estate import Estate

from handrail_sim.inside.wire import Entry
from handrail_sim.plan import EstatePlan, HostPlan

SERVERS = ("primary", "dr")
_SSL, _CA = "/etc/puppetlabs/puppet/ssl", "/etc/puppetlabs/puppetserver/ca"
_NEW = ("system", "puppet", "server", "../puppet-setup-dr/new")


@dataclass(frozen=True)
class Layout:
    """Where a layout keeps certificates and CA, and which other folders it has instead of Puppet 7's, longest first."""

    ssl: str = _SSL
    ca: str = _CA
    others: tuple[tuple[str, str], ...] = ()

    @property
    def trees(self) -> tuple[str, ...]:
        """Return the folders that are copied: one where the CA lies inside ssl/."""
        return (self.ssl,) if self.ca.startswith(f"{self.ssl}/") else (self.ssl, self.ca)

    def facts(self, plan: EstatePlan) -> EstatePlan:
        """Return the plan with these folders, and with a DR server that nobody has set up."""
        return replace(plan, hosts=tuple(self._placed(host) for host in plan.hosts))

    def _placed(self, host: HostPlan) -> HostPlan:
        told = {key: self._said(value) if isinstance(value, str) else value for key, value in host.vars.items()}
        if host.role != "dr":
            return replace(host, vars=told)
        return replace(host, vars=told | {"state": "new"}, files=_NEW)

    def entries(self, made: Estate, prepared: Path, host: HostPlan) -> list[Entry]:
        """Return the stand-ins' files in these folders, without what setting up lays."""
        laid = [
            (f"/{path.lstrip('/')}", kind, mode, data) for path, kind, mode, data in light.entries(made, prepared, host)
        ]
        inside = self.ca.startswith(f"{self.ssl}/")
        kept = [e for e in laid if "puppet-ssl-sync" not in e[0] and not (inside and e[0] == f"{_SSL}/ca")]
        return [(self._said(path), kind, mode, self._moved(kind, data)) for path, kind, mode, data in kept]

    def _moved(self, kind: str, data: bytes) -> bytes:
        if kind == "l" and data.endswith(b"puppetserver/ca"):
            return self.ca.encode()
        for old, new in self._moves():
            data = data.replace(old.encode(), new.encode())
        return data

    def _said(self, text: str) -> str:
        for old, new in self._moves():
            text = text.replace(old, new)
        return text

    def _moves(self) -> tuple[tuple[str, str], ...]:
        return ((_CA, self.ca), *(((_SSL, self.ssl),) if self.ssl != _SSL else ()), *self.others)

    def begin(self, made: Estate) -> None:
        """Start the primary and the agents; the DR server has never been started, and has nothing of the copy's."""
        made.role("primary").sh("systemctl default; systemctl is-active puppetserver")
        made.role("dr").sh("rm -f /usr/local/sbin/puppet-ssl-sync; systemctl is-active puppetserver || true")
        for host in made.plan.hosts:
            if host.role == "clients":
                made[host.name].sh("systemctl default")


INSIDE = Layout(ca=f"{_SSL}/ca")  # Puppet 4 to 6
BESIDE = Layout()  # Puppet 7 and later, OpenVox
DEBIAN = Layout(
    "/var/lib/puppet/ssl",
    "/etc/puppet/puppetserver/ca",
    (
        ("/var/log/puppetlabs", "/var/log"),
        ("/opt/puppetlabs/puppet/cache", "/var/cache/puppet"),
        ("/opt/puppetlabs/puppet/public", "/var/cache/puppet/public"),
        ("/etc/puppetlabs/puppetserver", "/etc/puppet/puppetserver"),
        ("/etc/puppetlabs/puppet", "/etc/puppet"),
        ("/etc/puppetlabs/code", "/etc/puppet/code"),
    ),
)
