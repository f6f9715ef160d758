"""The report as JSON: the documented, versioned shape of docs/report-format.md. Keys are added, never renamed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from handrail.base.clock import stamp
from handrail.report.data import (
    FORMAT,
    UNANNOUNCED,
    Confirmation,
    Crossing,
    Deviation,
    Epoch,
    Reason,
    Report,
    ReportAttempt,
    ReportCheck,
    ReportForetold,
    ReportGuard,
    ReportHost,
    ReportNote,
    ReportOutput,
    ReportOwed,
    ReportStep,
    ReportUndone,
    Risk,
    TimelineEntry,
)

Json = dict[str, Any]


def to_text(report: Report) -> str:
    """Return the report as JSON text: ASCII, indented by one, with a line end."""
    return json.dumps(to_json(report), indent=1) + "\n"


def to_json(report: Report) -> Json:
    """Return the report as JSON-ready data. Times are RFC 3339 in UTC, durations seconds, what is not known is null."""
    return {
        "format": FORMAT,
        "run": report.run,
        "mode": report.mode,
        "outcome": report.outcome,
        "runbook": {"id": report.runbook, "title": report.title, "digest": report.digest, "revision": report.revision},
        "estate": {"name": report.estate, "simulated": report.simulated, "shortened": report.shortened},
        "scenario": _scenario(report),
        "level": report.level,
        "predict": report.predict,
        "foretold": [_foretold(item) for item in report.foretold],
        "halted": report.halted,
        "route": report.route,
        "emergency": report.emergency,
        "started": stamp(report.started),
        "ended": _when(report.ended),
        "seconds": report.took,
        "rto": {
            "target": report.rto_target,
            "actual": report.rto_actual,
            "met": report.rto_met,
            "until": report.rto_until,
        },
        "operator": report.operator,
        "host": report.host,
        "tool": report.tool,
        "incident": report.incident,
        "disrupted": report.disrupted,
        "declared": _when(report.declared),
        "restored": _when(report.restored),
        "outage": report.outage,
        "scope": list(report.scope),
        "objectives": list(report.objectives),
        "approved": list(report.approved),
        "closed": report.closed,
        "values": dict(report.values),
        "captured": dict(report.captured),
        "steps": [_step(step) for step in report.steps],
        "not_run": list(report.not_run),
        "stays_changed": list(report.stays_changed),
        "left_behind": list(report.left_behind),
        "owed": [_owed(item) for item in report.owed],
        "settled": [{**_owed(item), "settled": item.settled} for item in report.settled],
        "confirmed": [_confirmed(item) for item in report.confirmed],
        "reasons": [_reason(item) for item in report.reasons],
        "notes": [_note(item) for item in report.notes],
        "findings": [_finding(item) for item in report.findings],
        "next_test": report.next_test,
        "deviations": [_deviation(item) for item in report.deviations],
        "risks": [_risk(item) for item in report.risks],
        "vouched": [_reason(item) for item in report.vouched],
        "clocks": [{"host": item.name, "offset": item.offset, "within": item.within} for item in report.clocks],
        "anchors": report.anchors or "not asked",
        "guards": [_guard(item) for item in report.guards],
        "epochs": [_epoch(item) for item in report.epochs],
        "lines": [_line(item) for item in report.lines],
        "timeline": [_entry(item) for item in report.timeline],
        "journal": {"records": report.records, "head": report.head, "damage": report.damage},
    }


def _when(wall: datetime | None) -> str | None:
    return None if wall is None else stamp(wall)


def _step(step: ReportStep) -> Json:
    return {
        "id": step.id,
        "number": step.number,
        "title": step.title,
        "stage": step.stage,
        "state": step.state.value,
        "how": step.how,
        "needed": step.needed,
        "planned": step.planned,
        "par": step.par,
        "changes": step.changes,
        "seconds": step.seconds,
        "detail": step.detail,
        "reason": step.reason,
        "by": step.by,
        "differs": step.differs,
        "stays": step.stays,
        "attempts": [_attempt(attempt) for attempt in step.attempts],
        "undone": _undone(step.undone) if step.undone else None,
    }


def _attempt(attempt: ReportAttempt) -> Json:
    return {
        "number": attempt.number,
        "way": attempt.way,
        "started": stamp(attempt.started),
        "ended": _when(attempt.ended),
        "seconds": attempt.seconds,
        "result": attempt.result,
        "commands": list(attempt.commands),
        "undo": list(attempt.undo),
        "hosts": [_host(host) for host in attempt.hosts],
    }


def _host(host: ReportHost) -> Json:
    return {
        "host": host.host,
        "name": host.name,
        "exit": host.exit,
        "result": host.result,
        "kind": host.kind,
        "sent": host.sent,
        "said": host.said,
        "checks": [_check(check) for check in host.checks],
        "output": _output(host.output) if host.output else None,
    }


def _check(check: ReportCheck) -> Json:
    return {"what": check.what, "holds": check.holds, "seen": check.seen, "warn": check.warn}


def _output(output: ReportOutput) -> Json:
    return {"file": output.file, "length": output.length, "sha256": output.sha256}


def _undone(undone: ReportUndone) -> Json:
    return {"at": stamp(undone.wall), "how": undone.how, "reason": undone.reason, "by": undone.by}


def _owed(item: ReportOwed) -> Json:
    return {
        "id": item.id,
        "step": item.step,
        "host": item.host,
        "name": item.name,
        "what": item.what,
        "why": item.why,
        "since": _when(item.since),
        "run": item.run,
    }


def _confirmed(item: Confirmation) -> Json:
    return {
        "kind": item.kind,
        "at": stamp(item.wall),
        "step": item.step,
        "what": item.what,
        "typed": item.typed,
        "by": item.by,
        "reason": item.reason,
        "now": item.now,
        "then": item.then,
        "rechecks": [_check(check) for check in item.rechecks],
    }


def _reason(item: Reason) -> Json:
    return {"at": stamp(item.wall), "what": item.what, "reason": item.reason, "by": item.by, "step": item.step}


def _scenario(report: Report) -> Json | None:
    """Return a drill's scenario; what it has not told yet is empty, or null."""
    told = report.scenario
    if told is None and not report.announced:
        return None
    return {
        "name": told.name if told else report.announced,
        "title": told.title if told else "",
        "announced": report.announced != UNANNOUNCED,
        "holds": told.holds if told else None,
        "acts": list(told.acts) if told else [],
        "checks": [_check(check) for check in told.checks] if told else [],
        "good": told.good if told else "",
        "par": told.par if told else None,
    }


