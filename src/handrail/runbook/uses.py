"""Every place where a runbook uses a name: which text, in which step, when it is resolved, and whom `here` may mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final, Literal

from handrail.base.frozen import dataclass
from handrail.runbook.model import Place, Runbook
from handrail.runbook.names import Ref, references
from handrail.runbook.positions import Path
from handrail.runbook.resolved import SHOWN, literal_fields
from handrail.runbook.shapes import keys
from handrail.runbook.values import Table

When = Literal["before", "after", "undo", "show", "guard"]
OWN: Final = ("verify", "undo", "probe", "sync")


@dataclass(frozen=True)
class Written:
    """One text that may hold names: `roles` is whom `here` may mean, `when` is when it is resolved."""

    text: str
    path: Path
    field: str
    when: When
    roles: tuple[str, ...]
    place: Place | None = None
    guard: int | None = None


@dataclass(frozen=True)
class Use:
    """One name in one text."""

    ref: Ref
    at: Written


def uses(runbook: Runbook) -> Iterator[Use]:
    """Yield every use of a name, from top to bottom."""
    for written in texts(runbook):
        for ref in references(written.text):
            yield Use(ref, written)


def facts_used(runbook: Runbook) -> Iterator[tuple[str, str]]:
    """Yield (role, fact) for every fact a runbook cannot go without; `here` counts for each role it may mean."""
    for use in uses(runbook):
        if use.at.when == "show":
            continue
        if use.ref.role == "here":
            yield from ((role, use.ref.fact) for role in use.at.roles)
        elif use.ref.role:
            yield use.ref.role, use.ref.fact


def texts(runbook: Runbook) -> Iterator[Written]:
    """Yield every text in which names are replaced."""
    for number, line in enumerate(runbook.head.headline):
        yield Written(line.value, ("runbook", "headline", number, "value"), "value", "show", ())
    for number, guard in enumerate(runbook.guards):
        for path, field, text in _strings(guard, ("guard", number)):
            yield Written(text, path, field, "show" if field in SHOWN else "guard", guard.on, None, number)
    for place in runbook.places:
        yield from _of_step(place)


def _of_step(place: Place) -> Iterator[Written]:
    step, base = place.step, place.path
    for path, field, text in _strings(step, base, skip=OWN):
        yield Written(text, path, field, "show" if field in SHOWN else "before", step.on, place)
    if step.sync is not None:
        yield from _part(step.sync, (*base, "sync"), "before", step.on, place)
    if step.probe is not None:
        yield from _part(step.probe, (*base, "probe"), "before", step.probe.on or step.on, place)
    for number, verify in enumerate(step.verify):
        yield from _part(verify, (*base, "verify", number), "after", verify.on or step.on, place)
    if isinstance(step.undo, Table):
        roles = step.undo.on or step.on
        yield from _part(step.undo, (*base, "undo"), "undo", roles, place, skip=("verify",))
        for number, verify in enumerate(step.undo.verify):
            yield from _part(verify, (*base, "undo", "verify", number), "undo", verify.on or roles, place)


def _part(
    part: Table, base: Path, when: When, roles: tuple[str, ...], place: Place, skip: tuple[str, ...] = ()
) -> Iterator[Written]:
    for path, field, text in _strings(part, base, skip):
        yield Written(text, path, field, "show" if field in SHOWN else when, roles, place)


def _strings(part: Table, base: Path, skip: tuple[str, ...] = ()) -> Iterator[tuple[Path, str, str]]:
    """Yield path, field and text of every string of a table in which names are replaced."""
    literal = literal_fields(type(part))
    for key, name in _fields(type(part)):
        if name not in literal and name not in skip:
            yield from _within(getattr(part, name), (*base, key), name)


@cache
def _fields(model: type[Table]) -> tuple[tuple[str, str], ...]:
    names = {id(info): name for name, info in model.model_fields.items()}
    return tuple((key, names[id(info)]) for key, info in keys(model).items())


def _within(value: object, path: Path, field: str) -> Iterator[tuple[Path, str, str]]:
    if isinstance(value, str):
        yield path, field, value
    elif isinstance(value, Table):
        yield from _strings(value, path)
    elif isinstance(value, tuple):
        for number, item in enumerate(value):
            yield from _within(item, (*path, number), field)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _within(item, (*path, str(key)), field)
