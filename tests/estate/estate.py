"""The real estate: the hosts of the simulated Puppet estate with OpenSSH, BIND or Knot, rsync and sudo in place of ours.

`systemctl` is the simulated estate's own: systemd needs a machine to itself, and runbooks know it by that command only.
"""

from __future__ import annotations

import asyncio
import difflib
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import tomli
import tomli_w
from tests.estate import texts
from tests.estate.machines import Hub, Machine
from tests.estate.nameservers import NameFiles

from handrail_sim import generated
from handrail_sim.inside.wire import Entry
from handrail_sim.plan import EstatePlan, HostPlan, Placed
from handrail_sim.prepare import Preparing
from handrail_sim.template import read_template

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
TEMPLATE = RUNBOOKS / "sim" / "puppet" / "estate.toml"
DESK = HostPlan("desk", "c", "10.77.3.5")  # where the console stands
OPERATOR = "ops"
WITHIN = 15.0  # seconds for a service to answer
# Puppet's server makes infra_serials anew from infra_inventory.txt whenever it looks at that: it is nobody's change.
TREE = r"""
cd "$1" && find . ! -name infra_serials \( -type l -printf 'l %p -> %l\n' -o -printf '%y %m %u:%g %p\n' \) | LC_ALL=C sort &&
find . -type f ! -name infra_serials -exec sha256sum {} + | LC_ALL=C sort -k2
"""


@dataclass
class Estate:
    """Hosts that are up, and the folder with what an operator is given: estate file, keys, known_hosts."""

    folder: Path
    plan: EstatePlan
    hub: Hub
    machines: dict[str, Machine] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    @property
    def placed(self) -> Placed:
        """Return where the hosts are: at their own addresses."""
        return Placed("namespaces", {h.name: h.address for h in self.plan.hosts}, ssh_port=22, dns_port=53)

    @property
    def desk(self) -> Machine:
        """Return the host that consoles run at."""
        return self.machines[DESK.name]

    @property
    def file(self) -> Path:
        """Return the estate file."""
        return self.folder / "estate.toml"

    @property
    def fqdn(self) -> str:
        """Return the name that is switched."""
        return str(self.plan.vars["fqdn"])

    @property
    def zone(self) -> str:
        """Return the zone of that name."""
        return str(self.plan.dns.table["zone"])

    def role(self, name: str) -> Machine:
        """Return the first host of a role."""
        return self.machines[next(h.name for h in self.plan.hosts if h.role == name)]

    def fact(self, role: str, name: str) -> str:
        """Return a fact of a role."""
        return str(next(h.vars[name] for h in self.plan.hosts if h.role == role))

    def answers(self) -> dict[str, str]:
        """Return what each name server says about the name, with its TTL."""
        ask = (
            "dig +time=2 +tries=2 +noall +answer @{at} {name} A; dig +time=2 +tries=2 +noall +answer @{at} {name} AAAA"
        )
        return {
            name: " ".join(self.desk.sh(ask.format(at=self[name].address, name=self.fqdn)).split())
            for name in self.plan.dns.servers
        }

    def looks(self) -> dict[str, str]:
        """Return everything that a failover changes and its undo puts back, as text by name."""
        seen = {f"{name} says": text for name, text in self.answers().items()}
        for role in ("primary", "dr"):
            machine = self.role(role)
            for fact in ("ssl_dir", "ca_dir"):
                folder = self.fact(role, fact)
                seen[f"{role} {fact}"] = machine.sh(f"set -- {folder}\n{TREE}")
                seen[f"{role} beside {fact}"] = machine.sh(f"ls -lA --time-style=+ $(dirname {folder}) | sed 1d")
            seen[f"{role} etc"] = machine.sh(f"ls -A /etc; cat {self.fact(role, 'puppet_conf')}")
            seen[f"{role} boot"] = machine.sh("cd /etc/systemd/system && find . -printf '%p %l\\n' | sort")
            for unit in ("puppetserver", "puppet-ssl-sync.timer", "puppet-ssl-sync.service", "ssh"):
                seen[f"{role} {unit}"] = machine.said(f"systemctl is-enabled {unit}; systemctl is-active {unit}")
        return seen

    def close(self) -> None:
        """End everything; nothing stays."""
        for machine in self.machines.values():
            machine.power_off()
        self.hub.close()


