"""Keys of a simulated estate: the operator's, and one per host. Every host key ever made is remembered in the home."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import asyncssh

_ALGORITHM = "ssh-ed25519"
REMEMBERED = "sim-host-keys"


def new_host_keys(home: Path, count: int) -> list[asyncssh.SSHKey]:
    """Return new host keys, whose public halves are on disk in the home first: LIVE and CHECK refuse those."""
    made = [asyncssh.generate_private_key(_ALGORITHM) for _ in range(count)]
    remember(home, [blob(key) for key in made])
    return made


def remember(home: Path, blobs: list[str]) -> None:
    """Append public key blobs (base64, one a line) to the home's list, in one write."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = home.stat().st_mode
    mode = 0o660 if found & stat.S_ISGID and found & stat.S_IWGRP else 0o600  # a home may be a group's
    fd = os.open(home / REMEMBERED, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, mode)
    try:
        if os.fstat(fd).st_uid == os.geteuid():
            os.fchmod(fd, mode)  # the umask may have taken the group's part
        os.write(fd, "".join(f"{b}\n" for b in blobs).encode())
        os.fsync(fd)
    finally:
        os.close(fd)


def blob(key: asyncssh.SSHKey) -> str:
    """Return a key's public half as OpenSSH writes it, without algorithm and comment."""
    return key.export_public_key("openssh").split()[1].decode()


def new_client_key(file: Path) -> str:
    """Write a new private key (mode 0600) and return its public line."""
    key = asyncssh.generate_private_key(_ALGORITHM, comment="simulated estate")
    write_private(file, key.export_private_key("openssh"))
    return key.export_public_key("openssh").decode()


def write_private(file: Path, data: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as out:
        out.write(data)
