"""build(state, happenings, facts) -> Report: a run as frozen data. Pure; it repeats the engine's verdicts and makes none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from handrail.engine import events as e
from handrail.engine import outcome as ends
from handrail.engine.results import Owed
from handrail.engine.state import State
from handrail.engine.words import Line, Outcome, Way
from handrail.report import build_judged as judged
from handrail.report.build_people import confirmations, epochs, foretold, guards, notes, reasons
from handrail.report.build_steps import Walls, report_step
from handrail.report.data import (
    Crossing,
    Facts,
    Happening,
    Report,
    ReportCheck,
    ReportOwed,
    ReportScenario,
    TimelineEntry,
)
from handrail.report.telling import tell
from handrail.report.words import place_name, shown

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OVER: Final = frozenset({Outcome.DONE, Outcome.UNDONE, Outcome.CLOSED})
_AFTERWARDS: Final = (
    e.NoteMade,
    e.Remarked,
    e.ScenarioTold,
    e.Held,
    e.Resumed,
    e.Reverified,
    e.ClaimReleased,
    e.GuardTripped,
    e.GuardCleared,
    e.PaceSet,
    e.Paused,
    e.CardShown,
    e.CardAnswered,
)


def build(state: State, happenings: Sequence[Happening], facts: Facts) -> Report:
    """Return the report of a run: `happenings` are its records in order, of which `state` is the fold."""
    opened = state.opened or _unopened()
    walls = _walls(happenings)
    outcome = _outcome(state, facts)
    end = _end(happenings) if outcome in _OVER else None
    declared = judged.declared_at(state, happenings)
    restored = None if facts.restored is None else walls.at(facts.restored)
    return Report(
        run=shown(opened.run),
        mode=shown(opened.mode),
        outcome=outcome.value,
        runbook=shown(opened.runbook or state.outline.runbook),
        title=shown(state.outline.title),
        digest=shown(opened.digest),
        estate=shown(opened.estate),
        route=shown(state.route),
        started=walls.first,
        ended=end.wall if end else None,
        at=state.at,
        took=end.event.at if end else state.at,
        operator=shown(opened.operator),
        host=shown(opened.host),
        tool=shown(opened.tool),
        incident=shown(opened.incident),
        disrupted=shown(opened.disrupted),
        emergency=shown(state.emergency),
        closed=shown(state.closed),
        approved=tuple(map(shown, opened.approved)),
        simulated=shown(facts.simulated),
        shortened=shown(facts.shortened),
        announced=shown(opened.scenario),
        scenario=_scenario(state.scenario),
        level=shown(opened.level),
        predict=opened.predict,
        foretold=foretold(state, facts.came),
        halted=_halted(state),
        values=_texts(opened.inputs),
        captured=_texts(state.values),
        rto_target=facts.rto or None,
        rto_until=shown(facts.rto_until),
        rto_actual=facts.restored,
        steps=tuple(report_step(state, step, happenings, facts, walls) for step in state.outline.steps),
        not_run=tuple(step.id for step in ends.not_run(state)),
        stays_changed=tuple(step.id for step in ends.stays_changed(state)),
        left_behind=tuple(step.id for step in ends.left_behind(state)),
        owed=tuple(_owed(state, facts.names, walls, item) for item in state.owed),
        settled=tuple(_owed(state, facts.names, walls, item, said) for item, said in state.settled),
        confirmed=confirmations(state.outline, happenings),
        reasons=reasons(state.outline, happenings),
        notes=notes(happenings),
        guards=guards(state.outline, happenings),
        epochs=epochs(happenings),
        lines=_lines(state, happenings),
        timeline=_timeline(state, happenings, facts),
        records=facts.records,
        head=shown(facts.head),
        damage=shown(facts.damage),
        revision=shown(opened.revision),
        declared=declared,
        restored=restored,
        outage=judged.outage(opened.disrupted, walls.first, restored),
        scope=judged.scope(state, facts.names),
        objectives=tuple(map(shown, facts.objectives)),
        deviations=judged.deviations(state, happenings, facts),
        risks=judged.risks(state, happenings, facts, declared),
        vouched=judged.vouched(state, happenings),
        clocks=facts.clocks,
        anchors=shown(facts.anchors),
        next_test=judged.next_test(happenings),
    )


def _unopened() -> e.RunOpened:
    """Return what stands for the first record where a journal has none."""
    return e.RunOpened(0.0, "", "", "", "", "", "", "", "", "")


def _halted(state: State) -> float:
    return round(math.fsum(until - since for since, until in state.halts_until(state.at)), 3)


def _scenario(told: e.ScenarioTold | None) -> ReportScenario | None:
    if told is None:
        return None
    checks = tuple(ReportCheck(shown(c.what), c.holds, shown(c.seen)) for c in told.checks)
    acts = tuple(shown(act) for act in told.acts)
    return ReportScenario(shown(told.name), shown(told.title), acts, checks, shown(told.good), told.par)


def _texts(values: Mapping[str, str]) -> dict[str, str]:
    return {shown(name): shown(value) for name, value in sorted(values.items())}


def _walls(happenings: Sequence[Happening]) -> Walls:
    first = happenings[0].wall if happenings else _BEGINNING
    return Walls(first, {told.event.at: told.wall for told in happenings})


def _outcome(state: State, facts: Facts) -> Outcome:
    """Return what a run has come to; of one whose record is damaged nobody can say that it is done, or undone."""
    found = ends.outcome(state)
    return Outcome.HELD if facts.damage and found in (Outcome.DONE, Outcome.UNDONE) else found


def _end(happenings: Sequence[Happening]) -> Happening | None:
    """Return the last thing that happened of those that made the run what it is."""
    return next((t for t in reversed(happenings) if not isinstance(t.event, _AFTERWARDS)), None)


def _owed(state: State, names: Mapping[str, str], walls: Walls, item: Owed, settled: str = "") -> ReportOwed:
    """Return something owed. What an earlier run owes is since a moment that this run's clock does not know."""
    mine = item.run in ("", state.run)
    return ReportOwed(
        id=shown(item.id),
        step=shown(item.step),
        host=shown(item.host),
        name=shown(place_name(names, item.host)),
        what=shown(item.what),
        why=shown(item.why),
        since=walls.at(item.since) if mine else None,
        run=shown(item.run or state.run),
        settled=shown(settled),
    )


