"""Where a record goes that the journal does not take: a file on another disk, and memory, for printing at the end."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from handrail.store.disk import Disk, write_all


def emergency_folders() -> list[Path]:
    """Return where such a file may be made, best first: other file systems than the run's, as a rule."""
    return [Path(tempfile.gettempdir()), Path("/dev/shm"), Path.home()]  # noqa: S108 - mkstemp makes the file


class Emergency:
    """The records of one run that are not in its journal."""

    def __init__(self, run_id: str, disk: Disk) -> None:
        self.unsaved: tuple[str, ...] = ()
        self.path: Path | None = None
        self._run_id, self._disk = run_id, disk

    def save(self, line: bytes) -> None:
        """Keep a line in memory, and in a file wherever one can be written."""
        self.unsaved += (line.decode("ascii").rstrip("\n"),)
        for folder in [self.path.parent] if self.path else emergency_folders():
            with suppress(OSError):
                self._write(folder, line)
                return

    def _write(self, folder: Path, line: bytes) -> None:
        if self.path is None:
            fd, name = tempfile.mkstemp(".unsaved.jsonl", f"handrail-{self._run_id}-", folder)
            self.path = Path(name)
        else:
            fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        try:
            write_all(self._disk, "emergency.write", fd, line)
            self._disk.sync_data("emergency.write", fd)
        finally:
            os.close(fd)
