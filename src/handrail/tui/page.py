"""A page: one canvas, one scope of keys. Everything on the screen is a page, dialogs too; they close only by `dismiss`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual import events
from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget

from handrail.tui.canvas import Canvas
from handrail.tui.clocks import zulu
from handrail.tui.doing import doing
from handrail.tui.entry import EDITING, Entry
from handrail.tui.frame import Body, framed, key_bar, sentence, too_small
from handrail.tui.header import header
from handrail.tui.scene import Scene
from handrail.tui.sizes import LEAST, LOW
from handrail.tui.text import EMPTY, Ink, Line, ink, spread

if TYPE_CHECKING:
    from handrail.tui.app import HandrailApp
    from handrail.tui.output import OutputView

T = TypeVar("T")
NOTICE = 6.0  # seconds for which a sentence of ours stands in the place of the run's
_NEVER_CLICKED = frozenset({"confirm", "go", "choose", "begin", "start", "say", "answer", "take", "pin"})


class Page(Screen[T], inherit_bindings=False):
    """A whole screen. A subclass says its scope, paints its body, and has a method `do_x` for each action of its keys."""

    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = "Canvas"
    ALLOW_SELECT = False
    scope_name = "run"
    of_run = False  # it makes no sense without a run
    stays = False  # it is what one comes back to when a run is left
    output: OutputView | None = None  # what it shows of a host's output

    def __init__(self) -> None:
        super().__init__()
        self._notice: tuple[float, str] | None = None
        self._canvas: Canvas | None = None
        self.stale = True

    @property
    def desk(self) -> HandrailApp:
        """Return the application."""
        return cast("HandrailApp", self.app)

    @property
    def scope(self) -> str:
        """Return the scope of the keys."""
        return self.scope_name

    @property
    def entry(self) -> Entry | None:
        """Return what is typed into, if anything is."""
        return None

    @property
    def scene(self) -> Scene | None:
        """Return the run, if one is open."""
        return self.desk.scene()

    # ------------------------------------------------------------ painting

    def compose(self) -> Iterator[Widget]:
        """Yield the canvas."""
        self._canvas = Canvas(self.paint, self.desk.look)
        yield self._canvas

    @property
    def canvas(self) -> Canvas:
        """Return the canvas."""
        assert self._canvas is not None
        return self._canvas

    def paint(self, width: int, height: int) -> list[Line]:
        """Return the whole screen."""
        if self.of_run and self.scene is None:
            return []  # the run was let go, and this page is on its way out
        if width < LEAST[0] or height < LEAST[1]:
            return too_small(width, height)
        top = self.top(width)
        says = sentence(self.says(), width, 3 if height >= LOW else 2)
        body = self.body(width, height - len(top) - 3 - len(says))
        return framed(top, body, says, self.bar(width), width, height)

    def top(self, width: int) -> list[Line]:
        """Return the header."""
        scene = self.scene
        return (
            header(scene, width)
            if scene
            else [spread(ink(" handrail", Ink.BOLD), f"{zulu(self.desk.today())} ", width)]
        )

    def body(self, width: int, height: int) -> Body:
        """Return the body."""
        raise NotImplementedError

    def says(self) -> Line:
        """Return the sentence above the key bar."""
        if self._notice and self.desk.mono() < self._notice[0]:
            return ink(f" {self._notice[1]}", Ink.LOUD)
        return self.usual()

    def usual(self) -> Line:
        """Return the sentence when there is nothing special to say."""
        scene = self.scene
        return doing(scene) if scene else EMPTY

    def bar(self, width: int) -> Line:
        """Return the key bar; what cannot be done now is dimmed."""
        scope = self.scope
        dimmed = {k.action for k in self.desk.keys.bar(scope) if self.why(k.action)}
        return key_bar(self.desk.keys, scope, self.labels(), dimmed, width)

    def labels(self) -> dict[str, str]:
        """Return labels that depend on the moment; an empty one leaves the key out of the bar."""
        return {}

    def why(self, action: str) -> str:
        """Return why an action cannot be done now; empty when it can."""
        return ""

    def repaint(self) -> None:
        """Paint again."""
        self.stale = False
        if self._canvas is not None and self._canvas.is_attached and self._canvas.is_mounted:
            self._canvas.repaint()

    def restyle(self) -> None:
        """Take notice that the theme has changed."""
        if self._canvas is not None:
            self._canvas.restyle()

    def reread(self) -> None:
        """Read anew what it shows, for who comes back to it."""

    def show(self) -> None:
        """Take notice that the run has changed."""
        self.stale = True

    def tick(self) -> None:
        """Take notice that a second has passed."""
        self.stale = True

    def frame(self) -> None:
        """Pull output, then paint if anything has changed: at most once for each frame."""
        self.pull()
        if self.stale:
            self.repaint()

    def pull(self) -> None:
        """Pull output, about 20 times a second."""

    def tell(self, sentence: str) -> None:
        """Show a sentence for a few seconds."""
        self._notice = (self.desk.mono() + NOTICE, sentence)
        self.repaint()

    # ------------------------------------------------------------ keys

    @property
    def idle(self) -> bool:
        """Tell whether it is painted and nothing waits for it: what comes now is the next thing that it takes."""
        painted = self._canvas is not None and bool(self._canvas.rows)
        return painted and self._message_queue.empty() and self.canvas._message_queue.empty()

    def hear(self, event: events.Event) -> None:
        """Take a key or a paste."""
        if isinstance(event, events.Key):
            self.on_key(event)
        elif isinstance(event, events.Paste):
            self.on_paste(event)

    def on_key(self, event: events.Key) -> None:
        """Take a key: what is typed first, then the registry."""
        event.stop()
        event.prevent_default()
        char = event.character if event.is_printable and event.character else ""
        name = "space" if char == " " else (char or event.key)
        self.press(name, char, self.desk.mono())

    def press(self, name: str, char: str, when: float) -> None:
        """Take a key by its name in the registry."""
        entry = self.entry
        mine = entry is not None and (name in EDITING or (char and not self.keeps(char)))
        if entry is not None and mine and entry.key(name, char, when):
            self.typed()
            self.repaint()
            return
        if name in ("ctrl+z", "ctrl+s"):
            if name == "ctrl+z":
                self.tell("not while driving: q leaves, and the run is held")
            return
        self.try_to(self.desk.keys.action(self.scope, name), by_enter=name == "enter")

    def try_to(self, action: str, *, by_enter: bool = False) -> None:
        """Do an action, or say why not."""
        if not action or (by_enter and not self.desk.enter_alive()):
            return
        why = self.why(action)
        if why:
            self.tell(why)
            return
        self._notice = None
        self.act(action)
        self.repaint()

    def keeps(self, char: str) -> bool:
        """Tell whether a printable key is an action even while something is typed."""
        return False

    def typed(self) -> None:
        """Take notice that something was typed."""

    def act(self, action: str) -> None:
        """Do an action of this page, or one that every page has."""
        name = "do_" + action.replace("-", "_")
        method = getattr(self, name, None) or getattr(self.desk, name, None)
        if method is not None:
            method()

    def on_paste(self, event: events.Paste) -> None:
        """Take a bracketed paste."""
        event.stop()
        if self.entry is not None:
            self.entry.paste(event.text)
            self.typed()
            self.repaint()

    # ------------------------------------------------------------ mouse: it helps, nothing needs it, it never confirms

    def on_click(self, event: events.Click) -> None:
        """Do what a click on this cell means, unless it would start or confirm something."""
        event.stop()
        kind, _, what = self.canvas.act_at(event.x, event.y).partition(":")
        if kind == "key" and what not in _NEVER_CLICKED:
            self.try_to(what)
        elif kind:
            self.clicked(kind, what)
            self.repaint()

    def clicked(self, kind: str, what: str) -> None:
        """Take a click on something of the page's own."""

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        event.stop()
        self.scrolled(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        event.stop()
        self.scrolled(-3)

    def scrolled(self, by: int) -> None:
        """Take the wheel."""

    def do_back(self) -> None:
        """Close this page."""
        self.dismiss(None)


class OfRun(Page[None]):
    """A page that makes no sense without a run."""

    of_run = True

    @property
    def now(self) -> Scene:
        """Return the run; this page is never in front without one."""
        scene = self.scene
        assert scene is not None
        return scene


class Scrolled(Page[T]):
    """A page whose body is a long list of lines."""

    def __init__(self) -> None:
        super().__init__()
        self.first = 0
        self._height = 1
        self._count = 0

    def lines(self, width: int) -> list[Line]:
        """Return all lines."""
        raise NotImplementedError

    def body(self, width: int, height: int) -> Body:
        """Return the part that is in view."""
        lines = self.lines(width)
        self._height, self._count = height, len(lines)
        self.first = max(0, min(self.first, len(lines) - height))
        return Body(lines[self.first : self.first + height])

    @property
    def more(self) -> bool:
        """Tell whether there is more below than is in view."""
        return self._count - self.first > self._height

    def usual(self) -> Line:
        """Return how far down it is, where there is more than one screen."""
        if self._count <= self._height:
            return super().usual()
        below = self._count - self.first - self._height
        return ink(f" {below} more line{'' if below == 1 else 's'} below" if below > 0 else " the end", Ink.DIM)

    def scrolled(self, by: int) -> None:
        """Move the lines."""
        self.first = max(0, self.first + by)
        self.repaint()

    def do_down(self) -> None:
        """One down."""
        self.first += 1

    def do_up(self) -> None:
        """One up."""
        self.first = max(0, self.first - 1)

    def do_first(self) -> None:
        """To the beginning."""
        self.first = 0

    def do_last(self) -> None:
        """To the end."""
        self.first = 1 << 30

    def do_page_down(self) -> None:
        """Half a page down."""
        self.first += max(1, self._height // 2)

    def do_page_up(self) -> None:
        """Half a page up."""
        self.first = max(0, self.first - max(1, self._height // 2))
