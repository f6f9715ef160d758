"""The log page: the full output of a step, host by host, with finding, filters and times."""

from __future__ import annotations

import asyncio

from handrail.runbook.samples import sample_of
from handrail.store.spool_reader import SpoolReader
from handrail.tui.dialogs import AskWords, Field
from handrail.tui.frame import Body
from handrail.tui.output import Only, OutputView, Times
from handrail.tui.page import OfRun
from handrail.tui.text import Ink, Line, ink, row, rule

_STEP = 16  # cells


class LogPage(OfRun):
    """A cursor on a line, and a window that follows it or the end."""

    scope_name = "log"
    output: OutputView

    def __init__(self, step: str, host: str = "", *, find: bool = False) -> None:
        super().__init__()
        self.step, self.host = step, host
        self.output = OutputView()
        self._height = 1
        self._find_at_once = find

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that have said something."""
        return self.desk.session.output(self.step).hosts() if self.desk.session else ()

    def on_mount(self) -> None:
        """Open the output."""
        self._open()
        if self._find_at_once:
            self.call_after_refresh(self.do_find)

    def on_unmount(self) -> None:
        """Close the output."""
        self.output.close()

    def _open(self) -> None:
        hosts = self.hosts
        if self.host not in hosts:
            self.host = hosts[0] if hosts else ""
        self.output.turn_to(self._reader())
        self.output.expect(sample_of(self.now.text(self.step).sample))

    def _reader(self) -> SpoolReader | None:
        """Return a reader of its own, which knows what any page that is open has counted of this output."""
        if not self.host or self.desk.session is None:
            return None
        reader = self.desk.session.output(self.step).reader(self.host)
        for page in self.desk.pages:
            if reader is not None and page.output is not None and page.output.reader is not None:
                reader.learn(page.output.reader)
        return reader

    def pull(self) -> None:
        """Pull what is new."""
        if self.output.reader is None:
            self._open()
        if self.output.pull():
            self.stale = True

    def body(self, width: int, height: int) -> Body:
        """Return a title and the lines in view."""
        step = self.now.state.outline.step(self.step)
        self._height = height - 1
        at = self.output.at
        parts = [f"{step.name}", self.now.host(self.host) if self.host else "nobody has said anything yet"]
        if len(self.hosts) > 1:
            parts.append(f"host {self.hosts.index(self.host) + 1} of {len(self.hosts)}")
        if at.only is not Only.ALL:
            parts.append(f"only {at.only.value}")
        if at.found:
            parts.append(f"find: {at.found}")
        head = rule(width, row(ink("  ".join(parts), Ink.BOLD)))
        return Body([head, *self.output.rows(width, self._height)])

    def usual(self) -> Line:
        """Return where one is, beside what the run does."""
        doing = super().usual()
        return row(ink(f" {self.output.where}  ", Ink.LOUD if not self.output.at.follow else Ink.DIM), doing)

    # ------------------------------------------------------------ moving

    def _move(self, by: int) -> None:
        at = self.output.at
        if at.mark < 0 or at.follow:
            lines = self.output.visible(self._height)
            at.follow = False
            at.mark = lines[-1].number if lines else -1
            if by > 0:
                return
        at.mark = max(0, min(self.output.count - 1, at.mark + by))
        if at.only is Only.ALL:
            if at.mark < at.top:
                at.top = at.mark
            elif at.mark >= at.top + self._height:
                at.top = at.mark - self._height + 1
        else:
            self.output.scroll(by, self._height)
            lines = self.output.visible(self._height)
            at.mark = lines[0].number if lines else -1

    def do_up(self) -> None:
        """One line up."""
        self._move(-1)

    def do_down(self) -> None:
        """One line down."""
        self._move(1)

    def do_page_up(self) -> None:
        """Half a page up."""
        self.scrolled(-max(1, self._height // 2))

    def do_page_down(self) -> None:
        """Half a page down."""
        self.scrolled(max(1, self._height // 2))

    def scrolled(self, by: int) -> None:
        """Move the window."""
        self.output.at.mark = -1
        self.output.scroll(by, self._height)
        self.repaint()

    def do_first(self) -> None:
        """To the first line."""
        self.output.at.mark = -1
        self.output.to_first()

    def do_last(self) -> None:
        """To the end, and stay there."""
        self.output.at.mark = -1
        self.output.to_end()

    def do_follow(self) -> None:
        """Stay at the end, or stay here."""
        self.output.at.mark = -1
        self.output.toggle_follow(self._height)

    def do_left(self) -> None:
        """Move the lines to the right."""
        self.output.at.left = max(0, self.output.at.left - _STEP)

    def do_right(self) -> None:
        """Move the lines to the left."""
        self.output.at.left += _STEP

    # ------------------------------------------------------------ looking

    def do_host(self) -> None:
        """Show the output of the next host."""
        hosts = self.hosts
        if len(hosts) < 2:
            self.tell("one host has spoken here, and no other")
            return
        self.host = hosts[(hosts.index(self.host) + 1) % len(hosts)] if self.host in hosts else hosts[0]
        self._open()

    def do_stream(self) -> None:
        """Show all, errors only, or without errors."""
        order = list(Only)
        self.output.at.only = order[(order.index(self.output.at.only) + 1) % len(order)]
        self.output.at.mark = -1

    def do_times(self) -> None:
        """Show the time of day, the time between lines, or none."""
        order = list(Times)
        self.output.at.times = order[(order.index(self.output.at.times) + 1) % len(order)]

    def do_whole(self) -> None:
        """Show the marked line whole."""
        number = self.output.at.mark
        if number < 0:
            self.tell("choose a line first, with the arrows")
            return
        self.desk.box(f"Line {number + 1}", self.output.whole(number))

    def do_copy(self) -> None:
        """Copy the marked line, or the last ones."""
        at = self.output.at
        self.desk.copy(self.output.whole(at.mark) if at.mark >= 0 else self.output.last_words())

    # ------------------------------------------------------------ finding

    def do_find(self) -> None:
        """Ask what to find."""
        page = AskWords(
            "Find", ["In the output of this host; large or small letters are the same."], [Field("text", "Text")]
        )
        self.desk.ask(page, self._found)

    def _found(self, said: dict[str, str]) -> None:
        self.output.at.found = said["text"]
        start = max(self.output.at.mark, 0)
        self._seek(start, 1)

    def do_find_next(self) -> None:
        """The next place."""
        self._seek(max(self.output.at.mark, self.output.at.top - 1) + 1, 1)

    def do_find_prior(self) -> None:
        """The place before."""
        at = self.output.at
        self._seek((at.mark if at.mark >= 0 else at.top) - 1, -1)

    def _seek(self, start: int, step: int) -> None:
        if not self.output.at.found:
            self.tell("nothing to find yet: / asks")
            return
        self.desk.own(self._seek_aside(start, step))

    async def _seek_aside(self, start: int, step: int) -> None:
        """Find with a reader of its own, in a thread: the whole file may have to be read."""
        needle = self.output.at.found.encode()
        reader = self._reader()
        if reader is None:
            return
        try:
            hit = await asyncio.to_thread(_find, reader, needle, start, step)
        finally:
            reader.close()
        if hit is None:
            self.tell(f"{self.output.at.found} is not there {'from here on' if step > 0 else 'before this'}")
            return
        self.output.pull()
        self.output.show(hit, self._height)
        self.output.at.mark = hit
        self.repaint()


def _find(reader: SpoolReader, needle: bytes, start: int, step: int) -> int | None:
    reader.refresh()
    return reader.find(needle, start, step, ignore_case=True)
