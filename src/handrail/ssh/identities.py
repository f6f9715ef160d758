"""The keys a host is offered: files, the agent, and files that want a passphrase. Opened keys stay in memory, never on disk.

An encrypted key is looked for in the agent first. Only when it is not there is a person asked: at once for the key that the
estate names, and for the user's own keys when everything else was refused, as ssh(1) does.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncssh

from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.ssh.asking import Ask, Patience, Question
from handrail.ssh.config import Said
from handrail.ssh.target import Target

TRIES: Final = 3  # passphrases asked for one key
AGENT: Final = 5.0  # seconds an agent may take to name its keys
_OWN: Final = ("id_ed25519", "id_ecdsa", "id_rsa")
_MAGIC: Final = b"openssh-key-v1\0"  # PROTOCOL.key of OpenSSH


@dataclass
class Offer:
    """What one connection is opened with: options for asyncssh, the files to ask for when those fail, an agent to close."""

    options: dict[str, Any] = field(default_factory=dict)
    locked: list[Path] = field(default_factory=list)
    agent: asyncssh.SSHAgentClient | None = None

    def close(self) -> None:
        """Let go of the agent."""
        if self.agent is not None:
            self.agent.close()


class Keyring:
    """The keys that were opened with a passphrase, and the questions for it."""

    def __init__(self, ask: Ask, patience: Patience) -> None:
        self._ask, self._patience = ask, patience
        self._opened: dict[Path, asyncssh.SSHKey] = {}
        self._locks: dict[Path, asyncio.Lock] = {}

    async def offer(self, target: Target, said: Said) -> Offer:
        """Return what to offer a target; raise `Trouble` (ssh-identity) for a key of the estate that cannot be used."""
        if target.identity is not None:
            return await self._only(target.identity.expanduser(), said)
        offer = Offer()
        files = [path for path in said.identities if path.is_file()]
        locked = [path for path in files or _own_keys() if await asyncio.to_thread(is_encrypted, path)]
        if said.identities:
            ready = [path for path in files if path not in locked]
            offer.options["client_keys"] = [str(path) for path in ready]
            if said.only:
                halves = [await asyncio.to_thread(public_half, path) for path in files]
                offer.options["agent_identities"] = [half for half in halves if half] or [b""]
        held = await self._agent_keys(said) if locked else []
        offer.locked = [path for path in locked if public_half(path) not in held]
        return offer

    async def _only(self, path: Path, said: Said) -> Offer:
        """Return the offer of one key and no other."""
        certificate = Path(f"{path}-cert.pub")
        offer = Offer({"agent_path": None})
        if not await asyncio.to_thread(is_encrypted, path):
            offer.options["client_keys"] = [str(path)]
            return offer
        half = await asyncio.to_thread(public_half, path)
        offer.agent = await _agent(said) if half and path not in self._opened else None
        try:
            pairs = await _listed(offer.agent, half) if offer.agent else []
            key = None if pairs else await self.unlock(path)
        except BaseException:
            offer.close()
            raise
        if key is None and not pairs:
            offer.close()
            raise trouble(
                "ssh-identity",
                f"the key {safe(str(path))} wants a passphrase, and none was given",
                "add it to an agent (ssh-add), or give the passphrase when it is asked for",
            )
        mine: list[Any] = [*pairs] if key is None else [key]
        if key is not None and certificate.is_file():
            mine = [(key, str(certificate))]
        offer.options["client_keys"] = mine
        return offer

    async def unlock(self, path: Path) -> asyncssh.SSHKey | None:
        """Return an encrypted key, opened with the passphrase that a person gives; None when they rather would not."""
        async with self._locks.setdefault(path, asyncio.Lock()):
            if path in self._opened:
                return self._opened[path]
            wrong = ""
            for _ in range(TRIES):
                question = Question("passphrase", f"key {safe(str(path), 100)}", "Passphrase", wrong=wrong)
                said = await self._ask(question)
                if said is None:
                    return None
                with self._patience.person():  # deriving the key is slow on purpose: that is nobody's silence
                    key = await asyncio.to_thread(_opened, path, said.reveal())
                if key is not None:
                    self._opened[path] = key
                    return key
                wrong = "that does not open it"
            return None

    async def _agent_keys(self, said: Said) -> list[bytes]:
        agent = await _agent(said)
        if agent is None:
            return []
        try:
            return [pair.key_public_data for pair in await _listed(agent)]
        finally:
            agent.close()

    def wipe(self) -> None:
        """Forget every opened key."""
        self._opened.clear()


async def _agent(said: Said) -> asyncssh.SSHAgentClient | None:
    """Return the agent that ssh_config or the environment names; None when there is none that answers."""
    path = os.environ.get("SSH_AUTH_SOCK", "") if said.agent is None else said.agent
    if path.startswith("$"):
        path = os.environ.get(path.strip("${}"), "")
    if not path or path == "none":
        return None
    try:
        async with asyncio.timeout(AGENT):
            return await asyncssh.connect_agent(str(Path(path).expanduser()))
    except (OSError, TimeoutError, asyncssh.Error):
        return None


async def _listed(agent: asyncssh.SSHAgentClient, only: bytes | None = None) -> list[asyncssh.SSHKeyPair]:
    """Return an agent's keys, or the one key and its certificates."""
    try:
        async with asyncio.timeout(AGENT):
            pairs = await agent.get_keys()
    except (OSError, ValueError, TimeoutError, asyncssh.Error):
        return []
    return [pair for pair in pairs if only is None or only in (pair.key_public_data, pair.public_data)]


def _own_keys() -> list[Path]:
    """Return the user's own keys, which ssh(1) offers when nothing else is said."""
    folder = Path("~/.ssh").expanduser()
    return [folder / name for name in _OWN if (folder / name).is_file()]


def is_encrypted(path: Path) -> bool:
    """Tell whether a private key wants a passphrase; a file that is none, or cannot be read, does not."""
    try:
        data = path.read_bytes()
        head = b"".join(line for line in data.splitlines() if line.startswith((b"-----", b"Proc-Type")))
        return b"ENCRYPTED" in head or (_strings(data) or [b"none"])[0] != b"none"
    except (OSError, ValueError, struct.error, binascii.Error):
        return False


def _opened(path: Path, passphrase: str) -> asyncssh.SSHKey | None:
    try:
        return asyncssh.read_private_key(str(path), passphrase)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        return None


def public_half(path: Path) -> bytes | None:
    """Return a key's public half (RFC 4253, 6.6): from its .pub file, or from the key file itself, which has it in clear."""
    try:
        return asyncssh.read_public_key(f"{path}.pub").public_data
    except (OSError, asyncssh.KeyImportError):
        pass
    try:
        found = _strings(path.read_bytes())
    except (OSError, ValueError, struct.error, binascii.Error):
        return None
    return found[-1] if found else None


def _strings(data: bytes) -> list[bytes]:
    """Return what stands in clear in a private key of OpenSSH's own format: cipher, derivation, its options, public half."""
    lines = [line for line in data.splitlines() if line and not line.startswith(b"-----")]
    blob = base64.b64decode(b"".join(lines), validate=True)
    if not blob.startswith(_MAGIC):
        return []
    at, found = len(_MAGIC), []
    for number in range(4):
        at += 4 if number == 3 else 0  # how many keys there are
        length = int(struct.unpack_from(">I", blob, at)[0])
        found.append(blob[at + 4 : at + 4 + length])
        at += 4 + length
    return found
