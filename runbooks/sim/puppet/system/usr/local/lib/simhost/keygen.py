"""The part of ssh-keygen that runbooks use, for machines without it: a new ed25519 key without a passphrase."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

_VALUES = {"-t": "kind", "-N": "passphrase", "-C": "comment", "-f": "file"}


def main(argv: Sequence[str]) -> int:
    """Write FILE (0600) and FILE.pub; return 1 for what this one cannot do, or where a key stands already."""
    said, words = {"kind": "ed25519", "passphrase": "", "comment": "", "file": ""}, list(argv)
    while words:
        word = words.pop(0)
        if word in _VALUES and words:
            said[_VALUES[word]] = words.pop(0)
        elif word != "-q":
            return _no(f"unknown option -- {word}")
    path = Path(said["file"])
    if said["kind"] != "ed25519" or said["passphrase"] or not said["file"]:
        return _no("only `-t ed25519 -N '' -f FILE`, on a simulated host")
    if path.exists():
        return _no(f"{path} already exists.")
    private, public = _made()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)
    Path(f"{path}.pub").write_text(f"{public} {said['comment']}".rstrip() + "\n")
    return 0


def _made() -> tuple[bytes, str]:
    if "site" not in sys.modules:  # stand-ins start without it: here packages are wanted
        import site

        site.main()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()), public.decode()


def _no(text: str) -> int:
    print(text, file=sys.stderr)
    return 1
