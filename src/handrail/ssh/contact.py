"""First contact: which key a host shows, so that a person can compare it. It trusts nothing and runs nothing."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncssh

from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.ssh.target import Target
from handrail.ssh.trust import ignored_options

__all__ = ["Seen", "first_contact", "ignored_options", "pin"]

PATIENCE: Final = 10.0


@dataclass(frozen=True)
class Seen:
    """A key that a host showed: its fingerprint as ssh-keygen prints it, and its line for known_hosts."""

    name: str
    fingerprint: str
    algorithm: str
    line: str


async def first_contact(target: Target) -> Seen:
    """Return the key a host shows now; raise `Trouble` when it does not answer."""
    port = target.port or 22
    try:
        async with asyncio.timeout(PATIENCE):
            key = await asyncssh.get_server_host_key(target.host, port, config=None)
    except (OSError, asyncssh.Error, TimeoutError) as err:
        why = safe(str(err), 200) or f"no answer in {PATIENCE:.0f} s"
        raise trouble("ssh-unreachable", f"{safe(target.name)} does not show its key: {why}") from None
    if key is None:
        raise trouble("ssh-unreachable", f"{safe(target.name)} shows no host key")
    text = key.export_public_key("openssh").decode("ascii").split()
    pinned = target.pinned_as if target.host_key_alias or port == 22 else f"[{target.host}]:{port}"
    return Seen(target.name, key.get_fingerprint(), text[0], f"{pinned} {text[0]} {text[1]}\n")


def pin(known_hosts: Path, lines: list[str]) -> None:
    """Add lines to a known_hosts file, which is made private to its owner when it is new."""
    fd = os.open(known_hosts, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        os.write(fd, "".join(lines).encode("ascii"))
        os.fsync(fd)
    finally:
        os.close(fd)
