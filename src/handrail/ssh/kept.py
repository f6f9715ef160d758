"""What files say, kept while they stay as they are: many hosts are reached with one known_hosts and one key.

It opens no file but those, and forgets them when it is told to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Generic, TypeVar

T = TypeVar("T")
FRESH: Final = (
    2.0  # seconds after a change in which another one may leave a file's times as they are: until then it is read anew
)


class Kept(Generic[T]):
    """What `read` makes of a file; it is read again, in a thread, when it has changed or a file `beside` it has."""

    def __init__(self, read: Callable[[Path], T], beside: tuple[str, ...] = ()) -> None:
        """Take how a file is read, and the endings of files that are read with it where they exist."""
        self._read, self._beside = read, beside
        self._kept: dict[Path, tuple[list[_Stamp], T]] = {}
        self._reading = asyncio.Lock()  # those who wait for a file find it read

    async def of(self, path: Path) -> T:
        """Return what the file says now; raises what `read` raises."""
        if (kept := self._kept.get(path)) and kept[0] == self._stamps(path):
            return kept[1]
        async with self._reading:
            stamps = self._stamps(path)
            if (kept := self._kept.get(path)) and kept[0] == stamps:
                return kept[1]
            said = await asyncio.to_thread(self._read, path)
            if all(stamp is None or time.time() - max(stamp[3:]) / 1e9 > FRESH for stamp in stamps):
                self._kept[path] = (stamps, said)
            return said

    def wipe(self) -> None:
        """Forget what they said."""
        self._kept.clear()

    def _stamps(self, path: Path) -> list[_Stamp]:
        return [_stamp(path), *(_stamp(Path(f"{path}{ending}")) for ending in self._beside)]


_Stamp = tuple[int, int, int, int, int] | None
"""What tells one state of a file from another: device, inode, size, and the times of both kinds of change in nanoseconds."""


def _stamp(path: Path) -> _Stamp:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns
