"""The briefing page: it asks every role while you read, and starts nothing until it is answered."""

from __future__ import annotations

import asyncio

from handrail.base.problems import Trouble
from handrail.session.api import BriefingApi
from handrail.session.cards import BriefingView, HostKey, RolePulse, Start, Wanted
from handrail.session.levels import MEANS, Level
from handrail.session.view import Mode
from handrail.tui.briefing_view import Answer, facts, questions
from handrail.tui.clocks import zulu
from handrail.tui.entry import Entry
from handrail.tui.frame import Body
from handrail.tui.header import banner
from handrail.tui.keys import shown
from handrail.tui.page import Page
from handrail.tui.pages.contact import ContactPage
from handrail.tui.pages.plan import PlanPage
from handrail.tui.text import EMPTY, Ink, Line, fit, ink, rule

_PACES = (("by stage", "enter starts a stage"), ("by step", "enter starts a step"))


class BriefingPage(Page[None]):
    """What there is to know and to answer before a run."""

    scope_name = "briefing"

    def __init__(self, briefing: BriefingApi, *, alone: bool = False) -> None:
        super().__init__()
        self.briefing, self._alone = briefing, alone
        self.view: BriefingView = briefing.view
        self.answers: list[Answer] = _answers(self.view)
        missing = self._missing()  # begin where a word is wanted: the choices have their defaults
        self.at = self.answers.index(missing) if missing else 0
        self.first = 0
        self._starting = self._chosen = self._pressed = False
        self._follower: asyncio.Task[None] | None = None

    def on_mount(self) -> None:
        """Follow the briefing."""
        self._follower = asyncio.get_running_loop().create_task(self._follow())

    def on_unmount(self) -> None:
        """Stop following."""
        if self._follower is not None:
            self._follower.cancel()

    async def _follow(self) -> None:
        while True:
            self.view = await self.briefing.changed(self.view.seq)
            self._again()
            self.desk.asked.show(self.view.asked, self.briefing.answer)
            self.repaint()

    def _again(self) -> None:
        """Ask for what is newly needed, and keep what was answered."""
        before = {a.name: a for a in self.answers}
        if not self._chosen:  # a route is proposed once everybody was asked: it stands until a person takes another
            before.pop("route", None)
        here, fresh = self.answer.name, _answers(self.view)
        self.answers = [_kept(before.get(a.name), a) for a in fresh]
        names, missing = [a.name for a in self.answers], self._missing()
        if missing is not None and not self._pressed:
            here = missing.name
        self.at = names.index(here) if here in names else 0

    @property
    def answer(self) -> Answer:
        """Return the answer that is being given."""
        return self.answers[self.at]

    @property
    def entry(self) -> Entry | None:
        """Return what is typed into."""
        return self.answer.entry

    # ------------------------------------------------------------ painting

    def top(self, width: int) -> list[Line]:
        """Return the mode, and what is about to be run on what."""
        return [self._banner(width, "BRIEFING")]

    def _banner(self, width: int, word: str) -> Line:
        view = self.view
        left = f"{view.estate}  {view.runbook.id}  {word}"
        lost = self._value("route") not in ("", "planned")
        return banner(self.desk.look, view.mode, left, zulu(self.desk.today()), width, emergency=lost)

    def body(self, width: int, height: int) -> Body:
        """Return what is known, then what is asked."""
        asked, at = questions(self._visible(), self._visible().index(self.answer), width)
        room = max(4, min(len(asked), height // 2))
        start = max(0, min(at - room // 2, len(asked) - room))
        known = facts(self.view, self.desk.look, width, self._value("level"))
        space = height - room - 1
        self.first = max(0, min(self.first, len(known) - space))
        seen = known[self.first : self.first + space]
        left = len(known) - self.first - len(seen)
        if left > 0:
            seen[-1] = ink(f"   and {left + 1} more lines: ctrl+d, or F4 for the plan", Ink.MUTED)
        seen += [EMPTY] * (space - len(seen))
        return Body(
            [*seen, rule(width, ink("Your answers", Ink.BOLD)), *(fit(a, width) for a in asked[start : start + room])]
        )

    def usual(self) -> Line:
        """Return what enter does."""
        if self._starting:
            return ink(" Opening the run.", Ink.CALM)
        if self.view.problems:
            return ink(" It cannot be started: see what stands above.", Ink.ERROR)
        strange = self._strange()
        if strange:
            key = self.desk.keys.key("briefing", "contact")
            verb = "shows a host key that is not pinned" if len(strange) == 1 else "show host keys that are not pinned"
            names = ", ".join(pulse.name for pulse, _ in strange)
            return ink(f" {shown(key.keys[0]) if key else ''} compares: {names} {verb}.", Ink.LOUD)
        missing = self._missing()
        if missing is not None:
            return ink(f" {_lack(missing)}", Ink.ACCENT)
        return ink(" Nothing is sent by starting: the run stands before its first stage.", Ink.ACCENT)

    def labels(self) -> dict[str, str]:
        """Return what enter does now."""
        labels = {"start": "Next field" if self._missing() not in (None, self.answer) else "Start"}
        return labels if self._strange() else {**labels, "contact": ""}

    def _strange(self) -> list[tuple[RolePulse, HostKey]]:
        return [(pulse, pulse.key) for pulse in self.briefing.view.pulses if pulse.key is not None]

    # ------------------------------------------------------------ answering

    def _visible(self) -> list[Answer]:
        lost = self._value("route") not in ("", "planned")
        return [a for a in self.answers if lost or a.name != "emergency"]

    def _value(self, name: str) -> str:
        return next((a.value for a in self.answers if a.name == name), "")

    def _missing(self) -> Answer | None:
        for answer in self._visible():
            if (answer.must and not answer.value) or (answer.exact and answer.value != answer.exact):
                return answer
        return None

    def _step(self, by: int) -> None:
        visible = self._visible()
        at = (visible.index(self.answer) + by) % len(visible)
        self.at = self.answers.index(visible[at])

    def do_next_field(self) -> None:
        """The next answer."""
        self._step(1)

    def do_prior_field(self) -> None:
        """The answer before."""
        self._step(-1)

    def do_other(self) -> None:
        """Another choice."""
        answer = self.answer
        if answer.choices:
            self._chosen = self._chosen or answer.name == "route"
            answer.at = (answer.at + 1) % len(answer.choices)

    def press(self, name: str, char: str, when: float) -> None:
        """Scroll what is known; everything else as on every page."""
        self._pressed = True
        if name in ("ctrl+d", "pagedown"):
            self.scrolled(5)
        elif name in ("ctrl+u", "pageup") and (self.entry is None or not self.entry.value):
            self.scrolled(-5)
        else:
            super().press(name, char, when)

    def scrolled(self, by: int) -> None:
        """Move what is known."""
        self.first = max(0, self.first + by)
        self.repaint()

    # ------------------------------------------------------------ starting

    def do_start(self) -> None:
        """Open the run, once everything is answered."""
        missing = self._missing()
        if self._starting or self.view.problems:
            return
        if missing is not None:
            if missing is self.answer:
                self.tell(_lack(missing))
            self.at = self.answers.index(missing)
            return
        self._starting = True
        self.desk.own(self._start())

    async def _start(self) -> None:
        try:
            session = await self.briefing.start(self._answered())
        except Trouble as wrong:
            self.desk.say_trouble(wrong)
            return
        finally:
            self._starting = False
        if self._follower is not None:
            self._follower.cancel()
        self.desk.open_session(session)

    def _answered(self) -> Start:
        own = {"route", "level", "pace", "reason", "incident", "since", "typed", "emergency", "successor"}
        return Start(
            route=self._value("route") or self.view.route,
            values=tuple((a.name, a.value) for a in self.answers if a.name not in own),
            reason=self._value("reason") or self.view.told.reason,
            incident=self._value("incident"),
            since=self._value("since"),
            typed=self._value("typed"),
            step_by_step=self._value("pace") == "by step",
            emergency=self._value("emergency"),
            successor_of=self._value("successor"),
            level=self._value("level") or self.view.level,
            predict=self.view.told.predict,
            seed=self.view.told.seed,
        )

    def do_contact(self) -> None:
        """Compare the host keys that are not pinned."""
        if self._strange():
            lead = self._banner
            self.app.push_screen(
                ContactPage(lambda width: lead(width, "FIRST CONTACT"), self._strange, self.briefing.trust)
            )
        else:
            self.tell("every host that answers shows the key that is pinned for it")

    def do_plan(self) -> None:
        """Show the plan."""
        self.app.push_screen(PlanPage(self.view.plan, self.view.runbook.title))

    def do_ask_again(self) -> None:
        """Ask the roles again that could not be used."""
        self.briefing.ask_again()

    def do_back(self) -> None:
        """Leave without starting."""
        self.desk.own(self._leave())

    async def _leave(self) -> None:
        await self.briefing.close()
        if self._alone:
            self.app.exit(130)
        else:
            self.dismiss(None)

    def do_leave(self) -> None:
        """Leave without starting."""
        self.do_back()


def _answers(view: BriefingView) -> list[Answer]:
    routes = tuple(view.routes) or ((view.route, ""),)
    at, told = next((n for n, (name, _) in enumerate(routes) if name == view.route), 0), view.told
    answers = [Answer("route", "Route", "left and right change it", choices=routes, at=at)]
    emergency = "Who says that the role is lost, and what was seen?"
    answers.append(Answer("emergency", "Emergency: why", emergency, Entry(told.emergency), must=len(routes) > 1))
    answers += [_wanted(w) for w in view.wanted]
    if view.level:
        levels = tuple((level.value, MEANS[level]) for level in MEANS)
        at = next(n for n, (level, _) in enumerate(levels) if level == view.level)
        answers.append(Answer("level", "Level", "how much you are helped in this drill", choices=levels, at=at))
    if view.mode is not Mode.CHECK:
        steps = int(view.told.step_by_step or view.level == Level.GUIDED or view.told.predict)
        answers.append(Answer("pace", "Pace", "can be switched at any time", choices=_PACES, at=steps))
    if view.mode in (Mode.LIVE, Mode.REHEARSAL):
        answers.append(Answer("since", "Disrupted since", "UTC, such as 03:04; empty: now", Entry(told.since)))
        answers.append(Answer("incident", "Incident", "its number, if there is one", Entry(told.incident)))
    if view.needs_reason:
        answers.append(Answer("reason", "Reason", view.needs_reason, Entry(told.reason), must=True))
    if view.follows:
        owes = f"what {view.follows} still owes is taken over: type {view.holder}" if view.holder else ""
        hint = owes or f"only if {view.follows} still holds the estate: the name of who holds it"
        answers.append(Answer("successor", "Goes on from", hint, Entry(told.successor_of)))
    if view.type_name:
        label = f"Type {view.type_name}"
        answers.append(
            Answer("typed", label, "the estate's name", Entry(guarded=True), must=True, exact=view.type_name)
        )
    return answers


def _wanted(wanted: Wanted) -> Answer:
    if wanted.choices:
        choices = tuple((c, "") for c in wanted.choices)
        at = wanted.choices.index(wanted.default) if wanted.default in wanted.choices else 0
        return Answer(wanted.name, wanted.name, wanted.help, choices=choices, at=at)
    entry = Entry(wanted.default, secret=wanted.secret)
    return Answer(wanted.name, wanted.name, wanted.help, entry, must=not wanted.default)


def _kept(before: Answer | None, fresh: Answer) -> Answer:
    """Return the answer as it was given, unless the question has changed."""
    same = before is not None and (before.choices, before.exact) == (fresh.choices, fresh.exact)
    return before if same and before is not None else fresh


def _lack(answer: Answer) -> str:
    if answer.exact:
        return f"type {answer.exact} to start"
    return f"{answer.label}: it cannot be left empty"
