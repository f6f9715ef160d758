"""Rules for what is named: roles, steps, routes, and every `{{ name }}`, on each route by itself. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from handrail.base.frozen import dataclass
from handrail.base.safe import safe
from handrail.runbook.finding import Finding, Rule, at, warn
from handrail.runbook.model import Place, Runbook
from handrail.runbook.positions import Path
from handrail.runbook.routes import needed
from handrail.runbook.rules_shape import commands
from handrail.runbook.uses import Use, uses

OF_MANY: Final = ("names", "count")


def _near(word: str, known: Iterable[str]) -> str:
    names = list(known)
    found = difflib.get_close_matches(word[:60], names, n=1, cutoff=0.6)
    return f"did you mean `{found[0]}`?" if found else f"there are: {safe(', '.join(names), 160) or 'none'}"


def roles(runbook: Runbook) -> Iterator[Finding]:
    """Every role that is named is one of the runbook's."""
    for path, role in _roles_named(runbook):
        if role not in runbook.roles:
            message = f"there is no role `{safe(role, 40)}`"
            yield Finding("unknown-role", message, _near(role, runbook.roles), path)


def _roles_named(runbook: Runbook) -> Iterator[tuple[Path, str]]:
    for name, route in runbook.written_routes.items():
        yield from ((("routes", name, "lost", number), role) for number, role in enumerate(route.lost))
    for index, guard in enumerate(runbook.guards):
        yield from ((("guard", index, "on", number), role) for number, role in enumerate(guard.on))
    for place in runbook.places:
        sync = place.step.sync
        if sync is not None:
            yield at(place, "sync", "from"), sync.from_
            yield at(place, "sync", "to"), sync.to
        for path, command in commands(place):
            if command is place.step and sync is not None and "on" not in place.step.model_fields_set:
                continue
            on: tuple[str, ...] = getattr(command, "on", ())
            yield from (((*path, "on", number), role) for number, role in enumerate(on))


def steps(runbook: Runbook) -> Iterator[Finding]:
    """Every step that is named exists, and stands before whoever needs it to have run."""
    for path, name, user in _steps_named(runbook):
        place = runbook.find(name)
        if place is None:
            hint = _near(name, [place.name for place in runbook.places])
            yield Finding("unknown-step", f"there is no step `{safe(name, 60)}`", hint, path)
        elif user is not None and place.at >= user.at:
            message = f"{name} has not run when {user.name} begins"
            yield Finding("step-later", message, "name a step above this one", path)
        elif path[-1] == "until" and "wait" in path and (place.step.dns is None or not place.step.changes):
            message = f"{name} changes no name: it has no TTL to wait for"
            yield Finding("wait-until", message, "name a `dns` step, or use `for`", path)
    for place in runbook.places:
        only = place.step.only
        if only is not None and only not in runbook.routes:
            message = f"there is no route `{safe(only, 40)}`"
            yield Finding("unknown-route", message, _near(only, runbook.routes), at(place, "only"))


def _steps_named(runbook: Runbook) -> Iterator[tuple[Path, str, Place | None]]:
    if runbook.head.rto is not None and runbook.head.rto.until is not None:
        yield ("runbook", "rto", "until"), runbook.head.rto.until, None
    for number, guard in enumerate(runbook.guards):
        if guard.after is not None:
            yield ("guard", number, "after"), guard.after, None
    for place in runbook.places:
        step = place.step
        yield from ((at(place, "recheck", number), name, place) for number, name in enumerate(step.recheck))
        if step.meter is not None and step.meter.since is not None:
            yield at(place, "meter", "since"), step.meter.since, place
        if step.wait is not None and step.wait.until is not None:
            yield at(place, "wait", "until"), step.wait.until, place


@dataclass(frozen=True)
class _Known:
    """Who captures which fact."""

    runbook: Runbook

    @cached_property
    def captures(self) -> dict[tuple[str, str], list[Place]]:
        found: dict[tuple[str, str], list[Place]] = {}
        for place in self.runbook.places:
            for role in place.step.on:
                for name in place.step.capture:
                    found.setdefault((role, name), []).append(place)
        return found


def names(runbook: Runbook) -> Iterator[Finding]:
    """Every name in every text is known by the time it is needed, on every route that needs it."""
    known = _Known(runbook)
    for use in uses(runbook):
        finding = _of_use(runbook, known, use)
        if finding is not None:
            yield finding


