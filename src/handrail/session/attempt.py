"""The port of one attempt: how an action reaches the world. Remote commands are jobs; their output goes to the spool."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from handrail.actions.port import FIRST, Said
from handrail.base.clock import Clock
from handrail.base.durations import show_duration
from handrail.base.failpoint import boundary
from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.base.secrets import redact
from handrail.dns.provider import Provider
from handrail.dns.zone import Zone
from handrail.engine import messages as m
from handrail.engine.results import Check, Question, Result
from handrail.engine.words import ResultKind
from handrail.runbook.checks import Command
from handrail.session import streaming
from handrail.session.core import Core
from handrail.session.storing import Storing
from handrail.session.texts import command_lines
from handrail.session.view import REACH
from handrail.ssh import job
from handrail.ssh.target import Target
from handrail.store.spool_index import HostStream

RUN: Final = "run"  # the part whose output is the step's own
LONGEST: Final = 64  # characters of the name of a job's part
CLOCKS_APART: Final = 30.0  # seconds
ONE_OF_THEM: Final = (
    "one of the two is wrong. DNS keys, certificates and logs are judged by the clock: chronyc tracking, on both"
)
KNOWN_THERE: Final = (
    "the host has begun this very job before, and the record does not know of it: "
    "the record is older than what was done. Ask about the job again, or probe; it is not sent twice"
)


@dataclass(frozen=True)
class Running:
    """A job that this console waits for."""

    host: str
    target: Target
    key: job.JobKey
    permit: job.Permit


class AttemptPort:
    """One attempt's world. `quiet` attempts (rechecks, guards) write no spool and report to a list."""

    def __init__(self, core: Core, step: str, attempt: int, *, quiet: bool = False, label: str = "") -> None:
        self.core, self.step, self.attempt, self.quiet = core, step, attempt, quiet
        self.label = label or str(attempt)
        self.running: list[Running] = []
        self.changed: set[str] = set()  # hosts to which something that changes was sent
        self.stopping = False
        self.results: list[Result] = []

    @property
    def clock(self) -> Clock:
        """Return the clock."""
        return self.core.clock

    async def command(
        self,
        host: str,
        command: Command,
        part: str,
        *,
        changes: bool,
        limit: float | None,
        attach: bool = False,
        most: int = FIRST,
    ) -> Said:
        """Run a command as a remote job and return what came of it."""
        stdin = (command.stdin or "").encode()
        told = job.Command(argv=command.run, script=command.script, args=command.args, stdin=stdin)
        stored = part.split(".")[0] == RUN or changes
        catch = Catch(self, host, stored=stored and not self.quiet, most=most, again=attach)
        if stored:
            self.say(host, f"$ {_typed(command)}")
        start: job.Start = "attach-or-start" if attach else "fresh"
        return await self.job(host, told, part, catch, changes=changes, limit=limit, start=start)

    async def found(self, host: str, command: Command, part: str, *, spend: bool) -> Said | None:
        """Return what came of a change that an earlier console may have begun; None when the host proves that it never was."""
        told = job.Command(argv=command.run, script=command.script, args=command.args)
        catch = Catch(self, host, stored=not self.quiet, most=FIRST, again=True)
        start: job.Start = "attach" if spend else "find"
        said = await self.job(host, told, part, catch, changes=True, limit=None, start=start)
        return None if said.kind is ResultKind.UNREACHABLE and not said.sent else said

    async def stream(
        self, source: str, send: Command, target: str, receive: Command, part: str, moved: streaming.Moved
    ) -> tuple[Said, Said]:
        """Pipe one host's command into another's; no more than a little of it is held here, and only until it is sent."""
        return await streaming.stream(self, (source, send), (target, receive), part, moved)

    def catch(self, host: str) -> Catch:
        """Return what takes the output of a job that is no command of the runbook's."""
        return Catch(self, host, stored=False, most=FIRST)

    async def job(
        self,
        host: str,
        told: job.Command,
        part: str,
        catch: Catch,
        *,
        changes: bool,
        limit: float | None,
        start: job.Start = "fresh",
        unheard: bool = False,
    ) -> Said:
        """Run a job and return what came of it; `unheard`, its output stays at the host."""
        if self.stopping:
            return Said(ResultKind.STOPPED, sent=False, detail="it was stopped before this was sent")
        core = self.core
        mark = "" if changes else f".e{core.state.epoch}.{core.turn()}"
        target, permit = core.target(host), core.permit(changes=changes)
        key = job.JobKey(core.run, self.step or "guards", _word(f"{self.label}.{part}", LONGEST - len(mark)) + mark)
        catch.key = key
        running = Running(host, target, key, permit)
        self.running.append(running)
        if changes:
            self.changed.add(host)
        try:
            async with core.links.patience.limit(None if changes else limit):  # a change is never ended by a clock
                with boundary("job.change" if changes else "job.read"):
                    end = await job.run_job(
                        core.links,
                        target,
                        key,
                        told,
                        permit,
                        start=start,
                        output=catch.take,
                        offsets=(job.UNHEARD if unheard else 0, 0),
                        news=catch.news,
                        valve=catch.valve,
                    )
            await catch.settle()
        except TimeoutError:
            await self._stop_read(running)
            return Said(
                ResultKind.TIMED_OUT, sent=True, stdout=bytes(catch.first), detail=f"no answer in {limit:.0f} s"
            )
        except Trouble as err:
            return Said(ResultKind.REFUSED, sent=False, detail=err.problems[0].message)
        finally:
            catch.store()
            if not self.stopping:
                self.running.remove(running)
        if changes and isinstance(end, job.Refused) and end.reason == "reused":
            return Said(ResultKind.LOST, sent=True, detail=KNOWN_THERE)
        catch.size = end.out_bytes if isinstance(end, job.Exited) else 0
        return said_of(end, catch)

    async def _stop_read(self, running: Running) -> None:
        """End a read that took too long; it may be left when its host does not answer."""
        try:
            async with asyncio.timeout(5):
                await job.stop_job(self.core.links, running.target, running.key, running.permit, 1.0)
        except (Trouble, TimeoutError):
            return

    def ended(self, result: Result) -> None:
        """Report what a host answered, with the digest of its output."""
        if self.step.rpartition("/")[2].startswith(REACH):
            result = replace(result, checks=(*result.checks, *self._clock_doubts(result.host)))
        if self.quiet:
            self.results.append(result)
        if self.quiet or self.stopping:  # whoever stops it tells what was proven
            return
        with boundary("output.seal"):
            output = self.core.seal(self.step, self.attempt, result.host)
        self.core.teller.tell(m.Ended(self.step, self.attempt, replace(result, output=output)))

    def _clock_doubts(self, host: str) -> tuple[Check, ...]:
        """Return a warning where a host's clock is not this console's: keys of DNS and certificates are judged by it."""
        facts = self.core.links.facts(self.core.target(host), self.core.run)
        if facts is None or abs(facts.ahead) < CLOCKS_APART:
            return ()
        seen = f"{show_duration(round(abs(facts.ahead)))} {'ahead of' if facts.ahead > 0 else 'behind'} this console's clock"
        return (
            Check(
                "its clock is this console's", holds=True, seen=seen, warn=f"{host}'s clock is {seen}: {ONE_OF_THEM}"
            ),
        )

    def say(self, host: str, *lines: str) -> None:
        """Write lines of our own into a host's output, all at once."""
        if not self.quiet:
            hidden = self.core.hidden
            clean = [redact(line.encode("utf-8", "replace"), hidden).decode("utf-8", "replace") for line in lines]
            self.core.spool(self.step, self.attempt, host).note(self.clock.mono(), *clean)
            self.core.heard(self.step, host, "")

    def progress(self, done: float, total: float = 0.0, text: str = "", silent: tuple[str, ...] = ()) -> None:
        """Show how far the step is."""
        if not self.quiet:
            self.core.show(self.step, done=done, total=total, text=text, silent=silent)

    def again(self, host: str, tries: int, wait: float, left: float, seen: str) -> None:
        """Show that a read is asked again, when, and for how long."""
        if not self.quiet:
            self.core.again(self.step, host, tries, wait, left, seen)

    def remember(self, host: str, data: Mapping[str, str]) -> None:
        """Put a fact on disk before going on; raise `Trouble` when it is not there: then nothing may follow."""
        with boundary("fact.remember"):
            refused = self.core.teller.tell(m.Remember(self.step, host, data))
        if refused:
            raise trouble("not-journalled", refused.reason)

    def notes(self, host: str, step: str = "") -> Mapping[str, str]:
        """Return what was remembered, by this step or another."""
        return dict(self.core.state.step(step or self.step).notes.get(host, {}))

    async def ask(self, question: Question) -> str:
        """Ask the operator, and wait for the word that `decide` let through."""
        now = self.core.state.step(self.step)
        if now.question != question:
            self.core.teller.tell(m.Asks(self.step, question))
        await self.core.until(lambda state: state.step(self.step).reply is not None)
        return self.core.state.step(self.step).reply or ""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def names(self) -> tuple[Zone, Provider]:
        """Return the estate's zone and the provider that changes it."""
        return self.core.names()


