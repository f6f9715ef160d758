"""Where the host's files are. In namespaces its root is `/`; in plain folders it is HANDRAIL_SIM_ROOT."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

CONF: Final = "/etc/handrail-sim/host.conf"


def root() -> str:
    """Return what stands before the host's absolute paths: empty in namespaces."""
    return os.environ.get("HANDRAIL_SIM_ROOT", "").rstrip("/")


def at(path: str) -> Path:
    """Return an absolute path of the host as a path of this machine."""
    return Path(root() + path)


def parse_settings(text: str) -> dict[str, str]:
    """Return the `key = value` lines of a text; comments and section heads are left out."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and line.lstrip()[:1] not in "#;[")
    return {key.strip(): value.strip() for key, value in pairs}


def conf() -> dict[str, str]:
    """Return the host's own facts: mode, name, address, resolver, dnsport; empty if nothing was laid."""
    try:
        return parse_settings(at(CONF).read_text("utf-8"))
    except OSError:
        return {}


def replace_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file so that readers see the old content or the new, making its folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(data)
    beside.chmod(mode)
    beside.replace(path)


def append_line(path: Path, line: str) -> None:
    """Append one line in one write, so that lines of several processes do not mix; its folder is made if need be."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(fd, (line + "\n").encode("utf-8", "replace"))
    finally:
        os.close(fd)
