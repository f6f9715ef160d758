"""The sheet: what a report says, in order, as sections of plain cells. The forms differ only in how they write them.

What matters most stands first: what it came to, what stays changed, what is owed; then the steps, then the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from handrail.base.durations import show_clock, show_duration
from handrail.engine.words import Line, Way
from handrail.report.cells import Cell, Items, Section, Table, clock_of, fact, minute, time_of
from handrail.report.data import Report, ReportAttempt, ReportHost, ReportOwed, ReportScenario, ReportStep, StateWord
from handrail.report.sheet_audit import auditors, foretold, people, plan

NOTHING: Final = "nothing"


_BANNERS: Final = {
    "DRILL": "A drill on a simulated estate: nothing real was touched",
    "CHECK": "A check: real hosts, reads only, nothing was changed",
    "REHEARSAL": "A rehearsal on a staging estate: not production",
    "LIVE": "Live: real hosts",
}
_OUTCOMES: Final = {
    "done": ("Done: every needed step passed", "good"),
    "held": ("Held: not finished", "unsure"),
    "undone": ("Undone: what was changed was taken back", "good"),
    "undo-failed": ("UNDO FAILED: something is half undone", "bad"),
    "closed": ("Closed unfinished", "unsure"),
}
_TONES: Final = {
    StateWord.PASSED: "good",
    StateWord.FAILED: "bad",
    StateWord.UNDO_FAILED: "bad",
    StateWord.UNKNOWN: "unsure",
    StateWord.UNDO_UNKNOWN: "unsure",
    StateWord.RUNNING: "unsure",
    StateWord.OWED: "unsure",
    StateWord.PENDING: "dim",
    StateWord.NOT_NEEDED: "dim",
    StateWord.SKIPPED: "dim",
}
_LOUD: Final = frozenset({"failed", "unknown", "undo-failed", "undo-unknown"})
_RESULT_TONES: Final = {"passed": "good", "failed": "bad", "unknown": "unsure", "running": "unsure"}


def heading(report: Report) -> str:
    """Return the title; the mode is its first word."""
    emergency = " EMERGENCY" if report.emergency else ""
    whole = " (NOT WHOLE)" if report.damage else ""
    return f"{mode_word(report)}{emergency} report{whole}: {report.runbook} on {report.estate}"


def mode_word(report: Report) -> str:
    """Return the mode; a report whose mode is not known says so."""
    return report.mode or "MODE UNKNOWN"


def banner(report: Report) -> str:
    """Return the sentence at the head of every page: the mode, and what it means."""
    said = _BANNERS.get(report.mode, "the mode of this run is not known")
    how = f" ({report.simulated})" if report.simulated else ""
    emergency = " EMERGENCY" if report.emergency else ""
    whole = ". THE RECORD IS NOT WHOLE" if report.damage else ""
    return f"{mode_word(report)}{emergency}. {said}{how}{whole}. Run {report.run}"


def sections(report: Report) -> Iterator[Section]:
    """Yield the sections that have something to say, in order."""
    if not report.damage:
        yield from _sections(report)
        return
    yield Section("THE RECORD IS NOT WHOLE", (Table(tuple(_damage(report))),))
    for section in _sections(report):
        yield replace(section, title=f"{section.title} (as far as the record can be read)")


def _sections(report: Report) -> Iterator[Section]:
    yield Section("What it came to", (Table(tuple(_facts(report))),))
    if report.scenario:
        yield Section("Scenario", (Table(tuple(_scenario(report.scenario))),))
    if report.owed:
        yield Section("Owed", (_owed_table(report.owed),))
    if report.stays_changed or report.left_behind:
        yield Section("What stays", (Items(tuple(_stays(report))),))
    yield from auditors(report)
    yield Section("Steps", (_steps(report),))
    if report.foretold:
        yield foretold(report)
    yield from _said(report)
    yield Section("Timeline", (_timeline(report),))
    yield from _evidence(report)


def _damage(report: Report) -> Iterator[tuple[Cell, ...]]:
    """Yield what is wrong with the record, and what that means for all that follows."""
    yield fact("What is wrong", report.damage, "bad")
    yield fact("What follows", f"is told by the {report.records} records before that, and by nothing else", "unsure")
    yield fact("Not known", "what the run came to as a whole, and what was changed, undone or owed since", "bad")
    yield fact("What to do", f"ask the hosts what is so; keep the folder; handrail audit {report.run}", "unsure")


def _scenario(told: ReportScenario) -> Iterator[tuple[Cell, ...]]:
    """Yield what the scenario was, how the end was judged, and what a good operator does."""
    yield fact("Scenario", f"{told.title} ({told.name})")
    for act in told.acts:
        yield fact("What happened", act)
    for check in told.checks:
        yield fact(
            "As it should be" if check.holds else "NOT SO", f"{check.what}: {check.seen}", "" if check.holds else "bad"
        )
    yield fact("A practised operator", f"takes {show_duration(told.par)}")
    yield fact("What a good operator does", told.good)


# ------------------------------------------------------------------ what everybody reads


def _facts(report: Report) -> Iterator[tuple[Cell, ...]]:
    said, tone = _OUTCOMES.get(report.outcome, (report.outcome, ""))
    if report.damage:
        said, tone = f"NOT KNOWN: the record is not whole. Before that: {said}", "bad"
    yield fact("Outcome", said, tone)
    if report.closed:
        yield fact("Closed because", report.closed)
    yield fact("Mode", banner(report).partition(". Run ")[0])
    if report.announced and not report.scenario:
        yield fact("Scenario", report.announced)
    if report.level:
        yield fact("Level", report.level + (", each step foretold" if report.predict else ""))
    if report.shortened:
        yield fact("Waits were shortened", report.shortened, "unsure")
    yield fact("Runbook", f"{report.title} ({report.runbook})")
    yield Cell("Digest"), Cell(report.digest, code=True)
    if report.revision:
        yield Cell("Revision in git"), Cell(report.revision, code=True)
    yield fact("Estate", report.estate)
    yield fact("Route", report.route)
    if report.emergency:
        yield fact("Emergency", report.emergency, "bad")
    if report.incident:
        yield fact("Incident", report.incident)
    if report.approved:
        yield fact("Approved by", "; ".join(report.approved))
    if report.disrupted:
        yield fact("Disrupted since", report.disrupted)
    if report.declared:
        yield fact("Declared", minute(report.declared))
    yield fact("Started", f"{minute(report.started)} by {report.operator} on {report.host}")
    yield fact("Ended", minute(report.ended) if report.ended else "not known" if report.damage else "not ended")
    if report.restored:
        yield fact("Restored at", minute(report.restored))
    if report.outage is not None:
        yield fact("From disruption to restored", show_clock(report.outage))
    yield from _times(report)
    yield fact("Stays changed", _names(report, report.stays_changed), "unsure" if report.stays_changed else "")
    yield fact("Owed", f"{len(report.owed)}, see below" if report.owed else NOTHING, "unsure" if report.owed else "")
    if report.not_run:
        yield fact("Not run", _names(report, report.not_run))
    yield fact("Next test", report.next_test or "nobody has set it")


def _times(report: Report) -> Iterator[tuple[Cell, ...]]:
    yield fact("Took" if report.ended else "So far", show_clock(_took(report)))
    if report.halted:
        yield fact("Of that, halted by an instructor", show_clock(report.halted))
    target = f", target {show_duration(report.rto_target)}" if report.rto_target else ""
    if report.rto_actual is not None:
        met = {True: "in time", False: "TOO LATE", None: ""}[report.rto_met] if not report.damage else ""
        tone = {True: "good", False: "bad", None: ""}[report.rto_met]
        yield fact("Restored in", f"{show_clock(report.rto_actual)}{target}{met and ': ' + met}", tone)
    elif report.rto_target:
        yield fact("Restored in", f"{'not known' if report.damage else 'not restored'}{target}", "unsure")
    for line in report.lines:
        never = "not crossed in what can be read" if report.damage else "not crossed"
        where = f"crossed at T+{show_clock(line.at)}, stage {line.stage}" if line.at is not None else never
        back = f"; gone back over at T+{show_clock(line.back)}" if line.back is not None else ""
        yield fact(line.line.upper() if line.line else Line.NONE.value, where + back)


def _took(report: Report) -> float:
    """Return how long it took, as whole seconds that agree with the times shown, unless the wall clock was moved."""
    if report.ended is None:
        return report.took
    shown = (report.ended.replace(microsecond=0) - report.started.replace(microsecond=0)).total_seconds()
    return shown if abs(shown - report.took) <= 1.0 else report.took


def _owed_table(items: tuple[ReportOwed, ...]) -> Table:
    rows = tuple(
        (
            Cell(i.what, tone="unsure"),
            Cell(i.name),
            Cell(i.why),
            Cell(minute(i.since) if i.since else f"run {i.run}"),
        )
        for i in items
    )
    return Table(rows, ("what", "host", "why", "since"))


def _stays(report: Report) -> Iterator[tuple[Cell, ...]]:
    for step_id in report.stays_changed:
        step = report.step(step_id)
        last = next((a for a in reversed(step.attempts) if a.undo), None)
        undo = (Cell("; way back: "), Cell("; ".join(last.undo), code=True)) if last else ()
        yield Cell(f"{step.name}: changed", tone="unsure"), *undo
    for step_id in report.left_behind:
        step = report.step(step_id)
        yield (Cell(f"{step.name}: undone, and this stays: {step.stays}"),)


def _steps(report: Report) -> Table:
    rows = []
    for step in report.steps:
        word = step.state.value.upper() if step.state.value in _LOUD else step.state.value
        took = show_clock(step.seconds) if step.attempts else ""
        rows.append(
            (
                Cell(step.name),
                Cell(word, tone=_TONES.get(step.state, "")),
                Cell(step.how),
                Cell(took),
                Cell(str(len(step.attempts)) if step.attempts else ""),
                Cell(_remark(step)),
            )
        )
    return Table(tuple(rows), ("step", "state", "how", "took", "tries", "remark"))


def _remark(step: ReportStep) -> str:
    parts = [step.detail, f"{step.reason} ({step.by})" if step.reason and step.by else step.reason]
    if step.attempts:
        parts += [check.warn for host in step.attempts[-1].hosts for check in host.checks]
    if step.differs:
        parts.append(f"differs since: {step.differs}")
    if step.state is StateWord.PENDING and step.attempts:
        parts.append("was done before; to be asked anew")
    if step.undone:
        how = step.undone.how if step.undone.how not in ("", "ran") else ""
        parts += [how, step.undone.reason, step.undone.by]
    return "; ".join(dict.fromkeys(part for part in parts if part))


# ------------------------------------------------------------------ what people said


def _said(report: Report) -> Iterator[Section]:
    rows: tuple[tuple[Cell, ...], ...]
    if report.confirmed:
        yield Section("Typed and confirmed", (_confirmed(report),))
    if report.reasons:
        rows = tuple((clock_of(r.wall, report), Cell(r.what), Cell(r.reason), Cell(r.by)) for r in report.reasons)
        yield Section("Reasons given", (Table(rows, ("time", "what", "reason", "who")),))
    if report.notes:
        rows = tuple((clock_of(n.wall, report), Cell(n.text), Cell(n.step), Cell(n.by)) for n in report.notes)
        yield Section("Notes", (Table(rows, ("time", "note", "step", "who")),))
    if report.guards:
        rows = tuple(
            (clock_of(g.since, report), Cell(g.title), Cell(g.seen), Cell(minute(g.until) if g.until else "to the end"))
            for g in report.guards
        )
        yield Section("Guards that tripped", (Table(rows, ("since", "guard", "saw", "until")),))
    if report.settled:
        rows = tuple((Cell(s.what), Cell(s.name), Cell(s.settled)) for s in report.settled)
        yield Section("Settled", (Table(rows, ("what was owed", "host", "settled by")),))


def _confirmed(report: Report) -> Table:
    rows = []
    for item in report.confirmed:
        shown = f"now {item.now}; then {item.then}" if item.now or item.then else ""
        holds = "; ".join(f"{check.what}: {_holds(check.holds)}" for check in item.rechecks)
        rows.append(
            (
                clock_of(item.wall, report),
                Cell(item.what),
                Cell(item.typed, code=True),
                Cell("; ".join(part for part in (shown, holds) if part)),
                Cell(item.by),
            )
        )
    return Table(tuple(rows), ("time", "for", "typed", "what was shown", "who"))


def _holds(holds: bool | None) -> str:
    return {True: "holds", False: "DOES NOT HOLD", None: "could not be asked"}[holds]


def _timeline(report: Report) -> Table:
    tones = {"failed": "bad", "emergency": "bad", "unknown": "unsure", "owed": "unsure", "passed": "good"}
    rows = tuple(
        (
            clock_of(i.wall, report),
            Cell(f"T+{show_clock(i.at)}"),
            Cell(i.text, tone=tones.get(i.kind, "")),
            Cell(i.by),
        )
        for i in report.timeline
    )
    return Table(rows, ("time", "since start", "what", "who"))


# ------------------------------------------------------------------ evidence


def _evidence(report: Report) -> Iterator[Section]:
    yield plan(report)
    for step in report.steps:
        if step.attempts:
            blocks = tuple(block for attempt in step.attempts for block in _attempt(attempt, report))
            yield Section(f"Evidence: {step.name}", blocks, detail=True)
    yield from people(report)
    values = [(Cell(k), Cell(v, code=True)) for k, v in (*report.values.items(), *report.captured.items())]
    if values:
        yield Section("Values", (Table(tuple(values), ("name", "value")),), detail=True)
    record = (
        fact("Records", str(report.records)),
        (Cell("Head"), Cell(report.head, code=True)),
        fact("Recompute it with", f"handrail audit {report.run}"),
        fact("Anchors on the hosts", report.anchors or "not asked"),
        fact("Written by", f"handrail {report.tool}"),
    )
    yield Section("The record", (Table(record),), detail=True)


def _attempt(attempt: ReportAttempt, report: Report) -> Iterator[Table | Items]:
    what = "Undo" if attempt.way == Way.BACK else f"Attempt {attempt.number}"
    took = f", {show_clock(attempt.seconds)}" if attempt.seconds is not None else ", not ended"
    first = (
        Cell(f"{what}, {time_of(attempt.started, report)}{took}: "),
        Cell(attempt.result, tone=_RESULT_TONES[attempt.result]),
    )
    sent = [(Cell("sent: "), Cell(line, code=True)) for line in attempt.commands]
    undo = [(Cell("undo: "), Cell(line, code=True)) for line in attempt.undo]
    yield Items((first, *sent, *undo))
    yield Table(tuple(_host(host) for host in attempt.hosts), ("host", "result", "answer", "checks", "output"))


def _host(host: ReportHost) -> tuple[Cell, ...]:
    checks = "; ".join(f"{c.what}: {_holds(c.holds)}" + (f" ({c.seen})" if c.seen else "") for c in host.checks)
    out = f"{host.output.file} {host.output.length} B sha256:{host.output.sha256}" if host.output else ""
    return (
        Cell(host.name),
        Cell(host.result, tone=_RESULT_TONES[host.result]),
        Cell(host.said or "no answer yet"),
        Cell(checks),
        Cell(out, code=True),
    )


# ------------------------------------------------------------------ small words


def _names(report: Report, steps: tuple[str, ...]) -> str:
    return ", ".join(report.step(step).name for step in steps) or NOTHING
