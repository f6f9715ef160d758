"""Modes cannot be confused: whether an estate is simulated is told by its pinned host keys, never by its name."""

from __future__ import annotations

from pathlib import Path

from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.runbook.estate import Estate
from handrail.session.view import Mode
from handrail.store.home import Home


def simulated_keys(home: Home) -> frozenset[str]:
    """Return every simulated host key ever made here (base64, as in known_hosts)."""
    try:
        return frozenset(home.sim_host_keys.read_text(encoding="ascii", errors="replace").split())
    except FileNotFoundError:
        return frozenset()


def pinned_keys(known_hosts: Path | None) -> frozenset[str]:
    """Return the keys that a known_hosts file pins (base64); an unreadable file pins none."""
    try:
        text = known_hosts.read_text(encoding="utf-8", errors="replace") if known_hosts else ""
    except OSError:
        return frozenset()
    keys = set()
    for line in text.splitlines():
        words = line.split()
        if words and words[0].startswith("@"):
            words = words[1:]
        if len(words) >= 3 and not words[0].startswith("#"):
            keys.add(words[2])
    return frozenset(keys)


def mode_of(estate: Estate, home: Home, asked: Mode) -> Mode:
    """Return the mode a run has; raise `Trouble` where a drill would touch real hosts, or LIVE simulated ones."""
    ours, known = pinned_keys(estate.known_hosts), simulated_keys(home)
    name = safe(estate.name, 60)
    if asked is Mode.DRILL:
        if not ours or not ours <= known:
            hint = "a drill touches simulated hosts only; run it LIVE, or CHECK it"
            raise trouble("drill-on-real", f"the estate {name} has host keys that no simulated estate ever had", hint)
        return asked
    if ours & known:
        hint = "use `handrail drill` for simulated estates; LIVE and CHECK never touch them"
        raise trouble("live-on-simulated", f"the estate {name} has host keys of a simulated estate", hint)
    if asked is Mode.LIVE and estate.class_ == "staging":
        return Mode.REHEARSAL
    return asked
