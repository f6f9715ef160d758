"""The home page: what there is, what stands open, and the way into a briefing. It never resumes by enter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from handrail.base.problems import Trouble
from handrail.base.safe import safe
from handrail.session.cards import RunbookCard, RunCard
from handrail.session.view import Mode
from handrail.tui import home_view as view
from handrail.tui.clocks import zulu
from handrail.tui.dialogs import AskWords, Field
from handrail.tui.frame import Body
from handrail.tui.page import Page
from handrail.tui.pages.briefing import BriefingPage
from handrail.tui.pages.covering import CoveragePage, SincePage
from handrail.tui.pages.plan import PlanPage
from handrail.tui.text import EMPTY, Ink, Line, block, ink, spread


class HomePage(Page[None]):
    """Runbooks, runs, and what is owed."""

    scope_name = "home"
    stays = True

    def __init__(self) -> None:
        super().__init__()
        self.at = 0
        self.run_at = 0
        self._search = ""
        self._busy = ""

    def on_mount(self) -> None:
        """Read what there is."""
        self.reread()

    def reread(self) -> None:
        """Read again."""
        self.home = self.desk.desk_api.home()
        self._busy = ""
        self.repaint()

    @property
    def cards(self) -> tuple[RunbookCard, ...]:
        """Return the runbooks that are listed."""
        word = self._search.lower()
        return tuple(c for c in self.home.runbooks if word in f"{c.id} {c.title}".lower())

    @property
    def card(self) -> RunbookCard | None:
        """Return the marked runbook."""
        cards = self.cards
        self.at = max(0, min(self.at, len(cards) - 1))
        return cards[self.at] if cards else None

    @property
    def run_card(self) -> RunCard | None:
        """Return the run that stands open, at the top."""
        open_runs = view.held(self.home)
        self.run_at = max(0, min(self.run_at, len(open_runs) - 1))
        return open_runs[self.run_at] if open_runs else None

    def _now(self) -> datetime:
        return self.desk.today()

    # ------------------------------------------------------------ painting

    def top(self, width: int) -> list[Line]:
        """Return the name, the folder and the clock."""
        left = ink(" handrail", Ink.BOLD) + ink(f"  runs are kept in {self.home.folder}", Ink.DIM)
        return [spread(left, ink(f"{zulu(self._now().astimezone(UTC))} ", Ink.TEXT), width)]

    def body(self, width: int, height: int) -> Body:
        """Return the whole of it, the most urgent first."""
        look = self.desk.look
        self.run_card  # noqa: B018  keeps the cursor inside
        parts = [view.attention(self.home, look, width, self.run_at)]
        card = self.card
        if card is None and not self._search:
            parts.append(view.empty(width))
        else:
            parts.append(
                view.runbook_rows(self.home, self._listed(height), self._cursor(height), look, width, self._now())
            )
        if card is not None:
            verbs = view.verbs(width)
            room = height - sum(len(p) + 1 for p in parts if p) - len(verbs) - 1
            verbs = verbs[1:] if room < 0 else verbs  # the choices are worth more than their heading
            parts += [view.about(card, width)[: max(0, room)], verbs]
        lines: list[Line] = []
        for part in parts:
            if part:
                lines += [*([EMPTY] if lines else []), *part]
        record = view.record(self.home, look, width, view.LATEST)
        if record and len(lines) + len(record) + 1 <= height:
            lines += [EMPTY, *record]
        return Body(block(lines, height))

    def _room(self, height: int) -> int:
        return max(2, min(len(self.cards), height - 14))

    def _listed(self, height: int) -> tuple[RunbookCard, ...]:
        first = self.at - self._cursor(height)
        return self.cards[first : first + self._room(height)]

    def _cursor(self, height: int) -> int:
        room = self._room(height)
        return self.at if self.at < room else room - 1

    def usual(self) -> Line:
        """Return what goes on, and on which ground drills run here."""
        if self._busy:
            return ink(f" {self._busy}", Ink.CALM)
        if self._search:
            return ink(f" Only those with {self._search!r}: / changes it.", Ink.LOUD)
        simulator = self.home.simulator
        return ink(f" Drills run on: {simulator}" if simulator else " Choose a runbook, then what to do.", Ink.DIM)

    def why(self, action: str) -> str:
        """Return why something cannot be done here."""
        if action in ("resume", "watch", "close-run") and self.run_card is None:
            return "no run stands open"
        if action == "close-run" and self.run_card is not None and self.run_card.driven:
            return f"{self.run_card.holder or 'somebody'} drives it"
        card = self.card
        if action in ("brief", "drill", "plan", "check", "live", "changed", "coverage"):
            if card is None:
                return "there is no runbook here: handrail init writes one"
            if card.problems and action != "changed":
                return f"it does not read: handrail lint {card.path.name}"
        return ""

    def labels(self) -> dict[str, str]:
        """Leave resuming out of the bar while nothing stands open."""
        return {} if self.run_card else {"resume": ""}

    # ------------------------------------------------------------ moving

    def do_up(self) -> None:
        """One up."""
        self.at = max(0, self.at - 1)

    def do_down(self) -> None:
        """One down."""
        self.at += 1

    def do_first(self) -> None:
        """To the first."""
        self.at = 0

    def do_last(self) -> None:
        """To the last."""
        self.at = len(self.cards)

    def clicked(self, kind: str, what: str) -> None:
        """Mark a runbook."""
        if kind == "book":
            self.at = int(what)

    def do_find(self) -> None:
        """Narrow the list."""
        page = AskWords("Find a runbook", ["Empty shows all."], [Field("text", "Name", must=False)])
        self.desk.ask(page, self._found)

    def _found(self, said: dict[str, str]) -> None:
        self._search, self.at = said["text"], 0
        self.repaint()

    # ------------------------------------------------------------ doing

    def do_brief(self) -> None:
        """Open the briefing of a drill: nothing real is touched by it."""
        self._open(Mode.DRILL)

    def do_drill(self) -> None:
        """Open the briefing of a drill."""
        self._open(Mode.DRILL)

    def do_check(self) -> None:
        """Open the briefing of a check."""
        self._open(Mode.CHECK)

    def do_live(self) -> None:
        """Open the briefing of a LIVE run."""
        self._open(Mode.LIVE)

    def _open(self, mode: Mode) -> None:
        card = self.card
        if card is not None and not self._busy:
            self._busy = f"{mode.value} {card.id}: getting the briefing ready"
            self.desk.own(self._brief(card, mode))

    async def _brief(self, card: RunbookCard, mode: Mode) -> None:
        try:
            briefing = await self.desk.desk_api.brief(card, mode, self._told)
        finally:
            self._busy = ""
        self.app.push_screen(BriefingPage(briefing))
        self.repaint()

    def _told(self, sentence: str) -> None:
        self._busy = sentence
        self.repaint()

    def do_plan(self) -> None:
        """Read the runbook through, every command and what undoes it."""
        card = self.card
        if card is None or card.problems:
            return
        try:
            plan = self.desk.desk_api.plan(card)
        except Trouble as err:
            self.tell(safe(err.problems[0].message))
            return
        self.app.push_screen(PlanPage(plan, card.title))

    def do_changed(self) -> None:
        """Show what is different since the last drill."""
        card = self.card
        if card is not None and not card.problems:
            self.app.push_screen(SincePage(card.id, self.desk.desk_api.changed(card)))

    def do_coverage(self) -> None:
        """Show which steps, and which undos, were drilled since the file was changed."""
        card = self.card
        if card is not None and not card.problems:
            self.app.push_screen(CoveragePage(self.desk.desk_api.coverage(card)))

    # ------------------------------------------------------------ runs that stand open

    def do_resume(self) -> None:
        """Drive a held run; one that somebody drives is asked for first."""
        run = self.run_card
        if run is None:
            return
        if not run.driven:
            self.desk.with_secrets(run, lambda secrets: self.desk.own(self._resume(run, secrets)))
            return
        self.desk.take_over(run)

    async def _resume(self, run: RunCard, secrets: Mapping[str, str]) -> None:
        self._told(f"taking up {run.run}")
        try:
            session = await self.desk.desk_api.resume(run, secrets=secrets)
        finally:
            self._busy = ""
        self.desk.open_session(session)

    def do_watch(self) -> None:
        """Look on."""
        run = self.run_card
        if run is not None:
            self.desk.own(self._watch(run))

    async def _watch(self, run: RunCard) -> None:
        session = await self.desk.desk_api.watch(run)
        self.desk.open_session(session)

    def do_close_run(self) -> None:
        """Close a held run that nobody will finish."""
        run = self.run_card
        if run is None:
            return
        says = [f"{run.mode.value} {run.estate}  {run.runbook}  {run.where}", "What it changed stays changed."]
        if run.owed:
            says.append(f"Owed: {'; '.join(run.owed)}. It stays owed.")
        self.desk.ask(
            AskWords(f"Close {run.run}", says, [Field("reason", "Why will nobody finish it?")]),
            lambda said: self.desk.own(self._close(run, said["reason"])),
        )

    async def _close(self, run: RunCard, reason: str) -> None:
        said = await self.desk.desk_api.close_run(run, reason)
        self.reread()
        self.desk.box(f"Closed {run.run}", "\n".join(said))
