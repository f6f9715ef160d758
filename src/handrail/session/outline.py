"""From a runbook on an estate to the engine's outline. Pure; it resolves nothing but what a title shows."""

from __future__ import annotations

from typing import Final

from handrail.actions.perform import PROBED
from handrail.engine.outline import GuardOutline, Outline, Place, StageOutline, StepOutline
from handrail.engine.words import Line, UndoKind
from handrail.runbook.bind import Binding
from handrail.runbook.checks import Undo
from handrail.runbook.estate import Host
from handrail.runbook.model import Place as Spot
from handrail.runbook.model import Stage, Step
from handrail.runbook.names import resolve_known
from handrail.runbook.values import need_count

HOSTLESS: Final = {"dns": "dns", "manual": "person", "wait": "clock"}


def outline_of(binding: Binding, *, until_first_change: bool = False) -> Outline:
    """Return the outline; `until_first_change` leaves out everything from the first changing step on (CHECK)."""
    runbook = binding.runbook
    stages: list[StageOutline] = []
    for number, stage in enumerate(runbook.stages, 1):
        spots = [spot for spot in runbook.places if spot.stage is stage]
        cut = next((at for at, spot in enumerate(spots) if spot.step.changes), None)
        ended = until_first_change and cut is not None
        steps = tuple(step_outline(binding, spot) for spot in (spots[:cut] if ended else spots))
        if steps:
            stages.append(_stage(stage, number, steps))
        if ended:
            break
    routes = {name: frozenset(route.lost) for name, route in runbook.routes.items()}
    return Outline(runbook.id, runbook.title, tuple(stages), routes, _guards(binding, stages))


def _stage(stage: Stage, number: int, steps: tuple[StepOutline, ...]) -> StageOutline:
    line = Line(stage.line) if stage.line else Line.NONE
    return StageOutline(stage.id, str(number), stage.title, steps, stage.together, line)


def _guards(binding: Binding, stages: list[StageOutline]) -> tuple[GuardOutline, ...]:
    known = {step.id for stage in stages for step in stage.steps}
    return tuple(
        GuardOutline(g.id, _shown(binding, g.title), g.after or "", g.closes or "", _shown(binding, g.means))
        for g in binding.runbook.guards
        if not g.after or g.after in known
    )


def _shown(binding: Binding, text: str) -> str:
    return resolve_known(text, binding.base_names())


def places_of(binding: Binding, step: Step) -> tuple[Place, ...]:
    """Return where a step is done: its hosts; the destination of a sync; dns, a person or the clock where it has none."""
    if step.sync is not None:
        return tuple(Place(h.key, h.role) for h in binding.estate.hosts(step.sync.to))
    hosts = () if step.dns is not None else binding.hosts_of(step)
    if hosts:
        return tuple(Place(h.key, h.role) for h in hosts)
    return (Place(HOSTLESS.get(step.action_kind, "clock")),)


def step_outline(binding: Binding, spot: Spot) -> StepOutline:
    """Return what the engine has to know of one step."""
    step = spot.step
    places = places_of(binding, step)
    return StepOutline(
        id=spot.name,
        number=spot.number,
        title=_shown(binding, step.title),
        stage=spot.stage.id,
        places=places,
        changes=step.changes,
        undo=UndoKind(step.undo_kind) if step.changes else UndoKind.NONE,
        undo_places=_undo_places(binding, step),
        need=how_many(step.need, len(places)),
        confirm=step.confirm is not None,
        skippable=step.skippable,
        probe=step.probe is not None or (step.changes and step.action_kind in PROBED),
        verify=bool(step.verify),
        recheck=step.recheck,
        requires=frozenset({step.sync.from_, step.sync.to}) if step.sync else frozenset(),
        only=frozenset({step.only}) if step.only else frozenset(),
        stays=step.stays or "",
        instead=step.instead or "",
        irreversible=step.irreversible or "",
    )


def _undo_places(binding: Binding, step: Step) -> tuple[Place, ...]:
    undo = step.undo
    if not isinstance(undo, Undo):
        return ()
    if undo.dns is not None:
        return (Place("dns"),)
    if undo.on:
        return tuple(Place(h.key, h.role) for h in binding.hosts_for(undo, step))
    return (Place("person"),) if undo.manual is not None and not step.on else ()


def how_many(need: str | int, of: int) -> int:
    """Return how many of `of` hosts must pass for "all", a count, or a percentage (rounded up)."""
    count = need_count(need, of)
    if isinstance(need, int):
        return min(count, of)
    return max(1, count) if need.endswith("%") else count


def where_text(hosts: tuple[Host, ...], places: tuple[Place, ...]) -> str:
    """Return where a step is done, for people: "app-dr", "6 clients", "dns"."""
    if not hosts:
        return {"dns": "the name servers", "person": "you", "clock": "this console"}.get(places[0].key, places[0].key)
    roles: dict[str, list[str]] = {}
    for host in hosts:
        roles.setdefault(host.role, []).append(host.name)
    return ", ".join(names[0] if len(names) == 1 else f"{len(names)} {role}" for role, names in roles.items())