class Puppet(Protocol):
    """How Puppet is on the hosts: see light.py."""

    def facts(self, plan: EstatePlan) -> EstatePlan:
        """Return the plan with the folders and files that it has."""

    def entries(self, made: Estate, prepared: Path, host: HostPlan) -> list[Entry]:
        """Return the files of a host."""

    def begin(self, made: Estate) -> None:
        """Start it once the names and SSH answer."""


def bring_up(folder: Path, clients: Sequence[str], names: NameFiles, puppet: Puppet) -> Estate:
    """Bring an estate up; `folder` gets what an operator is given."""
    plan = puppet.facts(_plan_of(clients))
    sites = {h.site: h.address.rpartition(".")[0] for h in plan.hosts}
    made = Estate(folder, plan, Hub(sites, plan.rtt / 2))
    try:
        _make_keys(made)
        prepared = folder / "prepared"
        asyncio.run(Preparing(TEMPLATE, plan, made.placed, prepared).done())
        servers = names(plan, prepared)
        _each(plan, partial(_boot, made, lambda h: [*puppet.entries(made, prepared, h), *servers.get(h.name, ())]))
        _give(made, prepared)
        _answering(made)
        puppet.begin(made)
    except BaseException:
        made.close()
        raise
    return made


def _plan_of(clients: Sequence[str]) -> EstatePlan:
    """Return the plan of the simulated estate with some of its clients, and a desk for the console."""
    plan = read_template(TEMPLATE)
    kept = tuple(h for h in plan.hosts if h.role != "clients" or h.name in clients)
    return replace(plan, hosts=(*kept, DESK))


def _each(plan: EstatePlan, act: Callable[[HostPlan], None]) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, plan.hosts))


def _make_keys(made: Estate) -> None:
    """Make the operator's key, the copy's key, and every host's own."""
    made.folder.mkdir(parents=True, exist_ok=True)
    for name in ("id_ed25519", "id_copy", *(f"host_{h.name}" for h in made.plan.hosts)):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(made.folder / name)]
        subprocess.run(words, check=True)


def _boot(made: Estate, entries: Callable[[HostPlan], list[Entry]], host: HostPlan) -> None:
    machine = made.machines[host.name] = Machine(made.hub, host.name, host.site, host.address)
    machine.power_on()
    machine.sh(
        "chmod 700 /root; chmod 1777 /var/tmp; chmod 755 /home; "
        f"id {OPERATOR} >/dev/null 2>&1 || useradd -m -s /bin/bash {OPERATOR}; usermod -p '*' {OPERATOR}"
    )
    machine.lay([*entries(host), *_base(made, host)])
    machine.sh(
        f"chmod 700 /root /root/.ssh /home/{OPERATOR}/.ssh; chown -R {OPERATOR}: /home/{OPERATOR}; "
        "mkdir -p /run/knot /run/named; chmod 777 /run/knot /run/named /var/lib/bind /var/lib/knot /var/cache/bind; systemctl start ssh"
    )


