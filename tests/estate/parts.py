"""What the real estate needs of a machine. Where a part is missing its tests are skipped by name; in CI they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

IN_CI = os.environ.get("HANDRAIL_REAL") == "1"
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
_PROGRAMS = {
    "OpenSSH": ("sshd", "ssh-keygen"),
    "BIND": ("named",),
    "Knot": ("knotd", "knotc"),
    "rsync": ("rsync",),
    "sudo": ("sudo",),
    "iproute2": ("ip",),
    "curl": ("curl",),
    "tar": ("tar",),
    "cron": ("cron",),
    "Puppet": ("puppet", "puppetserver", "java"),
}
NETWORK = ("namespaces", "TUN", "iproute2")
LIGHT = (*NETWORK, "OpenSSH", "BIND", "rsync", "sudo", "curl", "tar")


def program(name: str) -> Path | None:
    """Return where a program of the machine lies, None if it is not installed."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SBIN}")
    return Path(found) if found else None


def missing(part: str) -> str:
    """Return why a part cannot be used here, "" if it can."""
    if part == "namespaces":
        return _no_namespaces()
    if part == "TUN":
        return "" if Path("/dev/net/tun").exists() else "there is no /dev/net/tun"
    gone = [name for name in _PROGRAMS[part] if program(name) is None]
    return f"not installed: {', '.join(gone)}" if gone else ""


@cache
def _no_namespaces() -> str:
    if os.geteuid():
        return "needs root: hosts have mounts and networks of their own"
    if not shutil.which("unshare") or not shutil.which("nsenter"):
        return "not installed: util-linux"
    tried = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "--", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True,
        check=False,
    )
    return tried.stderr.decode("utf-8", "replace").strip() if tried.returncode else ""


def need(*parts: str) -> None:
    """Skip a test whose parts are missing here, with every reason; in CI fail it."""
    reasons = [f"{part} ({why})" for part in parts if (why := missing(part))]
    if not reasons:
        return
    text = f"no real estate here: {'; '.join(reasons)}"
    if IN_CI:
        pytest.fail(text, pytrace=False)
    pytest.skip(text)
