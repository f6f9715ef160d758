"""Doing what is due: one coroutine for each kind of act. They ask the world and tell the engine; they decide nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from handrail.actions import judge, meter, name_check, perform, questions
from handrail.actions.port import Said
from handrail.actions.work import Work
from handrail.base.failpoint import boundary
from handrail.base.ids import file_word
from handrail.base.problems import Problem, Trouble
from handrail.base.safe import safe
from handrail.engine import due as d
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.outline import Place
from handrail.engine.results import Check, Result
from handrail.engine.words import Answer, ResultKind, Way
from handrail.runbook.checks import Command, Guard, Undo
from handrail.session import claims, gates
from handrail.session.attempt import AttemptPort, Running
from handrail.session.core import Core
from handrail.session.texts import action_lines, undo_lines
from handrail.ssh import job

FRESH: Final = 8.0  # seconds between two looks at an open gate
GUARD_PATIENCE: Final = 10.0
BEGINS: Final = 2.0  # seconds in which an attempt that is taken up again comes to its hosts; some have none to come to
NAP: Final = 0.05
UNHEARD_OF: Final = "a console that went away had begun it, and what became of it is not known (probe)"


class Acts:
    """The acts of one session; keeps the ports of what is being performed, so that it can be stopped."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.ports: dict[str, AttemptPort] = {}

    async def do(self, act: d.Act) -> None:
        """Do one act to its end. This is a border: whatever goes wrong is told as an answer, never lost."""
        try:
            with boundary(f"act.{type(act).__name__.lower()}"):
                await _DOES[type(act)](self, act)
        except Trouble as err:
            self._failed(act, err.problems[0].message)
        except asyncio.CancelledError:
            raise
        except Exception as err:  # noqa: BLE001  the border: an act must always answer
            self._failed(act, f"{type(err).__name__}: {safe(str(err), 200)}")

    def _failed(self, act: d.Act, why: str) -> None:
        tell = self.core.teller.tell
        match act:
            case d.Prepare(step=step, way=way):
                tell(m.NotReady(step, way, why))
            case d.Perform(step=step, attempt=number):
                self._lost(step, number, why)
            case d.Ask(step=step, way=way):
                tell(m.AskEnded(step, way, Answer.DONT_KNOW, (Check(why, None, why),), why))
            case d.Recall(step=step):
                tell(m.Recalled(step, None, why))
            case d.DoOwed(owed=owed):
                tell(m.SettleEnded(owed, Result(owed, ResultKind.UNREACHABLE, sent=False, detail=why)))
            case d.WatchGate(step=step):
                tell(m.NotReady(step, Way.FORWARD, why))
            case d.TakeClaim():
                tell(m.ClaimNews(holder="nobody: it could not be taken", detail=why))

    def _lost(self, step: str, number: int, why: str) -> None:
        """An attempt that broke in this console: what was sent is not known."""
        attempt = next((a for a in self.core.state.step(step).attempts if a.number == number), None)
        for host in attempt.missing if attempt else ():
            gone = Result(host, ResultKind.LOST, sent=True, detail=why)
            self.core.teller.tell(m.Ended(step, number, gone))

    async def prepare(self, act: d.Prepare) -> None:
        """Resolve an attempt; note what meters must find again; tell that it is ready."""
        core, orders = self.core, self.core.orders
        step = orders.spot(act.step)
        if act.way is Way.BACK:
            with boundary("undo.prepare"):
                core.teller.tell(m.Ready(act.step, act.way, act.hosts, self._back_commands(act)))
            return
        with boundary("meter.position"):
            await self._positions(act.step)
        work = orders.forward(act.step, act.hosts, act.attempt)
        commands = self._commands(work)
        order = {f"undo:{p.key}": self._undo_text(act.step, p.key) for p in self._undo_places(act.step)}
        names = core.binding.names_for(orders.host(act.hosts[0]), core.state.values) if act.hosts else {}
        back = self._put_back(work) if step.confirm else ""
        undo = undo_lines(step, names)
        core.teller.tell(m.Ready(act.step, act.way, act.hosts, commands, undo, back, order))

    @staticmethod
    def _put_back(work: Work) -> str:
        """Return the value that an undo of a confirmed step puts back, to be typed then."""
        dns = next((one.dns for one in work.hosts.values() if one.dns), None)
        return dns.from_ if dns else "undo"

    def _back_commands(self, act: d.Prepare) -> tuple[str, ...]:
        """Return what an undo sends where, a line each, as it is journalled."""
        core, orders = self.core, self.core.orders
        step = orders.spot(act.step)
        if step.undo == "restore":
            names = core.binding.names_for(orders.host(act.hosts[0]) if act.hosts else None, core.state.values)
            return tuple(f"{self._name(h)}: {line}" for h in act.hosts for line in undo_lines(step, names))
        first = core.state.step(act.step).first
        parts = {h: orders.journalled(act.step, h, first) for h in act.hosts}
        return tuple(f"{self._name(h)}: {line}" for h, p in parts.items() for line in action_lines(p, {}))

    def _commands(self, work: Work) -> tuple[str, ...]:
        """Return what is sent where, a line each, as it is journalled."""
        if work.sync is not None:
            sides = work.sync
            dirs = ", ".join(sides.at_target.dirs)
            return (f"{self._name(sides.source)} → {self._name(sides.target)}: {dirs}",)
        return tuple(f"{self._name(h)}: {line}" for h, one in work.hosts.items() for line in action_lines(one, {})[:1])

    def _name(self, key: str) -> str:
        host = self.core.orders.host(key)
        return host.name if host else key

    def _undo_places(self, step: str) -> tuple[Place, ...]:
        outline = self.core.state.outline.step(step)
        if not isinstance(self.core.orders.spot(step).undo, Undo):
            return ()
        return outline.undo_places or outline.places

    def _undo_text(self, step: str, key: str) -> str:
        """Return a step's undo, resolved, as it is journalled; secrets are not in it."""
        undo = self.core.orders.undo(step, key)
        return json.dumps(undo.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"stdin"}))

    async def _positions(self, step: str) -> None:
        """Note where the files end that meters follow from this step on; a host that does not answer is passed over."""
        core = self.core
        if core.state.step(step).touched:
            return
        for spot in core.binding.runbook.places:
            if spot.step.meter is None or spot.step.meter.since != step:
                continue
            port = AttemptPort(core, spot.name, 0, quiet=True, label=f"since{core.turn()}")
            for place in core.state.outline.places(core.state.outline.step(spot.name), core.state.route):
                one = core.orders.step(spot.step, core.orders.host(place.key))
                assert one.meter is not None
                command = meter.position_command(one.meter.file)
                said = await port.command(place.key, command, "position", changes=False, limit=GUARD_PATIENCE)
                found = meter.read_position(said)
                if found:
                    port.remember(place.key, found)

    async def perform(self, act: d.Perform) -> None:
        """Do an attempt that is on disk; one that was in flight at a crash is re-attached."""
        core = self.core
        attempt = next(a for a in core.state.step(act.step).attempts if a.number == act.attempt)
        resolve = core.orders.forward if act.way is Way.FORWARD else core.orders.back
        work = resolve(act.step, attempt.missing, act.attempt, attach=attempt.attach)
        work = replace(work, asks=attempt.asked and work.changes)
        core.live.pop(act.step, None)  # what moved in an earlier attempt moves no more
        port = self.ports[act.step] = AttemptPort(core, act.step, act.attempt)
        try:
            with boundary("attempt.perform"):
                await perform.perform(work, port)
        finally:
            if self.ports.get(act.step) is port:
                del self.ports[act.step]

    async def stop(self, step: str) -> None:
        """End what an attempt runs, on every host, and tell what was proven."""
        port = await self._begun(step)
        attempt = self.core.state.step(step).attempt
        if port is None or attempt is None:
            return
        port.stopping = True
        # What an earlier console had begun is ended by ending just that: a read beside it proves nothing.
        begun = attempt.attach and self.core.state.outline.step(step).changes
        jobs = [one for one in port.running if one.permit.changes or not begun]
        ends = await asyncio.gather(*(_stopped(self.core, j) for j in jobs))
        proven: dict[str, tuple[bool, str]] = {}
        for one, end in zip(jobs, ends, strict=True):
            good, words = proven.get(one.host, (True, ""))
            proven[one.host] = (good and end[0], "; ".join(w for w in (words, end[1]) if w))
        idle = (not begun, UNHEARD_OF if begun else "nothing was running there")
        for host in attempt.missing:
            good, words = proven.get(host, idle)
            if self._change_sent(step, attempt.number):
                good, words = False, "the change was sent: the name servers know what became of it (probe)"
            kind = ResultKind.STOPPED if good else ResultKind.STOP_UNPROVEN
            sent = host in proven or host in port.changed or not good
            output = self.core.seal(step, attempt.number, host)
            result = Result(host, kind, sent=sent, detail=words, output=output)
            self.core.teller.tell(m.Ended(step, attempt.number, result))

    async def _begun(self, step: str) -> AttemptPort | None:
        """Return the port of an attempt, once it has come to its hosts: right after a resume it is still on its way there."""
        patience = BEGINS
        while (now := self.core.state.step(step)).word in order.BUSY and now.attempt:
            port = self.ports.get(step)
            if port is not None and (port.running or not now.attempt.attach or patience <= 0):
                return port
            patience -= NAP if port is not None else 0.0
            await asyncio.sleep(NAP)
        return None

    def _change_sent(self, step: str, attempt: int) -> bool:
        """Tell whether an attempt at a name has sent its change: there is no process that could be ended."""
        notes = self.core.state.step(step).notes.get(name_check.PLACE, {})
        return self.core.orders.spot(step).dns is not None and notes.get("attempt") == str(attempt)

    async def ask(self, act: d.Ask) -> None:
        """Ask a step's probe, or its verifies."""
        core, orders = self.core, self.core.orders
        port = AttemptPort(core, act.step, 0, quiet=True, label=f"ask{core.turn()}")
        step = orders.spot(act.step)
        hosts = tuple(p.key for p in core.state.outline.places(core.state.outline.step(act.step), core.state.route))
        back = core.state.step(act.step).word.value.startswith("undo")
        parts = step.undo.verify if back and isinstance(step.undo, Undo) else step.verify
        answer, seen = Answer.DONE, ""
        if act.way is Way.PROBE:
            with boundary("probe.ask"):
                answer, seen = await perform.probe(orders.probed(act.step), port)
        checks = []
        if act.way is Way.CHECK or (answer is Answer.DONE and not back):
            for number, ask in enumerate(orders.verifies(parts, step, hosts)({})):
                checks.append(await questions.put(ask, port, f"verify{number}"))
        core.teller.tell(m.AskEnded(act.step, act.way, answer, tuple(checks), seen))

    async def gate(self, act: d.WatchGate) -> None:
        """Show the gate, and look again behind the typing until it is confirmed or left."""
        while True:
            try:
                seen = await gates.look(self.core, act.step)
            except Trouble as err:
                open_now = self.core.state.step(act.step).gate
                if open_now is None:
                    raise
                seen = replace(open_now, blocked=err.problems[0].message)
            self.core.teller.tell(m.GateSeen(act.step, seen))
            await asyncio.sleep(FRESH)

    async def recall(self, act: d.Recall) -> None:
        """After a resume, ask whether what has passed still holds."""
        check = await gates.recall(self.core, act.step)
        self.core.teller.tell(m.Recalled(act.step, check.holds, check.seen))

    async def owed(self, act: d.DoOwed) -> None:
        """Do what is owed: the undo that was journalled, on the host that is back."""
        core = self.core
        item = next(o for o in core.state.owed if o.id == act.owed)
        if item.way == "forward":
            raise Trouble(_by_word(item.what))
        label = f"owed{act.attempt}.{file_word(item.host)}"
        port = AttemptPort(core, item.step, 0, quiet=True, label=label)
        work = core.orders.back(item.step, (item.host,), 0, attach=act.attach)
        with boundary("owed.settle"):
            await perform.perform(work, port)
        core.teller.tell(m.SettleEnded(act.owed, port.results[0]))

    async def watch(self, act: d.Watch) -> None:
        """Run a guard beside the steps; silence trips nothing."""
        core = self.core
        guard = next(g for g in core.binding.runbook.guards if g.id == act.guard)
        while True:
            port = AttemptPort(core, "", 0, quiet=True, label=f"{guard.id}{core.turn()}")
            hosts = [h for role in guard.on if role not in core.state.lost for h in core.binding.estate.hosts(role)]
            for host in hosts[:1]:
                try:
                    one = core.orders.part(guard, host)
                except Trouble:  # a name it needs is not known yet
                    continue
                with boundary("guard.look"):
                    said = await port.command(host.key, _command(one), "look", changes=False, limit=guard.timeout)
                if said.kind is ResultKind.EXITED:
                    tripped = _trips(one, said)
                    core.teller.tell(m.GuardNews(guard.id, tripped, said.complaint or _first(said.stdout)))
            await asyncio.sleep(guard.every)

    async def claim(self, act: d.TakeClaim) -> None:
        """Claim the estate on every one-role host that answers."""
        self.core.teller.tell(await claims.take(self.core))


