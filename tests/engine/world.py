"""A model of the world for walks at random: hosts with effects, jobs that run at most once, and what must always hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from handrail.engine import due as acts
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.outline import StepOutline
from handrail.engine.results import Check, Result, verdict
from handrail.engine.state import State
from handrail.engine.words import Answer, How, ResultKind, StepWord, UndoKind, Verdict, Way

W = StepWord
FATES = ("good", "good", "good", "bad", "bad before", "unreachable", "refused", "lost after", "lost before", "check")
Choose = Callable[[Sequence[str]], str]


@dataclass
class World:
    """What is really so: which change stands on which host, in what order it came about, and which jobs ran."""

    effects: dict[tuple[str, str], bool] = field(default_factory=dict)
    jobs: dict[tuple[str, str, int, str], str] = field(default_factory=dict)  # job -> its fate
    executions: list[tuple[str, str, int, str]] = field(default_factory=list)

    def perform(self, state: State, act: acts.Perform, host: str, choose: Choose) -> Result:
        """Do one host's part of an attempt, or re-attach to it."""
        step = state.outline.step(act.step)
        attempt = next(a for a in state.step(act.step).attempts if a.number == act.attempt)
        key = (act.step, act.way.value, act.attempt, host)
        if attempt.attach and key not in self.jobs:
            return Result(host, ResultKind.REFUSED, sent=False, detail="it was never started")
        if key not in self.jobs:
            self.jobs[key] = choose(FATES)
            if self.jobs[key] not in ("unreachable", "refused"):
                self.executions.append(key)
                self._effect(step, act.way, host, self.jobs[key])
        return self._result(host, self.jobs[key], verify=step.verify, asked_again=attempt.attach)

    def _effect(self, step: StepOutline, way: Way, host: str, fate: str) -> None:
        if not step.changes or fate not in ("good", "lost after", "check"):
            return
        if way is Way.BACK and order.has_own_undo_places(step):
            self.gone(step.id)
        else:
            self.effects[step.id, host] = way is Way.FORWARD

    def gone(self, step: str, host: str = "") -> None:
        """Take a step's change away, on one host or everywhere."""
        for each, at in self.effects:
            if each == step and host in ("", at):
                self.effects[each, at] = False

    def people(self, state: State, event: e.Event) -> None:
        """Let people have done what they say."""
        match event:
            case e.StepUndone(step=step) if (
                event.how is How.BY_HAND or state.outline.step(step).undo is UndoKind.NOTHING
            ):
                self.gone(step)
            case e.Settled(owed=owed):
                item = next(o for o in state.owed if o.id == owed)
                self.gone(item.step, "" if order.has_own_undo_places(state.outline.step(item.step)) else item.host)
            case e.Resolved(step=step, verdict=Verdict.PASSED):
                for host in order.needed_hosts(state, state.outline.step(step)):
                    self.effects[step, host] = state.outline.step(step).changes
            case _:
                pass

    @staticmethod
    def _result(host: str, fate: str, *, verify: bool, asked_again: bool) -> Result:
        checks = (Check("it holds", True),) if verify else ()
        if fate == "good" or (fate == "lost after" and asked_again):
            return Result(host, ResultKind.EXITED, sent=True, exit=0, checks=checks)
        if fate == "check":
            return Result(host, ResultKind.EXITED, sent=True, exit=0, checks=(Check("it holds", False, "no"),))
        if fate in ("bad", "bad before"):
            return Result(host, ResultKind.EXITED, sent=True, exit=1)
        if fate == "unreachable":
            return Result(host, ResultKind.UNREACHABLE, sent=False)
        if fate == "refused":
            return Result(host, ResultKind.REFUSED, sent=False)
        return Result(host, ResultKind.LOST, sent=True)

    def probe(self, state: State, step: str) -> Answer:
        """Say what is so, where the route lets one ask."""
        stands = {self.effects.get((step, host), False) for host in order.needed_hosts(state, state.outline.step(step))}
        if len(stands) != 1:
            return Answer.DONT_KNOW
        return Answer.DONE if stands.pop() else Answer.NOT_DONE


