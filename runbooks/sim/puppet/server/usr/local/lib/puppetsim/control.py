"""`puppetserver start|stop|reload|foreground`: the process around the server, with its pid file and restart counter."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from puppetsim.packages import unlock
from simhost import process
from simhost.host import at, replace_file

RUN: Final = "/run/puppetserver"
PATIENCE: Final = 60.0


def _pid_file() -> Path:
    return at(RUN) / "puppetserver.pid"


def _counter() -> str:
    with contextlib.suppress(OSError):
        return (at(RUN) / "restart").read_text("ascii")
    return "0"


def _running() -> tuple[int, str]:
    """Return pid and birth of the server, (0, "") if it is down."""
    with contextlib.suppress(OSError, ValueError):
        pid, born = _pid_file().read_text("ascii").splitlines()
        if process.birth(int(pid)) == born:
            return int(pid), born
    return 0, ""


def _wait(pid: int, before: str) -> bool:
    """Return whether the counter moves on before the process ends."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if _counter() != before:
            return True
        if not process.birth(pid):
            return False
        time.sleep(0.02)
    return False


def start() -> int:
    """Start the server and return when it serves: 0, or 1 if it ended instead."""
    if _running()[0]:
        return 0
    before = _counter()
    own = str(at("/usr/local/sbin/puppetserver"))
    pid = process.spawn([own, "foreground"], at("/var/log/puppetlabs/puppetserver/puppetserver-daemon.log"))
    replace_file(_pid_file(), f"{pid}\n{process.birth(pid)}\n".encode())
    return 0 if _wait(pid, before) else 1


def stop() -> int:
    """End the server."""
    pid, born = _running()
    if pid:
        process.end(pid, born)
    _pid_file().unlink(missing_ok=True)
    return 0


def reload() -> int:
    """Have the server read its files again; return when it did."""
    pid, _ = _running()
    if not pid:
        print("puppetserver is not running", file=sys.stderr)
        return 1
    before = _counter()
    os.kill(pid, signal.SIGHUP)
    return 0 if _wait(pid, before) else 1


def main(argv: Sequence[str]) -> int:
    """Do what a `puppetserver` command line asks; return the exit code."""
    verb = argv[0] if argv else ""
    if verb in ("--version", "-v"):
        print("puppetserver version: 7.17.3")
        return 0
    if verb == "foreground":
        unlock()
        from puppetsim.daemon import main as serve

        return serve(argv[1:])
    if verb == "ca":
        from puppetsim.cacommand import main as ca

        return ca(argv[1:])
    known = {"start": start, "stop": stop, "reload": reload}
    if verb in known:
        return known[verb]()
    print(f"puppetserver {verb}: not known to this stand-in", file=sys.stderr)
    return 1
