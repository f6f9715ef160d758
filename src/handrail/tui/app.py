"""The application: it owns one task that follows the session, the clocks, the signals, and the stack of pages.

It may not run the engine: a session is asked and told through `handrail.session.api`, and nothing of it lives in a
Textual worker. Whatever ends this program, the run is held and the terminal is put right.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

from textual import events
from textual.app import App
from textual.binding import BindingType

from handrail.base.problems import Trouble
from handrail.base.safe import Safe, safe
from handrail.base.spacing import QUICK, Spacing
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.offers import Offer
from handrail.engine.state import State
from handrail.session.api import BriefingApi, DeskApi, SessionApi
from handrail.session.cards import RunCard
from handrail.session.exits import Exit, exit_of
from handrail.session.parting import parting
from handrail.session.view import Snapshot
from handrail.store.disk import DISK, replace_file
from handrail.store.trusted import file_mode
from handrail.tui.dialogs import AskWords, Box, Field
from handrail.tui.header import title_of
from handrail.tui.keys import Keys
from handrail.tui.look import Look
from handrail.tui.page import Page
from handrail.tui.pages.asked import AskedPages
from handrail.tui.pages.briefing import BriefingPage
from handrail.tui.pages.home import HomePage
from handrail.tui.pages.replay import ReplayPage
from handrail.tui.pages.run import RunPage
from handrail.tui.pages.takeover import TakeoverPage
from handrail.tui.pages.waiting import WaitingPage
from handrail.tui.running import Verbs
from handrail.tui.scene import Scene
from handrail.tui.terminal import Terminal, end_without_fail
from handrail.tui.text import plain_text
from handrail.tui.themes import defaults, themes
from handrail.tui.threshold import GETTING_READY, READING

DEAD: Final = 0.6  # seconds after a step ended in which enter does nothing
AGAIN: Final = 0.25  # and as long as it is held down
FRAME: Final = 0.05
MOMENT: Final = 0.005  # seconds in which a clock on the screen does not move
First = SessionApi | BriefingApi | RunCard | Callable[[], Awaitable[SessionApi | BriefingApi]] | None
DeskOrMaker = DeskApi | Callable[[], DeskApi]
"""A desk, or what makes one: that is called in a thread once the screen stands, because what a desk needs takes long to import."""


def _today() -> datetime:
    return datetime.now(UTC)


class HandrailApp(Verbs, App[int], inherit_bindings=False):
    """The program on the screen."""

    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: $background; }"

    def __init__(
        self,
        desk: DeskOrMaker,
        first: First = None,
        *,
        look: Look | None = None,
        keys: Keys | None = None,
        theme: str = "",
        mode_hint: str = "",
        page: Callable[[], Page[None]] | None = None,
        beside: Callable[[HandrailApp], Coroutine[Any, Any, None]] | None = None,
        mono: Callable[[], float] = time.monotonic,
        today: Callable[[], datetime] = _today,
        frame: float = FRAME,
    ) -> None:
        super().__init__(driver_class=Terminal)
        self._desk, self._first, self._mode_hint = desk, first, mode_hint
        self._home, self._beside = page or HomePage, beside
        self.look, self.keys, self.mono, self.today = look or Look(), keys or Keys(), mono, today
        self.session: SessionApi | None = None
        self.asked = AskedPages(self)
        self._frame = frame
        self._wanted_theme = theme
        self._snap: Snapshot | None = None
        self._taken = 0.0
        self._painted_scene: tuple[Scene | None, float] = (None, 0.0)
        self._pulled = -1.0
        self._offers: tuple[int, tuple[Offer, ...]] = (-1, ())
        self._dead_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self._follower: asyncio.Task[None] | None = None
        self._code = 0
        self.fault: BaseException | None = None
        self.said_at_parting: dict[str, tuple[Safe, ...]] = {}  # by run: for the shell, once the screen is gone
        self.trouble: Trouble | None = None  # why the first page could not be opened

    # ------------------------------------------------------------ life

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the inks for themes that are not ours."""
        theme = self.current_theme
        return defaults(ansi=theme.ansi, dark=theme.dark)

    def on_mount(self) -> None:
        """Show the first page."""
        self.animation_level = "none"
        for theme in themes():
            self.register_theme(theme)
        wanted = self._wanted_theme or "dark"
        self.theme = wanted if self.get_theme(wanted) else "dark"
        self.theme_changed_signal.subscribe(self, lambda _: self.paint_all())
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with suppress(NotImplementedError, RuntimeError, ValueError):
                asyncio.get_running_loop().add_signal_handler(number, self._signalled, number)
        self.set_interval(max(1.0, self._frame), self._tick)
        self.set_interval(self._frame, self._pull_unless_just_now)
        self.title_window()
        self.own(self._open_first())

    async def on_unmount(self) -> None:
        """Let go of every task."""
        await self.close_session()
        for task in tuple(self._tasks):
            task.cancel()

    @property
    def desk_api(self) -> DeskApi:
        """Return the desk; nothing that asks it is shown before it is there."""
        assert not callable(self._desk)
        return self._desk

    async def _make_desk(self, make: Callable[[], DeskApi]) -> None:
        """Show that something comes, and only then have the desk made."""
        painted = asyncio.Event()
        await self.push_screen(WaitingPage(READING))
        self.call_after_refresh(painted.set)
        await painted.wait()
        self._desk = await asyncio.to_thread(make)

    async def _open_first(self) -> None:
        first = self._first
        if callable(self._desk):
            try:
                await self._make_desk(self._desk)
            except Trouble as wrong:
                self.trouble = wrong
                self.exit(Exit.USAGE)
                return
        if callable(first):
            words = "Bringing the simulated estate up" if self._mode_hint == "DRILL" else GETTING_READY
            self.push_screen(WaitingPage(words))
            try:
                first = await first()
            except Trouble as wrong:
                self.trouble = wrong
                self.exit(Exit.USAGE)
                return
        if first is None:
            if isinstance(self.screen, WaitingPage):
                self.pop_screen()
            self.push_screen(self._home())
        elif isinstance(first, RunCard):
            self.take_over(first, alone=True)
        elif isinstance(getattr(first, "snapshot", None), Snapshot):
            self.open_session(first)  # type: ignore[arg-type]  # what has a snapshot is a session
        else:
            self.push_screen(BriefingPage(first, alone=True))  # type: ignore[arg-type]

    def own(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task that belongs to the application; what it raises ends the application, cleanly."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._owned_ended)

    def _owned_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Trouble):
            self.say(said(error))
        elif error is not None:
            self.panic_quietly(error)

    def panic_quietly(self, error: BaseException) -> None:
        """End the application because of an error of ours: the run is held, no local variable is ever printed."""
        if self.fault is None:
            self.fault = error
        self.own_quit(1)

    def _handle_exception(self, error: Exception) -> None:
        """Take what Textual would print with all local variables: the terminal first, then one sentence."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        if self.fault is None:
            self.fault = error
        self._close_messages_no_wait()

    def _signalled(self, number: int) -> None:
        name = signal.Signals(number).name
        self.own(self._leave_for(f"the console was ended by {name}"))

    async def _leave_for(self, why: str) -> None:
        await self.close_session(why)
        if isinstance(self._driver, Terminal):
            end_without_fail()
        self.exit(Exit.LEFT)

    def own_quit(self, code: int) -> None:
        """Let go of everything and end with a code."""

        async def end() -> None:
            await self.close_session()
            self.exit(code)

        self._finishing = asyncio.get_running_loop().create_task(end())

    # ------------------------------------------------------------ the session

    @property
    def watching(self) -> bool:
        """Tell whether somebody else drives: everything but a note would be refused."""
        if self._snap is None:
            return False
        found = self._offers_now()
        return bool(found) and not self.replaying and all(offer.verb == "note" for offer in found)

    def _offers_now(self) -> tuple[Offer, ...]:
        if self.session is not None and self._snap is not None and self._offers[0] != self._snap.seq:
            self._offers = (self._snap.seq, self.session.allowed())
        return self._offers[1]

    @property
    def replaying(self) -> bool:
        """Tell whether what is shown is over, and only played again."""
        return self._snap is not None and self._snap.playing is not None

    @property
    def run_shown(self) -> str:
        """Return the id of the run that is shown."""
        return self._snap.info.run if self._snap else ""

    def take_over(self, run: RunCard, *, alone: bool = False) -> None:
        """Show a run that somebody drives, ask them for it, and drive it once it is to be had."""

        def taken(session: SessionApi | None) -> None:
            if session is None:
                return
            self.open_session(session)
            notes = session.snapshot.state.notes
            if notes and notes[-1].by not in ("", session.snapshot.info.operator):
                self.box(f"Last note, by {notes[-1].by}", notes[-1].text)

        self.push_screen(TakeoverPage(run, alone=alone), taken)

    def with_secrets(self, run: RunCard, then: Callable[[dict[str, str]], object]) -> None:
        """Ask for the secrets of a run first: they are in none of its files."""
        lacking = self.desk_api.lacks(run)
        if not lacking:
            then({})
            return
        says = [f"{run.mode.value} {run.estate}  {run.runbook}  {run.run}", "Secrets are kept in no file of a run."]
        fields = [Field(w.name, f"{w.name}  {w.help}".rstrip(), secret=True) for w in lacking]
        self.ask(AskWords("What this run needs again", says, fields), then)

    def open_session(self, session: SessionApi) -> None:
        """Drive a run: one task follows it from here on.

        What stands by now, most of it imported, is not looked through for garbage again: that takes as long as some frames.
        """
        if not gc.get_freeze_count():
            gc.freeze()
        self.session = session
        self.take(session.snapshot)
        page = ReplayPage() if session.snapshot.playing else RunPage()
        self.push_screen(page, lambda _: None)
        beside, self._beside = self._beside, None
        if beside is not None:
            self.own(beside(self))
        self._follower = asyncio.get_running_loop().create_task(self._follow(session))
        self._follower.add_done_callback(self._owned_ended)

    async def _follow(self, session: SessionApi) -> None:
        snap, spacing = session.snapshot, Spacing()
        while True:
            self.take(snap)
            self._show()
            self.asked.show(snap.asked, session.answer)
            self.offer_answer()
            self.offer_note()
            self._pull_unless_just_now()
            await asyncio.sleep(spacing.next(asyncio.get_running_loop().time()))
            snap = await session.changed(snap.seq)

    async def close_session(self, why: str = "the console ended") -> None:
        """End this console's part of the run; a run that it drives is held first, with the reason."""
        driven = not self.watching and not self.replaying
        if self.session is not None and driven and not _held(self.session.snapshot.state):
            self.session.submit(m.Leave("the screen failed" if self.fault else why))
        session, watched, replay, self.session = self.session, self.watching, self.replaying, None
        self._show()
        if self._follower is not None:
            self._follower.cancel()
            self._follower = None
        if session is not None:
            await session.close()
        if session is not None and not replay:
            self.said_at_parting[session.snapshot.info.run] = parting(session.snapshot, watched=watched)

    def take(self, snap: Snapshot) -> None:
        """Take what the session shows now."""
        before = self._snap
        self._snap, self._taken = snap, self.mono()
        self._code = self._code if snap.playing else int(exit_of(snap.state))
        if before is not None and _ended(before.state, snap.state):
            self._dead_until = self.mono() + DEAD
        self.title_window()

    def _show(self) -> None:
        for page in self.pages:
            page.show()

    def scene(self) -> Scene | None:
        """Return the run with the clock of this second; one scene for all that is asked within a moment."""
        if self._snap is None:
            return None
        kept, made = self._painted_scene
        same = kept is not None and kept.snap is self._snap and kept.offers is self._offers[1]
        if same and kept and kept.leaving is (self.session is None) and 0.0 <= self.mono() - made < MOMENT:
            return kept
        scene = self._scene_of(self._snap)
        self._painted_scene = (scene, self.mono())
        return scene

    def _scene_of(self, snap: Snapshot) -> Scene:
        if snap.playing:  # its clock is the record's
            return Scene(snap, snap.at, snap.wall, self.look, self._offers_now(), leaving=self.session is None)
        passed = 0.0 if snap.state.held or snap.state.closed else max(0.0, self.mono() - self._taken)
        watching = self.watching
        wall = snap.wall + timedelta(seconds=max(0.0, self.mono() - self._taken))
        return Scene(snap, snap.at + passed, wall, self.look, self._offers[1], watching, self.session is None)

    def submit(self, intent: m.Intent) -> bool:
        """Ask the session; a refusal is shown. Tell whether it was granted."""
        if self.session is None:
            return False
        refused = self.session.submit(intent)
        if refused is not None:
            self.say(refused.reason)
            return False
        self.take(self.session.snapshot)
        self._offers = (-1, ())
        self._show()
        return True

    def enter_alive(self) -> bool:
        """Tell whether enter counts: not right after a step has ended, and not while it is held down since."""
        now = self.mono()
        if now >= self._dead_until:
            return True
        self._dead_until = max(self._dead_until, now + AGAIN)
        return False

    def deaden(self) -> None:
        """Let enter do nothing for a moment: what it would do has just changed."""
        self._dead_until = self.mono() + DEAD

    @property
    def has_home(self) -> bool:
        """Tell whether there is a page to come back to: the home screen, or the instructor's."""
        return any(page.stays for page in self.pages)

    def back_home(self) -> None:
        """Close every page above the one to come back to."""
        home = next(page for page in self.pages if page.stays)
        while self.screen is not home:
            self.pop_screen()
        self._snap = None
        home.reread()

    # ------------------------------------------------------------ the screen

    @property
    def pages(self) -> tuple[Page[Any], ...]:
        """Return the pages, the one in front last; none while the program ends."""
        if not self._running:
            return ()
        return tuple(page for page in self.screen_stack if isinstance(page, Page))

    @property
    def front(self) -> Page[Any] | None:
        """Return the page in front."""
        return self.pages[-1] if self.pages else None

    async def on_event(self, event: events.Event) -> None:
        """Give keys and pastes to the page in front at once: on Textual's way, from widget to widget, output comes between.

        Those of a page that has something waiting take that way, behind it: nothing that was typed is overtaken.
        """
        page = self.screen if isinstance(event, (events.Key, events.Paste)) and not event.is_forwarded else None
        if isinstance(page, Page) and page.idle and self.app_focus:
            event._set_forwarded()
            with page._context():
                page.hear(event)
        else:
            await super().on_event(event)

    def say(self, sentence: str) -> None:
        """Show a sentence on the page in front."""
        page = self.front
        if page is not None:
            page.tell(sentence)

    def say_trouble(self, wrong: Trouble) -> None:
        """Show a problem on the page in front."""
        self.say(said(wrong))

    def ask(self, page: AskWords, then: Callable[[dict[str, str]], object]) -> None:
        """Ask for words; nothing happens when they are not given."""

        def said(words: dict[str, str] | None) -> None:
            if words:
                then(words)

        self.push_screen(page, said)

    def box(self, title: str, text: str, below: str = "") -> None:
        """Show a text in a box."""
        self.push_screen(Box(title, text, below))

    def copy(self, text: str) -> None:
        """Copy safe text to the clipboard (OSC 52), and to a file beside the record, for terminals that do not take it."""
        clean = "\n".join(safe(line) for line in text.split("\n"))
        self.copy_to_clipboard(clean)
        where = self.write_beside("copied.txt", clean)
        self.say(f"copied, {len(clean)} characters" + (f"; also in {where}" if where else ""))

    def write_beside(self, name: str, text: str) -> str:
        """Write a text into the run's folder; return where, or nothing when that is not possible."""
        if self._snap is None or self.replaying:
            return ""
        path = Path(self._snap.info.folder) / name
        try:
            replace_file(DISK, "beside.replace", path, f"{text}\n".encode(), file_mode(path.parent))
        except OSError:
            return ""
        return str(path)

    def title_window(self) -> None:
        """Put the mode into the window's title."""
        words = title_of(self._snap if self.session else None) or "handrail"
        if self.session is None and self._mode_hint:
            words = f"{self._mode_hint} - handrail"
        before, self.title = self.title, plain_text(words)
        if self._driver is not None and not self.is_headless and self.title != before:
            self._driver.write(f"\x1b]2;{plain_text(words)}\x07")

    def paint_all(self) -> None:
        """Paint every row anew: the theme has changed, or the terminal has missed something."""
        self.title = ""
        self.title_window()
        for page in self.pages:
            page.restyle()

    def _tick(self) -> None:
        if self.front is not None:
            self.front.tick()
        self.offer_note()

    def _pull(self) -> None:
        self._pulled = asyncio.get_running_loop().time()
        if self.front is not None:
            self.front.frame()

    def _pull_unless_just_now(self) -> None:
        """Pull and paint, by the clock or because something has moved; not for both within a moment."""
        if asyncio.get_running_loop().time() - self._pulled >= min(QUICK, self._frame) / 2:
            self._pull()

    def _print_error_renderables(self) -> None:
        """Print nothing that Textual collected: it holds local variables."""
        self._exit_renderables.clear()


def _held(state: State) -> bool:
    return state.held or bool(state.closed)


def _ended(before: State, after: State) -> bool:
    """Tell whether a step has ended between two states."""
    was = {s.id for s in order.busy(before)}
    return bool(was - {s.id for s in order.busy(after)})


def said(wrong: Trouble) -> str:
    """Return a problem in one line: what is wrong, and what to do."""
    problem = wrong.problems[0]
    return f"{problem.message}; {problem.hint}" if problem.hint else problem.message
