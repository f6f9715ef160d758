"""Asks a running estate over its control socket. Light: it loads neither asyncio nor asyncssh."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from handrail.base.problems import trouble

SOCKET: Final = "control.sock"
_SAFE_LENGTH: Final = 100  # sockaddr_un holds 108 bytes, 104 on some systems


def short_path(folder: Path) -> tuple[str, int]:
    """Return a path for the socket that fits into sockaddr_un, and a descriptor to close after its use (or -1)."""
    path = str(folder / SOCKET)
    if len(os.fsencode(path)) < _SAFE_LENGTH or not Path("/proc/self/fd").is_dir():
        return path, -1
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    return f"/proc/self/fd/{fd}/{SOCKET}", fd


def ask(folder: Path, words: Sequence[str], within: float = 120.0) -> dict[str, Any]:
    """Return the estate's answer to one request; raise `Trouble` when nobody answers within so many seconds."""
    path, fd = short_path(folder)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(within)
            sock.connect(path)
            sock.sendall(json.dumps({"do": list(words)}).encode() + b"\n")
            with sock.makefile("rb") as file:
                line = file.readline()
    except OSError as e:
        raise trouble("sim-gone", f"the estate in {folder} does not answer: {e}", "see estate.log there") from e
    finally:
        if fd >= 0:
            os.close(fd)
    if not line:
        raise trouble("sim-gone", f"the estate in {folder} ended")
    answer: dict[str, Any] = json.loads(line)
    return answer
