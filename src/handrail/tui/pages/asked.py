"""What a connection asks: a passphrase, a code, sudo's password. It is shown, answered once, and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from handrail.session.view import Asked
from handrail.tui.entry import Entry
from handrail.tui.frame import Body
from handrail.tui.page import Page
from handrail.tui.text import EMPTY, Ink, Line, fit, ink, row, wrap

if TYPE_CHECKING:
    from handrail.tui.app import HandrailApp

AnswerTo = Callable[[int, str | None], None]
DEAD: Final = 0.6  # seconds after it has come up in which no key counts: whoever typed was typing something else
AGAIN: Final = 0.4  # and as long as typing goes on


class AskedPage(Page[None]):
    """Asks one thing. It goes when it is answered, declined, or not asked any more."""

    scope_name = "ask"

    def __init__(self, asked: Asked, answer: AnswerTo, opened: float) -> None:
        super().__init__()
        self.asked, self._answer = asked, answer
        self._entry = Entry(secret=not asked.echo)
        self._alive = opened + DEAD
        self.over = False

    @property
    def entry(self) -> Entry:
        """Return what is typed into."""
        return self._entry

    def body(self, width: int, height: int) -> Body:
        """Return who asks what, and how to answer."""
        inner = width - 4
        lines: list[Line] = [ink(self.asked.title, Ink.BOLD), EMPTY]
        if self.asked.wrong:
            lines += [*wrap(self.asked.wrong, inner, Ink.WARNING), EMPTY]
        lines += wrap(self.asked.text, inner, Ink.TEXT)
        lines.append(row(ink("> ", Ink.KEY), self._entry.line(inner - 2)))
        note = "It is sent to that host and kept in memory only; esc leaves it, and what needs it says so."
        lines += [EMPTY, *wrap(note, inner, Ink.DIM)]
        return Body([EMPTY, *(row("  ", fit(line, inner)) for line in lines)][:height])

    def usual(self) -> Line:
        """Return what enter does."""
        return ink(" A connection asks; everything else goes on meanwhile.", Ink.ACCENT)

    def labels(self) -> dict[str, str]:
        """Say what the keys do here."""
        return {"say": "Answer", "back": "Leave it", "next-field": "", "prior-field": ""}

    def press(self, name: str, char: str, when: float) -> None:
        """Take a key, but not one that was meant for the page below."""
        if when < self._alive:
            self._alive = max(self._alive, when + AGAIN)
            return
        super().press(name, char, when)

    def do_say(self) -> None:
        """Answer."""
        if not self._entry.value:
            self.tell("it cannot be left empty; esc leaves it")
            return
        self._answer(self.asked.number, self._entry.value)
        self.leave()

    def do_back(self) -> None:
        """Decline."""
        self._answer(self.asked.number, None)
        self.leave()

    def leave(self) -> None:
        """Go, now or as soon as no other page lies above."""
        self._entry.clear()
        self.over = True
        if self.app.screen is self:
            self.dismiss(None)

    def on_screen_resume(self) -> None:
        """Go, if that was put off."""
        if self.over:
            self.dismiss(None)


class AskedPages:
    """Puts up the page of what is asked first, and takes it away again."""

    def __init__(self, app: HandrailApp) -> None:
        self._app = app
        self._page: AskedPage | None = None
        self._done: set[int] = set()

    def show(self, asked: Sequence[Asked], answer: AnswerTo) -> None:
        """Show what is asked now."""
        page = self._page
        if page is not None and page.over:
            self._done.add(page.asked.number)
            self._page = page = None
        first = next((one for one in asked if one.number not in self._done), None)
        if page is not None and (first is None or page.asked.number != first.number):
            page.leave()
            self._page = page = None
        if first is not None and page is None:
            self._page = AskedPage(first, answer, self._app.mono())
            self._app.push_screen(self._page)
