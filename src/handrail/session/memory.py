"""What a run may remember: captures of the last good CHECK, for what can no longer be asked. Never older than the runbook says.

The CHECK may be of another runbook on the same estate: a fact of a role is one fact, whoever asked for it.
"""

from __future__ import annotations

from datetime import datetime

from handrail.base.clock import Clock, unstamp
from handrail.base.problems import Trouble
from handrail.engine import events as e
from handrail.engine.codec import decode_event
from handrail.engine.results import verdict
from handrail.engine.words import Verdict
from handrail.runbook.bind import Binding
from handrail.session.view import Mode
from handrail.store.home import Home
from handrail.store.journal import read_journal
from handrail.store.run_folder import RunSummary, list_runs

LOOK_BACK = 50  # runs


def remembered(home: Home, binding: Binding, clock: Clock) -> tuple[dict[str, str], str]:
    """Return captures by name ("primary.late_certs"), and when they were made; nothing when no CHECK is young enough."""
    steps = [place.step for place in binding.runbook.places if place.step.remember]
    limits = {f"{role}.{fact}": step.remember or 0.0 for step in steps for role in step.on for fact in step.capture}
    if not limits:
        return {}, ""
    for glance in list(reversed(list_runs(home)))[:LOOK_BACK]:
        if not _is_check(glance, binding):
            continue
        found = _captures(glance, binding, limits, clock.now())
        if found and glance.first:
            return found, glance.first.ts
    return {}, ""


def _is_check(glance: RunSummary, binding: Binding) -> bool:
    body = glance.first.body if glance.first and glance.first.event == "run_opened" else {}
    return (body.get("mode"), body.get("estate")) == (Mode.CHECK.value, binding.estate.name)


def _captures(glance: RunSummary, binding: Binding, limits: dict[str, float], now: datetime) -> dict[str, str]:
    """Return what one CHECK captured of the facts in `limits` (seconds by "role.fact"), as far as it is young enough."""
    assert glance.first is not None
    age = (now - unstamp(glance.first.ts)).total_seconds()
    try:
        records = read_journal(glance.folder.journal).records
    except (Trouble, OSError):
        return {}
    found: dict[str, str] = {}
    for record in records:
        event = decode_event(record.event, record.body) if record.event == "host_ended" else None
        if not isinstance(event, e.HostEnded) or verdict(event.result) is not Verdict.PASSED:
            continue
        role = next((h.role for h in binding.estate.every_host() if h.key == event.result.host), "")
        captured = {f"{role}.{name}": value for name, value in event.result.captures.items()}
        found |= {name: value for name, value in captured.items() if age <= limits.get(name, -1.0)}
    return found
