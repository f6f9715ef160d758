"""What is shown until the first page is there: a simulated estate takes some seconds to come up."""

from __future__ import annotations

from handrail.tui.clocks import clock
from handrail.tui.frame import Body
from handrail.tui.page import Page
from handrail.tui.text import EMPTY, Ink, Line, ink, row
from handrail.tui.threshold import GETTING_READY, NOTHING


class WaitingPage(Page[None]):
    """Says that something comes, and for how long already."""

    scope_name = "waiting"

    def __init__(self, words: str = GETTING_READY) -> None:
        super().__init__()
        self.words = words
        self._since: float | None = None

    def body(self, width: int, height: int) -> Body:
        """Return the one line there is to say."""
        now = self.desk.mono()
        self._since = now if self._since is None else self._since
        said = row(ink(f"   {self.words}", Ink.BOLD), ink(f"   {clock(now - self._since)}", Ink.DIM))
        return Body([*[EMPTY] * (height // 3), said])

    def usual(self) -> Line:
        """Return that nothing is to be pressed."""
        return ink(f" {NOTHING}", Ink.CALM)

    def do_leave(self) -> None:
        """Go away."""
        self.desk.own_quit(130)