@dataclass
class Watcher:
    """Looks at every event with its own account of things, and says what may never be."""

    route_lost: frozenset[str] = frozenset()
    leave: set[str] = field(default_factory=set)  # what a person let begin, by kind
    ever_owed: set[str] = field(default_factory=set)
    changed: list[str] = field(default_factory=list)  # steps whose change may stand, in order of their first start
    probed: set[str] = field(default_factory=set)  # steps that a probe found done, and that were not sent back since

    def see(self, before: State, event: e.Event, after: State) -> None:
        """Hold one event against the rules."""
        match event:
            case e.AttemptStarted(way=Way.FORWARD):
                self._forward(before, event)
            case e.AttemptStarted(way=Way.BACK):
                self._back(before, event)
                self.probed.discard(event.step)
            case e.AttemptEnded(verdict=Verdict.PASSED, way=Way.FORWARD):
                self._passed(before, event)
            case e.AttemptEnded(verdict=Verdict.PASSED, way=Way.PROBE):
                self.probed.add(event.step)
            case e.StepAllowed() | e.StageAllowed():
                self.leave = {"go"}
            case e.RetryAsked(way=Way.FORWARD):
                self.leave.add(f"again {event.step}")
            case e.Confirmed():
                self.leave.add(f"confirmed {event.step}")
            case e.GateLeft():
                self.leave.clear()
            case e.Paused() | e.Held():
                self.leave = {x for x in self.leave if x != "go"}
            case e.Resumed() | e.RouteChanged() | e.WalkStarted() | e.WalkEnded() | e.ClaimRefused():
                self.leave.clear()
            case e.StepUndone() | e.UndoSetAside():
                self.changed = [s for s in self.changed if s != event.step]
                self.probed.discard(event.step)
            case e.Resolved(verdict=Verdict.PASSED) if before.outline.step(event.step).changes:
                self._starts(event.step)
            case _:
                pass
        if isinstance(event, (e.AttemptEnded, e.Skipped)):
            self._nothing_sent(before, event.step)
        self._no_word_by_itself(before, event, after)
        self.ever_owed |= {o.id for o in after.owed}
        gone = self.ever_owed - {o.id for o in after.owed} - {o.id for o, _ in after.settled}
        assert not gone, f"forgotten: {gone}"

    def _starts(self, step: str) -> None:
        if step not in self.changed:
            self.changed.append(step)

    def _nothing_sent(self, before: State, step: str) -> None:
        """Forget a step of which no attempt since its last undo reached any host."""
        now = before.step(step)
        results = [r for a in now.attempts[now.since :] if a.way is Way.FORWARD for r in a.results.values()]
        in_flight = any(a.way is Way.FORWARD and a.missing for a in now.attempts[now.since :])
        if not in_flight and not any(r.sent for r in results) and now.how is not How.BY_HAND:
            self.changed = [s for s in self.changed if s != step]

    def _forward(self, before: State, event: e.AttemptStarted) -> None:
        outline, now = before.outline, before.step(event.step)
        step = outline.step(event.step)
        assert not (before.held)
        assert not (before.closed)
        assert not (before.walk)
        assert not (before.recall)
        assert not (before.settling)
        assert self.leave, f"{step.id} starts and nobody let it"
        stage = outline.stage(step.stage)
        for earlier in outline.steps[: outline.position(step.id)]:
            beside = stage.together and earlier.stage == step.stage
            done = before.step(earlier.id).word in (W.PASSED, W.SKIPPED)
            assert beside or done or not before.needed(earlier), (
                f"{step.id} before {earlier.id}: {before.step(earlier.id)}"
            )
        roles = {p.key: p.role for p in step.places}
        assert event.hosts
        assert not any(roles[host] in before.lost for host in event.hosts)
        assert not set(event.hosts) & now.passed_on
        assert not order.closed_forward(before)
        if step.confirm:
            assert f"confirmed {step.id}" in self.leave
            self.leave.discard(f"confirmed {step.id}")
        if not step.changes:
            return
        assert before.claim_epoch == before.epoch
        assert now.word not in (W.UNKNOWN, W.UNDO_UNKNOWN), f"{step.id} is sent blindly"
        self._starts(step.id)

    def _back(self, before: State, event: e.AttemptStarted) -> None:
        step, now = before.outline.step(event.step), before.step(event.step)
        assert not (before.held)
        assert not (before.closed)
        assert not (before.settling)
        assert before.claim_epoch == before.epoch
        assert step.id in self.changed, f"{step.id} was never started"
        assert self.changed[-1] == step.id, f"{step.id} before {self.changed[-1]}"
        assert step.undo is not UndoKind.IRREVERSIBLE
        assert now.word is not W.UNDO_UNKNOWN, f"the undo of {step.id} is sent blindly"
        roles = {p.key: p.role for p in (*step.places, *step.undo_places)}
        assert not any(roles[host] in before.lost for host in event.hosts)

    def _passed(self, before: State, event: e.AttemptEnded) -> None:
        step, now = before.outline.step(event.step), before.step(event.step)
        here = [p.key for p in before.outline.places(step, before.route)]
        good = {h for a in now.attempts[now.since :] for h, r in a.results.items() if verdict(r) is Verdict.PASSED}
        so_already = event.attempt == 0 and event.step in self.probed  # nothing was sent, and nothing was sent back
        assert so_already or len(good & set(here)) >= min(step.need or len(here), len(here))

    @staticmethod
    def _no_word_by_itself(before: State, event: e.Event, after: State) -> None:
        """UNKNOWN is left only by the job, a probe, a person's word or an undo; RUNNING only by an answer."""
        allowed = (e.AttemptEnded, e.Resolved, e.Reattached, e.AttemptStarted, e.StepUndone, e.UndoSetAside)
        for step, now in before.walked():
            gone = now.word in (W.UNKNOWN, W.UNDO_UNKNOWN) and after.step(step.id).word is not now.word
            if gone and step.changes:
                assert isinstance(event, allowed), event
            if now.word in order.BUSY and after.step(step.id).word is not now.word:
                assert isinstance(event, (e.AttemptEnded, e.StepUndone, e.UndoSetAside, e.Skipped)), event


