"""Makes what differs in every simulated estate: the CA and its certificates, the DR server's older copy, keys, the zone.

Called once before the hosts are laid: prepare.py OUTDIR HOSTS-AS-JSON. It writes OUTDIR/<host>/..., trees laid over each
host's root, and OUTDIR/estate/..., files for the folder of the estate file. It opens no connection.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import sys
import time
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE / "puppet/usr/local/lib"), str(HERE / "system/usr/local/lib"), str(HERE.parent)]

from laid import Hosts, missing_tools, name_service, sites, write  # noqa: E402
from puppetsim.authority import Authority, key_pem, new_key, request_pem  # noqa: E402
from puppetsim.settings import load  # noqa: E402

SSL: Final = "etc/puppetlabs/puppet/ssl"
CA: Final = "etc/puppetlabs/puppetserver/ca"
CONF: Final = "etc/puppetlabs/puppet/puppet.conf"
PACE: Final = 3  # seconds between two runs of an agent, as client/ has it
STAMP: Final = "var/lib/puppet-ssl-sync.last"
HOST_KEY: Final = "etc/ssh/ssh_host_ed25519_key.pub"
FILES: Final = HERE.parents[1] / "files"  # what the set-up runbook lays down, laid here as it would be
NEW: Final = "new"  # the DR server's fact `state`, when nobody has set it up yet
LATE: Final = 2  # clients that were signed after the last copy to the DR server
COPY_AGE: Final = 11 * 60  # seconds since that copy


def certificates(hosts: Hosts) -> None:
    """Make the CA on the primary, its nodes' certificates, and the DR server's copy of an earlier state."""
    primary, dr = hosts.root(hosts.names("primary")[0]), hosts.root(hosts.names("dr")[0])
    clients = hosts.names("clients")
    late = clients[-LATE:] if len(clients) > LATE else []
    authority = Authority(primary / CA)
    authority.create(hosts.fqdn)
    server_files(primary, authority, hosts.fqdn)
    for name in ("old01", "old02"):  # nodes that are long gone: signed/ is full of such
        authority.sign(f"{name}.{hosts.zone}", new_key().public_key())
    authority.revoke([authority.serial_of(f"old01.{hosts.zone}")], seconds_ago=3600)
    for name in clients:
        if name not in late:
            client_files(hosts, authority, name)
    publish_crl(primary)
    if hosts.one("dr").get("vars", {}).get("state") == NEW:
        new_server(dr, authority, f"{hosts.names('dr')[0]}.{hosts.zone}")
    else:
        copy_to_dr(primary, dr)
        periodic_copy(hosts)
    for name in late:
        client_files(hosts, authority, name)
    authority.revoke([authority.serial_of(f"old02.{hosts.zone}")])
    write(primary / CA / f"requests/batch01.{hosts.zone}.pem", request_pem(f"batch01.{hosts.zone}", new_key()))
    publish_crl(primary)


def server_files(root: Path, authority: Authority, fqdn: str) -> None:
    """Issue the certificate that both servers show, and lay the link that Puppet 7 puts into ssl/."""
    key = new_key()
    write(root / SSL / f"private_keys/{fqdn}.pem", key_pem(key), 0o640)
    write(root / SSL / f"certs/{fqdn}.pem", authority.sign(fqdn, key.public_key(), administers=True))
    write(root / SSL / "certs/ca.pem", (authority.folder / "ca_crt.pem").read_bytes())
    (root / SSL / "ca").symlink_to(os.path.relpath(root / CA, root / SSL))


def publish_crl(root: Path) -> None:
    """Copy the CA's revocation list to where TLS looks for it."""
    write(root / SSL / "crl.pem", (root / CA / "ca_crl.pem").read_bytes())


def copy_to_dr(primary: Path, dr: Path) -> None:
    """Leave the DR server as the last copy left it."""
    for folder in (SSL, CA):
        shutil.copytree(primary / folder, dr / folder, symlinks=True)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - COPY_AGE))
    write(dr / STAMP, f"{stamp}\n".encode())


def new_server(root: Path, authority: Authority, name: str) -> None:
    """Leave the DR server as its packages and its own agent left it: a certificate of its own name, and no CA."""
    key = new_key()
    write(root / SSL / f"private_keys/{name}.pem", key_pem(key), 0o640)
    write(root / SSL / f"certs/{name}.pem", authority.sign(name, key.public_key()))
    write(root / SSL / "certs/ca.pem", (authority.folder / "ca_crt.pem").read_bytes())
    write(root / SSL / "crl.pem", (authority.folder / "ca_crl.pem").read_bytes())


