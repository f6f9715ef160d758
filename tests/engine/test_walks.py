"""Walks at random: any keys, any results, any crash; what the oracle says holds after every step of them."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.engine.rig import failover
from tests.engine.world import Watcher, World, answer
from tests.sizes import SIZE, sized

from handrail.engine import due as acts
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.codec import decode_event, encode_event
from handrail.engine.decide import decide
from handrail.engine.evolve import evolve, fold
from handrail.engine.offers import Offer, offers
from handrail.engine.outline import Outline
from handrail.engine.state import State
from handrail.engine.words import Outcome, Pace, StepWord, Verdict, Way

W = StepWord
OUTLINE = failover()
STEPS = [s.id for s in OUTLINE.steps]
STAGES = [s.id for s in OUTLINE.stages]
SEEDS = st.integers(0, 2**32 - 1)
WAYS_ON = frozenset(
    {
        "go",
        "confirm",
        "not-now",
        "reply",
        "retry",
        "probe",
        "attach",
        "check",
        "by-hand",
        "not-done",
        "owe",
        "forward-again",
        "leave-undo",
        "skip",
        "settle",
        "settle-word",
        "undo",
    }
)
WALKS = sized(140, 400, 10_000)
WALK = sized(40, 40, 60)  # moves in each


def filled(offer: Offer, state: State) -> m.Intent:
    """Return an offer's intent with the words that it wants."""
    intent = replace(offer.intent, at=state.at, by="ana")
    if isinstance(intent, m.Undo):
        return replace(intent, typed=order.put_back(state, order.to_undo(state, intent.to)))
    if isinstance(intent, m.Reply):
        question = state.step(intent.step).question
        return replace(intent, typed=question.token if question else "")
    return intent


