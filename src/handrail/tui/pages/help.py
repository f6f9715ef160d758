"""The help page: the keys of the page it was called from, and the words."""

from __future__ import annotations

from typing import Final

from handrail.tui.keys import SCOPES, shown
from handrail.tui.look import Mark
from handrail.tui.page import Scrolled
from handrail.tui.text import EMPTY, Ink, Line, hang, ink, row

WORDS: Final = (
    ("stage", "a pause point, then its steps. enter starts a stage; it never starts by itself"),
    ("step", "one thing that is done, and checked: passed means exit as declared and every check holds"),
    ("gate", "the one place where you type the new value before a step is sent"),
    ("undo", "walks strictly backwards over what was started, to a pause point"),
    ("owed", "something to do on a host that does not answer: it stands until it is settled"),
    ("UNKNOWN", "nobody knows how it ended: never failed, never passed. Ask the host, or say what is true"),
    ("no link", "the job goes on at the host; this console re-attaches by itself"),
    ("late", "a change past its time. No clock ends it: you wait, or stop it"),
    ("held", "a run with nobody driving: safe on disk, nothing is sent, can be resumed"),
    ("closed", "a held run that nobody will finish, with a reason"),
    ("emergency", "a role is lost: it changes only which steps are needed"),
    ("guard", "a read-only watch beside the steps: it can close the way, it never acts"),
    ("CLIENTS MOVE", "a line: past it clients feel what you do; it can be undone"),
    ("NO WAY BACK", "a line: past it there is no undo, but another runbook may go on"),
    ("DRILL", "a simulated estate: nothing real is touched"),
    ("CHECK", "real hosts, reads only"),
    ("REHEARSAL", "real hosts of class staging, under LIVE's rules"),
    ("LIVE", "real hosts"),
    ("REPLAY", "a run that was, played again: nothing is sent"),
)


class HelpPage(Scrolled[None]):
    """Keys, states, words."""

    scope_name = "help"

    def __init__(self, scope: str) -> None:
        super().__init__()
        self._of = scope

    def lines(self, width: int) -> list[Line]:
        """Return the help."""
        lines = [ink(f" HELP  {SCOPES.get(self._of, self._of)}", Ink.BOLD), EMPTY]
        stages = False
        for key in self.desk.keys.of(self._of):
            if key.action.startswith("stage-"):
                if not stages:
                    lines += hang(ink("   1-9", Ink.KEY), "look at a stage", width - 1, at=19)
                stages = True
                continue
            names = " ".join(shown(k) for k in key.keys)
            lines += hang(row("   ", ink(names, Ink.KEY)), key.help, width - 1, at=19)
        lines += [EMPTY, ink(" STATES", Ink.BOLD), EMPTY, *self._states(width)]
        lines += [EMPTY, ink(" WORDS", Ink.BOLD), EMPTY]
        for word, means in WORDS:
            lines += hang(row("   ", ink(word, Ink.BOLD)), means, width - 1, at=19)
        return lines

    def _states(self, width: int) -> list[Line]:
        marks = [mark for mark in Mark if mark not in (Mark.CHOSEN, Mark.ASKING)]
        cells = [row("   ", ink(self.desk.look.glyph(m), m.ink), " ", ink(m.word, m.ink)) for m in marks]
        per = max(1, width // 26)
        lines: list[Line] = []
        for start in range(0, len(cells), per):
            line = EMPTY
            for at, cell in enumerate(cells[start : start + per]):
                line = row(line, " " * max(0, at * 24 - line.width), cell)
            lines.append(line)
        return lines
