"""Lays hosts of the Puppet estate into plain folders and runs their commands, without the rest of the estate."""

from __future__ import annotations

import importlib.util
import json
import re
import secrets
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parents[2] / "runbooks/sim/puppet"
FILES = {
    "primary": ("puppet-primary", ("system", "puppet", "server")),
    "dr": ("puppet-dr", ("system", "puppet", "server", "dr")),
}
ACCESS = "/var/log/puppetlabs/puppetserver/puppetserver-access.log"
SSL = "/etc/puppetlabs/puppet/ssl"
CA = "/etc/puppetlabs/puppetserver/ca"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Host:
    """One host in a folder."""

    name: str
    address: str
    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def path(self, inside: str) -> Path:
        return Path(f"{self.root}{inside}")

    def run(self, *words: str, timeout: float = 30) -> Done:
        """Run a program of the host to its end."""
        path = f"{self.root}/usr/local/sbin:{self.root}/usr/local/bin:/usr/bin:/bin"
        env = {"PATH": path, "HOME": str(self.root), "HANDRAIL_SIM_ROOT": str(self.root), **self.env}
        program = shutil.which(words[0], path=path) or words[0]
        done = subprocess.run([program, *words[1:]], env=env, capture_output=True, timeout=timeout, check=False)
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def ok(self, *words: str) -> str:
        """Run a program that must succeed; return what it printed."""
        done = self.run(*words)
        assert done.code == 0, done
        return done.out

    def pin(self, name: str, address: str) -> None:
        """Have the host's own /etc/hosts answer for a name."""
        self.path("/etc/hosts").write_text(f"127.0.0.1 localhost\n{address} {name}\n")

    def access(self) -> list[str]:
        """Return the lines of the access log."""
        file = self.path(ACCESS)
        return file.read_text().splitlines() if file.exists() else []

    def catalogs(self) -> set[str]:
        """Return the nodes that got a catalog here."""
        found = (re.search(r'"POST /puppet/v3/catalog/([^?]+)\?[^"]*" 200', line) for line in self.access())
        return {match[1] for match in found if match}

    def tls_log(self) -> str:
        file = self.path("/var/log/puppetlabs/puppetserver/puppetserver-tls.log")
        return file.read_text() if file.exists() else ""

    def server_log(self) -> str:
        return self.path("/var/log/puppetlabs/puppetserver/puppetserver.log").read_text()


@dataclass
class Estate:
    """Two servers and some clients, names answered by their /etc/hosts."""

    hosts: dict[str, Host]
    folder: Path

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def serve(self) -> None:
        """Start both servers."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda role: self[role].ok("systemctl", "start", "puppetserver"), ("primary", "dr")))

    def point(self, to: str) -> None:
        """Have every host find the service name at one of the servers."""
        for host in self.hosts.values():
            host.pin("puppet.example.test", self.hosts[to].address)


def lay(host: Host, tree: Path, tokens: dict[str, str]) -> None:
    """Copy a tree over a host's root, tokens replaced in its texts."""
    for source in sorted(tree.rglob("*")):
        if "__pycache__" in source.parts:
            continue
        target = host.root / source.relative_to(tree)
        if source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source.readlink())
        elif source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            text = re.sub(r"@([a-z0-9.]+)@", lambda m: tokens.get(m[1], m[0]), source.read_text())
            target.write_text(text)
            target.chmod(stat.S_IMODE(source.stat().st_mode))


def new_host(folder: Path, name: str, address: str, trees: tuple[str, ...], known: dict[str, str]) -> Host:
    """Lay one host."""
    host = Host(name, address, folder / name)
    own = {"name": name, "address": address, "root": str(host.root), **known}
    for tree in trees:
        lay(host, TEMPLATE / tree, own)
    conf = host.path("/etc/handrail-sim/host.conf")
    conf.write_text(conf.read_text() + "boot_seconds = 0\n")
    return host


@cache
def _prepare() -> Any:
    """Return the template's prepare program as a module: to start it for each test would take longer than to run it."""
    spec = importlib.util.spec_from_file_location("puppet_prepare", TEMPLATE / "prepare.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def estate(folder: Path, *clients: str) -> Iterator[Estate]:
    """Lay primary, dr and clients; end what they run afterwards."""
    net = f"127.{64 + secrets.randbelow(60)}.{secrets.randbelow(250)}"
    listed = [*FILES.items(), *((name, (name, ("system", "puppet", "client"))) for name in clients)]
    addresses = {role: f"{net}.{number}" for number, (role, _) in enumerate(listed, 10)}
    known = {"python": sys.executable, "zone": "example.test", "fqdn": "puppet.example.test", "mode": "folders"}
    known |= {"dnsport": "9", "resolver.address": "127.0.0.1"}
    known |= {f"{role}.address": address for role, address in addresses.items()}
    made = Estate({}, folder)
    described = []
    for role, (name, trees) in listed:
        made.hosts[role] = new_host(folder, name, addresses[role], trees, known)
        kind = role if role in FILES else "clients"
        root = str(made.hosts[role].root)
        described.append({"name": name, "role": kind, "site": "a", "address": addresses[role], "root": root})
    described.append({"name": "ns1", "role": "", "site": "c", "address": "127.0.0.1"})
    out = folder / "prepared"
    assert _prepare().main([str(out), json.dumps(described)]) == 0
    for host in made.hosts.values():
        if (out / host.name).is_dir():
            lay(host, out / host.name, {})
    made.point("primary")
    try:
        yield made
    finally:
        for host in made.hosts.values():
            running = host.path("/run/handrail-sim/units")
            for note in running.glob("*.json") if running.is_dir() else ():
                host.run("systemctl", "stop", note.name.removesuffix(".json"))


def until(holds: Callable[[], bool], within: float = 60) -> None:
    """Wait for something that other processes do; fail when it does not come."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
