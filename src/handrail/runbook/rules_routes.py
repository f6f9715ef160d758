"""Rules for each route by itself: lines are guarded, walls stand behind lines, what is needed can be verified. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from handrail.runbook.finding import Finding, Rule, at, warn
from handrail.runbook.model import Place, Runbook, Stage
from handrail.runbook.routes import needed, needed_places


def clients_move(runbook: Runbook) -> Iterator[Finding]:
    """Where clients move, the first change is confirmed and rechecked, on every route."""
    told: set[tuple[int, str]] = set()
    for route in runbook.routes:
        for number, stage in enumerate(runbook.stages):
            if stage.line != "clients move":
                continue
            for code, message, hint in _crossing(runbook, number, stage, route):
                if (number, code) not in told:
                    told.add((number, code))
                    yield Finding(code, message, hint, ("stage", number, "line"))


def _crossing(runbook: Runbook, number: int, stage: Stage, route: str) -> Iterator[tuple[str, str, str]]:
    changes = [p for p in needed_places(runbook, route) if p.at[0] == number and p.step.changes]
    if not changes:
        if not any(step.changes for step in stage.steps):
            yield "line-without-change", f"nothing changes in stage `{stage.id}`: no client moves", "draw it elsewhere"
        return
    first = changes[0]
    on = f"on the route {route}, " if len(runbook.routes) > 1 else ""
    if first.step.confirm is None:
        message = f"{on}clients move with {first.name}, and nobody types the new value"
        yield "line-needs-confirm", message, f'give {first.name} a confirm: confirm = "{{{{ dr.address }}}}"'
    rechecks = [runbook.find(name) for name in first.step.recheck]
    if not any(place is not None and needed(runbook, place.step, route) for place in rechecks):
        message = f"{on}clients move with {first.name}, and nothing is rechecked right before"
        yield "line-needs-recheck", message, f'give {first.name} a recheck: recheck = ["checks/dr-serves"]'


def no_way_back(runbook: Runbook) -> Iterator[Finding]:
    """A line NO WAY BACK stands above something that cannot be undone."""
    for number, stage in enumerate(runbook.stages):
        if stage.line == "no way back" and all(step.irreversible is None for step in stage.steps):
            hint = 'a step below it says irreversible = "why"'
            message = f"everything in stage `{stage.id}` can be undone"
            yield Finding("line-without-wall", message, hint, ("stage", number, "line"))


def every_route(runbook: Runbook) -> Iterator[Finding]:
    """Every route leads somewhere, and every step is needed on some route."""
    wanted: set[tuple[int, int]] = set()
    for route in runbook.routes:
        places = [p for p in needed_places(runbook, route) if p.step.only is None or p.step.only in runbook.routes]
        wanted |= {place.at for place in places}
        if not places and runbook.places:
            hint = "it loses every role that a step speaks to"
            yield Finding("route-empty", f"no step is needed on the route {route}", hint, ("routes", route))
    for place in runbook.places:
        known = place.step.only is None or place.step.only in runbook.routes
        if place.at not in wanted and known:
            message = f"{place.name} is needed on no route"
            yield warn("never-needed", message, "take it out, or correct `only` and `lost`", place.path)


def verified(runbook: Runbook) -> Iterator[Finding]:
    """What is verified on one route is verified on the others too."""
    for route, described in runbook.routes.items():
        for place in needed_places(runbook, route):
            yield from _unasked(place, route, described.lost)


def _unasked(place: Place, route: str, lost: tuple[str, ...]) -> Iterator[Finding]:
    for number, verify in enumerate(place.step.verify):
        if verify.on and all(role in lost for role in verify.on):
            message = f"on the route {route} nobody is left to ask for this verify"
            yield warn("verify-lost", message, "ask a role that is not lost there too", at(place, "verify", number))


def clock(runbook: Runbook) -> Iterator[Finding]:
    """The clock can stop on every route."""
    rto = runbook.head.rto
    end = runbook.find(rto.until) if rto is not None and rto.until else None
    if end is None:
        return
    for route in runbook.routes:
        if not needed(runbook, end.step, route):
            message = f"{end.name} is not needed on the route {route}: the clock would not stop"
            yield warn("rto-lost", message, "name a step that every route needs", ("runbook", "rto"))


RULES: Final[tuple[Rule, ...]] = (clients_move, no_way_back, every_route, verified, clock)
