"""Pipes and terminals in the loop: a source that is read until it ends, and a sink that is written as it takes.

Both own their descriptor and close it.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from typing import Final

_CHUNK: Final = 65536
_HIGH_WATER: Final = 1 << 18


class Source:
    """Reads a descriptor and passes on what comes; `ended` is set at its end or when it is closed."""

    def __init__(self, fd: int, on_data: Callable[[bytes], object]) -> None:
        os.set_blocking(fd, False)
        self._fd, self._on_data = fd, on_data
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._loop.add_reader(fd, self._readable)

    def pause(self) -> None:
        """Read nothing for now."""
        if self._fd >= 0:
            self._flowing.clear()
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Read on."""
        if self._fd >= 0:
            self._flowing.set()
            self._loop.add_reader(self._fd, self._readable)

    async def drained(self) -> None:
        """Pass on what is there already, then close: a terminal's end is its leader's, not that of what it left behind."""
        more = True
        while more:
            await self._flowing.wait()
            await asyncio.sleep(0)
            more = self._fd >= 0 and self._read()
        self.close()

    def close(self) -> None:
        """Stop reading and close the descriptor."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
            self._flowing.set()
            if not self.ended.done():
                self.ended.set_result(None)

    def _readable(self) -> None:
        self._read()

    def _read(self) -> bool:
        """Read once; True while more may be there at once."""
        try:
            data = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return False
        except OSError as e:  # EIO: nobody has the terminal open any more
            data = b""
            if e.errno != errno.EIO:
                self.close()
                return False
        if not data:
            self.close()
            return False
        self._on_data(data)
        return True


class Sink:
    """Writes a descriptor as fast as it takes; `on_full` is called with True above the high water mark, False below."""

    def __init__(self, on_full: Callable[[bool], None]) -> None:
        self._fd = -1
        self._on_full = on_full
        self._buffer = bytearray()
        self._closed = self._ending = self._full = False

    def open(self, fd: int) -> None:
        """Take the descriptor; what was written before goes there now."""
        os.set_blocking(fd, False)
        if self._closed:
            os.close(fd)
            return
        self._fd = fd
        self._flush()

    def write(self, data: bytes) -> None:
        """Queue bytes; they are dropped when nobody reads any more."""
        if not self._closed and not self._ending:
            self._buffer += data
            self._flush()

    def end(self) -> None:
        """Close after what is queued."""
        self._ending = True
        self._flush()

    def close(self) -> None:
        """Close now."""
        self._closed = True
        self._buffer.clear()
        if self._fd >= 0:
            asyncio.get_running_loop().remove_writer(self._fd)
            os.close(self._fd)
            self._fd = -1
        self._mark()

    def _flush(self) -> None:
        if self._fd < 0:
            return
        try:
            while self._buffer:
                del self._buffer[: os.write(self._fd, self._buffer[:_CHUNK])]
        except BlockingIOError:
            asyncio.get_running_loop().add_writer(self._fd, self._flush)
        except OSError:
            self.close()
            return
        else:
            asyncio.get_running_loop().remove_writer(self._fd)
            if self._ending:
                self.close()
                return
        self._mark()

    def _mark(self) -> None:
        full = len(self._buffer) > _HIGH_WATER
        if full != self._full:
            self._full = full
            self._on_full(full)
