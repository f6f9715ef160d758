"""Menus: what can be chosen, granted or with the sentence that refuses it. A model with a cursor, and its painting."""

from __future__ import annotations

from collections.abc import Sequence

from handrail.base.frozen import dataclass
from handrail.tui.look import Look, Mark
from handrail.tui.text import Ink, Line, fit, ink, row, spread


@dataclass(frozen=True)
class Choice:
    """One row of a menu: the action it stands for, its key, what it says; `why` refuses it."""

    action: str
    key: str
    label: str
    note: str = ""
    why: str = ""
    proposed: bool = False
    heading: str = ""


class Menu:
    """Choices and a cursor. The cursor stays on its action when the choices change."""

    def __init__(self, choices: Sequence[Choice] = ()) -> None:
        self.choices: tuple[Choice, ...] = ()
        self.at = 0
        self.touched = False  # somebody has moved the cursor: it stays where they put it
        self.update(choices)

    @property
    def chosen(self) -> Choice | None:
        """Return the marked choice."""
        return self.choices[self.at] if self.choices else None

    def update(self, choices: Sequence[Choice]) -> None:
        """Take new choices; until somebody moves the cursor the proposed one is marked, else the first that is granted."""
        marked = self.chosen.action if self.chosen else ""
        self.choices = tuple(choices)
        actions = [c.action for c in self.choices]
        if marked in actions and (self.touched or not any(c.proposed for c in self.choices)):
            self.at = actions.index(marked)
            return
        ranked = sorted(
            range(len(self.choices)), key=lambda n: (not self.choices[n].proposed, bool(self.choices[n].why))
        )
        self.at = ranked[0] if ranked else 0

    def move(self, by: int) -> None:
        """Move the cursor; it stops at the ends."""
        self.touched = True
        self.at = max(0, min(len(self.choices) - 1, self.at + by))

    def to(self, action: str) -> None:
        """Put the cursor on an action."""
        self.touched = True
        self.at = next((n for n, c in enumerate(self.choices) if c.action == action), self.at)

    def lines(self, look: Look, width: int, height: int, *, label_at: int = 0) -> list[Line]:
        """Return the menu's rows, scrolled so that the cursor is in view."""
        label_at = label_at or min(
            width * 3 // 5, max((len(c.key) + len(c.label) for c in self.choices), default=0) + 9
        )
        rows: list[tuple[int, Line]] = []
        for number, choice in enumerate(self.choices):
            rows += [(number, line) for line in _choice(look, choice, width, label_at, marked=number == self.at)]
        if len(rows) <= height:
            return [line for _, line in rows]
        first = next(n for n, (number, _) in enumerate(rows) if number == self.at)
        start = max(0, min(first - height // 2, len(rows) - height))
        shown, below = [line for _, line in rows[start : start + height]], len(rows) - start - height
        if below:
            shown[-1] = spread(fit(shown[-1], width - 9), ink(f"↓ {below} more", Ink.MUTED), width)
        return shown


def _choice(look: Look, choice: Choice, width: int, label_at: int, *, marked: bool) -> list[Line]:
    mark = Mark.CHOSEN if marked else Mark.TO_COME
    how = Ink.MUTED if choice.why else (Ink.BOLD if marked else Ink.TEXT)
    left = row(
        " ",
        ink(look.glyph(mark), mark.ink),
        " ",
        ink(choice.key, Ink.MUTED if choice.why else Ink.KEY, f"mark:{choice.action}"),
        "  " if choice.key else "",
        ink(choice.label, how, f"mark:{choice.action}"),
    )
    note = choice.why or choice.note
    if not note:
        return [fit(left, width)]
    notes = Ink.MUTED if choice.why else (Ink.CALM if choice.proposed else Ink.DIM)
    at = max(label_at, left.width + 2)
    return [fit(fit(left, at) + fit(ink(note, notes), max(1, width - at - 1)), width)]
