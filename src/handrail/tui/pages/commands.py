"""The command line and the palette: every action of the page below, found by typing. Its result is an action."""

from __future__ import annotations

from handrail.tui.choices import Choice, Menu
from handrail.tui.entry import Entry
from handrail.tui.frame import Body
from handrail.tui.keys import shown
from handrail.tui.page import Page
from handrail.tui.text import EMPTY, Ink, ink, row


class CommandsPage(Page[str]):
    """A line to type into, and what it may mean."""

    scope_name = "commands"

    def __init__(self, scope: str, prompt: str) -> None:
        super().__init__()
        self._of, self._prompt = scope, prompt or "find:"
        self._typing = Entry()
        self._menu = Menu()

    @property
    def entry(self) -> Entry:
        """Return what is typed."""
        return self._typing

    def on_mount(self) -> None:
        """Show everything."""
        self.typed()

    def _choices(self) -> list[Choice]:
        below = self.app.screen_stack[-2] if len(self.app.screen_stack) > 1 else None
        seen: set[str] = set()
        found: list[Choice] = []
        for key in self.desk.keys.of(self._of):
            if key.action in seen or key.action in ("palette", "commands", "up", "down"):
                continue
            seen.add(key.action)
            why = below.why(key.action) if isinstance(below, Page) else ""
            found.append(Choice(key.action, f"{shown(key.keys[0]):>6}", key.action, key.help, why))
        return found

    def typed(self) -> None:
        """Narrow the choices: a name that begins so first, then any that holds it."""
        word = self._typing.value.strip().lower()
        choices = self._choices()
        begin = [c for c in choices if c.action.startswith(word)]
        inside = [c for c in choices if c not in begin and word in f"{c.action} {c.note}".lower()]
        self._menu = Menu([*begin, *inside])
        self._menu.at = 0

    def body(self, width: int, height: int) -> Body:
        """Return the line, and what it may mean."""
        line = row(ink(f" {self._prompt} ", Ink.KEY), self._typing.line(width - 12))
        menu = self._menu.lines(self.desk.look, width, height - 2, label_at=30)
        return Body([line, EMPTY, *(menu or [ink("   nothing of that name", Ink.MUTED)])])

    def do_up(self) -> None:
        """One up."""
        self._menu.move(-1)

    def do_down(self) -> None:
        """One down."""
        self._menu.move(1)

    def do_complete(self) -> None:
        """Take over the marked name."""
        if self._menu.chosen:
            self._typing = Entry(self._menu.chosen.action)
            self.typed()

    def do_take(self) -> None:
        """Do the marked one, or say why not."""
        chosen = self._menu.chosen
        if chosen is None:
            return
        if chosen.why:
            self.tell(chosen.why)
        else:
            self.dismiss(chosen.action)

    def do_back(self) -> None:
        """Do nothing."""
        self.dismiss("")