def _of_use(runbook: Runbook, known: _Known, use: Use) -> Finding | None:
    ref, written = use.ref, use.at
    shown = f"`{{{{ {safe(ref.name, 60)} }}}}`"
    if not ref.legal:
        hint = "a name is `fqdn`, `dr.address` or `here.ca_dir`; a text that needs such braces can stand in a `script`"
        text = safe(written.text[ref.start : ref.end], 60)
        return Finding("not-a-name", f"`{text}` is no name", hint, written.path, inside=ref.start + 1)
    if not ref.role:
        return _of_variable(runbook, use, shown)
    if ref.role == "here":
        if not written.roles:
            message = f"{shown}: nobody is spoken to here"
            return Finding("here-nowhere", message, "name the role: `{{ dr.x }}`", written.path, inside=ref.start + 1)
    elif ref.role not in runbook.roles:
        message = f"{shown}: there is no role `{safe(ref.role, 40)}`"
        return Finding("unknown-role", message, _near(ref.role, runbook.roles), written.path, inside=ref.start + 1)
    elif runbook.roles[ref.role] == "many" and ref.fact not in OF_MANY:
        message = f"{shown}: `{ref.role}` is many hosts"
        hint = f"`{{{{ {ref.role}.names }}}}` and `{{{{ {ref.role}.count }}}}` speak of all; `{{{{ here.x }}}}` of each"
        return Finding("fact-of-many", message, hint, written.path, inside=ref.start + 1)
    return _of_capture(runbook, known, use, shown)


def _of_variable(runbook: Runbook, use: Use, shown: str) -> Finding | None:
    var = runbook.vars.get(use.ref.name)
    path, inside = use.at.path, use.ref.start + 1
    if var is None:
        hint = _near(use.ref.name, runbook.vars) + f"; or declare it: [vars.{safe(use.ref.name, 40)}]"
        return Finding("unknown-name", f"{shown} is not known", hint, path, inside=inside)
    if var.type == "secret" and use.at.field != "stdin":
        hint = "hand it to the program on standard input"
        return Finding(
            "secret-outside-stdin", f"{shown} is a secret, and would be seen here", hint, path, inside=inside
        )
    return None


def _of_capture(runbook: Runbook, known: _Known, use: Use, shown: str) -> Finding | None:
    """Return what is wrong with a fact that steps capture; a fact nobody captures is the estate's."""
    roles = use.at.roles if use.ref.role == "here" else (use.ref.role,)
    if use.at.when == "show":
        return None
    for role in roles:
        takers = known.captures.get((role, use.ref.fact), [])
        if not takers:
            continue
        in_time = [taker for taker in takers if _in_time(runbook, taker, use)]
        inside = use.ref.start + 1
        if not in_time:
            return Finding(
                "capture-used-early", f"{shown} is not known yet", _when(takers[0], use), use.at.path, inside=inside
            )
        for route in runbook.routes:
            if _speaks(runbook, use, role, route) and not any(_takes(runbook, t, role, route) for t in in_time):
                message = f"{shown} is not known on the route {route}: {in_time[0].name} does not run on {role} there"
                hint = 'give that capture `remember = "24h"`, or limit this step with `only`'
                return Finding("name-lost", message, hint, use.at.path, inside=inside)
    return None


def _when(taker: Place, use: Use) -> str:
    place = use.at.place
    if place is not None and use.at.when == "undo":
        return f"{taker.name} captures it; an undo may use only what was known before its step"
    if place is not None and place.stage is taker.stage and taker.stage.together:
        return f"{taker.name} captures it, and the steps of this stage run together: use it in a later stage"
    return f"{taker.name} captures it: use it after that step"


def _in_time(runbook: Runbook, taker: Place, use: Use) -> bool:
    """Tell whether a capture has happened when a text is resolved."""
    place = use.at.place
    if place is None:
        after = runbook.guards[use.at.guard].after if use.at.guard is not None else None
        begun = runbook.find(after) if after else None
        return begun is not None and taker.at <= begun.at
    if use.at.when == "after" and taker.at == place.at:
        return True
    if taker.stage.together and taker.at[0] == place.at[0]:
        return False
    return taker.at < place.at


def _speaks(runbook: Runbook, use: Use, role: str, route: str) -> bool:
    """Tell whether a text is resolved on a route at all, `here` being that role."""
    place = use.at.place
    if place is not None and not needed(runbook, place.step, route):
        return False
    lost = runbook.routes[route].lost
    if use.ref.role == "here":
        return role not in lost
    return not use.at.roles or any(role not in lost for role in use.at.roles)


def _takes(runbook: Runbook, taker: Place, role: str, route: str) -> bool:
    """Tell whether a step captures a role's fact on a route, or remembers it."""
    step = taker.step
    if step.remember is not None:
        return True
    return needed(runbook, step, route) and role not in runbook.routes[route].lost


def skippable(runbook: Runbook) -> Iterator[Finding]:
    """A step whose captures others need had better not be skipped."""
    known = _Known(runbook)
    told: set[str] = set()
    for use in uses(runbook):
        for role in use.at.roles if use.ref.role == "here" else (use.ref.role,):
            takers = known.captures.get((role, use.ref.fact), [])
            for taker in takers:
                if taker.step.skippable and len(takers) == 1 and use.at.when != "show" and taker.name not in told:
                    told.add(taker.name)
                    message = f"{taker.name} may be skipped, and its `{use.ref.fact}` is needed later"
                    yield warn("capture-skippable", message, "take `skippable` away", at(taker, "skippable"))


RULES: Final[tuple[Rule, ...]] = (roles, steps, names, skippable)
