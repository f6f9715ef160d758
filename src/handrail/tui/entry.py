"""What is being typed: one line, its cursor, and the rules of the gate against pasting. A model; it paints one line."""

from __future__ import annotations

from collections import deque
from typing import Final

from handrail.base.safe import safe
from handrail.engine.typed import first_wrong
from handrail.tui.text import EMPTY, Ink, Line, ink, row

FAST: Final = 0.030  # seconds; a person does not type four keys in this time
PLEASE_TYPE: Final = "please type it"
EDITING: Final = frozenset(
    {"backspace", "delete", "left", "right", "home", "end", "ctrl+a", "ctrl+e", "ctrl+u", "ctrl+w", "ctrl+k"}
)


class Entry:
    """One line of typing. `guarded` drops a paste and more than three keys in 30 ms; `secret` shows dots."""

    def __init__(self, value: str = "", *, guarded: bool = False, secret: bool = False, limit: int = 400) -> None:
        self.value = value
        self.at = len(value)
        self.guarded = guarded
        self.secret = secret
        self.limit = limit
        self.dropped = ""
        self._times: deque[float] = deque(maxlen=4)

    def key(self, name: str, char: str, when: float) -> bool:
        """Take a key pressed at monotonic `when`; return whether it belonged to the typing."""
        if name in EDITING:
            self._edit(name)
            return True
        if not char or not char.isprintable():
            return False
        if self.guarded and self._too_fast(when):
            self.clear()
            self.dropped = PLEASE_TYPE
            return True
        self.dropped = ""
        self._insert(char if self.secret else safe(char))
        return True

    def _too_fast(self, when: float) -> bool:
        self._times.append(when)
        return len(self._times) == 4 and when - self._times[0] < FAST

    def paste(self, text: str) -> None:
        """Take a bracketed paste; a guarded entry drops it."""
        if self.guarded:
            self.clear()
            self.dropped = PLEASE_TYPE
            return
        text = text.strip("\r\n")
        self._insert(text if self.secret else safe(text))

    def clear(self) -> None:
        """Forget what was typed."""
        self.value, self.at = "", 0

    def _insert(self, text: str) -> None:
        text = text[: self.limit - len(self.value)]
        self.value = self.value[: self.at] + text + self.value[self.at :]
        self.at += len(text)

    def _edit(self, name: str) -> None:
        before, after = self.value[: self.at], self.value[self.at :]
        if name == "backspace":
            before = before[:-1]
        elif name == "delete":
            after = after[1:]
        elif name == "ctrl+u":
            before = ""
        elif name == "ctrl+k":
            after = ""
        elif name == "ctrl+w":
            before = before.rstrip()
            before = before[: before.rfind(" ") + 1]
        self.value, self.at = before + after, len(before)
        if name in ("home", "ctrl+a"):
            self.at = 0
        elif name in ("end", "ctrl+e"):
            self.at = len(self.value)
        elif name == "left":
            self.at = max(0, self.at - 1)
        elif name == "right":
            self.at = min(len(self.value), self.at + 1)

    def line(self, width: int, *, token: str = "", active: bool = True) -> Line:
        """Return what is typed, with its cursor; with a `token`, the first wrong character is underlined."""
        text = "•" * len(self.value) if self.secret else self.value
        start = max(0, self.at - width + 2)
        wrong = first_wrong(self.value, token) if token else None
        line = EMPTY
        for position in range(start, min(len(text) + 1, start + max(1, width - 1))):
            char = text[position] if position < len(text) else " "
            how = Ink.WRONG if wrong is not None and position >= wrong and char != " " else Ink.BOLD
            if active and position == self.at:
                how = Ink.CURSOR
            line = row(line, ink(char, how))
        return line
