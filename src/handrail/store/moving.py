"""What moved on the screen besides the journal: how far a step was, which links were up. For replays alone.

It is a memory beside the record: not synced, bounded, and its first error ends it; a run never waits for it and nothing is
decided by it. What was a secret is masked before it gets here, as in the journal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from handrail.base.problems import Trouble
from handrail.base.secrets import Secret
from handrail.store.disk import Disk, write_all
from handrail.store.masking import Mask
from handrail.store.trusted import file_mode, open_trusted

NAME: Final = "moving.jsonl"
MOST: Final = 8 << 20  # bytes that are kept of one run
_LONGEST: Final = 1 << 20
_DISK: Final = Disk()  # no boundary of the record: nothing is lost with it


class Moving:
    """The file of one run, open for appending; made when the first line is written."""

    def __init__(self, folder: Path, disk: Disk = _DISK) -> None:
        self._path, self._disk, self._fd, self._size = folder / NAME, disk, -1, 0
        self._dead, self._mask = False, Mask()

    def hide(self, secrets: Iterable[Secret]) -> None:
        """Mask these from now on."""
        self._mask = Mask(tuple(secrets))

    def write(self, line: Mapping[str, Any]) -> None:
        """Keep a line, if that is possible."""
        if self._dead:
            return
        try:
            data = _line(line)
            clean = self._mask.clean(data, line)
            data = data if clean is line else _line(clean)
            if self._fd < 0:
                self._open()
            if self._size + len(data) > MOST:
                self._dead = True
                return
            write_all(self._disk, "moving.write", self._fd, data)
            self._size += len(data)
        except (OSError, Trouble, ValueError, TypeError):
            self._dead = True

    def close(self) -> None:
        """Close the file."""
        self._dead = True
        if self._fd >= 0:
            with suppress(OSError):
                os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        mode = file_mode(self._path.parent)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._fd = open_trusted(self._path, flags, at="moving.open", mode=mode, disk=self._disk)
        found = os.fstat(self._fd)
        if found.st_uid == os.geteuid():
            os.fchmod(self._fd, mode)  # the umask may have taken the group's part
        self._size = found.st_size
        if self._size and os.pread(self._fd, 1, self._size - 1) != b"\n":
            write_all(self._disk, "moving.write", self._fd, b"\n")  # a crash cut the last line off


def _line(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def read_moving(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the lines that can be read; none where there is no such file."""
    try:
        fd = open_trusted(folder / NAME, os.O_RDONLY, at="moving.read")
    except FileNotFoundError:
        return
    with os.fdopen(fd, "rb") as file:
        while line := file.readline(_LONGEST):
            with suppress(ValueError, RecursionError):
                found = json.loads(line)
                if isinstance(found, dict):
                    yield found
