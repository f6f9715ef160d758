"""A small but real session: the engine's own state, decided by `decide`, folded by `evolve`, output in real spools.

Every state of a screen is produced by telling it messages, as the world would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.tui import story

from handrail.base.ids import file_word
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.decide import decide
from handrail.engine.evolve import evolve
from handrail.engine.messages import Refused
from handrail.engine.offers import Offer, offers
from handrail.engine.outline import Outline
from handrail.engine.results import Check, Gate, Question, Recheck, Result
from handrail.engine.state import fresh
from handrail.engine.words import Answer, Pace, Remarks, ResultKind, Way
from handrail.session import lessons
from handrail.session.levels import Level
from handrail.session.view import CoachNote, HeadLine, HostView, LiveStep, Mode, RunInfo, Snapshot, StepText
from handrail.store.spool import Spool
from handrail.store.spool_index import HostStream
from handrail.store.spool_reader import SpoolReader

START = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def mono(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds - 1000.0)

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds


class FakeOutput:
    """The spools of one step."""

    def __init__(self, folder: Path, step: str, hosts: list[str]) -> None:
        self._folder, self._step, self._hosts = folder, step, hosts

    def hosts(self) -> tuple[str, ...]:
        return tuple(self._hosts)

    def reader(self, host: str) -> SpoolReader | None:
        if host not in self._hosts:
            return None
        reader = SpoolReader(self._folder / "out" / file_word(f"{self._step}-{host}"))
        reader.refresh()
        return reader


class FakeSession:
    """One run. `tell` is the world, `submit` the operator; `refused` keeps the last refusal."""

    def __init__(
        self,
        folder: Path,
        outline: Outline | None = None,
        *,
        mode: Mode = Mode.DRILL,
        clock: Clock | None = None,
        texts: dict[str, StepText] | None = None,
        watching: bool = False,
    ) -> None:
        self.clock = clock or Clock()
        self.began = self.clock.mono()
        self.folder = folder
        (folder / "out").mkdir(parents=True, exist_ok=True)
        self.watching = watching
        self.proposes: str | None = None  # the one verb that is proposed, where it is not the engine's
        self.closed = False
        self.closing = asyncio.Event()  # cleared: closing takes its time
        self.closing.set()
        self.submitted: list[m.Intent] = []
        self.answered: list[tuple[int, str | None]] = []
        self.refused: Refused | None = None
        self.spools: dict[tuple[str, str], Spool] = {}
        self.spoken: dict[str, list[str]] = {}
        self._seq = 0
        self._news = asyncio.Condition()
        self.outline = outline or story.outline()
        self.state = evolve(fresh(self.outline), self._opened(mode))
        info = RunInfo(
            "20261122-1200-abcdef",
            mode,
            self.outline.runbook,
            self.outline.title,
            "Moves clients by changing one DNS name.",
            "d" * 64,
            "simulated" if mode is Mode.DRILL else "production",
            "ana",
            folder,
            START,
            rto=900.0,
            rto_until="clients/canaries",
            shortened="TTL 5 s for 300 s" if mode is Mode.DRILL else "",
        )
        self.base = Snapshot(
            0,
            0.0,
            START,
            info,
            self.state,
            texts=texts if texts is not None else story.texts(),
            headline=(
                HeadLine("good copy", "4m02s", seen=5.0, grows=242.0, target=900.0),
                HeadLine("at risk", "2 certs"),
            ),
            hosts=(
                HostView("h-primary", "puppet-primary", "primary", "10.0.0.10", "ams", "up", 0.021),
                HostView("h-dr", "puppet-dr", "dr", "10.9.0.10", "lhr", "up", 0.034),
                HostView("h-web01", "web01", "clients", "10.1.0.1", "ams"),
            ),
            turn_back_by=800.0,
            undo_seconds={"sync/hold": 3.0, "sync/mask": 20.0, "sync/copy": 27.0, "switch/dns": 5.0},
            watchers=("tom",),
            names=story.NAMES,
        )

    def _opened(self, mode: Mode) -> e.RunOpened:
        return e.RunOpened(
            0.0,
            "20261122-1200-abcdef",
            mode.value,
            "planned",
            "ana",
            "bastion1",
            self.outline.runbook,
            "d" * 64,
            "simulated",
            "0.1",
            pace=Pace.STAGE,
        )

    def teach(self, level: Level, *, predict: bool = False, coach: tuple[CoachNote, ...] = ()) -> None:
        """Let the run be a drill at a level."""
        self.show(
            lambda s: replace(s, info=replace(s.info, level=level.value, predict=predict, coach=coach, adds=295.0))
        )

    def say_against_sample(self) -> None:
        """Begin a step with a sample of two lines; one comes, and one that it does not know."""
        text = replace(self.base.texts["sync/hold"], sample="serial = ...\nat risk: none")
        self.show(lambda s: replace(s, texts={**s.texts, "sync/hold": text}))
        self.to_stage("sync")
        self.submit(m.Go())
        self.begin("sync/hold")
        self.say("sync/hold", "h-dr", "serial = 0A1F\nsomething else\n")

    def foretold(self, *steps: str) -> None:
        """Foretell steps."""
        for step in steps:
            self.submit(m.Remark(Remarks.PREDICTED, f"what {step} prints", step))
            self.submit(m.Remark(Remarks.PREDICTED_UNDO, "-", step))

    # ------------------------------------------------------------ the protocol

    @property
    def at(self) -> float:
        return self.clock.mono() - self.began

    @property
    def snapshot(self) -> Snapshot:
        made = replace(self.base, seq=self._seq, at=self.at, wall=self.clock.now(), state=self.state)
        return lessons.taught(made, drives=not self.watching)

    async def changed(self, seq: int) -> Snapshot:
        async with self._news:
            await self._news.wait_for(lambda: self._seq > seq)
        return self.snapshot

    def allowed(self) -> tuple[Offer, ...]:
        if self.watching:
            return (Offer("note", "Note", m.Note("…"), wants=("text",)),)
        found = offers(self.state)
        if self.proposes is None:
            return found
        return tuple(replace(o, proposed=o.verb == self.proposes and o.granted) for o in found)

    def submit(self, intent: m.Intent) -> Refused | None:
        self.submitted.append(intent)
        if self.watching and not isinstance(intent, m.Note):
            self.refused = Refused("you are watching")
            return self.refused
        self.refused = self._decide(replace(intent, at=self.at, by="ana"))
        return self.refused

    def answer(self, number: int, words: str | None) -> None:
        self.answered.append((number, words))
        self.show(lambda snap: replace(snap, asked=tuple(one for one in snap.asked if one.number != number)))

    def output(self, step: str) -> FakeOutput:
        return FakeOutput(self.folder, step, self.spoken.get(step, []))

    async def close(self) -> None:
        await self.closing.wait()
        self.closed = True
        for spool in self.spools.values():
            spool.close()
        self.spools.clear()

    # ------------------------------------------------------------ the world

    def _decide(self, message: m.Message) -> Refused | None:
        answer = decide(self.state, message)
        if isinstance(answer, Refused):
            return answer
        for event in answer:
            self.state = evolve(self.state, event)
        self.news()
        return None

    def news(self) -> None:
        """Let whoever waits know that something is new."""
        self._seq += 1

        async def told() -> None:
            async with self._news:
                self._news.notify_all()

        try:
            self._telling = asyncio.get_running_loop().create_task(told())
        except RuntimeError:
            return

    def tell(self, message: m.Message) -> None:
        """Let the world say something; it may not be refused."""
        refused = self._decide(replace(message, at=self.at))
        assert refused is None, refused

    def show(self, change: Callable[[Snapshot], Snapshot]) -> None:
        """Change what the session shows besides the state."""
        self.base = change(self.base)
        self.news()

    def goes_away(self, *keys: str, proposes: str = "", asked: float | None = None) -> None:
        """Let hosts of the standing step not answer, as the session would see it."""
        self.proposes = proposes
        since = self.at - 72

        def gone(h: HostView) -> HostView:
            return replace(h, link="away", away=since, asked=asked, why="no answer") if h.key in keys else h

        self.show(lambda s: replace(s, hosts=tuple(gone(h) for h in s.hosts), waits_for=keys))

    def comes_back(self) -> None:
        """Let every host answer again."""
        self.proposes = None
        self.show(lambda s: replace(s, hosts=tuple(replace(h, link="up", away=None) for h in s.hosts)))

    def say(self, step: str, host: str, text: str | bytes, stream: HostStream | None = "out") -> None:
        """Let a host say something; `stream` None is a remark of ours."""
        key = (step, host)
        if key not in self.spools:
            self.spools[key] = Spool.open(self.folder / "out", file_word(f"{step}-{host}"), self.clock)
            self.spoken.setdefault(step, []).append(host)
        data = text.encode() if isinstance(text, str) else text
        if stream is None:
            self.spools[key].note(self.clock.mono(), str(text))
        else:
            self.spools[key].write(stream, data, self.clock.mono())

    # ------------------------------------------------------------ how a step goes

    def claim(self) -> None:
        """Claim the estate, if it is not claimed yet."""
        if self.state.claim is None or self.state.claim_epoch != self.state.epoch:
            self.tell(m.ClaimNews(hosts=("h-primary", "h-dr")))

    def begin(self, step: str, way: Way = Way.FORWARD, back: str = "") -> int:
        """Start a step, or its undo, as the session does once it is resolved; return the attempt's number."""
        outline = self.outline.step(step)
        if outline.changes or way is Way.BACK:
            self.claim()
        hosts = tuple(p.key for p in order.back_places(self.state, outline)) if way is Way.BACK else ()
        text = self.base.texts.get(step) or StepText()
        self.tell(
            m.Ready(
                step,
                way,
                hosts or order.forward_hosts(self.state, outline),
                text.undo if way is Way.BACK else text.commands,
                text.undo,
                back,
            )
        )
        return len(self.state.step(step).attempts)

    def end(self, step: str, *results: Result) -> None:
        """Let hosts answer; without results all of them pass."""
        attempt = self.state.step(step).attempt
        assert attempt is not None
        if not results:
            checks: tuple[Check, ...] = (Check("manifests equal (sha256, mode, owner)", True, "7 files"),)
            checks = checks if self.outline.step(step).verify else ()
            results = tuple(passed(host, *checks) for host in attempt.missing)
        for result in results:
            self.tell(m.Ended(step, attempt.number, result))

    def run(self, *steps: str) -> None:
        """Let steps begin and pass, one after the other."""
        for step in steps:
            self.begin(step)
            self.clock.pass_by(5)
            self.end(step)

    def to_stage(self, stage: str) -> None:
        """Let everything before a stage pass."""
        for before in self.outline.stages:
            if before.id == stage:
                return
            following = order.next_step(self.state)
            if following is None or not order.permitted(
                self.state, following
            ):  # the stage before may lead on to a gate
                assert self.submit(m.Go()) is None
            for step in before.steps:
                if not self.state.needed(step):
                    continue
                if step.confirm:
                    self.open_gate(step.id)
                    token = self.gate(step.id).token
                    assert self.submit(m.Confirm(step.id, token)) is None
                    self.begin(step.id, back="10.0.0.10" if step.id == "switch/dns" else "")
                    self.end(step.id)
                else:
                    self.run(step.id)

    def gate(self, step: str, **changes: object) -> Gate:
        """Return a gate as the session would see it now."""
        recheck = Recheck("checks/serves", "web03 got 200 from 10.9.0.10 over mutual TLS", True, "", self.at)
        base = Gate(
            "10.9.0.10",
            "puppet.example.test.  A   TTL 300 → 60",
            "10.0.0.10  puppet-primary  (ns1, ns2 agree, 2 s ago)",
            "10.9.0.10  puppet-dr  (seen on that host, 4 s ago)",
            "ns1.example.test, signed update, key dr-switch",
            "puts 10.0.0.10 back, 0:05; caches lag up to 5 min",
            rechecks=(recheck, replace(recheck, step="checks/ca", title="serial on DR above primary's")),
        )
        if step == "sign/first":
            base = Gate("sign", "the DR server may sign", then="the DR's CA differs from the primary's", undo="none")
        return replace(base, **changes)  # type: ignore[arg-type]

    def open_gate(self, step: str, **changes: object) -> None:
        """Open a gate, or refresh it."""
        if self.outline.step(step).changes:
            self.claim()
        self.tell(m.GateSeen(step, self.gate(step, **changes)))

    def ask(self, step: str, question: Question) -> None:
        """Let a running step ask."""
        self.tell(m.Asks(step, question))

    def probed(self, step: str, answer: Answer, seen: str = "") -> None:
        """Let a probe answer."""
        self.tell(m.AskEnded(step, Way.PROBE, answer, (), seen))

    def live(self, step: str, live: LiveStep) -> None:
        """Show what moves in a step."""
        self.show(lambda s: replace(s, live={**s.live, step: live}))


def passed(host: str, *checks: Check) -> Result:
    """Return a host's good answer."""
    return Result(host, ResultKind.EXITED, sent=True, exit=0, checks=checks)


def failed(host: str, code: int = 1, detail: str = "", *checks: Check) -> Result:
    """Return a host's bad answer."""
    return Result(host, ResultKind.EXITED, sent=True, exit=code, detail=detail, checks=checks)


def lost(host: str, detail: str = "") -> Result:
    """Return no answer."""
    return Result(host, ResultKind.LOST, sent=True, detail=detail)