def _base(made: Estate, host: HostPlan) -> list[Entry]:
    """Return what every host has: its names, sshd, the operator's account; the servers also have the copy."""
    resolver = next(h.address for h in made.plan.hosts if h.name in made.plan.dns.resolvers)
    own = (made.folder / "id_ed25519.pub").read_bytes()
    found = [
        *texts.names(host.address, host.name, resolver),
        ("/etc/ssh/ssh_host_ed25519_key", "f", 0o600, (made.folder / f"host_{host.name}").read_bytes()),
        ("/etc/ssh/ssh_host_ed25519_key.pub", "f", 0o644, (made.folder / f"host_{host.name}.pub").read_bytes()),
        ("/etc/ssh/sshd_config", "f", 0o644, texts.SSHD.encode()),
        ("/etc/sudoers.d/operator", "f", 0o440, f"{OPERATOR} ALL=(ALL) NOPASSWD: ALL\n".encode()),
        (f"/home/{OPERATOR}/.ssh/authorized_keys", "f", 0o600, own),
        *texts.unit("ssh", "/usr/sbin/sshd -D -e"),
    ]
    return [*found, *_copying(made, host)] if host.role in ("primary", "dr") else found


def _copying(made: Estate, host: HostPlan) -> list[Entry]:
    """Return the periodic copy, by rsync over SSH, with a key of its own."""
    source = next(h for h in made.plan.hosts if h.role == "primary")
    told = {"@SOURCE@": source.address, "@SSL@": made.fact("dr", "ssl_dir"), "@CA@": made.fact("dr", "ca_dir")}
    script = texts.COPY
    for token, value in told.items():
        script = script.replace(token, value)
    found: list[Entry] = [
        ("/usr/local/sbin/puppet-ssl-sync", "f", 0o755, script.encode()),
        ("/root/.ssh/authorized_keys", "f", 0o600, (made.folder / "id_copy.pub").read_bytes()),
        ("/root/.ssh/id_ed25519", "f", 0o600, (made.folder / "id_copy").read_bytes()),
        ("/root/.ssh/known_hosts", "f", 0o600, _known(made).encode()),
    ]
    return found


def _known(made: Estate) -> str:
    keys = {h.name: (made.folder / f"host_{h.name}.pub").read_text().rsplit(" ", 1)[0] for h in made.plan.hosts}
    return "".join(f"{name},{made.placed.outside[name]} {key}\n" for name, key in keys.items())


def _give(made: Estate, prepared: Path) -> None:
    """Write what an operator is given: estate file, known_hosts, the key that may change the name."""
    (made.folder / "known_hosts").write_text(_known(made))
    key = made.folder / "dr-switch.key"
    key.write_bytes((prepared / "estate/dr-switch.key").read_bytes())
    key.chmod(0o600)
    told: dict[str, Any] = tomli.loads(generated.estate_file(made.plan, made.placed))
    told["estate"] |= {"name": "real", "class": "production"}
    for role in told["roles"].values():
        role |= {"user": OPERATOR, "become": "sudo"}
        for host in (role, *role.get("hosts", ())):
            host.pop("work_dir", None)
    made.file.write_text(tomli_w.dumps(told))


def _answering(made: Estate) -> None:
    """Start the name servers, the first one first: a secondary that found nobody asks again after minutes only."""
    for name in (*made.plan.dns.servers, *made.plan.dns.resolvers):
        made[name].sh("systemctl start named")
        ask = f"dig +time=1 +tries=1 +short @{made[name].address} {made.fqdn} A | grep -q '^[0-9]'"
        until(partial(_holds, made.desk, ask), f"{name} answers")


def _holds(machine: Machine, script: str) -> bool:
    return machine.run(script).code == 0


def apart(before: dict[str, str], after: dict[str, str]) -> str:
    """Return what differs between two looks, a line each; nothing is what an undo is held to."""
    found: list[str] = []
    for name, text in before.items():
        lines = difflib.unified_diff(text.splitlines(), after[name].splitlines(), "before", "after", lineterm="", n=0)
        found += [f"{name}: {line}" for line in list(lines)[2:]]
    return "\n".join(found)


def until(holds: Callable[[], bool], what: str, within: float = WITHIN) -> None:
    """Wait for something that other programs do; fail when it does not come."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, f"it never came about that {what}"
        time.sleep(0.1)
