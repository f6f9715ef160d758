"""The head anchor: the number and hash of the last record that was durable, in a file beside the journal.

It is written after the journal's own sync and not synced itself, so it may lag behind after a power failure and is
never ahead. A journal that ends before its anchor has lost records that were acted upon.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from handrail.base.problems import Problem, Trouble
from handrail.store.chain import Record
from handrail.store.disk import DISK, Disk
from handrail.store.trusted import file_mode, open_trusted

NAME: Final = "head"
_FORM: Final = re.compile(rb"(\d{12}) ([0-9a-f]{64})\n\Z")


def read_anchor(folder: Path, disk: Disk = DISK) -> tuple[int, str]:
    """Return number and hash of the last record known to have been durable; 0 when nothing is known."""
    try:
        fd = open_trusted(folder / NAME, os.O_RDONLY, at="anchor.read", disk=disk)
    except FileNotFoundError:
        return 0, ""
    try:
        found = _FORM.match(os.read(fd, 100))
    finally:
        os.close(fd)
    return (int(found[1]), found[2].decode()) if found else (0, "")


def against_anchor(seq: int, digest: str, records: Sequence[Record]) -> Problem | None:
    """Return what is wrong when records do not hold the one that the anchor names; None when they do."""
    if seq > len(records):
        return rolled_back(seq, len(records))
    if seq and records[seq - 1].h != digest:
        return Problem("journal-damaged", f"record {seq} of the journal is not the one that was written", "")
    return None


def rolled_back(had: int, has: int) -> Problem:
    """Return the problem of a journal that once had more records than it has."""
    what = f"the journal ends at record {has}, but record {had} was once on this disk"
    hint = "it was cut or restored from an older copy: what was sent since is not in it, ask the hosts first"
    return Problem("journal-rolled-back", what, hint)


class Anchor:
    """The anchor file of one run folder; failing to write it loses a check, never a record."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._path, self._disk, self._fd = folder / NAME, disk, -1

    def note(self, seq: int, digest: str) -> None:
        """Remember a durable record."""
        with suppress(OSError, Trouble):
            if self._fd < 0:
                self._fd = self._open()
            self._disk.pwrite("anchor.note", self._fd, f"{seq:012d} {digest}\n".encode(), 0)

    def _open(self) -> int:
        mode = file_mode(self._path.parent)
        fd = open_trusted(self._path, os.O_WRONLY | os.O_CREAT, at="anchor.open", mode=mode, disk=self._disk)
        if os.fstat(fd).st_uid == os.geteuid():
            os.fchmod(fd, mode)  # the umask may have taken the group's part
        return fd

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
