"""Chooses where an estate is put: loopback addresses and ports that are free on all of them."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import Final

from handrail.base.problems import trouble
from handrail_sim.plan import EstatePlan, Mode, Placed

_SSH_PORT: Final = 2222
_PLACE_TRIES: Final = 8


def place(plan: EstatePlan, mode: Mode, folder: Path) -> Placed:
    """Choose loopback addresses at random and ports that are free on all of them; raise `Trouble`."""
    for attempt in range(_PLACE_TRIES):
        net = f"127.{64 + secrets.randbelow(64)}.{secrets.randbelow(256)}"
        outside = {host.name: f"{net}.{number}" for number, host in enumerate(plan.hosts, 2)}
        ssh = _SSH_PORT if attempt == 0 else 20_000 + secrets.randbelow(12_000)
        dns = 20_000 + secrets.randbelow(12_000)
        if all(_free(a, ssh, dns) for a in outside.values()):
            roots = {h.name: str(folder / "hosts" / h.name) for h in plan.hosts} if mode == "folders" else {}
            return Placed(mode, outside, ssh, dns, roots)
    hint = "on macOS, loopback addresses but 127.0.0.1 must be added first (ifconfig lo0 alias)"
    raise trouble("sim-ports", "no free addresses among 127.64.0.0/10", hint)


def _free(address: str, ssh: int, dns: int) -> bool:
    for kind, port in ((socket.SOCK_STREAM, ssh), (socket.SOCK_STREAM, dns), (socket.SOCK_DGRAM, dns)):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True
