"""A rig for stories: an outline, a journal and a session of a few lines that answers what is due as it is told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from tests.engine.well_formed import assert_offered, assert_well_formed

from handrail.engine import due as acts
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.decide import decide
from handrail.engine.evolve import evolve, fold
from handrail.engine.outline import GuardOutline, Outline, Place, StageOutline, StepOutline
from handrail.engine.results import Check, Gate, Recheck, Result
from handrail.engine.state import StepState
from handrail.engine.words import Answer, Line, ResultKind, StepWord, UndoKind, Way

P, D = Place("p", "primary"), Place("d", "dr")
C1, C2, C3 = Place("c1", "clients"), Place("c2", "clients"), Place("c3", "clients")
DNS, PERSON = Place("dns"), Place("person")
TOKEN, BACK = "10.9.0.10", "10.0.0.10"


def step(name: str, number: str, places: tuple[Place, ...], **more: object) -> StepOutline:
    """Return a step; it reads unless `undo` says otherwise."""
    stage = name.split("/")[0]
    changes = "undo" in more
    return StepOutline(name, number, name.split("/")[1], stage, places, changes, **more)  # type: ignore[arg-type]


def failover() -> Outline:
    """Return the failover of the design: checks together, sync, the switch, clients, and a signature without a way back."""
    checks = (
        step("checks/a", "1.1", (P, D)),
        step("checks/b", "1.2", (D,)),
        step("checks/canary", "1.3", (C1,), skippable=True),
    )
    sync = (
        step("sync/hold", "2.1", (D,), undo=UndoKind.ACTION, probe=True),
        step("sync/mask", "2.2", (P,), undo=UndoKind.ACTION, probe=True),
        step("sync/copy", "2.3", (D,), undo=UndoKind.RESTORE, probe=True, verify=True, requires=frozenset({"primary"})),
        step("sync/reload", "2.4", (D,), undo=UndoKind.NOTHING, stays="a warmed cache", skippable=True),
    )
    switch = (
        step("switch/dns", "3.1", (DNS,), undo=UndoKind.RESTORE, confirm=True, probe=True, recheck=("checks/b",)),
    )
    clients = (
        step("clients/kick", "4.1", (C1, C2, C3), undo=UndoKind.ACTION, undo_places=(D,), need=2),
        step("clients/fence", "4.2", (PERSON,), undo=UndoKind.ACTION),
        step("clients/seen", "4.3", (D,)),
    )
    sign = (step("sign/first", "5.1", (D,), undo=UndoKind.IRREVERSIBLE, confirm=True, irreversible="its CA differs"),)
    return Outline(
        "failover",
        "Fail over",
        (
            StageOutline("checks", "1", "Pre-checks", checks, together=True),
            StageOutline("sync", "2", "Sync", sync),
            StageOutline("switch", "3", "Switch", switch, line=Line.CLIENTS_MOVE),
            StageOutline("clients", "4", "Clients", clients),
            StageOutline("sign", "5", "Sign", sign, line=Line.NO_WAY_BACK),
        ),
        {"planned": frozenset(), "emergency": frozenset({"primary"})},
        (
            GuardOutline("back", "The old primary answers", "sync/mask", "forward", "Fence it."),
            GuardOutline("keep", "The copy is newer", "switch/dns", "undo", "It would be lost."),
        ),
    )


Verdicts = Callable[[acts.Perform, str], Result]


def good(act: acts.Perform, host: str) -> Result:
    """Let everything pass."""
    return Result(host, ResultKind.EXITED, sent=True, exit=0, checks=(Check("it holds", True),))


def bad(host: str, *, code: int = 1, sent: bool = True) -> Result:
    """Return a failure."""
    return Result(host, ResultKind.EXITED, sent=sent, exit=code)


def lost(host: str) -> Result:
    """Return an outcome nobody knows."""
    return Result(host, ResultKind.LOST, sent=True)


def unreachable(host: str) -> Result:
    """Return that nothing was sent."""
    return Result(host, ResultKind.UNREACHABLE, sent=False)


@dataclass
class Rig:
    """One run that is driven by hand; `results` say how (step, way) ends on a host, everything else passes."""

    outline: Outline = field(default_factory=failover)
    journal: list[e.Event] = field(default_factory=list)
    results: dict[tuple[str, Way, str], list[Result]] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)
    at: float = 0.0
    marks: list[int] = field(default_factory=list)  # where in the journal each decision ended
    route: str = "planned"

    def __post_init__(self) -> None:
        opened = e.RunOpened(0.0, "r1", "DRILL", self.route, "ana", "b1", "failover", "sha", "sim", "0.1")
        self.state = fold(self.outline, [])
        self.take(opened)

    def take(self, *events: e.Event) -> None:
        """Write events to the journal."""
        for event in events:
            self.journal.append(event)
            self.state = evolve(self.state, event)

    def ask(self, message: m.Message) -> m.Refused | None:
        """Tell the engine something; return its refusal."""
        self.at += 0.5
        message = replace(message, at=self.at)
        if isinstance(message, m.Intent) and not message.by:
            message = replace(message, by="ana")
        said = decide(self.state, message)
        assert_well_formed(message, said)
        if isinstance(said, m.Refused):
            return said
        self.take(*said)
        self.marks.append(len(self.journal))
        assert_offered(self.state)
        return None

    def must(self, message: m.Message) -> None:
        """Tell the engine something that it must take."""
        refused = self.ask(message)
        assert refused is None, (message, refused)

    def refused(self, message: m.Message) -> str:
        """Tell the engine something that it must refuse; return why."""
        refused = self.ask(message)
        assert refused is not None, message
        return refused.reason

    def word(self, step_id: str) -> StepWord:
        """Return a step's word."""
        return self.state.step(step_id).word

    def now(self, step_id: str) -> StepState:
        """Return a step's state."""
        return self.state.step(step_id)

    def ends(self, step_id: str, way: Way, *results: Result) -> None:
        """Say how the next attempts of a step end on the hosts of these results."""
        for result in results:
            self.results.setdefault((step_id, way, result.host), []).append(result)

    def due(self) -> tuple[acts.Act, ...]:
        """Return what is due, but for guards."""
        return tuple(a for a in acts.due(self.state) if not isinstance(a, acts.Watch))

    def work(self, *, until: Callable[[acts.Act], bool] = lambda _act: False) -> None:
        """Do what is due until nothing is, or until an act is one to stop before."""
        for _ in range(400):
            todo = [a for a in self.due() if not self._waits(a)]
            if not todo or until(todo[0]):
                return
            self.do(todo[0])
        raise AssertionError(f"never at rest: {self.due()}")

    def _waits(self, act: acts.Act) -> bool:
        return isinstance(act, acts.WatchGate) and self.word(act.step) is StepWord.AWAITING

    def do(self, act: acts.Act) -> None:
        """Do one act as the world would."""
        match act:
            case acts.TakeClaim():
                self.must(m.ClaimNews(("p", "d")))
            case acts.WatchGate(step=step_id):
                self.must(m.GateSeen(step_id, self.gate(step_id)))
            case acts.Prepare(step=step_id, way=way, hosts=hosts):
                self.must(
                    m.Ready(step_id, way, hosts, (f"do {step_id}",), (f"undo {step_id}",), self.puts_back(step_id))
                )
            case acts.Perform(step=step_id, way=way, attempt=number):
                attempt = next(a for a in self.now(step_id).attempts if a.number == number)
                host = attempt.missing[0]
                self.sent.append(f"{way.value} {step_id}@{host}")
                planned = self.results.get((step_id, way, host))
                self.must(m.Ended(step_id, number, planned.pop(0) if planned else good(act, host)))
            case acts.Ask(step=step_id, way=way):
                self.must(m.AskEnded(step_id, way, Answer.DONE, (Check("it holds", True),)))
            case acts.Recall(step=step_id):
                self.must(m.Recalled(step_id, holds=True))
            case acts.DoOwed(owed=owed):
                item = next(o for o in self.state.owed if o.id == owed)
                self.sent.append(f"owed {owed}")
                self.must(m.SettleEnded(owed, good(acts.Perform("", Way.BACK, 0), item.host)))
            case _:
                raise AssertionError(act)

    def do_probe(self, step_id: str) -> None:
        """Ask a step's probe, and let it say that it is done."""
        self.must(m.Probe(step_id))
        self.must(m.AskEnded(step_id, Way.PROBE, Answer.DONE, (Check("it holds", True),)))

    def gate(self, step_id: str, *, holds: bool | None = True, token: str = "") -> Gate:
        """Return what a gate shows now."""
        rechecks = tuple(Recheck(r, r, holds, "seen", self.at) for r in self.outline.step(step_id).recheck)
        return Gate(token or (TOKEN if step_id == "switch/dns" else "sign"), rechecks=rechecks)

    def puts_back(self, step_id: str) -> str:
        """Return the value that a step's undo puts back."""
        return BACK if step_id == "switch/dns" else ""

    def stage(self) -> None:
        """Let the next stage begin, and work; its gates are confirmed. A gate that the stage before led to is open already."""
        if not self.gates():
            self.must(m.Go())
        stage = self.state.allowed_stage
        if self.gates():
            stage = self.outline.step(self.gates()[0]).stage
        self.work()
        for gate in self.gates():
            if self.outline.step(gate).stage == stage:
                self.must(m.GateSeen(gate, self.gate(gate)))
                shown = self.now(gate).gate
                assert shown is not None
                self.must(m.Confirm(gate, shown.token))
                self.work()

    def gates(self) -> list[str]:
        """Return the steps whose gates are open."""
        return [s.id for s, now in self.state.walked() if now.word is StepWord.AWAITING]

    def through(self, stage: str) -> Rig:
        """Walk forward through a stage and those before it."""
        for each in self.outline.stages:
            self.stage()
            if each.id == stage:
                break
        return self

    def undo(self, to: str = "", *typed: str) -> None:
        """Walk back."""
        self.must(m.Undo(to, typed))
        self.work()

    def crash(self, epoch: int | None = None) -> None:
        """Lose the console and resume from the journal alone."""
        again = fold(self.outline, self.journal)
        assert again == self.state
        self.state = again
        self.must(m.Resume("b2", epoch or self.state.epoch + 1, by="tom"))

    def words(self) -> Mapping[str, str]:
        """Return every step's word that is not pending."""
        return {s.id: now.word.value for s, now in self.state.walked() if now.word is not StepWord.PENDING}

    @property
    def undone(self) -> list[str]:
        """Return what was sent backwards, in order."""
        return [s.removeprefix("back ") for s in self.sent if s.startswith("back ")]

    def owed(self) -> list[str]:
        """Return the ids of what is owed."""
        return [o.id for o in self.state.owed]
