"""First contact: a host whose key is not pinned, both fingerprints, and how they are compared. Pure."""

from __future__ import annotations

from handrail.session.cards import HostKey, RolePulse
from handrail.tui.entry import Entry
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, wrap

_LABEL = 12
_FILES = {"ssh-ed25519": "ed25519", "ssh-rsa": "rsa"}


def key_file(algorithm: str) -> str:
    """Return where a host keeps the public key of an algorithm (sshd_config(5), HostKey)."""
    kind = _FILES.get(algorithm, "ecdsa" if algorithm.startswith("ecdsa") else "*")
    return f"/etc/ssh/ssh_host_{kind}_key.pub"


def contact_rows(
    pulse: RolePulse, key: HostKey, typed: Entry, why: Entry, width: int, *, on_why: bool, tight: bool = False
) -> list[Line]:
    """Return the body: whose key it is, what it shows, what was pinned, how to compare, and what is to be typed."""
    inner = width - 2
    title, means = _said(pulse, key)
    lines = [ink(title, Ink.ERROR if key.pinned else Ink.BOLD)]
    lines += wrap(means, inner, Ink.WARNING if key.pinned else Ink.DIM, 1 if tight else 4)
    facts = _tight(pulse, key, inner) if tight else [EMPTY, *_facts(pulse, key, inner), EMPTY]
    lines += facts
    asked = "Last 6 characters of what the host itself printed:"
    lines += wrap(asked, inner, Ink.DIM if on_why else Ink.BOLD)
    lines.append(row(ink("> ", Ink.MUTED if on_why else Ink.KEY), typed.line(inner - 2, active=not on_why)))
    if key.pinned:
        lines.append(ink("Why has it changed: who rebuilt it, and when?", Ink.BOLD if on_why else Ink.DIM))
        lines.append(row(ink("> ", Ink.KEY if on_why else Ink.MUTED), why.line(inner - 2, active=on_why)))
    return [fit(row(" ", line), width) for line in lines]


def _said(pulse: RolePulse, key: HostKey) -> tuple[str, str]:
    if key.pinned:
        means = "Rebuilt, or is somebody in between? Find out before you go on."
        return f"{pulse.name} does NOT show the host key that is pinned", means
    return f"{pulse.name} shows a host key that is not pinned", "Nobody has compared it yet. Nothing was sent there."


def _facts(pulse: RolePulse, key: HostKey, width: int) -> list[Line]:
    lines = hang(ink("Host", Ink.DIM), f"{pulse.name} ({pulse.role}), {key.address}", width, at=_LABEL)
    lines += hang(ink("It shows", Ink.DIM), f"{key.algorithm} {key.fingerprint}", width, at=_LABEL, how=Ink.BOLD)
    for one in key.pinned or ("nothing yet",):
        lines += hang(ink("Pinned", Ink.DIM), one, width, at=_LABEL, how=Ink.TEXT if key.pinned else Ink.DIM)
    lines += hang(ink("Pinned in", Ink.DIM), f"{key.known_hosts}, as {key.name}", width, at=_LABEL, how=Ink.DIM)
    lines += hang(ink("Compare", Ink.DIM), f"ssh-keygen -lf {key_file(key.algorithm)}", width, at=_LABEL, how=Ink.KEY)
    note = "on the host's own console, or asked of somebody who is there: never over this connection"
    return lines + hang("", note, width, at=_LABEL, how=Ink.DIM)


def _tight(pulse: RolePulse, key: HostKey, width: int) -> list[Line]:
    """Return the facts where there is little room: a fingerprint is never cut, and never broken over two lines."""
    lines = [ink(f"{pulse.role} at {key.address} shows {key.algorithm}", Ink.DIM), ink(key.fingerprint, Ink.BOLD)]
    for one in key.pinned[:1]:
        lines += [ink("Pinned is", Ink.DIM), ink(one.split(" ")[-1])]
    lines.append(ink("Compare it on the host's own console:", Ink.DIM))
    return [*lines, *wrap(f"ssh-keygen -lf {key_file(key.algorithm)}", width, Ink.KEY)]
