"""Whom we believe: known_hosts matching. It opens no connection.

`known_hosts` is always a file that was read here. asyncssh takes None as "do not verify" and an empty value as "the user's own
file"; neither can be reached, because only `Pinned` makes the value that is passed on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import asyncssh

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, trouble
from handrail.base.safe import safe
from handrail.ssh.target import Target

_ALGORITHMS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


@dataclass(frozen=True)
class Pinned:
    """What known_hosts says of one host: the keys it pins for the name, the authorities for it, the revoked ones."""

    keys: tuple[asyncssh.SSHKey, ...]
    authorities: tuple[asyncssh.SSHKey, ...]
    revoked: tuple[asyncssh.SSHKey, ...]

    def exact(self) -> tuple[list[asyncssh.SSHKey], list[asyncssh.SSHKey], list[asyncssh.SSHKey]]:
        """Return what asyncssh takes as known_hosts: three lists, never None, never falsy, and no match by address."""
        return [*self.keys], [*self.authorities], [*self.revoked]

    @property
    def algorithms(self) -> list[str]:
        """Return the host key algorithms to ask for: those of the pinned keys first, so that the server shows the key we know.

        All others follow, so that a changed key can be shown, not guessed; certificates only where an authority is pinned.
        """
        known = [name.decode() for key in self.keys for name in key.sig_algorithms]
        plain = list(dict.fromkeys([*known, *_ALGORITHMS]))
        return [*(f"{name}-cert-v01@openssh.com" for name in _ALGORITHMS), *plain] if self.authorities else plain


@dataclass(frozen=True)
class Strange:
    """A key that a host showed and known_hosts does not hold for it: what a person compares. Fingerprints as ssh-keygen's."""

    name: str  # as known_hosts names it: "192.0.2.10", "[192.0.2.10]:2222", or the alias
    host: str
    port: int
    algorithm: str
    fingerprint: str  # "SHA256:..."
    key: str  # base64, as known_hosts holds it
    known_hosts: Path
    pinned: tuple[str, ...] = ()  # the fingerprints that are pinned for it; empty at a first contact

    @property
    def line(self) -> str:
        """Return the line that pins it in known_hosts."""
        return f"{self.name} {self.algorithm} {self.key}\n"


class KeyRefused(Trouble):
    """A host key that is unknown, or not the pinned one; it carries the key, so that a person can compare it."""

    def __init__(self, problem: Problem, strange: Strange) -> None:
        super().__init__(problem)
        self.strange = strange


def pinned(target: Target) -> Pinned:
    """Read the target's known_hosts; raise `Trouble` when it cannot be read."""
    path = target.known_hosts
    try:
        hosts = asyncssh.read_known_hosts(str(path))
    except FileNotFoundError:
        message = f"no host is trusted yet: there is no {safe(path.name)}"
        raise trouble(
            "ssh-known-hosts", message, "handrail trust ESTATE shows each key's fingerprint, to compare"
        ) from None
    except OSError as error:
        raise trouble(
            "ssh-known-hosts", f"known_hosts cannot be read: {safe(str(error))}", "write it with `handrail trust`"
        ) from None
    except (ValueError, asyncssh.Error) as error:
        raise trouble("ssh-known-hosts", f"{safe(str(path))} is not a known_hosts file: {safe(str(error))}") from None
    port = target.port if target.port not in (0, 22) else None
    matched = asyncssh.match_known_hosts(hosts, target.pinned_as, "", port)
    return Pinned(tuple(matched[0]), tuple(matched[1]), tuple(matched[2]))


def refused_key(target: Target, pins: Pinned, seen: asyncssh.SSHKey | None, detail: str) -> Trouble:
    """Return what to say of a host key that was not accepted: unknown, changed or revoked, with every fingerprint."""
    name = safe(target.pinned_as)
    shown = fingerprint(seen) if seen else "unknown"
    if "revoked" in detail:
        return trouble(
            "ssh-host-key-revoked",
            f"{name} shows a host key that is marked as revoked",
            "do not connect: somebody holds a key that was withdrawn",
        )
    known = tuple(fingerprint(key) for key in (*pins.keys, *pins.authorities))
    problem = Problem(
        "ssh-host-key-changed",
        f"the host key of {name} has changed: pinned is {', '.join(known)}, it shows {shown}",
        "stop: either the host was rebuilt, or something stands in between",
    )
    if not known:
        problem = Problem(
            "ssh-host-key-unknown",
            f"the host key of {name} is not in {safe(str(target.known_hosts))}; it shows {shown}",
            "compare it with the host's own `ssh-keygen -lf`, then `handrail trust`",
        )
    return KeyRefused(problem, strange_key(target, seen, known)) if seen else Trouble(problem)


def strange_key(target: Target, key: asyncssh.SSHKey, known: tuple[str, ...] = ()) -> Strange:
    """Return what a person compares of a key that a host showed."""
    port = target.port or 22
    name = target.pinned_as if target.host_key_alias or port == 22 else f"[{target.host}]:{port}"
    text = key.export_public_key("openssh").decode("ascii").split()
    return Strange(name, target.host, port, text[0], key.get_fingerprint(), text[1], target.known_hosts, known)


def fingerprint(key: asyncssh.SSHKey) -> str:
    """Return "ssh-ed25519 SHA256:..." as ssh-keygen prints it."""
    return f"{key.get_algorithm()} {key.get_fingerprint()}"
