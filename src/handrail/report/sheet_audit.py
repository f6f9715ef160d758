"""The sections that an auditor looks for: scope and aims, what was at risk, findings, plan against actual, deviations, people.

Pure. Each stands in every report, and says so where there is nothing to say: a head that is missing proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from handrail.base.durations import show_clock, show_duration
from handrail.report.cells import Cell, Items, Section, Table, clock_of, fact, minute
from handrail.report.data import Report, ReportStep, StateWord

_VERDICTS: Final = {"fine": "good", "lost": "bad", "unknown": "unsure"}


def auditors(report: Report) -> Iterator[Section]:
    """Yield what stands before the steps: each of them always, but for what people did themselves."""
    yield Section("Scope and objectives", (Table(tuple(_scope(report))),))
    yield Section("What was at risk", (_risks(report),))
    if report.vouched:
        rows = tuple((clock_of(v.wall, report), Cell(v.what), Cell(v.reason), Cell(v.by)) for v in report.vouched)
        yield Section("What people did themselves", (Table(rows, ("time", "step", "their words", "who")),))
    yield Section("Deviations", (_deviations(report),))
    yield Section("Findings", (_findings(report),))


def plan(report: Report) -> Section:
    """Return every step as it was planned beside what it came to, executed or not."""
    return Section("Plan against actual", (_plan(report),), detail=True)


def foretold(report: Report) -> Section:
    """Return what was said of steps before they ran, beside what came; whether it came so is their own word, no score."""
    rows = tuple(
        (
            Cell(report.step(one.step).name),
            Cell(one.prints),
            Cell(" / ".join(one.came) or "nothing", code=True),
            Cell(one.undone),
            Cell("; ".join(one.undo) or "nothing to undo", code=True),
            Cell(one.judged or "not said"),
        )
        for one in report.foretold
    )
    head = ("step", "foretold", "it said", "undo, foretold", "undo", "came so, in their own word")
    return Section("What was foretold", (Table(rows, head),))


def people(report: Report) -> Iterator[Section]:
    """Yield who took part, how each is known, and how far the hosts' clocks were off."""
    rows = [
        (
            Cell(f"drove, epoch {x.epoch}"),
            clock_of(x.since, report),
            Cell(x.by),
            Cell(x.host),
            Cell(x.known or "not recorded"),
            Cell(x.reason),
        )
        for x in report.epochs
    ]
    rows += [
        (Cell("approved"), Cell(""), Cell(who), Cell(""), Cell("by the signature of an allowed SSH key"), Cell(""))
        for who in report.approved
    ]
    drove = {x.by for x in report.epochs}
    wrote = dict.fromkeys(note.by for note in report.notes if note.by and note.by not in drove)
    rows += [
        (Cell("noted"), Cell(""), Cell(who), Cell(""), Cell("by the name that their console gave"), Cell(""))
        for who in wrote
    ]
    yield Section(
        "People", (Table(tuple(rows), ("did", "since", "who", "console", "how known", "reason")),), detail=True
    )
    yield Section("Clocks of the hosts", (_clocks(report),), detail=True)


def _scope(report: Report) -> Iterator[tuple[Cell, ...]]:
    for number, role in enumerate(report.scope):
        yield fact("" if number else "Roles and hosts", role)
    for number, aim in enumerate(report.objectives or ("none is set in the runbook",)):
        yield fact("" if number else "Objectives", aim)


def _risks(report: Report) -> Table | Items:
    if not report.risks:
        return _nothing("The runbook has no figure that tells of something at risk.")
    rows = tuple(
        (
            Cell(risk.label),
            Cell(risk.name, code=True),
            Cell(risk.verdict if risk.verdict == "fine" else risk.verdict.upper(), tone=_VERDICTS[risk.verdict]),
            Cell(_when(risk.since)),
            Cell(_when(risk.until)),
            Cell(risk.why),
        )
        for risk in report.risks
    )
    return Table(rows, ("at risk", "what", "came to", "from", "to", "why"))


def _when(wall: datetime | None) -> str:
    return minute(wall) if wall else "not known"


def _deviations(report: Report) -> Table | Items:
    if not report.deviations:
        return _nothing("None: everything went as planned.")
    rows = tuple(
        (clock_of(d.wall, report) if d.wall else Cell(""), Cell(d.what), Cell(d.reason), Cell(d.by))
        for d in report.deviations
    )
    return Table(rows, ("time", "what", "reason", "who"))


def _findings(report: Report) -> Table | Items:
    if not report.findings:
        return _nothing(f"None is noted. handrail note TEXT {report.run} --owner NAME --due DATE notes one.")
    rows = tuple(
        (Cell(f.text), Cell(f.owner), Cell(f.due or "no date"), Cell(f.by), clock_of(f.wall, report))
        for f in report.findings
    )
    return Table(rows, ("finding", "owner", "due", "noted by", "at"))


def _plan(report: Report) -> Table:
    return Table(
        tuple(_planned(step, report) for step in report.steps), ("step", "planned", "par", "begun", "took", "came to")
    )


def _planned(step: ReportStep, report: Report) -> tuple[Cell, ...]:
    begun = f"T+{show_clock(step.attempts[0].at)}" if step.attempts else "not executed"
    slow = bool(step.par and step.attempts and step.seconds > 1.5 * step.par)
    same = step.state is StateWord.PASSED if step.planned else not step.attempts
    return (
        Cell(step.name),
        Cell("yes" if step.planned else "not on this route"),
        Cell(show_duration(step.par) if step.par else ""),
        Cell(begun, tone="" if step.attempts else "dim"),
        Cell(show_clock(step.seconds) if step.attempts else "", tone="unsure" if slow else ""),
        Cell(step.state.value, tone="" if same else "unsure"),
    )


def _clocks(report: Report) -> Table | Items:
    if not report.clocks:
        return _nothing("Not measured: no host was asked for its time.")
    rows = tuple(
        (
            Cell(c.name),
            Cell(f"{c.offset:+.1f} s", tone="unsure" if abs(c.offset) > c.within + 1 else ""),
            Cell(f"{c.within:.1f} s"),
        )
        for c in report.clocks
    )
    return Table(rows, ("host", "ahead of the console by", "give or take"))


def _nothing(words: str) -> Items:
    return Items(((Cell(words),),))