def periodic_copy(hosts: Hosts) -> None:
    """Lay the copy that runs every 15 minutes: program, units, key, and what the primary lets that key do."""
    here, there = hosts.one("dr"), hosts.one("primary")
    dr, primary = hosts.root(str(here["name"])), hosts.root(str(there["name"]))
    own, others = (str(host.get("root") or "") for host in (here, there))
    write(dr / "usr/local/sbin/puppet-ssl-sync", (FILES / "puppet-ssl-sync").read_bytes(), 0o755)
    for unit in ("puppet-ssl-sync.service", "puppet-ssl-sync.timer"):
        write(dr / "etc/systemd/system" / unit, (FILES / unit).read_bytes())
    key = "ssh-ed25519 " + base64.b64encode(secrets.token_bytes(32)).decode()
    write(dr / "etc/puppet-ssl-sync.key", secrets.token_hex(32).encode(), 0o600)
    write(dr / "etc/puppet-ssl-sync.key.pub", f"{key} puppet-ssl-sync\n".encode())
    shown = (primary / HOST_KEY).read_text("ascii").strip()
    write(dr / "etc/puppet-ssl-sync.known_hosts", f"{there['address']} {shown}\n".encode(), 0o644)
    facts = {
        "source": f"root@{there['address']}",
        "from_ssl_dir": f"{others}/{SSL}",
        "from_ca_dir": f"{others}/{CA}",
        "ssl_dir": f"{own}/{SSL}",
        "ca_dir": f"{own}/{CA}",
        "user": load("server")["user"],
        "certname": hosts.fqdn,
        "service": "puppetserver",
        "restart_for_crl": "no",
        "fqdn": hosts.fqdn,
        "address": str(here["address"]),
        "key": f"{own}/etc/puppet-ssl-sync.key",
        "known_hosts": f"{own}/etc/puppet-ssl-sync.known_hosts",
        "hold": f"{own}/etc/puppet-ssl-sync.hold",
        "stamp": f"{own}/{STAMP}",
        "work": f"{own}/var/lib/puppet-ssl-sync",
    }
    text = "".join(f"{name}={value}\n" for name, value in facts.items())
    write(dr / "etc/puppet-ssl-sync.conf", text.encode(), 0o600)
    folders = " ".join(f"{others}/{folder}".lstrip("/") for folder in (SSL, CA))
    command = f"tar -C / -cf - -- {folders}"
    line = f'command="{command}",restrict,from="{here["address"]}" {key} puppet-ssl-sync\n'
    write(primary / "root/.ssh/authorized_keys", line.encode(), 0o600)


def host_keys(hosts: Hosts) -> None:
    """Give both servers the key by which SSH knows them."""
    for role in ("primary", "dr"):
        name = str(hosts.one(role)["name"])
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        write(hosts.root(name) / HOST_KEY, f"ssh-ed25519 {key} root@{name}\n".encode())


def client_files(hosts: Hosts, authority: Authority, name: str) -> None:
    """Issue a client's certificate and lay what its agent has fetched."""
    key, certname, ssl = new_key(), f"{name}.{hosts.zone}", hosts.root(name) / SSL
    write(ssl / f"private_keys/{certname}.pem", key_pem(key), 0o640)
    write(ssl / f"certs/{certname}.pem", authority.sign(certname, key.public_key()))
    write(ssl / "certs/ca.pem", (authority.folder / "ca_crt.pem").read_bytes())
    write(ssl / "crl.pem", (authority.folder / "ca_crl.pem").read_bytes())


def pace(hosts: Hosts) -> None:
    """Let many agents check in more slowly: what they do costs this machine real work, some ten runs a second at most."""
    clients = hosts.names("clients")
    every = len(clients) * 3 // 20
    if every <= PACE:
        return
    text = (HERE / "client" / CONF).read_text("utf-8").replace(f"runinterval = {PACE}", f"runinterval = {every}")
    text = text.replace("splaylimit = 1", f"splaylimit = {every // 2}")
    for name in clients:
        write(hosts.root(name) / CONF, text.encode())


def main(argv: list[str]) -> int:
    """Write everything; return the exit code."""
    hosts = Hosts(Path(argv[0]), tuple(json.loads(argv[1])))
    host_keys(hosts)
    certificates(hosts)
    name_service(hosts)
    sites(hosts)
    pace(hosts)
    missing_tools(hosts)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
