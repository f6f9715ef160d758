"""Which steps a route needs: pure, from the runbook alone."""

from __future__ import annotations

from handrail.runbook.checks import Guard
from handrail.runbook.model import Place, Runbook, Step


def not_needed(runbook: Runbook, step: Step, route: str) -> str | None:
    """Return why a step is not needed on a route, in one sentence, or nothing if it is; KeyError for an unknown route."""
    lost = runbook.routes[route].lost
    if step.only is not None and step.only != route:
        return f"only on the route {step.only}"
    if step.sync is not None:
        gone = [role for role in (step.sync.from_, step.sync.to) if role in lost]
        return f"{gone[0]} is lost" if gone else None
    if step.on and all(role in lost for role in step.on):
        return f"{', '.join(step.on)} {'is' if len(step.on) == 1 else 'are'} lost"
    awaited = runbook.find(step.wait.until) if step.wait is not None and step.wait.until else None
    if awaited is not None and awaited.step is not step and not_needed(runbook, awaited.step, route):
        return f"{awaited.name} is not needed"
    return None


def needed(runbook: Runbook, step: Step, route: str) -> bool:
    """Tell whether a step is needed on a route."""
    return not_needed(runbook, step, route) is None


def needed_places(runbook: Runbook, route: str) -> tuple[Place, ...]:
    """Return the steps a route needs, from top to bottom."""
    return tuple(place for place in runbook.places if needed(runbook, place.step, route))


def guard_needed(runbook: Runbook, guard: Guard, route: str) -> bool:
    """Tell whether a guard has anybody to ask on a route."""
    lost = runbook.routes[route].lost
    return any(role not in lost for role in guard.on)