class Catch:
    """Takes a job's output: the first part for judging, all of it for the spool, its last line for the screen."""

    def __init__(self, port: AttemptPort, host: str, *, stored: bool, most: int, again: bool = False) -> None:
        self.port, self.host, self.most = port, host, most
        self.key: job.JobKey | None = None  # of the job, once it was asked for
        self.size = 0  # bytes of its standard output, once it has ended
        self.first = bytearray()
        self.errors = b""
        self.cut = False
        self._spool = port.core.spool(port.step, port.attempt, host) if stored else None
        streams: tuple[HostStream, ...] = ("out", "err")
        self._skip = {s: self._spool.settled(s) if self._spool and again else 0 for s in streams}
        self._storing = Storing(self._spool, port.clock, self._tell)
        self.valve = self._storing.valve

    def take(self, stream: str, offset: int, data: bytes) -> None:
        """Take a piece; what a crashed console had stored already is not stored twice."""
        if stream == "out":
            room = self.most - len(self.first)
            self.first += data[:room]
            self.cut = self.cut or len(data) > room
        else:
            self.errors = (self.errors + data)[-4096:]
        name: HostStream = "out" if stream == "out" else "err"
        fresh = data[max(0, self._skip[name] - offset) :]
        self._storing.put(name, fresh)

    def store(self) -> None:
        """Store all that came, and return when it is."""
        self._storing.store()

    async def settle(self) -> None:
        """Return when all that came is stored, and synced where it is much."""
        await self._storing.settle()

    def _tell(self) -> None:
        if not self.port.quiet:
            self.port.core.heard(self.port.step, self.host, "")

    def news(self, news: job.JobNews) -> None:
        """Tell the engine that a link went or came back."""
        if self.port.quiet:
            return
        match news:
            case job.Started(boot=boot, marker=marker) if self.port.core.state.outline.step(self.port.step).changes:
                with boundary("job.begun"):
                    self._remember(boot, marker)
            case job.LinkLost(reason=reason):
                self._link(up=False, why=reason)
            case job.LinkBack():
                self._link(up=True)

    def _remember(self, boot: str, marker: str) -> None:
        """Journal what tells, after a crash, that a job which is not there was never started."""
        known = self.port.notes(self.host)
        if (known.get("boot"), known.get("marker")) != (boot, marker):
            self.port.remember(self.host, {"boot": boot, "marker": marker})

    def _link(self, *, up: bool, why: str = "") -> None:
        self.port.core.teller.tell(m.LinkNews(self.port.step, self.host, up, why))

    @property
    def complaint(self) -> str:
        """Return the last line of standard error that says something."""
        lines = [line for line in self.errors.splitlines() if line.strip()]
        return safe(lines[-1], 300) if lines else ""