def _lines(state: State, happenings: Sequence[Happening]) -> tuple[Crossing, ...]:
    found = []
    for stage in state.outline.stages:
        if stage.line is Line.NONE:
            continue
        mine = {step.id for step in stage.steps if step.changes}
        kept = _nothing_sent(happenings)
        first = next((t for t in happenings if _is_sent(t.event, mine, kept)), None)
        name = shown(stage.name)
        if first is None:
            found.append(Crossing(stage.line.value, name))
            continue
        back = None if mine & set(state.started) else _back_at(happenings, mine)
        found.append(Crossing(stage.line.value, name, first.event.at, first.wall, back))
    return tuple(found)


def _nothing_sent(happenings: Sequence[Happening]) -> set[tuple[str, int]]:
    """Return the attempts of which every host says that nothing was sent: they were refused before."""
    said: dict[tuple[str, int], bool] = {}
    for event in (t.event for t in happenings):
        if isinstance(event, e.HostEnded):
            key = (event.step, event.attempt)
            said[key] = said.get(key, False) or event.result.sent
    return {key for key, sent in said.items() if not sent}


def _is_sent(event: e.Event, steps: set[str], kept: set[tuple[str, int]]) -> bool:
    if not isinstance(event, e.AttemptStarted) or event.way is not Way.FORWARD or event.step not in steps:
        return False
    return (event.step, event.attempt) not in kept


def _back_at(happenings: Sequence[Happening], steps: set[str]) -> float | None:
    undone = [t.event.at for t in happenings if isinstance(t.event, e.StepUndone) and t.event.step in steps]
    return undone[-1] if undone else None


def _timeline(state: State, happenings: Sequence[Happening], facts: Facts) -> tuple[TimelineEntry, ...]:
    told = (tell(state.outline, facts.names, one) for one in happenings)
    return tuple(entry for entry in told if entry is not None)
