"""What a screen shows beyond what follows from the journal: how far a step is, which links are up, who looks on.

Kept beside the record while a run is driven, and read again for a replay. It is shown, and nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from handrail.base.secrets import Secret
from handrail.engine.codec import decode, encode
from handrail.session.view import HostView, LiveStep
from handrail.store.moving import Moving, read_moving

QUIET: Final = 1.0  # seconds between two lines in which only the moment of the last output is new


@dataclass(frozen=True)
class Moved:
    """What moved, as it stood at one moment."""

    live: Mapping[str, LiveStep] = field(default_factory=dict)
    hosts: Mapping[str, HostView] = field(default_factory=dict)
    waits_for: tuple[str, ...] = ()
    watchers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moment:
    """What moved from run seconds `at` on, after `records` records."""

    at: float
    records: int
    moved: Moved


class Keeper:
    """Keeps what moves of one run; only what is different is written."""

    def __init__(self, folder: Path) -> None:
        self._file = Moving(folder)
        self._before, self._written, self._records = Moved(), 0.0, 0

    def hide(self, secrets: tuple[Secret, ...]) -> None:
        """Mask these from now on."""
        self._file.hide(secrets)

    def keep(self, at: float, records: int, now: Moved) -> None:
        """Keep what is different since the last line; each record has a line of its own, so that both are told together."""
        before = self._before
        calm = now == before or (at - self._written < QUIET and _calm(now) == _calm(before))
        if calm and records == self._records:
            return
        line: dict[str, Any] = {"at": at, "n": records}
        for name, was, so in (("live", before.live, now.live), ("hosts", before.hosts, now.hosts)):
            fresh = {key: encode(one) for key, one in so.items() if was.get(key) != one}
            gone = {key: None for key in was if key not in so}
            if fresh or gone:
                line[name] = {**fresh, **gone}
        for name in ("waits_for", "watchers"):
            if getattr(now, name) != getattr(before, name):
                line[name] = encode(getattr(now, name))
        self._file.write(line)
        self._before, self._written, self._records = now, at, records

    def close(self) -> None:
        """Keep nothing more."""
        self._file.close()


def _calm(moved: Moved) -> Moved:
    """Return what moved, without when each host said something last or was asked, and since about when it is away."""
    live = {
        step: replace(one, hosts={key: replace(host, last_output=None) for key, host in one.hosts.items()})
        for step, one in moved.live.items()
    }
    hosts = {key: replace(host, asked=None, away=host.away and round(host.away)) for key, host in moved.hosts.items()}
    return replace(moved, live=live, hosts=hosts)


def moments(folder: Path) -> tuple[Moment, ...]:
    """Return what moved in a run, in order; nothing where it was not kept."""
    found: list[Moment] = []
    now = Moved()
    for line in read_moving(folder):
        try:
            now = _after(now, line)
            found.append(Moment(float(line["at"]), int(line["n"]), now))
        except (KeyError, TypeError, ValueError):
            continue  # of another version: what stood before stands on
    return tuple(found)


def _after(before: Moved, line: Mapping[str, Any]) -> Moved:
    live, hosts = dict(before.live), dict(before.hosts)
    for kind, into in ((LiveStep, live), (HostView, hosts)):
        for key, data in line.get("live" if into is live else "hosts", {}).items():
            if data is None:
                into.pop(key, None)
            else:
                into[key] = decode(kind, data)
    waits = tuple(line["waits_for"]) if "waits_for" in line else before.waits_for
    return Moved(live, hosts, waits, tuple(line["watchers"]) if "watchers" in line else before.watchers)
