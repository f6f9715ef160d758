"""Host keys at the briefing: which host shows one that is not pinned, and pinning what a person has compared."""

from __future__ import annotations

from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.session.modes import simulated_keys
from handrail.session.view import Mode
from handrail.ssh.contact import LAST, Strange, compared, first_contact, pin
from handrail.ssh.links import Links
from handrail.ssh.target import Target
from handrail.ssh.trust import KeyRefused
from handrail.store.home import Home

AWAY = frozenset({"ssh-unreachable", "ssh-timeout"})  # what a lost host looks like; one that refuses us is not lost


async def strange_key(links: Links, target: Target, wrong: Trouble) -> Strange | None:
    """Return the key to be compared, where that is why a host could not be spoken to; None for any other reason."""
    if isinstance(wrong, KeyRefused):
        return wrong.strange
    if wrong.problems[0].code == "ssh-known-hosts" and not target.known_hosts.exists():
        try:
            return await first_contact(links, target)
        except Trouble:
            return None
    return None


def accept(home: Home, mode: Mode, strange: Strange, typed: str, why: str) -> None:
    """Pin a key for a person who typed its fingerprint; raise `Trouble` when it is not the same, or not of this world."""
    name = safe(strange.name)
    if not compared(typed, strange.fingerprint):
        hint = f"type its last {LAST} characters, or all of it, as the host itself prints it"
        raise trouble("ssh-fingerprint", f"that is not the fingerprint that {name} shows: nothing was pinned", hint)
    if (strange.key in simulated_keys(home)) != (mode is Mode.DRILL):
        told = "a drill touches simulated hosts only" if mode is Mode.DRILL else "this is the key of a simulated host"
        raise trouble("ssh-fingerprint", f"{name} cannot be pinned for {mode.value}: {told}")
    if strange.pinned and not why.strip():
        raise trouble("ssh-fingerprint", f"{name} had another key: say why it changed", "who rebuilt it, and when")
    pin(strange, why)
