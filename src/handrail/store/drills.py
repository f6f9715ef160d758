"""The list of drills: which runbook, by its digest, was rehearsed when, by whom and how that ended.

It answers "was this digest ever drilled?" for LIVE and for home. A line that cannot be read is passed over: it is a
memory, not a truth that a run depends on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Final

from handrail.base.frozen import dataclass
from handrail.store.disk import DISK, Disk, sync_folder, told, write_all
from handrail.store.exclusive import locked
from handrail.store.home import Home
from handrail.store.trusted import file_mode, open_trusted

PATIENCE: Final = 5.0  # seconds to wait for another console that writes its own drill


@dataclass(frozen=True)
class Drill:
    """One finished drill: `digest` is the runbook file's, `when` as in the journal, `undone` whether it was walked back."""

    digest: str
    runbook: str
    when: str
    by: str
    outcome: str
    undone: bool = False
    run: str = ""
    scenario: str = ""
    restored: float | None = None  # seconds until the RTO clock stopped
    took: float | None = None  # seconds until its last step had ended


def add_drill(home: Home, drill: Drill, *, disk: Disk = DISK) -> None:
    """Remember a drill, on the disk when this returns; raise Trouble `drills-unwritable`."""
    data = json.dumps(asdict(drill), sort_keys=True).encode() + b"\n"
    fresh = not home.drills.exists()
    with told("drills-unwritable", "the drill could not be remembered"):
        mode = file_mode(home.path)
        fd = open_trusted(home.drills, os.O_RDWR | os.O_CREAT | os.O_APPEND, at="drills.open", mode=mode, disk=disk)
        try:
            if os.fstat(fd).st_uid == os.geteuid():
                os.fchmod(fd, mode)  # the umask may have taken the group's part
            with locked(fd, PATIENCE):
                _append(fd, data, disk)
        finally:
            os.close(fd)
        if fresh:
            sync_folder(disk, "drills.create", home.path)


def drills_of(home: Home, *, digest: str = "", runbook: str = "") -> list[Drill]:
    """Return the drills of a digest, or of a runbook's id, or all, oldest first."""
    return [
        drill
        for drill in _read(home)
        if (not digest or drill.digest == digest) and (not runbook or drill.runbook == runbook)
    ]


def _append(fd: int, data: bytes, disk: Disk) -> None:
    """Append a line, after ending one that a crash may have left open."""
    size = os.fstat(fd).st_size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        data = b"\n" + data
    write_all(disk, "drills.append", fd, data)
    disk.sync_data("drills.append", fd)


def _read(home: Home) -> Iterator[Drill]:
    try:
        fd = open_trusted(home.drills, os.O_RDONLY, at="drills.read")
    except FileNotFoundError:
        return
    with os.fdopen(fd, "rb") as file:
        for line in file:
            drill = _drill(line)
            if drill:
                yield drill


def _drill(line: bytes) -> Drill | None:
    try:
        found = json.loads(line)
        drill = Drill(**{f.name: found[f.name] for f in fields(Drill) if f.name in found})
    except (ValueError, TypeError, RecursionError):
        return None
    texts = (drill.digest, drill.runbook, drill.when, drill.by, drill.outcome, drill.run, drill.scenario)
    return drill if all(isinstance(text, str) for text in texts) and isinstance(drill.undone, bool) else None
