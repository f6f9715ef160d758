"""The desk: what there is to run and what was run, and the way into each. The home screen and the command line ask it."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from handrail.base.clock import unstamp
from handrail.base.durations import show_duration
from handrail.base.ids import new_run_id
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.engine.table import ImpossibleError
from handrail.engine.words import Outcome
from handrail.runbook.bind import bind
from handrail.runbook.estate import read_estate
from handrail.runbook.read import read_runbook
from handrail.runbook.routes import needed
from handrail.runbook.shipped import find_runbook, known_runbooks, shipped
from handrail.session import scenarios, simulator
from handrail.session.api import SessionApi
from handrail.session.asking import NOTHING, Given
from handrail.session.bookcards import changed_since, covered, runbook_card
from handrail.session.briefing import Briefing
from handrail.session.cards import Home as HomeView
from handrail.session.cards import PlanLine, RunbookCard, RunCard, Start, Wanted
from handrail.session.closing import close_run
from handrail.session.coverage import Coverage
from handrail.session.levels import Level
from handrail.session.opening import Opening, open_run
from handrail.session.parting import parting
from handrail.session.people import operator
from handrail.session.practice import is_newcomer
from handrail.session.preflight import with_preflight
from handrail.session.record import summary
from handrail.session.recorded import replayed
from handrail.session.replaying import Replaying
from handrail.session.resuming import lacking, resume_run
from handrail.session.session import Session
from handrail.session.snapshots import Shown
from handrail.session.standing import Reply, Standing
from handrail.session.takeover import Asking, stand
from handrail.session.texts import plan_lines
from handrail.session.view import Mode
from handrail.session.watching import Watching
from handrail.store.home import Home
from handrail.store.lock import Holder, holder_of
from handrail.store.run_folder import RunFolder, RunSummary, list_runs

Walk = Callable[[SessionApi], Awaitable[bool]]


@dataclass
class Desk:
    """What the home screen asks."""

    store: Home
    cwd: Path = field(default_factory=Path.cwd)
    estate: Path | None = None
    simulator_options: Sequence[str] = ()
    scenario: Path | None = None  # of the drills that are begun here
    given: Given = NOTHING  # what was given for this console beforehand
    asking: Asking = field(default_factory=Asking)
    person: bool = False  # somebody sits here: their drills teach, and a newcomer's first one is guided
    walk: Walk | None = None  # how a drill lets the runbook before this one be walked by itself

    # ------------------------------------------------------------ looking

    def home(self) -> HomeView:
        """Return runbooks and runs, read anew."""
        glances = list_runs(self.store)
        cards = [runbook_card(self.store, path, glances) for path in known_runbooks(self.cwd).values()]
        cards.sort(key=lambda card: bool(card.problems))
        runs = self._cards(glances)
        known = {run.run for run in runs}
        lost = tuple(_unreadable(glance) for glance in reversed(glances) if glance.run_id not in known)
        return HomeView(tuple(cards), runs, simulator.last_known(self.store), self.store.path, lost)

    def card(self, path: Path) -> RunbookCard:
        """Return the card of a runbook; one that cannot be read says why."""
        return runbook_card(self.store, path)

    def changed(self, card: RunbookCard) -> tuple[str, ...]:
        """Return what is different in a runbook since its last drill, in words and as a diff."""
        return changed_since(self.store, card)

    def coverage(self, card: RunbookCard) -> Coverage:
        """Return which steps of a runbook, and which of their undos, were drilled at the digest it has now."""
        return covered(self.store, card)

    def plan(self, card: RunbookCard) -> tuple[PlanLine, ...]:
        """Return a runbook's plan on this desk's estate, else on the simulated one; opens no connection."""
        runbook = with_preflight(read_runbook(card.path))
        estate = self.estate or simulator.template_for(frozenset(runbook.roles), card.path)
        binding = bind(runbook, read_estate(estate, ask=False))
        route = runbook.first_route
        return plan_lines(binding, route, frozenset(p.name for p in runbook.places if needed(runbook, p.step, route)))

    def runs(self) -> tuple[RunCard, ...]:
        """Return every run, newest first."""
        return self._cards(list_runs(self.store))

    def unreadable(self) -> tuple[str, ...]:
        """Return a line for each run of which nothing can be read: why, and what to do."""
        glances = list_runs(self.store)
        known = {run.run for run in self._cards(glances)}
        return tuple(_unreadable(glance) for glance in glances if glance.run_id not in known)

    def _cards(self, glances: list[RunSummary]) -> tuple[RunCard, ...]:
        found = (self._run_card(glance) for glance in reversed(glances))
        return tuple(card for card in found if card is not None)

    def _run_card(self, glance: RunSummary) -> RunCard | None:
        first = glance.first
        if first is None or first.event != "run_opened":
            return None
        said = dict(glance.summary) or _derived(glance.folder)
        holder = holder_of(glance.folder.path)
        outcome = str(said.get("outcome", Outcome.HELD.value))
        if glance.problem and outcome in (Outcome.DONE.value, Outcome.UNDONE.value):
            outcome = Outcome.HELD.value  # of a run whose record is damaged nobody can say that it is over
        return RunCard(
            run=glance.run_id,
            mode=Mode(str(first.body.get("mode", "LIVE"))),
            runbook=str(first.body.get("runbook", "")),
            estate=str(first.body.get("estate", "")),
            outcome=outcome,
            where=str(said.get("where", "")),
            operator=str(said.get("operator", first.actor)),
            started=unstamp(first.ts),
            driven=holder is not None,
            holder=holder.who if holder else "",
            owed=tuple(map(str, said.get("owed", ()))),
            folder=glance.folder.path,
            since=_since(glance, holder),
            damage=glance.problem.message if glance.problem else "",
        )

    # ------------------------------------------------------------ opening

    async def brief(
        self, runbook: RunbookCard, mode: Mode, tell: Callable[[str], None], told: Start | None = None
    ) -> Briefing:
        """Return a briefing, with what was `told` on the command line; for a drill the estate is brought up first."""
        found = read_runbook(runbook.path)
        told = told or Start(found.first_route)
        if told.route not in found.routes:
            hint = f"its routes: {', '.join(found.routes)}"
            raise trouble("route", f"{found.id} has no route {safe(told.route, 40)!r}", hint)
        opening = Opening(runbook.path, self.estate or Path(), mode, route=told.route, values=dict(told.values))
        opening = replace(opening, level=told.level or self._level(mode), predict=told.predict)
        if mode is Mode.DRILL:
            opening = await self._simulated(opening, tell)
        elif self.estate is None:
            raise trouble("no-estate", f"{mode.value} needs an estate", "start with --estate FILE")
        try:
            return Briefing(self.store, runbook, opening, self.given, told, self.cwd)
        except Trouble:
            if opening.sim_dir:
                await simulator.down(Path(opening.sim_dir))
            raise

    def _level(self, mode: Mode) -> str:
        """Return the level that is proposed to whoever sits here; nothing where nobody does, or it is no drill."""
        if not self.person or mode is not Mode.DRILL:
            return ""
        return Level.GUIDED if is_newcomer(self.store, operator()) and self.scenario is None else Level.NONE

    async def _simulated(self, opening: Opening, tell: Callable[[str], None]) -> Opening:
        found = read_runbook(opening.runbook)
        template = simulator.template_for(frozenset(found.roles), opening.runbook)
        tell("bringing the simulated estate up")
        name = new_run_id(datetime.now().astimezone())
        estate = await simulator.up(self.store.make(), name, template, *self.simulator_options)
        if estate.mode == "folders" and not opening.runbook.resolve().is_relative_to(shipped().resolve()):
            await simulator.down(estate.folder)
            why = f"without namespaces only the shipped runbooks may be drilled ({estate.reason})"
            raise trouble("folders-only-shipped", why, "see `handrail doctor` for what refuses namespaces here")
        if self.scenario and scenarios.needs(self.scenario) not in ("", estate.mode):
            await simulator.down(estate.folder)
            why = f"scenario {self.scenario.stem} needs {scenarios.needs(self.scenario)}; refused here: {estate.reason}"
            raise trouble(
                "scenario-needs", why, "handrail doctor says more; drill another one: handrail drill --scenarios"
            )
        tell(f"{estate.mode}, up in {estate.seconds:.1f} s")
        for warning in estate.warnings:
            tell(f"warning: {warning}")
        if found.head.follows:
            try:
                await self._before(found.head.follows, estate, tell)
            except BaseException:
                await simulator.down(estate.folder)
                raise
        if self.scenario:
            await self._begin_scenario(estate.folder, self.scenario)
        return replace(
            opening,
            estate=estate.estate,
            simulated=estate.mode,
            sim_dir=str(estate.folder),
            scenario=self.scenario,
            **_shortens(template),
        )

    async def _before(self, name: str, estate: simulator.Simulated, tell: Callable[[str], None]) -> None:
        """Walk the runbook that comes before, on the same estate: a run of its own, in which everything is answered."""
        assert self.walk is not None, "a desk that drills can walk"
        tell(f"{name} is walked first, by itself: some 20 s")
        opening = Opening(find_runbook(name, self.cwd), estate.estate, Mode.DRILL, simulated=estate.mode)
        session = open_run(self.store, opening)
        try:
            done = await self.walk(session)
        finally:
            await session.close()
        if not done:
            run = session.snapshot.info.run
            raise trouble(
                "drill-before", f"{name}, which comes before, did not end well", f"see: handrail report {run}"
            )

    async def _begin_scenario(self, estate: Path, scenario: Path) -> None:
        try:
            await simulator.begin(estate, scenario)
        except BaseException:
            await simulator.down(estate)
            raise

    def lacks(self, run: RunCard) -> tuple[Wanted, ...]:
        """Return the secrets a run needs that were not given: they are in no file of it, so they are asked for again."""
        folder = RunFolder.open(self.store, run.run)
        return lacking(folder, self.given)

    async def resume(
        self, run: RunCard, reason: str = "", typed: str = "", secrets: Mapping[str, str] | None = None
    ) -> Session:
        """Drive a held run; one that somebody drives needs their name typed, and a reason."""
        more = {name: Secret(value) for name, value in (secrets or {}).items()}
        given = replace(self.given, secrets={**self.given.secrets, **more})
        return resume_run(self.store, RunFolder.open(self.store, run.run), reason, typed, given=given)

    def stand(self, run: RunCard) -> Standing:
        """Return what stands in a run that somebody drives."""
        return stand(RunFolder.open(self.store, run.run))

    def ask(self, run: RunCard, note: str = "") -> None:
        """Ask whoever drives a run to hand it over."""
        self.asking.ask(RunFolder.open(self.store, run.run), note)

    def reply(self, run: RunCard) -> Reply:
        """Return what has come of asking."""
        return self.asking.reply(RunFolder.open(self.store, run.run))

    def withdraw(self, run: RunCard) -> None:
        """Take the question away."""
        self.asking.withdraw(RunFolder.open(self.store, run.run))

    async def watch(self, run: RunCard) -> Watching:
        """Look on."""
        return Watching(RunFolder.open(self.store, run.run))

    async def replay(self, run: str) -> Replaying:
        """Play a run again."""
        return Replaying(RunFolder.open(self.store, run))

    async def close_run(self, run: RunCard, reason: str) -> tuple[str, ...]:
        """Close a held run that nobody will finish; its simulated estate goes with it. Return what is to be said of it."""
        return parting(await close_run(self.store, RunFolder.open(self.store, run.run), reason))


def _shortens(template: Path) -> dict[str, Any]:
    """Return what waits a simulated estate shortens, in words, and the seconds that production's would add."""
    ttl = simulator.shortens(template)
    if ttl is None:
        return {}
    here, production = ttl
    words = f"the TTL is {show_duration(here)} here; in production it is often {show_duration(production)}"
    return {"shortened": words, "adds": max(0.0, production - here)}


def _since(glance: RunSummary, holder: Holder | None) -> datetime | None:
    """Return since when a run is as it is: driven by its holder, or left alone since its last record."""
    with contextlib.suppress(ValueError):
        if holder is not None:
            return unstamp(holder.since)
    return unstamp(glance.last.ts) if glance.last else None


def _unreadable(glance: RunSummary) -> str:
    why = glance.problem.message if glance.problem else "its journal does not begin with a run"
    return f"{glance.run_id}: {why}; look with: handrail audit {glance.run_id}"


def _derived(folder: RunFolder) -> dict[str, Any]:
    """Return a run's summary from its journal, when the cache is older than it."""
    try:
        run = replayed(folder)
    except (Trouble, OSError, LookupError, ValueError, TypeError, ImpossibleError):
        return {"where": "its journal cannot be read"}
    return summary(run.state, Shown(run.info), whole=not run.damage)