def said_of(end: job.JobEnd, catch: Catch) -> Said:
    """Return a job's end as the fact an action judges."""
    stdout, complaint = bytes(catch.first), catch.complaint
    match end:
        case job.Exited(code=code):
            return Said(ResultKind.EXITED, sent=True, exit=code, stdout=stdout, complaint=complaint, cut=catch.cut)
        case job.Signalled(signal=number):
            return Said(ResultKind.SIGNALLED, sent=True, signal=str(number), stdout=stdout, complaint=complaint)
        case job.Refused(reason=reason, holder=holder):
            return Said(ResultKind.REFUSED, sent=False, detail=f"the host refused it ({reason}): {safe(holder, 200)}")
        case job.NotStarted(reason=reason):
            return Said(ResultKind.UNREACHABLE, sent=False, detail=reason)
        case job.Lost(reason=reason):
            return Said(ResultKind.LOST, sent=True, stdout=stdout, detail=reason)
        case job.Stopped(proved=proved, reason=reason):
            kind = ResultKind.STOPPED if proved else ResultKind.STOP_UNPROVEN
            return Said(kind, sent=True, stdout=stdout, detail=reason)


def _word(text: str, most: int) -> str:
    """Return a text as the name of a job's part: of its characters and length, and never the same for two."""
    word = re.sub(r"[^A-Za-z0-9.-]", "-", text)
    if word == text and len(word) <= most:
        return word
    return f"{word[: most - 9]}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _typed(command: Command) -> str:
    return command_lines(command, {})[0]
