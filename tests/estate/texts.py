"""The files that real services are set up with on a host of the real estate. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from handrail_sim.inside.wire import Entry

_KEY = re.compile(r'key "([^"]+)" \{\s*algorithm ([a-z0-9-]+);\s*secret "([^"]+)"')
_KNOT = """\
server:
  rundir: "/run/knot"
  listen: "{address}@53"
database:
  storage: "/var/lib/knot"
"""
UNITS = "/usr/local/lib/systemd/system"
WANTS = "/etc/systemd/system"

SSHD = """\
Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
MaxStartups 100
MaxSessions 100
Subsystem sftp /usr/lib/openssh/sftp-server
SetEnv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
"""

COPY = """\
#!/bin/bash
# The periodic copy of a standby, as people write it: rsync over SSH, held by a file, refused when the source looks wrong.
set -euo pipefail
hold=/etc/puppet-ssl-sync.hold
[ ! -e $hold ] || { echo "held: $(cat $hold)"; exit 75; }
exec 9>/run/puppet-ssl-sync.lock
flock -n 9 || { echo "another copy is running"; exit 75; }
from=root@@SOURCE@
over='ssh -o BatchMode=yes -o ConnectTimeout=5'
there=$($over $from "cat @CA@/serial; echo; sha256sum < @CA@/ca_crt.pem") || exit 1
[ "$(tail -n 1 <<< "$there")" = "$(sha256sum < @CA@/ca_crt.pem)" ] || { echo "the source has another CA"; exit 1; }
[ "$((0x$(head -n 1 <<< "$there")))" -ge "$((0x$(cat @CA@/serial)))" ] || { echo "the source lies behind"; exit 1; }
for folder in @SSL@ @CA@; do
  rsync -aHAX --delete-after --itemize-changes -e "$over" "$from:$folder/" "$folder/"
done
date -u +%Y-%m-%dT%H:%M:%SZ > /var/lib/puppet-ssl-sync.last
"""

_OPTIONS = """\
options {{
  directory "/var/cache/bind"; listen-on {{ any; }}; listen-on-v6 {{ none; }}; dnssec-validation no; allow-query {{ any; }};
  pid-file none; session-keyfile none; {more}
}};
"""


def unit(name: str, command: str, **more: str) -> list[Entry]:
    """Return the file of a service that boots with its host."""
    lines = [f"[Unit]\nDescription={name}\n", "[Service]", *(f"{key}={value}" for key, value in more.items())]
    text = "\n".join([*lines, f"ExecStart={command}\n", "[Install]\nWantedBy=multi-user.target\n"])
    target = f"{WANTS}/multi-user.target.wants"
    return [
        (f"{UNITS}/{name}.service", "f", 0o644, text.encode()),
        (target, "d", 0o755, b""),
        (f"{target}/{name}.service", "f", 0o644, b""),
    ]


def names(address: str, host: str, resolver: str) -> list[Entry]:
    """Return a host's own name, and where it asks for others'."""
    texts = {
        "hostname": f"{host}\n",
        "hosts": f"127.0.0.1 localhost\n{address} {host}\n",
        "resolv.conf": f"nameserver {resolver}\noptions timeout:1 attempts:2\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    }
    return [(f"/etc/{name}", "f", 0o644, text.encode()) for name, text in texts.items()]


def bind_primary(zone: str, fqdn: str, secondary: str) -> str:
    """Return named.conf of the server that takes updates; the key of the console may change one name only."""
    options = f"recursion no; notify explicit; also-notify {{ {secondary}; }}; allow-transfer {{ {secondary}; }};"
    return _OPTIONS.format(more=options) + (
        f'include "/etc/bind/keys.conf";\nzone "{zone}" {{ type primary; file "/var/lib/bind/zone"; '
        f"update-policy {{ grant dr-switch name {fqdn}. A AAAA TXT; grant admin zonesub ANY; }}; }};\n"
    )


def bind_secondary(zone: str, primary: str) -> str:
    """Return named.conf of a server that copies the zone."""
    return _OPTIONS.format(more="recursion no; allow-transfer { none; };") + (
        f'zone "{zone}" {{ type secondary; primaries {{ {primary}; }}; file "/var/cache/bind/zone"; }};\n'
    )


def bind_resolver(zone: str, servers: Sequence[str]) -> str:
    """Return named.conf of a cache that honours TTLs."""
    asked = " ".join(f"{server};" for server in servers)
    return _OPTIONS.format(more="recursion yes; empty-zones-enable no; max-ncache-ttl 5; servfail-ttl 1;") + (
        f'zone "{zone}" {{ type static-stub; server-addresses {{ {asked} }}; }};\n'
    )


def knot_primary(address: str, secondary: str, zone: str, fqdn: str, keys: str) -> str:
    """Return knot.conf of the server that takes updates; the key of the console may change one name only."""
    found = _KEY.findall(keys)
    told = "".join(
        f'  - id: {name}\n    algorithm: {algorithm}\n    secret: "{secret}"\n' for name, algorithm, secret in found
    )
    return (
        _KNOT.format(address=address)
        + f"""\
key:
{told}remote:
  - id: second
    address: "{secondary}@53"
acl:
  - id: console
    key: dr-switch
    action: update
    update-owner: name
    update-owner-match: equal
    update-owner-name: [ "{fqdn}." ]
    update-type: [ A, AAAA, TXT ]
  - id: anything
    key: admin
    action: [ update, transfer ]
  - id: second
    address: "{secondary}"
    action: transfer
zone:
  - domain: "{zone}"
    storage: "/var/lib/knot"
    file: "zone"
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
    notify: second
    acl: [ console, anything, second ]
"""
    )


def knot_secondary(address: str, primary: str, zone: str) -> str:
    """Return knot.conf of a server that copies the zone."""
    return (
        _KNOT.format(address=address)
        + f"""\
remote:
  - id: first
    address: "{primary}@53"
acl:
  - id: first
    address: "{primary}"
    action: notify
zone:
  - domain: "{zone}"
    storage: "/var/lib/knot"
    master: first
    acl: first
"""
    )
