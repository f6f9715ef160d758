"""What one who may take over a run has to know of it, as data: who drives it, what it has changed, how far asking is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from handrail.base.frozen import dataclass
from handrail.session.view import Snapshot


@dataclass(frozen=True)
class Standing:
    """A run that somebody drives, as one who may take it over has to know it. Foreign text in it is raw."""

    snap: Snapshot
    holder: str
    host: str
    pid: int
    gone: bool  # the holder's process ran here and does not any more: nobody is there to be asked
    since: datetime | None
    keyed: datetime | None  # when their last key was pressed, or their last line typed
    silent: float | None  # seconds since their console last showed life
    where: str
    last: str  # the last thing that was done, with its time
    note: str  # the last note, with its time
    flight: tuple[str, ...]  # what is under way at hosts, and goes on there
    changed: tuple[str, ...]
    undo: tuple[str, ...]  # what would be undone, newest first
    undo_seconds: float
    owed: tuple[str, ...]
    clients: str
    differs: tuple[str, ...]  # what was found not to be as it was


class Stage(StrEnum):
    """How far the asking is."""

    FREE = "free"  # nobody drives it: it can be resumed
    GONE = "gone"  # the lock is held, the process is not there: it can be taken with name and reason
    UNASKED = "unasked"
    WAITING = "waiting"
    HANDING = "handing"
    DECLINED = "declined"
    SILENT = "silent"  # no answer in time: it can be taken with name and reason


@dataclass(frozen=True)
class Reply:
    """What has come of a question so far; `left` seconds are left to answer it."""

    stage: Stage
    words: str = ""
    left: float = 0.0

    @property
    def may_take(self) -> bool:
        """Tell whether name and reason are enough now."""
        return self.stage in (Stage.GONE, Stage.SILENT) or (self.stage is Stage.HANDING and self.left <= 0)


def facts(standing: Standing) -> Iterator[tuple[str, str]]:
    """Yield each fact with its label."""
    silent = standing.silent or 0.0
    life = "its process is gone" if standing.gone else f"silent for {silent:.0f} s" if silent > 10 else "alive"
    keyed = f", last key {standing.keyed:%H:%M:%SZ}" if standing.keyed else ""
    since = f", drives since {standing.since:%H:%M:%SZ}" if standing.since else ""
    yield "console", f"{life}{keyed}{since}"
    if standing.snap.damage:
        yield "NOT WHOLE", standing.snap.damage
    yield "where", standing.where
    yield from (("under way", words) for words in standing.flight)
    if standing.last:
        yield "last", standing.last
    yield "note", standing.note or "none"
    yield "changed", "; ".join(standing.changed) or "nothing"
    yield "undo", _undo(standing)
    yield "owed", "; ".join(standing.owed) or "nothing"
    if standing.clients:
        yield "clients", standing.clients
    yield from (("differs", words) for words in standing.differs)


def _undo(standing: Standing) -> str:
    if not standing.undo:
        return "nothing to undo"
    return f"{'; '.join(standing.undo)} (about {standing.undo_seconds:.0f} s)"
