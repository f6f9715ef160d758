"""`getent hosts|ahosts|ahostsv4 NAME` for plain folders; everything else, and namespaces, is left to the machine's getent."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Sequence

from simhost.host import root
from simhost.names import addresses

_NOT_FOUND = 2  # getent(1)


def main(argv: Sequence[str]) -> int:
    """Print the addresses of names; return the exit code."""
    if not root() or not argv or argv[0] not in ("hosts", "ahosts", "ahostsv4"):
        real = shutil.which("getent", path="/usr/bin:/bin") or "/usr/bin/getent"
        os.execv(real, ["getent", *argv])  # noqa: S606 - the very same command line
    code = 0
    for name in argv[1:]:
        try:
            found = addresses(name)
        except socket.gaierror:
            code = _NOT_FOUND
            continue
        for address in found:
            _show(argv[0], name, address)
    sys.stdout.flush()
    return code


def _show(database: str, name: str, address: str) -> None:
    if database == "hosts":
        print(f"{address:<15} {name}")
        return
    print(f"{address:<15} STREAM {name}")
    print(f"{address:<15} DGRAM  ")
    print(f"{address:<15} RAW    ")