class Walks(RuleBasedStateMachine):
    """One run, driven by anybody."""

    def __init__(self) -> None:
        super().__init__()
        self.outline: Outline = OUTLINE
        self.world, self.watcher = World(), Watcher()
        self.stored: list[tuple[str, dict[str, object]]] = []
        self.old: list[m.Message] = []
        self.at = 0.0
        self.state = fold(self.outline, [])
        self.write(e.RunOpened(0.0, "r1", "DRILL", "planned", "ana", "b1", "failover", "sha", "sim", "0.1"))

    def write(self, *events: e.Event) -> None:
        for event in events:
            after = evolve(self.state, event)
            self.watcher.see(self.state, event, after)
            self.world.people(self.state, event)
            self.stored.append(encode_event(event))
            self.state = after

    def tell(self, message: m.Message) -> m.Refused | None:
        before = self.state
        said = decide(self.state, message)
        assert said == decide(before, message)
        assert before is self.state
        if isinstance(said, m.Refused):
            assert said.reason
            return said
        self.write(*said)
        return None

    def tick(self) -> float:
        self.at = max(self.at, self.state.at) + 0.5
        return self.at

    @initialize(stages=st.integers(0, len(STAGES)), route=st.sampled_from(["planned", "planned", "emergency"]))
    def it_went_well_so_far(self, stages: int, route: str) -> None:
        self.tell(m.Declare(route, "why", at=self.tick()))
        for _ in range(stages):
            self.tell(m.Go(at=self.tick()))
            for _ in range(60):
                todo = [a for a in acts.due(self.state) if not isinstance(a, acts.Watch)]
                if not todo:
                    break
                self.tell(answer(self.state, self.world, todo[0], lambda of: of[0], self.tick()))
                gate = order.awaiting(self.state)
                if gate and not self.state.step(gate.id).confirmed:
                    self.tell(m.Confirm(gate.id, "10.9.0.10", at=self.tick()))

    @rule(seed=SEEDS, n=st.integers(1, 14))
    def the_world_answers(self, seed: int, n: int) -> None:
        dice = Random(seed)
        for _ in range(n):
            due = acts.due(self.state)
            telling = [a for a in due if not isinstance(a, acts.Watch)]
            if not due or (not telling and dice.random() < 0.9):
                return
            act = dice.choice(telling if telling and dice.random() < 0.95 else due)
            if isinstance(act, acts.WatchGate) and self.state.step(act.step).word is W.AWAITING:
                return
            message = answer(self.state, self.world, act, dice.choice, self.tick())
            self.old.append(message)
            self.tell(message)

    @rule(seed=SEEDS)
    def somebody_does_what_is_offered(self, seed: int) -> None:
        granted = [o for o in offers(self.state) if o.granted and o.verb not in ("close", "note", "leave", "pace")]
        if granted:
            offer = Random(seed).choice(granted)
            assert self.tell(filled(offer, self.state)) is None, offer

    @rule(seed=SEEDS, n=st.integers(1, 4))
    def somebody_goes_on(self, seed: int, n: int) -> None:
        for at in range(n):
            found = next((o for o in offers(self.state) if o.proposed), None)
            if found:
                assert self.tell(filled(found, self.state)) is None, found
            self.the_world_answers(seed + at, 20)

    @rule(seed=SEEDS, step=st.sampled_from(STEPS), stage=st.sampled_from(["", *STAGES]))
    def somebody_presses_anything(self, seed: int, step: str, stage: str) -> None:
        at = self.tick()
        wild: list[m.Intent] = [
            m.Go(step, at=at),
            m.Confirm(step, "10.9.0.10", "why", at=at),
            m.LeaveGate(step, at=at),
            m.Pause(at=at),
            m.StopStep(step, at=at),
            m.Retry(step, at=at),
            m.CheckAgain(step, at=at),
            m.Probe(step, at=at),
            m.Reattach(step, at=at),
            m.GoForward(step, at=at),
            m.Skip(step, "why", at=at),
            m.Resolve(step, Verdict.PASSED, "why", "seen", at=at),
            m.Resolve(step, Verdict.FAILED, "why", at=at),
            m.Undo(stage, order.put_back(self.state, order.to_undo(self.state, stage)), at=at),
            m.Owe(step, "why", at=at),
            m.LeaveUndo(at=at),
            m.Settle(f"{step}@p", at=at),
            m.SetPace(Pace.STEP, at=at),
            m.Reply(step, "", at=at),
        ]
        self.tell(Random(seed).choice(wild))

    @rule(route=st.sampled_from(["planned", "emergency"]))
    def the_route_is_changed(self, route: str) -> None:
        self.tell(m.Declare(route, "why", at=self.tick()))

    @precondition(lambda self: self.old)
    @rule(seed=SEEDS)
    def an_old_answer_comes_late(self, seed: int) -> None:
        late = Random(seed).choice(self.old[-20:])
        if isinstance(late, (m.GuardNews, m.ClaimNews, m.SettleEnded)):
            return
        self.tell(replace(late, at=self.tick()))

    @rule(seed=SEEDS, stage=st.sampled_from(["", *STAGES]))
    def somebody_turns_back(self, seed: int, stage: str) -> None:
        typed = order.put_back(self.state, order.to_undo(self.state, stage))
        self.tell(m.Undo(stage, typed, at=self.tick()))
        self.the_world_answers(seed, 14)

    @rule(resumed=st.booleans())
    def somebody_leaves(self, resumed: bool) -> None:
        self.tell(m.Leave(at=self.tick()))
        if resumed:
            self.tell(m.Resume("b2", self.state.epoch + 1, by="tom", at=self.tick()))

    @rule(cut=st.integers(0, 2))
    def the_console_dies_and_somebody_resumes(self, cut: int) -> None:
        read = [decode_event(name, body) for name, body in self.stored]
        again = fold(self.outline, [event for event in read if event is not None])
        assert again == self.state
        self.state = again
        before = [x for x in self.stored if x[0] == "attempt_started"]
        self.tell(m.Resume("b2", self.state.epoch + 1 + cut, by="tom", at=self.tick()))
        assert [x for x in self.stored if x[0] == "attempt_started"] == before
        forward = (acts.Prepare, acts.WatchGate, acts.Ask)
        assert not any(isinstance(a, forward) for a in acts.due(self.state)), "a leave to go on outlived its console"

    @invariant()
    def nothing_is_done_twice(self) -> None:
        assert len(self.world.executions) == len(set(self.world.executions))

    @invariant()
    def what_is_due_fits_the_state(self) -> None:
        state, due = self.state, acts.due(self.state)
        assert len(due) == len(set(due))
        assert due == acts.due(state)
        for act in due:
            if isinstance(act, acts.Prepare):
                assert (act.way is Way.BACK) == bool(state.walk or state.step(act.step).again is Way.BACK)
            if isinstance(act, acts.Perform):
                attempt = next(a for a in state.step(act.step).attempts if a.number == act.attempt)
                assert attempt.ended is None
                assert attempt.missing
        if state.held or state.closed:
            assert not due

    @invariant()
    def what_really_changed_is_never_forgotten(self) -> None:
        owed = {o.step for o in self.state.owed}
        for (step, host), stands in self.world.effects.items():
            known = host in self.state.step(step).touched and step in self.state.started
            own = order.has_own_undo_places(self.outline.step(step)) and step in self.state.started
            assert not stands or known or own or step in owed, (step, host)

    @invariant()
    def offers_say_what_decide_says(self) -> None:
        found = offers(self.state)
        assert sum(o.proposed for o in found) <= 1
        for offer in found:
            if offer.granted:
                assert not isinstance(decide(self.state, filled(offer, self.state)), m.Refused), offer

    @invariant()
    def nobody_is_ever_stuck(self) -> None:
        state = self.state
        if state.held or state.closed or ends.outcome(state) is Outcome.DONE:
            return
        moving = any(not isinstance(a, acts.Watch) for a in acts.due(state))
        way_on = any(o.granted and o.verb in WAYS_ON for o in offers(state))
        guarded = bool(order.closed_forward(state) or order.closed_back(state))
        assert moving or way_on or guarded, self.told()

    def told(self) -> str:
        """Return where the run stands, for whoever reads a failure."""
        words = {s.id: (now.word.value, now.again, now.asking) for s, now in self.state.walked()}
        whys = {o.verb: o.why for o in offers(self.state)}
        return f"{self.state.route} {words}\n{whys}\n{self.state.owed}\n{self.state.claim_refused}\n{self.stored[-12:]}"


Walks.TestCase.settings = settings(
    max_examples=WALKS,
    stateful_step_count=WALK,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if SIZE != "small" else [])],
)
TestWalks = pytest.mark.torture("orders of keys and answers against the model", trials=WALKS)(Walks.TestCase)