def answer(state: State, world: World, act: acts.Act, choose: Choose, at: float) -> m.Observation:
    """Return what the world says to an act; `choose` picks one of some words."""
    from handrail.engine.results import Gate, Recheck

    match act:
        case acts.TakeClaim():
            if choose(("mine", "mine", "mine", "mine", "theirs")) == "theirs":
                return m.ClaimNews(holder="bob", at=at)
            return m.ClaimNews(("p", "d"), at=at)
        case acts.WatchGate(step=step):
            holds = {"yes": True, "no": False, "silent": None}[choose(("yes", "yes", "yes", "no", "silent"))]
            rechecks = tuple(Recheck(r, r, holds, "", at) for r in state.outline.step(step).recheck)
            return m.GateSeen(step, Gate("10.9.0.10", rechecks=rechecks), at=at)
        case acts.Prepare(step=step, way=way, hosts=hosts):
            if choose(("ready", "ready", "ready", "ready", "not ready")) == "not ready":
                return m.NotReady(step, way, "a name is not known", at=at)
            return m.Ready(step, way, hosts, back="10.0.0.10" if step == "switch/dns" else "", at=at)
        case acts.Perform(step=step, attempt=number):
            attempt = next(a for a in state.step(step).attempts if a.number == number)
            host = choose(attempt.missing)
            if choose(("end", "end", "end", "end", "link")) == "link":
                return m.LinkNews(step, host, up=host in state.step(step).no_link, at=at)
            return m.Ended(step, number, world.perform(state, act, host, choose), at=at)
        case acts.Ask(step=step, way=Way.PROBE):
            checks = (Check("it holds", True),) if choose(("asked", "not asked")) == "asked" else ()
            return m.AskEnded(step, Way.PROBE, world.probe(state, step), checks, at=at)
        case acts.Ask(step=step, way=way):
            holds = choose(("yes", "no")) == "yes"
            return m.AskEnded(step, way, Answer.DONT_KNOW, (Check("it holds", holds),), at=at)
        case acts.DoOwed(owed=owed):
            item = next(o for o in state.owed if o.id == owed)
            good = choose(("good", "bad")) == "good"
            return m.SettleEnded(owed, Result(item.host, ResultKind.EXITED, sent=True, exit=0 if good else 1), at=at)
        case acts.Recall(step=step):
            return m.Recalled(step, {"yes": True, "no": False, "silent": None}[choose(("yes", "no", "silent"))], at=at)
        case acts.Watch(guard=guard):
            return m.GuardNews(guard, choose(("no", "no", "no", "yes")) == "yes", at=at)
    raise AssertionError(act)
