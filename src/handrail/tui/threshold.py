"""The first frame, written straight to the terminal while the screen is still being imported. It imports no library.

It is the waiting page as it will stand there a moment later, without its colours and keys: what is typed meanwhile waits
for the screen. The terminal's modes are not touched, and whatever ends the program first puts the terminal right.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from handrail.tui.sizes import LEAST

ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
LEAVE: Final = "\x1b[?25h\x1b[?1049l"
READING: Final = "Reading runbooks and runs"
GETTING_READY: Final = "Getting ready"
NOTHING: Final = "Nothing to press. Nothing was sent to any host."


class Threshold:
    """Use it as a context manager around what takes long; `cross` gives the terminal over to the screen."""

    def __init__(self, words: str = READING, *, shown: bool = True) -> None:
        self._words, self._shown, self._entered, self._crossed = words, shown, False, False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Threshold:
        if not self._shown:
            return self
        with suppress(OSError, ValueError):
            width, height = os.get_terminal_size(sys.stdout.fileno())
            if width >= LEAST[0] and height >= LEAST[1]:
                self._guard()
                self._entered = True
                plain = "utf" not in (sys.stdout.encoding or "").lower()
                _write(ENTER + "\r\n".join(frame(self._words, width, height, plain=plain)))
        return self

    def cross(self) -> None:
        """Leave the frame standing: the screen paints over it, and puts the terminal right from then on."""
        self._crossed = True

    def leave(self) -> None:
        """Give the shell its screen back, for a question that is asked there before there is a screen of ours."""
        if self._entered and not self._crossed:
            self._entered = False
            _write(LEAVE)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        if self._entered and (
            not self._crossed or kind is KeyboardInterrupt
        ):  # the screen takes ctrl+c, once it is there
            _write(LEAVE)

    def _guard(self) -> None:
        """Let the signals that end a program pass through here first; the screen has handlers of its own later."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                self._before[number] = signal.signal(number, self._end)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        if self._crossed:
            _write(LEAVE)
        raise SystemExit(130)


def frame(words: str, width: int, height: int, *, plain: bool = False) -> list[str]:
    """Return the rows of the waiting page; `plain`, for a terminal that cannot show our rules."""
    rule = ("-" if plain else "─") * width
    room = height - 5
    body = [""] * (room // 3) + [f"   {words}   00:00"]
    now = time.strftime("%H:%MZ", time.gmtime())
    return [f" handrail{now:>{width - 10}} ", rule, *body, *[""] * (room - len(body)), rule, f" {NOTHING}", ""]


def _write(text: str) -> None:
    """Write at once and past the buffer: a signal may have interrupted somebody who is writing into it."""
    with suppress(OSError, ValueError):
        left = text.encode(sys.stdout.encoding or "ascii", "replace")
        while left:
            left = left[os.write(sys.stdout.fileno(), left) :]
