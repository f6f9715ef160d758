"""Building the steps of a report: each with its attempts, each attempt with its hosts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from handrail.base.frozen import dataclass
from handrail.engine import events as e
from handrail.engine.outline import StepOutline
from handrail.engine.results import Result
from handrail.engine.state import Attempt, State
from handrail.engine.words import StepWord
from handrail.report.data import (
    Facts,
    Happening,
    ReportAttempt,
    ReportCheck,
    ReportHost,
    ReportOutput,
    ReportStep,
    ReportUndone,
)
from handrail.report.words import place_name, result_word, shown, state_word


@dataclass(frozen=True)
class Walls:
    """When things were on the wall: the record of that moment knows; between records it is reckoned from the first."""

    first: datetime
    known: Mapping[float, datetime]

    def at(self, seconds: float) -> datetime:
        """Return the wall time of run seconds."""
        found = self.known.get(seconds)
        return found if found is not None else self.first + timedelta(seconds=seconds)


def report_step(
    state: State, step: StepOutline, happenings: Sequence[Happening], facts: Facts, walls: Walls
) -> ReportStep:
    """Return what is told of one step."""
    now = state.step(step.id)
    return ReportStep(
        id=step.id,
        number=step.number,
        title=shown(step.title),
        stage=shown(state.outline.stage(step.stage).name),
        state=state_word(state, step),
        how=now.how.value if now.word is StepWord.PASSED else "",
        needed=state.needed(step),
        changes=step.changes,
        detail=shown(now.detail),
        reason=shown(now.reason),
        by=shown(now.by),
        differs=shown(now.differs),
        stays=shown(step.stays),
        attempts=tuple(_attempt(attempt, facts, walls) for attempt in now.attempts),
        undone=_undone(step.id, happenings) if now.undone else None,
        planned=state.outline.needed(step, state.opened.route) if state.opened else state.needed(step),
        par=facts.pars.get(step.id) or None,
    )


def _attempt(attempt: Attempt, facts: Facts, walls: Walls) -> ReportAttempt:
    return ReportAttempt(
        number=attempt.number,
        way=attempt.way.value,
        at=attempt.started,
        started=walls.at(attempt.started),
        until=attempt.ended,
        ended=None if attempt.ended is None else walls.at(attempt.ended),
        result=attempt.verdict.value if attempt.verdict else "running",
        commands=tuple(shown(line) for line in attempt.commands),
        undo=tuple(shown(line) for line in attempt.undo),
        hosts=tuple(_host(host, attempt.results.get(host), facts) for host in attempt.hosts),
    )


def _host(host: str, result: Result | None, facts: Facts) -> ReportHost:
    name = shown(place_name(facts.names, host))
    if result is None:
        return ReportHost(shown(host), name, result_word(None))
    return ReportHost(
        host=shown(host),
        name=name,
        result=result_word(result),
        exit=result.exit,
        kind=result.kind.value,
        sent=result.sent,
        said=shown(result.sentence),
        checks=tuple(ReportCheck(shown(c.what), c.holds, shown(c.seen), shown(c.warn)) for c in result.checks),
        output=_output(result),
    )


def _output(result: Result) -> ReportOutput | None:
    found = result.output
    return ReportOutput(shown(found.file), found.length, shown(found.sha256)) if found else None


def _undone(step: str, happenings: Sequence[Happening]) -> ReportUndone | None:
    for told in reversed(happenings):
        event = told.event
        if isinstance(event, e.StepUndone) and event.step == step:
            return ReportUndone(told.wall, event.how.value, shown(event.reason), shown(event.by))
    return None
