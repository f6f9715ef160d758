"""Puppet's settings: puppet.conf over the defaults of the Puppet 7 packages, every path as the host sees it."""

from __future__ import annotations

import os
import pwd
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from simhost.host import at, conf, replace_file, root

CONF: Final = "/etc/puppetlabs/puppet/puppet.conf"
VERSION: Final = "7.34.0"
_SECTIONS: Final = {"server": ("main", "server", "master"), "agent": ("main", "agent"), "main": ("main",)}
_DEFAULTS: Final = {
    "confdir": "/etc/puppetlabs/puppet",
    "codedir": "/etc/puppetlabs/code",
    "vardir": "/opt/puppetlabs/puppet/cache",
    "statedir": "/opt/puppetlabs/puppet/cache/state",
    "publicdir": "/opt/puppetlabs/puppet/public",
    "logdir": "/var/log/puppetlabs/puppet",
    "rundir": "/var/run/puppetlabs",
    "ssldir": "/etc/puppetlabs/puppet/ssl",
    "reportdir": "/opt/puppetlabs/server/data/puppetserver/reports",
    "autosign": "/etc/puppetlabs/puppet/autosign.conf",
    "environment": "production",
    "server": "puppet",
    "serverport": "8140",
    "dns_alt_names": "",
    "runinterval": "1800",
    "splaylimit": "0",
    "waitforlock": "0",
    "maxwaitforlock": "60",
    "http_connect_timeout": "120",
    "http_read_timeout": "600",
    "usecacheonfailure": "true",
}
_PATHS: Final = frozenset(key for key, value in _DEFAULTS.items() if value.startswith("/"))
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
Settings = Mapping[str, str]


def read_conf(text: str) -> dict[str, dict[str, str]]:
    """Return the sections of a puppet.conf."""
    sections: dict[str, dict[str, str]] = {"main": {}}
    current = "main"
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].strip()
        if line.startswith("["):
            current = line.strip("[]")
            sections.setdefault(current, {})
        elif "=" in line:
            key, value = line.split("=", 1)
            sections[current][key.strip()] = value.strip()
    return sections


def load(section: str = "main", over: Settings | None = None) -> dict[str, str]:
    """Return every setting as a section sees it, options of the command line over it."""
    settings = dict(_DEFAULTS)
    try:
        sections = read_conf(at(CONF).read_text("utf-8"))
    except OSError:
        sections = {}
    for name in _SECTIONS.get(section, ("main",)):
        settings |= sections.get(name, {})
    settings |= over or {}
    for key in _PATHS:
        settings[key] = _placed(settings[key])
    settings.setdefault("certname", f"{conf().get('name') or socket.gethostname()}".lower())
    settings.setdefault("user", _own_name())  # the stand-in server runs as whoever began the estate
    settings.setdefault("ca_server", settings["server"])
    settings.setdefault("ca_port", settings["serverport"])
    settings.setdefault("cadir", _cadir(settings["ssldir"]))
    settings["cadir"] = _placed(settings["cadir"])
    return settings | _derived(settings)


def _placed(path: str) -> str:
    return path if not path.startswith("/") or path.startswith(root() + "/") else root() + path


def _cadir(ssldir: str) -> str:
    """Return where the CA is: `ssl/ca` if that is a folder, its target if it is a link, else the folder of Puppet 7.

    Source: puppet 7, lib/puppet/defaults.rb.
    """
    inner = Path(ssldir) / "ca"
    if inner.is_symlink():
        return os.path.normpath(inner.parent / inner.readlink())
    return str(inner) if inner.is_dir() else "/etc/puppetlabs/puppetserver/ca"


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _derived(settings: Settings) -> dict[str, str]:
    ssl, ca, name = settings["ssldir"], settings["cadir"], settings["certname"]
    return {
        "certdir": f"{ssl}/certs",
        "privatekeydir": f"{ssl}/private_keys",
        "requestdir": f"{ssl}/certificate_requests",
        "localcacert": f"{ssl}/certs/ca.pem",
        "hostcrl": f"{ssl}/crl.pem",
        "hostcert": f"{ssl}/certs/{name}.pem",
        "hostprivkey": f"{ssl}/private_keys/{name}.pem",
        "hostcsr": f"{ssl}/certificate_requests/{name}.pem",
        "cacert": f"{ca}/ca_crt.pem",
        "cakey": f"{ca}/ca_key.pem",
        "cacrl": f"{ca}/ca_crl.pem",
        "signeddir": f"{ca}/signed",
        "csrdir": f"{ca}/requests",
        "serial": f"{ca}/serial",
        "cert_inventory": f"{ca}/inventory.txt",
        "config": str(at(CONF)),
        "lastrunfile": f"{settings['publicdir']}/last_run_summary.yaml",
        "agent_catalog_run_lockfile": f"{settings['statedir']}/agent_catalog_run.lock",
        "agent_disabled_lockfile": f"{settings['statedir']}/agent_disabled.lock",
    }


def seconds(value: str) -> float:
    """Return the seconds of a setting such as "30m" or "90"; 0 for what is no time span."""
    number, unit = (value[:-1], value[-1:]) if value[-1:] in _UNITS else (value, "s")
    try:
        return float(number) * _UNITS[unit]
    except ValueError:
        return 0.0


def store(section: str, key: str, value: str) -> None:
    """Write one setting into puppet.conf, other lines left as they are."""
    path = at(CONF)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    head, start = f"[{section}]", None
    for number, line in enumerate(lines):
        if line.strip() == head:
            start = number
        elif start is not None and line.strip().startswith("["):
            break
        elif start is not None and line.split("=", 1)[0].strip() == key:
            lines[number] = f"{key} = {value}"
            break
    else:
        if start is None:
            lines.append(head)
        start = lines.index(head)
    if start is not None and f"{key} = {value}" not in lines[start:]:
        lines.insert(start + 1, f"{key} = {value}")
    replace_file(path, ("\n".join(lines) + "\n").encode())
