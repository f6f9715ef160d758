"""Walks at random, each told as a report after every step: it never fails, and never says other than the engine."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant
from tests.engine.test_walks import Walks
from tests.report import tales

from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.codec import decode_event
from handrail.engine.results import verdict
from handrail.engine.words import Outcome
from handrail.report.data import Report, StateWord
from handrail.report.html import to_html
from handrail.report.json_form import to_json
from handrail.report.markdown import to_markdown
from handrail.report.text import to_plain

BEHIND = {StateWord.PASSED, StateWord.SKIPPED}


class ReportedWalks(Walks):
    """The engine's own walks, with a reporter who looks on."""

    def report(self) -> Report:
        found = (decode_event(name, body) for name, body in self.stored)
        return tales.told(self.state, [event for event in found if event])

    @invariant()
    def it_says_what_the_engine_says(self) -> None:
        report, state = self.report(), self.state
        came_to = ends.outcome(state)
        assert report.outcome == came_to.value
        assert (report.ended is None) == (came_to in (Outcome.HELD, Outcome.UNDO_FAILED))
        words = {step.id: step.state for step in report.steps}
        for step, now in state.walked():
            self.one_step(report, step.id)
            same = now.word.value if now.word.value in {*StateWord} - {"pending", "running"} else None
            assert same is None or words[step.id].value == same
        if came_to is Outcome.DONE:
            assert all(words[s.id] in BEHIND for s in state.outline.steps if state.needed(s))
        if came_to is Outcome.UNDO_FAILED:
            assert {StateWord.UNDO_FAILED, StateWord.UNDO_UNKNOWN} & set(words.values())
        if came_to is Outcome.UNDONE:
            assert StateWord.UNDONE in words.values()
            assert report.stays_changed == ()
        assert {o.id for o in report.owed} == {o.id for o in state.owed}
        assert set(report.stays_changed) >= set(state.started)
        assert all(words[s] in (StateWord.PENDING, StateWord.NOT_NEEDED, StateWord.UNDONE) for s in report.not_run)

    def one_step(self, report: Report, step_id: str) -> None:
        told, now = report.step(step_id), self.state.step(step_id)
        assert len(told.attempts) == len(now.attempts)
        assert told.how == (now.how.value if told.state is StateWord.PASSED else "")
        for attempt, was in zip(told.attempts, now.attempts, strict=True):
            assert [h.host for h in attempt.hosts] == list(was.hosts)
            results = {h.host: h.result for h in attempt.hosts if h.kind}
            assert results == {host: verdict(r).value for host, r in was.results.items()}
            assert (attempt.ended is None) == (was.ended is None)
            assert attempt.ended is None or attempt.ended >= attempt.started
        if now.word in order.BUSY and not self.state.closed:
            assert told.state is StateWord.RUNNING

    def teardown(self) -> None:
        """Every form of the last report can be written."""
        report = self.report()
        tales.read_html(to_html(report))
        assert to_json(report)["outcome"] == report.outcome
        assert report.mode in to_markdown(report).splitlines()[0]
        assert report.mode in to_plain(report).splitlines()[0]
        super().teardown()


TestReported = ReportedWalks.TestCase
TestReported.settings = settings(
    max_examples=30, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
)
