"""What a front end knows of a session: seven things, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from handrail.engine.messages import Intent, Refused
from handrail.engine.offers import Offer
from handrail.session.cards import BriefingView, DrillView, Home, PlanLine, RunbookCard, RunCard, Start, Wanted
from handrail.session.coverage import Coverage
from handrail.session.standing import Reply, Standing
from handrail.session.view import Mode, Snapshot
from handrail.store.spool_reader import SpoolReader


class StepOutput(Protocol):
    """The output of one step, pulled from the spool files on disk."""

    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that have said something, newest attempt first."""

    def reader(self, host: str) -> SpoolReader | None:
        """Return a reader over what a host said in its latest attempt; None when it said nothing yet."""


class SessionApi(Protocol):
    """One run, as a front end drives it."""

    @property
    def snapshot(self) -> Snapshot:
        """Return the run as it is now."""

    async def changed(self, seq: int) -> Snapshot:
        """Return the next snapshot whose `seq` is greater."""

    def allowed(self) -> tuple[Offer, ...]:
        """Return everything that can be asked now, granted or refused with its sentence."""

    def submit(self, intent: Intent) -> Refused | None:
        """Ask for something; it is on disk when this returns None, and nothing has happened when it returns a refusal."""

    def answer(self, number: int, words: str | None) -> None:
        """Answer what a connection asks (`snapshot.asked`), None to decline; it is written nowhere."""

    def output(self, step: str) -> StepOutput:
        """Return the output of a step."""

    async def close(self) -> None:
        """End this console's part: tasks, links, files. The run stays as it is on disk."""


class ReplayApi(SessionApi, Protocol):
    """A run that is played again: besides what every session knows, where one is in it, and how fast it goes."""

    def toggle(self) -> None:
        """Pause, or go on; at the end, begin anew."""

    def skip(self, seconds: float) -> None:
        """Go some run seconds on, or back."""

    def step(self, by: int) -> None:
        """Go to where the next step was begun (1), or the one before (-1)."""

    def to_first(self) -> None:
        """Go to the beginning."""

    def to_end(self) -> None:
        """Go to the end."""

    def pace(self, by: int) -> None:
        """Play faster (1), or slower (-1)."""


class BriefingApi(Protocol):
    """A run before it is opened: it asks every role while you read, and changes nothing."""

    @property
    def view(self) -> BriefingView:
        """Return the briefing as it is now."""

    async def changed(self, seq: int) -> BriefingView:
        """Return the next view whose `seq` is greater."""

    async def trust(self, host: str, typed: str, why: str = "") -> None:
        """Pin the key a host shows, for a person who typed its fingerprint, and ask the host again; else `Trouble`."""

    def answer(self, number: int, words: str | None) -> None:
        """Answer what a connection asks (`view.asked`), None to decline; it is written nowhere."""

    def ask_again(self) -> None:
        """Ask the roles again that could not be used."""

    async def start(self, start: Start) -> SessionApi:
        """Open the run; raise `Trouble` when what was typed does not do."""

    async def close(self) -> None:
        """Leave without starting."""


class DeskApi(Protocol):
    """What the home screen asks: what there is, and to open it."""

    def home(self) -> Home:
        """Return runbooks and runs, read anew."""

    def plan(self, card: RunbookCard) -> tuple[PlanLine, ...]:
        """Return a runbook's plan; opens no connection."""

    def changed(self, card: RunbookCard) -> tuple[str, ...]:
        """Return what is different in a runbook since its last drill: words first, then a diff."""

    def coverage(self, card: RunbookCard) -> Coverage:
        """Return which steps of a runbook, and which of their undos, were drilled at the digest it has now."""

    async def brief(self, runbook: RunbookCard, mode: Mode, tell: Callable[[str], None]) -> BriefingApi:
        """Return a briefing; for a drill the simulated estate is brought up, and `tell` hears how far it is."""

    def lacks(self, run: RunCard) -> tuple[Wanted, ...]:
        """Return the secrets a run needs that were not given: they are in no file of it, so they are asked for again."""

    async def resume(
        self, run: RunCard, reason: str = "", typed: str = "", secrets: Mapping[str, str] | None = None
    ) -> SessionApi:
        """Drive a held run; one that somebody drives needs their name typed, and a reason."""

    def stand(self, run: RunCard) -> Standing:
        """Return what stands in a run that somebody drives; raise `Trouble` `run-free` when nobody does."""

    def ask(self, run: RunCard, note: str = "") -> None:
        """Ask whoever drives a run to hand it over."""

    def reply(self, run: RunCard) -> Reply:
        """Return what has come of asking."""

    def withdraw(self, run: RunCard) -> None:
        """Take the question away."""

    async def watch(self, run: RunCard) -> SessionApi:
        """Look on: every intent but a note is refused."""

    async def replay(self, run: str) -> ReplayApi:
        """Play a run again, by its id; it reads, and nothing is sent."""

    async def close_run(self, run: RunCard, reason: str) -> tuple[str, ...]:
        """Close a held run that nobody will finish; return in lines what stays changed and owed."""


class InstructorApi(Protocol):
    """What the instructor's screen asks: the drills of this machine, and what may be done to one."""

    who: str

    def look(self) -> tuple[DrillView, ...]:
        """Return the drills, newest first."""

    async def faults(self, drill: DrillView) -> tuple[tuple[str, str], ...]:
        """Return the usual faults of a drill's estate, as (line, words)."""

    async def fault(self, drill: DrillView, line: str) -> str:
        """Do something to a drill's estate; return why the estate refused, or nothing."""

    def halt(self, drill: DrillView, why: str) -> None:
        """Have a drill stand still, with words for its operator."""

    def go_on(self, drill: DrillView) -> None:
        """Let a drill go on."""

    def say(self, drill: DrillView, words: str, by: str = "") -> None:
        """Have a message reach its operator."""

    def note(self, drill: DrillView, words: str) -> None:
        """Leave a note in a drill's record."""

    async def watch(self, drill: DrillView) -> SessionApi:
        """Look on one drill."""
