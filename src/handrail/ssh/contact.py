"""First contact: which key a host shows, so that a person can compare it, and keeping what they compared.

It trusts nothing by itself and runs nothing.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.ssh.config import ignored_options, way_to
from handrail.ssh.links import Links
from handrail.ssh.target import Target
from handrail.ssh.trust import KeyRefused, Strange, pinned

__all__ = ["LAST", "Strange", "compared", "first_contact", "ignored_options", "is_pinned", "pin", "way_to"]

LAST: Final = 6  # characters of a fingerprint that are typed, by somebody who has compared the whole


def is_pinned(target: Target) -> bool:
    """Tell whether known_hosts pins a key, or an authority, for a target; raise `Trouble` when it cannot be read."""
    pins = pinned(target)
    return bool(pins.keys or pins.authorities)


async def first_contact(links: Links, target: Target) -> Strange | None:
    """Return the key that a host shows and known_hosts does not know, or None when it shows one that is pinned.

    Hosts behind others are reached through them, by the same ssh_config as in a run. Raises `Trouble`: those of
    `Links.connection`; a changed or revoked key is one of them.
    """
    there = target if target.known_hosts.exists() else replace(target, known_hosts=Path(os.devnull))
    try:
        await links.connection(there)
    except KeyRefused as refused:
        if refused.strange.pinned:
            raise
        return replace(refused.strange, known_hosts=target.known_hosts)
    return None


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
