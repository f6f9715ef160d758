"""The terminal's driver: Textual's own, which neither a closed nor a stuck terminal can stop.

Textual writes through a thread with a short queue. When the terminal is gone the thread dies, when it is stuck (a lost
SSH line) the queue fills; either way the next write would block the event loop, and with it the run. Here an error is
swallowed, and a frame that does not fit is dropped and painted anew once the terminal takes bytes again.
"""

from __future__ import annotations

import queue
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, TextIO

from textual.drivers.linux_driver import LinuxDriver

GRACE: Final = 8  # seconds from a held run to the end of the process
PATIENCE: Final = 1.0  # seconds for the last words to a terminal that may be stuck


def end_without_fail() -> None:
    """End this process a little later, come what may: the run is held by now, and a stuck terminal may hang the rest.

    What hangs is the last flush of a stream that nobody reads, in the interpreter's own end, where no thread and no
    handler of ours runs any more: so it is the kernel that is asked (alarm(2)), with its own way of ending a process.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(GRACE)


def last_words(lines: Iterable[str]) -> None:
    """Write lines to the shell, once the screen is gone; a terminal that takes no bytes, or not these, stops nobody."""
    with suppress(OSError, ValueError):
        encoding = sys.stdout.encoding or "utf-8"
        for line in lines:
            sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()


class _Deaf:
    """The terminal's file: what cannot be written is forgotten."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write, if that is possible."""
        with suppress(OSError, ValueError):
            return self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush, if that is possible."""
        with suppress(OSError, ValueError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever a file has
        return getattr(self._file, name)


class Terminal(LinuxDriver):
    """The driver of the application."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  handed on as they are
        super().__init__(*args, **kwargs)
        self._file: Any = _Deaf(self._file)
        self._behind = self._stopping = self._stuck = False

    def write(self, data: str) -> None:
        """Hand bytes to the writer; never wait for a terminal that does not take them."""
        if self._writer_thread is None:
            return
        waiting = self._writer_thread._queue
        if self._stopping:
            self._last_words(waiting, data)
            return
        if self._behind:
            if not waiting.empty():
                return
            self._behind = False
            self._app.call_later(getattr(self._app, "paint_all", self._app.refresh))
        try:
            waiting.put_nowait(data)
        except queue.Full:
            self._behind = True

    def _last_words(self, waiting: queue.Queue[str | None], data: str | None) -> None:
        """Wait a little for the terminal, but only once."""
        try:
            waiting.put(data, timeout=0 if self._stuck else PATIENCE)
        except queue.Full:
            self._stuck = True

    def stop_application_mode(self) -> None:
        """Put the terminal right."""
        self._stopping = True
        super().stop_application_mode()

    def close(self) -> None:
        """End the writer; one that hangs in a dead terminal is left behind."""
        if self._writer_thread is not None:
            self._last_words(self._writer_thread._queue, None)
            self._writer_thread.join(0 if self._stuck else PATIENCE)
