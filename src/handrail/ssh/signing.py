"""SSH signatures over texts: made with a person's key, checked against an allowed_signers file. It opens no connection.

The form is OpenSSH's (PROTOCOL.sshsig), so that `ssh-keygen -Y sign` and `ssh-keygen -Y verify` make and check the same.
"""

from __future__ import annotations

import struct
from base64 import b64decode
from binascii import Error as Base64Error
from pathlib import Path
from typing import Final

import asyncssh
from asyncssh.sshsig import SSHAllowedSigners

from handrail.base.frozen import dataclass
from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.base.secrets import Secret

_MAGIC: Final = b"SSHSIG"
_HEAD: Final = "-----BEGIN SSH SIGNATURE-----"
_END: Final = "-----END SSH SIGNATURE-----"
LONGEST: Final = 64 << 10  # bytes of a signature that are looked at


@dataclass(frozen=True)
class Signer:
    """A person's private key, opened."""

    _key: asyncssh.SSHKey

    @property
    def public(self) -> str:
        """Return its public half as an allowed_signers file has it: type and key, without a comment."""
        return " ".join(self._key.export_public_key().decode().split()[:2])

    def sign(self, text: bytes, namespace: str) -> bytes:
        """Return the armoured signature of a text, for one purpose: the namespace."""
        return asyncssh.create_sshsig(self._key, text, namespace=namespace)


def read_key(path: Path, passphrase: Secret | None = None) -> Signer:
    """Return a private key; raise `Trouble` signing-passphrase when it wants one, signing-key when it is none."""
    try:
        return Signer(asyncssh.read_private_key(path, passphrase.reveal() if passphrase else None))
    except asyncssh.KeyEncryptionError as err:
        raise trouble("signing-passphrase", f"{safe(str(path))} does not open: {safe(str(err))}") from err
    except asyncssh.KeyImportError as err:
        if passphrase is None and "passphrase" in str(err).lower():
            raise trouble("signing-passphrase", f"{safe(str(path))} wants its passphrase") from err
        raise trouble("signing-key", f"{safe(str(path))} is no private key: {safe(str(err))}") from err
    except OSError as err:
        raise trouble("signing-key", f"{safe(str(path))} cannot be read: {safe(str(err))}") from err


def is_signed(text: bytes, signature: bytes, by: str, namespace: str, signers: bytes) -> bool:
    """Tell whether this person signed this text for this purpose, by an allowed_signers file (ssh-keygen(1))."""
    if len(signature) > LONGEST or _namespace_of(signature) != namespace:
        return False
    try:
        return asyncssh.validate_sshsig(text, signature, by, SSHAllowedSigners(signers.decode()))
    except (ValueError, asyncssh.Error):
        return False


def _namespace_of(signature: bytes) -> str | None:
    """Return the purpose that a signature was made for; None when it is none (PROTOCOL.sshsig, 3)."""
    try:
        body = signature.decode("ascii").strip()
        if not (body.startswith(_HEAD) and body.endswith(_END)):
            return None
        blob = b64decode("".join(body[len(_HEAD) : -len(_END)].split()), validate=True)
        if blob[:6] != _MAGIC:
            return None
        (public,) = struct.unpack_from(">I", blob, 10)
        (length,) = struct.unpack_from(">I", blob, 14 + public)
        return blob[18 + public : 18 + public + length].decode("ascii")
    except (UnicodeDecodeError, Base64Error, ValueError, struct.error):
        return None
