"""What the figures were measured on, in words that name no host and no path: processors, memory, kernel, versions."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks.place import peers

OURS = ("asyncssh", "cryptography", "dnspython", "textual", "pydantic")
THEIRS = ("ansible-core", "ClusterShell", "parallel-ssh", "ssh2-python")
PROGRAMS = {"OpenSSH": ("ssh", "-V"), "BIND": ("named", "-v")}


def machine() -> Iterator[tuple[str, str]]:
    """Yield what the machine is, and what ran on it."""
    yield "processors", f"{os.cpu_count()} x {_processor()}"
    yield "memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    yield "system", f"{platform.system()} {platform.release().split('-')[0]}, {platform.machine()}, {_distribution()}"
    yield "Python", platform.python_version()
    yield "Handrail", version("handrail")
    yield "its libraries", ", ".join(f"{name} {version(name)}" for name in OURS)
    yield "beside it", ", ".join((*_installed(), *_programs()))


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return " ".join(found[1].split()) if found else platform.processor()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _installed() -> Iterator[str]:
    """Yield the peers of the venv of their own."""
    python = peers() / "python"
    if not python.exists():
        return
    program = "import sys,importlib.metadata as m\nfor n in sys.argv[1:]: print(n, m.version(n))"
    done = subprocess.run([str(python), "-c", program, *THEIRS], capture_output=True, text=True, check=False)
    yield from done.stdout.splitlines()


def _programs() -> Iterator[str]:
    """Yield the peers that the system has."""
    for name, argv in PROGRAMS.items():
        path = shutil.which(argv[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if path is None:
            continue
        done = subprocess.run([path, *argv[1:]], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+[\w.]*", done.stdout + done.stderr)
        if found:
            yield f"{name} {found[0]}"
