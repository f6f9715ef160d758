"""First contact: which key a host shows, so that a person can compare it, and keeping what they compared.

It trusts nothing by itself and runs nothing.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Final

import asyncssh

from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.ssh.target import Target
from handrail.ssh.trust import Strange, ignored_options, strange_key

__all__ = ["LAST", "Strange", "compared", "first_contact", "ignored_options", "pin"]

PATIENCE: Final = 10.0
LAST: Final = 6  # characters of a fingerprint that are typed, by somebody who has compared the whole


async def first_contact(target: Target) -> Strange:
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
    return strange_key(target, key)


def compared(typed: str, fingerprint: str) -> bool:
    """Tell whether what a person typed is a fingerprint ("SHA256:..."): all of it, or its last characters."""
    bare = fingerprint.removeprefix("SHA256:")
    return typed.strip().removeprefix("SHA256:") in (bare, bare[-LAST:])


def pin(strange: Strange, note: str = "") -> None:
    """Keep a key in its known_hosts file; lines that pin another key for just this name are kept as comments.

    Raises `Trouble` (ssh-known-hosts) where another key stands in a line that this may not touch: one that pins more than
    this host, a hashed one, or a certificate authority. The file is made private to its owner when it is new.
    """
    path = strange.known_hosts
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if strange.pinned:
            lines = _set_aside(lines, strange, note)
        _write(path, [*lines, strange.line.rstrip("\n")])
    except (OSError, UnicodeDecodeError) as err:
        raise trouble("ssh-known-hosts", f"{safe(str(path))} cannot be written: {safe(str(err), 200)}") from None


def _set_aside(lines: list[str], strange: Strange, note: str) -> list[str]:
    mine = [line for line in lines if line.split()[:1] == [strange.name]]
    if not mine:
        why = f"what pins another key for {safe(strange.name)} pins other hosts too, or is hashed, or an authority"
        raise trouble("ssh-known-hosts", why, f"change {safe(str(strange.known_hosts))} in an editor")
    words = safe(note, 200) or "no reason given"
    return [f"# set aside ({words}): {line}" if line in mine else line for line in lines]


def _write(path: Path, lines: list[str]) -> None:
    """Replace a file in one step, so that a reader sees the old one or the new one; its mode stays."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    fd, made = tempfile.mkstemp(dir=path.resolve().parent, prefix=".known_hosts.")
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(made).chmod(mode)
        Path(made).replace(path.resolve())
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
