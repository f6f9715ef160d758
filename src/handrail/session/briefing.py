"""The briefing: what a run would do, whether its hosts answer, and what has to be typed to begin. It changes nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from handrail.base.clock import SystemClock
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.engine.words import Pace
from handrail.runbook.bind import Binding, bind
from handrail.runbook.estate import read_estate
from handrail.runbook.files import read_file
from handrail.runbook.read import digest, read_runbook
from handrail.runbook.routes import needed
from handrail.session import approvals, meeting, practice, simulator
from handrail.session.api import SessionApi
from handrail.session.asking import NOTHING, Given
from handrail.session.assembly import ways_for
from handrail.session.cards import BriefingView, HostKey, RolePulse, RunbookCard, Start, Wanted
from handrail.session.core import target_of
from handrail.session.levels import Level
from handrail.session.modes import mode_of
from handrail.session.opening import Opening, open_run
from handrail.session.preflight import with_preflight
from handrail.session.texts import plan_lines
from handrail.session.view import Mode
from handrail.ssh.job import prove_sudo
from handrail.ssh.target import Target
from handrail.ssh.trust import Strange
from handrail.store.drills import drills_of
from handrail.store.home import Home
from handrail.store.run_folder import list_runs

PULSE: Final = 8.0


class Briefing:
    """A run before it is opened."""

    def __init__(
        self,
        home: Home,
        card: RunbookCard,
        opening: Opening,
        given: Given = NOTHING,
        told: Start | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._cwd = cwd or Path.cwd()
        self._home, self._given, self._told = home, given, told or Start(opening.route)
        self._opening = replace(opening, values={**opening.values, **given.values()})
        opening = self._opening
        self._binding = _bound(opening)
        self._mode = mode_of(self._binding.estate, home, opening.mode)
        self._changed = asyncio.Event()
        self._ways = ways_for(self._binding, given)
        self._links = self._ways.links
        self._ways.asking.tell = self._asked
        self._started = False
        self._strange: dict[str, Strange] = {}
        self._away: set[str] = set()
        self.view = self._view(card)
        self._task = asyncio.create_task(self._ask_everybody())

    def _view(self, card: RunbookCard) -> BriefingView:
        binding, runbook = self._binding, self._binding.runbook
        real = self._mode in (Mode.LIVE, Mode.REHEARSAL)
        drilled = bool(drills_of(self._home, digest=card.digest))
        return BriefingView(
            seq=1,
            mode=self._mode,
            runbook=card,
            estate=binding.estate.name,
            route=self._opening.route,
            routes=tuple((name, route.title) for name, route in runbook.routes.items()),
            evidence=(),
            pulses=tuple(
                RolePulse(role, h.key, h.name, h.address, None, "asking")
                for role, kind in runbook.roles.items()
                for h in binding.estate.hosts(role)[: 1 if kind == "one" else 3]
            ),
            wanted=self._wanted(),
            plan=plan_lines(binding, self._opening.route, self._needed(self._opening.route)),
            type_name=binding.estate.name if real else "",
            needs_reason="" if drilled or not real else "this runbook was never drilled at this digest",
            warnings=self._warnings(real=real),
            problems=tuple(f"no value for {fact}" for fact in binding.unknown_facts),
            follows=(runbook.head.follows or "") if real else "",
            holder=owing(self._home, runbook.head.follows or "", binding.estate.name) if real else "",
            level=self._opening.level,
            told=self._told,
        )

    def _wanted(self) -> tuple[Wanted, ...]:
        kinds = self._binding.runbook.vars
        return tuple(
            Wanted(
                name, kinds[name].type, kinds[name].help or "", "", kinds[name].type == "secret", kinds[name].choices
            )
            for name in self._binding.missing
        )

    def _warnings(self, *, real: bool) -> tuple[str, ...]:
        made: list[str] = [safe(str(p)) for p in self._binding.estate.warnings]
        made += self._approvals() if real else []
        if real and not (os.environ.get("TMUX") or os.environ.get("STY")):
            tool = "tmux" if shutil.which("tmux") else "a terminal that stays"
            made.append(f"not in tmux: if this line drops, the run is held; use {tool}, or resume it")
        return tuple(made)

    def _approvals(self) -> list[str]:
        """Return how a runbook that wants the word of others stands, as it would run now."""
        runbook = self._binding.runbook
        if not runbook.head.approvals:
            return []
        what = approvals.asked(self._binding, digest(read_file(self._opening.runbook)), self._opening.route)
        found = approvals.holding(self._home, what, self._binding.estate.allowed_signers, SystemClock().now())
        have = "; ".join(map(str, found)) or "nobody yet"
        return [f"LIVE wants {runbook.head.approvals} to have signed with `handrail approve`: {have}"]

    def _needed(self, route: str) -> frozenset[str]:
        runbook = self._binding.runbook
        return frozenset(p.name for p in runbook.places if needed(runbook, p.step, route))

    async def changed(self, seq: int) -> BriefingView:
        """Return the next view whose `seq` is greater."""
        while self.view.seq <= seq:
            await self._changed.wait()
        return self.view

    def _show(self, view: BriefingView) -> None:
        self.view = replace(view, seq=self.view.seq + 1)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _ask_everybody(self) -> None:
        await asyncio.gather(*(self._ask(pulse) for pulse in self.view.pulses if pulse.reached is None))
        self._propose()

    async def _ask(self, pulse: RolePulse) -> None:
        target = target_of(self._binding.estate, self._binding.estate.host(pulse.host))
        self._strange.pop(pulse.host, None)
        self._away.discard(pulse.host)
        answer = replace(pulse, reached=True, words="answers, pinned key", key=None)
        try:
            async with self._links.patience.limit(PULSE):
                answer = replace(answer, round_trip=await self._links.round_trip(target))
                await prove_sudo(self._links, target)
                answer = replace(answer, words=answer.words + (", sudo" if target.become else ""))
        except Trouble as err:
            answer = await self._silent(pulse, target, err)
        except TimeoutError:
            self._away.add(pulse.host)
            answer = replace(pulse, reached=False, words=f"silent for {PULSE:.0f} s", key=None)
        pulses = tuple(answer if p.host == pulse.host else p for p in self.view.pulses)
        self._show(replace(self.view, pulses=pulses))

    async def _silent(self, pulse: RolePulse, target: Target, wrong: Trouble) -> RolePulse:
        """Return what a host that could not be spoken to looks like: away, or there with a key nobody has compared."""
        found = await meeting.strange_key(self._links, target, wrong)
        if found is None:
            if wrong.problems[0].code in meeting.AWAY:
                self._away.add(pulse.host)
            return replace(pulse, reached=False, words=wrong.problems[0].message, key=None)
        self._strange[pulse.host] = found
        place = f"{found.host} port {found.port}"
        key = HostKey(found.name, place, found.algorithm, found.fingerprint, found.known_hosts, found.pinned)
        words = "HOST KEY CHANGED" if found.pinned else "host key not pinned"
        return replace(pulse, reached=False, words=words, key=key)

    async def trust(self, host: str, typed: str, why: str = "") -> None:
        """Pin the key a host shows, for a person who typed its fingerprint, and ask the host again; else `Trouble`."""
        found = self._strange.get(host)
        if found is None:
            raise trouble("ssh-fingerprint", "this host shows no key that is to be compared")
        meeting.accept(self._home, self._mode, found, typed, why)
        same = {name for name, one in self._strange.items() if one.name == found.name}  # a jump host is many hosts' way
        await asyncio.gather(*(self._ask(pulse) for pulse in self.view.pulses if pulse.host in same))
        self._propose()

    def _propose(self) -> None:
        """Propose the route whose lost roles are exactly those that nobody could reach, with its evidence."""
        silent = {p.role for p in self.view.pulses if p.host in self._away and self._is_one(p.role)}
        routes = self._binding.runbook.routes
        fits = [name for name, route in routes.items() if silent and set(route.lost) == silent]
        evidence = tuple(f"{p.name}: {p.words}" for p in self.view.pulses if p.reached is False)
        route = fits[0] if fits else self._opening.route
        plan = plan_lines(self._binding, route, self._needed(route))
        self._show(replace(self.view, route=route, evidence=evidence, plan=plan))

    def _is_one(self, role: str) -> bool:
        return self._binding.runbook.roles.get(role) == "one"

    def _asked(self) -> None:
        self._show(replace(self.view, asked=self._ways.asking.open))

    def answer(self, number: int, words: str | None) -> None:
        """Answer what a connection asks."""
        self._ways.asking.answer(number, words)

    def ask_again(self) -> None:
        """Ask the roles again that could not be used."""
        if not self._task.done():
            return
        pulses = tuple(p if p.reached else replace(p, reached=None, words="asking", key=None) for p in self.view.pulses)
        self._show(replace(self.view, pulses=pulses))
        self._task = asyncio.create_task(self._ask_everybody())

    async def settled(self) -> BriefingView:
        """Wait until every role has answered, or was given up."""
        await asyncio.gather(self._task, return_exceptions=True)
        return self.view

    async def start(self, start: Start) -> SessionApi:
        """Open the run; raise `Trouble` when what was typed does not do."""
        view = self.view
        if view.type_name and start.typed.strip() != view.type_name:
            raise trouble("type-name", f"type the estate's name, {view.type_name}, to start")
        if view.needs_reason and not start.reason.strip():
            raise trouble("undrilled", view.needs_reason, "drill it first, or give a reason: it is kept in the record")
        if start.route not in self._binding.runbook.routes:
            known = ", ".join(self._binding.runbook.routes)
            raise trouble("route", f"{view.runbook.id} has no route {safe(start.route, 40)!r}", f"its routes: {known}")
        if self._binding.runbook.routes[start.route].lost and not start.emergency.strip():
            raise trouble(
                "emergency-reason", f"the route {start.route} needs a reason", "say what is lost and since when"
            )
        values: Mapping[str, str] = {**self._opening.values, **dict(start.values)}
        opening = replace(
            self._opening,
            route=start.route,
            values=values,
            reason=start.reason,
            incident=start.incident,
            since=start.since,
            emergency=start.emergency,
            pace=Pace.STEP if start.step_by_step or self._slow(start) else Pace.STAGE,
            successor_of=start.successor_of.strip(),
        )
        opening = await self._taught(opening, start)
        lost = self._binding.runbook.routes[start.route].lost
        if opening.sim_dir and lost:
            await simulator.lose(Path(opening.sim_dir), (h.name for r in lost for h in self._binding.estate.hosts(r)))
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        session = open_run(self._home, opening, ways=self._ways)
        if opening.scenario:
            await simulator.follow(Path(opening.sim_dir), session.snapshot.info.folder)
        self._started = True
        return session

    def _slow(self, start: Start) -> bool:
        """Tell whether a drill stops before every step: a guided one, and one in which each step is foretold."""
        level = start.level or self._opening.level
        return self._mode is Mode.DRILL and (level == Level.GUIDED or start.predict)

    async def _taught(self, opening: Opening, start: Start) -> Opening:
        """Return the opening at the level that was chosen, with the scenario that it brings; nothing of a run that is no drill."""
        if opening.mode is not Mode.DRILL:
            return opening
        predict = start.predict or opening.predict
        level = start.level or opening.level or (Level.NONE if predict else "")
        opening = replace(opening, level=level, predict=predict)
        if not opening.sim_dir or opening.scenario or not level:
            return opening
        runbook, route = self._binding.runbook.id, opening.route
        whole = opening.simulated != "folders"
        scenario = practice.scenario_for(level, runbook, opening.runbook, self._cwd, route, start.seed, whole=whole)
        if scenario is not None:
            await simulator.begin(Path(opening.sim_dir), scenario)
        return replace(opening, scenario=scenario)

    async def close(self) -> None:
        """Leave; without having started, a drill's estate goes too."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if not self._started:
            await self._links.close()
        if not self._started and self._opening.sim_dir:
            await simulator.down(Path(self._opening.sim_dir))


def owing(home: Home, runbook: str, estate: str) -> str:
    """Return who drove the newest LIVE run of a runbook on an estate that still owes something, as this console knows it."""
    for glance in reversed(list_runs(home)) if runbook else ():
        body = glance.first.body if glance.first and glance.first.event == "run_opened" else {}
        if (body.get("runbook"), body.get("estate")) == (runbook, estate) and body.get("mode") != Mode.DRILL.value:
            said = dict(glance.summary)
            return str(said.get("operator") or body.get("operator", "")) if said.get("owed") else ""
    return ""


def _bound(opening: Opening) -> Binding:
    runbook = with_preflight(read_runbook(Path(opening.runbook)))
    return bind(runbook, read_estate(opening.estate), opening.values)
