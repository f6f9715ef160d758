"""Dialogs: choose, say in words, a box of text. The safe choice stands first; nothing here decides anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handrail.base.frozen import dataclass
from handrail.tui.choices import Choice, Menu
from handrail.tui.entry import Entry
from handrail.tui.frame import Body
from handrail.tui.page import Page
from handrail.tui.text import EMPTY, Ink, Line, fit, ink, row, wrap

_WIDEST = 96


def _margin(width: int) -> int:
    return max(1, (width - _WIDEST) // 2)


class Choose(Page[str]):
    """Choices, the first of which does nothing. Its result is the chosen action, or nothing."""

    scope_name = "choose"

    def __init__(
        self, title: str, says: Sequence[str] | Callable[[], Sequence[str]], choices: Sequence[Choice]
    ) -> None:
        super().__init__()
        self._title, self._says = title, says
        self.menu = Menu(choices)
        self.menu.at = 0

    def body(self, width: int, height: int) -> Body:
        """Return title, sentences and choices."""
        left = _margin(width)
        inner = width - 2 * left
        lines = [ink(self._title, Ink.BOLD), EMPTY]
        for sentence in self._says() if callable(self._says) else self._says:
            lines += wrap(sentence, inner, Ink.TEXT) or [EMPTY]
        lines.append(EMPTY)
        menu = self.menu.lines(self.desk.look, inner, height - len(lines) - 1)
        return Body([EMPTY, *(row(" " * left, line) for line in (*lines, *menu))])

    def clicked(self, kind: str, what: str) -> None:
        """Mark a choice; enter takes it."""
        if kind == "mark":
            self.menu.to(what)

    def press(self, name: str, char: str, when: float) -> None:
        """Take the choices' own letters too: they only move the mark."""
        hot = next((c for c in self.menu.choices if c.key and c.key == name), None)
        if hot is not None and not self.desk.keys.action(self.scope, name):
            self.menu.to(hot.action)
            self.repaint()
            return
        super().press(name, char, when)

    def do_up(self) -> None:
        """One up."""
        self.menu.move(-1)

    def do_down(self) -> None:
        """One down."""
        self.menu.move(1)

    def do_choose(self) -> None:
        """Take the marked one, or say why not."""
        chosen = self.menu.chosen
        if chosen is None:
            return
        if chosen.why:
            self.tell(chosen.why)
            return
        self.dismiss(chosen.action)

    def do_back(self) -> None:
        """Do nothing."""
        self.dismiss("")


@dataclass(frozen=True)
class Field:
    """A line to fill in; `must` may not be empty, `exact` must be typed just so."""

    name: str
    label: str
    must: bool = True
    exact: str = ""
    secret: bool = False  # shown as dots, and taken as it is


class AskWords(Page[dict[str, str]]):
    """Asks for words, one line each. Its result is what was typed, by field; None when it was left."""

    scope_name = "ask"

    def __init__(self, title: str, says: Sequence[str], fields: Sequence[Field]) -> None:
        super().__init__()
        self._title, self._lead, self._fields = title, says, fields
        self._entries = [Entry(guarded=bool(f.exact), secret=f.secret) for f in fields]
        self._at = 0

    @property
    def entry(self) -> Entry:
        """Return the line that is being filled in."""
        return self._entries[self._at]

    def body(self, width: int, height: int) -> Body:
        """Return title, sentences and the lines to fill in."""
        left = _margin(width)
        inner = width - 2 * left
        lines: list[Line] = [ink(self._title, Ink.BOLD), EMPTY]
        for sentence in self._lead:
            lines += wrap(sentence, inner, Ink.TEXT) or [EMPTY]
        for at, (field, entry) in enumerate(zip(self._fields, self._entries, strict=True)):
            mine = at == self._at
            lines += [EMPTY, ink(field.label, Ink.BOLD if mine else Ink.DIM)]
            typed = entry.line(inner - 2, token=field.exact, active=mine)
            lines.append(row(ink("> ", Ink.KEY if mine else Ink.MUTED), typed))
            if entry.dropped:
                lines.append(ink(f"  dropped: {entry.dropped}", Ink.LOUD))
        return Body([EMPTY, *(row(" " * left, fit(line, inner)) for line in lines)])

    def do_next_field(self) -> None:
        """Go to the next line."""
        self._at = (self._at + 1) % len(self._fields)

    def do_prior_field(self) -> None:
        """Go to the line before."""
        self._at = (self._at - 1) % len(self._fields)

    def do_say(self) -> None:
        """Take the words, once nothing is missing."""
        for at, (field, entry) in enumerate(zip(self._fields, self._entries, strict=True)):
            if field.must and not entry.value.strip():
                if at == self._at:
                    self.tell(f"{field.label}: it cannot be left empty")
                self._at = at
                return
            if field.exact and entry.value.strip() != field.exact:
                self._at = at
                self.tell(f"that is not {field.exact}")
                return
        pairs = zip(self._fields, self._entries, strict=True)
        self.dismiss({f.name: e.value if f.secret else e.value.strip() for f, e in pairs})


class Box(Page[None]):
    """A box of text that can be copied."""

    scope_name = "box"

    def __init__(self, title: str, text: str, below: str = "") -> None:
        super().__init__()
        self._title, self._words, self._below = title, text, below

    def body(self, width: int, height: int) -> Body:
        """Return the text in a box."""
        left = _margin(width)
        inner = width - 2 * left - 4
        body = [line for part in self._words.split("\n") for line in (wrap(part, inner) or [EMPTY])]
        body = body[: max(1, height - 7)]
        top = row(ink("┏━ ", Ink.CALM), ink(self._title, Ink.BOLD), " ")
        top = row(top, ink("━" * max(0, inner + 3 - top.width) + "┓", Ink.CALM))
        side = ink("┃", Ink.CALM)
        rows = [row(side, " ", fit(line, inner), " ", side) for line in (EMPTY, *body, EMPTY)]
        boxed = [top, *rows, ink("┗" + "━" * (inner + 2) + "┛", Ink.CALM)]
        below = [EMPTY, *wrap(self._below, inner, Ink.DIM)] if self._below else []
        return Body([EMPTY, *(row(" " * left, line) for line in (*boxed, *below))])

    def do_copy(self) -> None:
        """Copy the text."""
        self.desk.copy(self._words)

    def do_close(self) -> None:
        """Close the box."""
        self.dismiss(None)