async def _stopped(core: Core, running: Running) -> tuple[bool, str]:
    try:
        async with asyncio.timeout(30):
            with boundary("job.stop"):
                end = await job.stop_job(core.links, running.target, running.key, running.permit)
    except (Trouble, TimeoutError) as err:
        return False, safe(str(err), 200) or "the host did not answer in 30 s"
    return (end.proved, end.reason) if isinstance(end, job.Stopped) else (False, end.reason)


def _by_word(what: str) -> Problem:
    return Problem("owed-by-word", f"{what} cannot be run again from here: do it, then settle it by a word")


def _command(guard: Guard) -> Command:
    return Command(run=guard.run, script=guard.script, args=guard.args)


def _trips(guard: Guard, said: Said) -> bool:
    return judge.holds(guard.trip, said, guard.trip.exit)


def _first(stdout: bytes) -> str:
    return judge.quote(stdout)


_DOES: Final[Mapping[type[d.Act], Callable[[Acts, Any], Awaitable[None]]]] = {
    d.Prepare: Acts.prepare,
    d.Perform: Acts.perform,
    d.Ask: Acts.ask,
    d.WatchGate: Acts.gate,
    d.Recall: Acts.recall,
    d.DoOwed: Acts.owed,
    d.Watch: Acts.watch,
    d.TakeClaim: Acts.claim,
}
