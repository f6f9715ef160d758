"""The canvas: the one widget of every page. It puts painted lines on the screen, and sends only the rows that changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style as RichStyle
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from handrail.tui.look import Look
from handrail.tui.text import EMPTY, Ink, Line, fit

Painter = Callable[[int, int], Sequence[Line]]


class Canvas(Widget, can_focus=True):
    """A grid of text rows (Textual's Line API). It takes the focus, so that keys and pastes always arrive here."""

    DEFAULT_CSS = "Canvas { width: 1fr; height: 1fr; background: $background; color: $foreground; }"
    ALLOW_SELECT = False

    def __init__(self, paint: Painter, look: Look) -> None:
        super().__init__()
        self._paint, self._look = paint, look
        self._rows: list[Line] = []
        self._inks: dict[Ink, RichStyle] = {}

    @property
    def rows(self) -> list[Line]:
        """Return what is painted now."""
        return self._rows

    def repaint(self) -> None:
        """Paint again, and refresh the rows that are not as they were."""
        width, height = self.size
        if not width or not height:
            return
        fresh = [fit(line, width) for line in self._paint(width, height)][:height]
        fresh += [fit(EMPTY, width)] * (height - len(fresh))
        before, self._rows = self._rows, fresh
        if len(before) != len(fresh):
            self.refresh()
            return
        changed = [y for y, line in enumerate(fresh) if line != before[y]]
        if changed:
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def restyle(self) -> None:
        """Forget the inks: the theme has changed."""
        self._inks.clear()
        self.refresh()

    def on_resize(self, _: events.Resize) -> None:
        """Paint for the new size."""
        self._rows = []
        self.repaint()

    def render_line(self, y: int) -> Strip:
        """Return one row as Textual draws it."""
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self._ink(Ink.TEXT))
        spans = self._rows[y].spans
        say = self._look.terminal
        return Strip([Segment(say(span.text), self._ink(span.ink)) for span in spans], self.size.width)

    def _ink(self, how: Ink) -> RichStyle:
        if how not in self._inks:
            style = self.visual_style
            if how.value:
                style = style + self.app.stylesheet.parse_style(how.value)
            self._inks[how] = style.rich_style
        return self._inks[how]

    def act_at(self, x: int, y: int) -> str:
        """Return what a click at a cell does; nothing for most of them."""
        if not 0 <= y < len(self._rows):
            return ""
        left = x
        for span in self._rows[y].spans:
            width = Line((span,)).width
            if left < width:
                return span.act
            left -= width
        return ""