def _foretold(item: ReportForetold) -> Json:
    return {
        "step": item.step,
        "prints": item.prints,
        "came": list(item.came),
        "undone": item.undone,
        "undo": list(item.undo),
        "judged": item.judged,
    }


def _note(item: ReportNote) -> Json:
    return {"at": stamp(item.wall), "by": item.by, "text": item.text, "step": item.step}


def _finding(item: ReportNote) -> Json:
    return {"at": stamp(item.wall), "by": item.by, "text": item.text, "owner": item.owner, "due": item.due}


def _deviation(item: Deviation) -> Json:
    return {
        "at": _when(item.wall),
        "what": item.what,
        "reason": item.reason,
        "by": item.by,
        "step": item.step,
    }


def _risk(item: Risk) -> Json:
    return {
        "label": item.label,
        "name": item.name,
        "verdict": item.verdict,
        "since": _when(item.since),
        "until": _when(item.until),
        "why": item.why,
    }


def _guard(item: ReportGuard) -> Json:
    return {
        "id": item.id,
        "title": item.title,
        "since": stamp(item.since),
        "until": _when(item.until),
        "seen": item.seen,
        "means": item.means,
    }


def _epoch(item: Epoch) -> Json:
    return {
        "epoch": item.epoch,
        "by": item.by,
        "host": item.host,
        "since": stamp(item.since),
        "reason": item.reason,
        "known": item.known,
    }


def _line(item: Crossing) -> Json:
    return {
        "line": item.line,
        "stage": item.stage,
        "crossed": _when(item.wall),
        "seconds": item.at,
        "back": item.back,
    }


def _entry(item: TimelineEntry) -> Json:
    return {
        "at": stamp(item.wall),
        "seconds": item.at,
        "kind": item.kind,
        "text": item.text,
        "by": item.by,
        "step": item.step,
    }
