"""What a screen shows beyond what follows from the journal: how far a step is, which links are up, who looks on.

Kept beside the record while a run is driven, and read again for a replay. It is shown, and nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Final

from handrail.base.frozen import dataclass
from handrail.base.secrets import Secret
from handrail.engine.codec import decode, encode
from handrail.session.view import HostView, LiveHost, LiveStep
from handrail.store.moving import Moving, read_moving

QUIET: Final = 1.0  # seconds between two lines in which only the moment of the last output is new
SILENT: Final = (
    100  # names that are not seen yet: as many as a screen shows, of perhaps a hundred thousand at every look
)
LOOK: Final = 0.1  # seconds between two looks for what moved without a record


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
    """Keeps what moves of one run; only what is different is written, and looking for it is cheap on a large estate."""

    def __init__(self, folder: Path) -> None:
        self._file = Moving(folder)
        self._before = Moved()
        self._written = self._looked = float("-inf")
        self._records = 0
        self._lines: list[dict[str, Any]] = []  # that are not in the file yet

    def hide(self, secrets: tuple[Secret, ...]) -> None:
        """Mask these from now on."""
        self._file.hide(secrets)

    def keep(self, at: float, records: int, now: Moved) -> None:
        """Keep what is different since the last line; each record has a line of its own, so that both are told together.

        It is in the file after the next `write`.
        """
        fresh = records != self._records
        if not fresh and at - self._looked < LOOK:
            return
        self._looked = at
        line, loud = _difference(self._before, now)
        if not fresh and (not line or (not loud and at - self._written < QUIET)):
            return
        self._lines.append({"at": at, "n": records, **line})
        self._before, self._written, self._records = now, at, records

    def write(self) -> None:
        """Write what was kept: what follows from a record does not wait for it."""
        lines, self._lines = self._lines, []
        for line in lines:
            self._file.write(line)

    def close(self) -> None:
        """Write the last of it, and keep nothing more."""
        self.write()
        self._file.close()


def _difference(before: Moved, now: Moved) -> tuple[dict[str, Any], bool]:
    """Return what is different, and whether it is more than the moment at which a host said something or was asked."""
    line: dict[str, Any] = {}
    live: dict[str, Any] = {step: None for step in before.live if step not in now.live}
    loud = bool(live)
    for step, one in now.live.items():
        was = before.live.get(step)
        if one is not was:
            told, heard = _step(was or LiveStep(), one, known=was is not None)
            loud = loud or heard
            live |= {step: told} if told else {}
    line |= {"live": live} if live else {}
    if now.hosts is not before.hosts:
        changed = {key: view for key, view in now.hosts.items() if before.hosts.get(key) != view}
        loud = loud or any(_calm(view) != _calm(before.hosts.get(key)) for key, view in changed.items())
        line |= {"hosts": {key: encode(view) for key, view in changed.items()}} if changed else {}
    for name in ("waits_for", "watchers"):
        if getattr(now, name) != getattr(before, name):
            line[name], loud = encode(getattr(now, name)), True
    return line, loud


def _step(was: LiveStep, one: LiveStep, *, known: bool) -> tuple[dict[str, Any], bool]:
    """Return what is different in a step: its own figures, and the hosts that are not as they were."""
    told: dict[str, Any] = {}
    loud = not known
    own = _own(one)
    if own != _own(was) or not known:
        told["own"], loud = encode(own), True
    changed = {key: host for key, host in one.hosts.items() if was.hosts.get(key) is not host}
    if changed:
        told["hosts"] = {key: encode(host) for key, host in changed.items()}
        loud = loud or any(_heard(host) != _heard(was.hosts.get(key)) for key, host in changed.items())
    if len(one.hosts) < len(was.hosts) or any(key not in one.hosts for key in was.hosts):
        told["gone"], loud = [key for key in was.hosts if key not in one.hosts], True
    return told, loud


def _own(one: LiveStep) -> LiveStep:
    return replace(one, hosts={}, silent=one.silent[:SILENT])


def _heard(host: LiveHost | None) -> LiveHost | None:
    return host and replace(host, last_output=None)


def _calm(view: HostView | None) -> HostView | None:
    return view and replace(view, asked=None, away=view.away and round(view.away))


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
    for step, told in line.get("live", {}).items():
        if told is None:
            live.pop(step, None)
            continue
        was = live.get(step, LiveStep())
        own = decode(LiveStep, told["own"]) if "own" in told else was
        fresh = {key: decode(LiveHost, data) for key, data in told.get("hosts", {}).items()}
        kept = {key: host for key, host in was.hosts.items() if key not in told.get("gone", ())}
        live[step] = replace(own, hosts={**kept, **fresh})
    hosts.update({key: decode(HostView, data) for key, data in line.get("hosts", {}).items()})
    waits = tuple(line["waits_for"]) if "waits_for" in line else before.waits_for
    return Moved(live, hosts, waits, tuple(line["watchers"]) if "watchers" in line else before.watchers)
