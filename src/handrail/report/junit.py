"""The report as JUnit XML, for what shows test results: a suite per stage, a case per step, and cases for the run itself. Pure.

The mode is the first word of every suite's name and of every case's class: a drill that is green is a drill. A step that was
not started is no success: it is skipped, and the run itself fails unless it was done, or undone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final
from xml.etree import ElementTree as ET

from handrail.base.clock import stamp
from handrail.base.durations import show_duration
from handrail.base.frozen import dataclass
from handrail.report.data import Report, ReportAttempt, ReportStep, StateWord
from handrail.report.sheet import banner, mode_word

_FAILED: Final = frozenset({StateWord.FAILED, StateWord.UNDO_FAILED})
_ERRORS: Final = frozenset({StateWord.UNKNOWN, StateWord.UNDO_UNKNOWN, StateWord.RUNNING, StateWord.OWED})
_WHY: Final = {
    StateWord.PENDING: "not started",
    StateWord.NOT_NEEDED: "not needed on this route",
    StateWord.UNDONE: "undone: taken back",
}


@dataclass(frozen=True)
class _Case:
    """One case: `bad` is failure, error, skipped or nothing; `says` why."""

    group: str
    name: str
    seconds: float = 0.0
    bad: str = ""
    says: str = ""
    out: str = ""


def to_junit(report: Report) -> str:
    """Return the report as JUnit XML, with a line end."""
    whole = ET.Element("testsuites")
    suites = [_suite(report, stage, list(steps)) for stage, steps in groupby(report.steps, key=lambda step: step.stage)]
    cases = [*(case for _, found in suites for case in found), *_own(report)]
    name = f"{mode_word(report)} {report.runbook} on {report.estate}"
    _count(whole, name, cases, report)
    for title, found in (("the run itself", list(_own(report))), *suites):
        suite = ET.SubElement(whole, "testsuite")
        _count(suite, f"{mode_word(report)}: {title}", found, report)
        properties = ET.SubElement(suite, "properties")
        for key, value in _properties(report):
            ET.SubElement(properties, "property", name=key, value=value)
        for case in found:
            _write(suite, case)
    ET.indent(whole, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(whole, encoding="unicode") + "\n"


def _count(into: ET.Element, name: str, cases: list[_Case], report: Report) -> None:
    into.set("name", name)
    into.set("tests", str(len(cases)))
    for attribute, bad in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        into.set(attribute, str(sum(case.bad == bad for case in cases)))
    into.set("time", f"{sum(case.seconds for case in cases):.3f}")
    into.set("timestamp", stamp(report.started))


def _properties(report: Report) -> Iterator[tuple[str, str]]:
    yield "mode", mode_word(report)
    yield "what this is", banner(report)
    yield "run", report.run
    yield "outcome", report.outcome
    yield "runbook", report.runbook
    yield "digest", report.digest
    yield "estate", report.estate
    yield "route", report.route
    yield "operator", report.operator
    if report.level:
        yield "level", report.level
    yield "tool", report.tool
    yield "journal head", report.head


def _own(report: Report) -> Iterator[_Case]:
    """Yield the cases of the run as a whole: how it ended, whether in time, and what its scenario judged."""
    group = f"{mode_word(report)}.{report.runbook}"
    fine = report.outcome in ("done", "undone") and not report.damage
    says = f"THE RECORD IS NOT WHOLE: {report.damage}" if report.damage else f"the run is {report.outcome}"
    yield _Case(group, "the run is done, or undone", report.took, "" if fine else "failure", "" if fine else says)
    if report.rto_target is not None:
        target = f"restored within {show_duration(report.rto_target)}"
        if report.rto_actual is None:
            yield _Case(group, target, bad="skipped", says="not restored")
        else:
            late = "" if report.rto_met else f"restored after {show_duration(report.rto_actual)}"
            yield _Case(group, target, bad="failure" if late else "", says=late)
    if report.owed:
        yield _Case(group, "nothing is owed", bad="error", says="; ".join(item.what for item in report.owed))
    for check in report.scenario.checks if report.scenario else ():
        yield _Case(group, f"at the end: {check.what}", bad="" if check.holds else "failure", says=check.seen)


def _suite(report: Report, stage: str, steps: list[ReportStep]) -> tuple[str, list[_Case]]:
    return stage, [_case(report, step) for step in steps]


def _case(report: Report, step: ReportStep) -> _Case:
    bad = "failure" if step.state in _FAILED else "error" if step.state in _ERRORS else ""
    if not bad and step.state is not StateWord.PASSED:
        bad = "skipped"
    reason = f"{step.reason} ({step.by})" if step.reason and step.by else step.reason
    word = _WHY.get(step.state, step.state.value)
    says = "; ".join(part for part in (word, step.detail, reason) if part) if bad else ""
    group = f"{mode_word(report)}.{report.runbook}.{step.id.split('/')[0]}"
    return _Case(group, step.name, step.seconds, bad, says, "\n".join(_evidence(step)))


def _evidence(step: ReportStep) -> Iterator[str]:
    """Yield what was sent and what was answered: each command, each host with its exit status and its output's digest."""
    if step.how and step.how != "ran":
        yield f"passed: {step.how}"
    for attempt in step.attempts:
        yield f"{attempt.way} {attempt.number}, {stamp(attempt.started)}: {attempt.result}"
        yield from (f"$ {command}" for command in attempt.commands)
        yield from _hosts(attempt)


def _hosts(attempt: ReportAttempt) -> Iterator[str]:
    for host in attempt.hosts:
        status = f"exit {host.exit}" if host.exit is not None else host.kind or host.result
        digest = f", output {host.output.length} bytes sha256:{host.output.sha256}" if host.output else ""
        yield f"{host.name}: {host.result}, {status}{digest}"


def _write(suite: ET.Element, case: _Case) -> None:
    made = ET.SubElement(suite, "testcase", classname=case.group, name=case.name, time=f"{case.seconds:.3f}")
    if case.bad:
        found = ET.SubElement(made, case.bad, message=case.says)
        if case.bad != "skipped":
            found.text = case.says
    if case.out:
        ET.SubElement(made, "system-out").text = case.out
