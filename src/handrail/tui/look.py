"""How states and modes look: word, glyph and ink, never the colour alone. Pure; it knows no layout."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from enum import Enum
from typing import Final

from handrail.base.frozen import dataclass
from handrail.engine.outline import StepOutline
from handrail.engine.state import State, StepState
from handrail.engine.words import How, Line, StepWord
from handrail.session.view import Mode
from handrail.tui.text import Ink


class Mark(Enum):
    """A state as it is shown: word, glyph, ASCII glyph, ink (docs: the table of states)."""

    DONE = ("done", "✔", "ok", Ink.DIM)
    ALREADY = ("already so", "=", "==", Ink.DIM)
    BY_HAND = ("by hand", "✎", "hd", Ink.WARNING)
    NOW = ("now", "▶", ">>", Ink.ACCENT)
    LATE = ("late", "▶", ">!", Ink.WARNING)
    NO_LINK = ("no link", "~", "~~", Ink.WARNING)
    YOUR_TURN = ("your turn", "?", "??", Ink.TURN)
    TO_COME = ("to come", "·", ". ", Ink.MUTED)
    FAILED = ("FAILED", "✖", "XX", Ink.ERROR)
    UNKNOWN = ("UNKNOWN", "⁇", "?!", Ink.LOUD)
    SKIPPED = ("skipped", "-", "--", Ink.MUTED)
    NOT_NEEDED = ("not needed", " ", "  ", Ink.STRUCK)
    UNDONE = ("undone", "↶", "<-", Ink.SECOND)
    UNDOING = ("undoing", "↶", "<-", Ink.ACCENT)
    UNDO_FAILED = ("UNDO FAILED", "⤫", "<X", Ink.ERROR)
    UNDO_UNKNOWN = ("UNDO UNKNOWN", "⁇", "?!", Ink.LOUD)
    OWED = ("owed", "◷", "OW", Ink.WARNING)
    HELD = ("HELD", "‖", "||", Ink.LOUD)
    CLIENTS_MOVE = ("CLIENTS MOVE", "⚑", "##", Ink.LOUD)
    NO_WAY_BACK = ("NO WAY BACK", "✕", "##", Ink.ERROR)
    CHOSEN = ("chosen", "▸", "> ", Ink.ACCENT)
    ASKING = ("asking", "…", "..", Ink.DIM)

    @property
    def word(self) -> str:
        """Return the word."""
        return self.value[0]

    @property
    def ink(self) -> Ink:
        """Return the ink of glyph and word."""
        return self.value[3]


_MODES: Final[Mapping[Mode, tuple[str, str, Ink]]] = {
    Mode.DRILL: ("◇", "o", Ink.DRILL),
    Mode.CHECK: ("◎", "c", Ink.CHECK),
    Mode.REHEARSAL: ("◐", "%", Ink.REHEARSAL),
    Mode.LIVE: ("●", "*", Ink.LIVE),
    Mode.REPLAY: ("◁", "r", Ink.REPLAY),
}

_FROM: Final = "│┃║" + "─━═" + "┬┴┼├┤┏┓┗┛┣┫╋" + "◂…·▸→←↑↓⏎✔✖█░▶‖↶⁇◷⚑✕“”’–—×≥•≠"
_TO: Final = "|||" + "---" + "+" * 12 + '<~.>><^v/vx#.>=<?@!x""\'--x>*x'
_PLAIN: Final = str.maketrans(_FROM, _TO)


@dataclass(frozen=True)
class Look:
    """Which signs the terminal can show."""

    ascii: bool = False

    @property
    def wide(self) -> int:
        """Return the width of a state's glyph in cells."""
        return 2 if self.ascii else 1

    def glyph(self, mark: Mark) -> str:
        """Return a state's glyph."""
        return str(mark.value[2 if self.ascii else 1])

    def mode(self, mode: Mode) -> tuple[str, Ink]:
        """Return a mode's glyph and ink."""
        unicode, plain, how = _MODES[mode]
        return (plain if self.ascii else unicode), how

    def terminal(self, text: str) -> str:
        """Return a text in the signs that the terminal can show, cell for cell."""
        if not self.ascii or text.isascii():
            return text
        return text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")


def wants_ascii(env: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the terminal cannot show our glyphs: a Linux console, a dumb one, or a locale without UTF-8."""
    if env.get("TERM", "") in ("linux", "dumb", "vt100", "vt220"):
        return True
    named = env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or ""
    if named:
        return "utf" not in named.lower()
    return "utf" not in locale.getpreferredencoding(False).lower()


_WORDS: Final[Mapping[StepWord, Mark]] = {
    StepWord.AWAITING: Mark.YOUR_TURN,
    StepWord.FAILED: Mark.FAILED,
    StepWord.UNKNOWN: Mark.UNKNOWN,
    StepWord.SKIPPED: Mark.SKIPPED,
    StepWord.UNDOING: Mark.UNDOING,
    StepWord.UNDO_FAILED: Mark.UNDO_FAILED,
    StepWord.UNDO_UNKNOWN: Mark.UNDO_UNKNOWN,
    StepWord.OWED: Mark.OWED,
}
_PASSED: Final[Mapping[How, Mark]] = {How.ALREADY: Mark.ALREADY, How.BY_HAND: Mark.BY_HAND}


def mark_of(state: State, step: StepOutline) -> Mark:
    """Return how a step is shown."""
    now = state.step(step.id)
    if now.question is not None:
        return Mark.YOUR_TURN
    if now.word is StepWord.RUNNING:
        return _running(now)
    if now.word is StepWord.PASSED:
        return _PASSED.get(now.how, Mark.DONE)
    if now.word is StepWord.PENDING:
        if not state.needed(step):
            return Mark.NOT_NEEDED
        return Mark.UNDONE if now.undone else Mark.TO_COME
    return _WORDS[now.word]


def _running(now: StepState) -> Mark:
    if now.no_link:
        return Mark.NO_LINK
    return Mark.LATE if now.late else Mark.NOW


LINES: Final[Mapping[Line, Mark]] = {Line.CLIENTS_MOVE: Mark.CLIENTS_MOVE, Line.NO_WAY_BACK: Mark.NO_WAY_BACK}
