"""Models with their names replaced: the step as it will be sent. Only strings change; ids, step names and scripts never.

A step's `verify`, `undo`, `probe` and `sync` are left as written by `resolve_step`: each speaks to hosts of its own (a sync
to two), or may use what the step itself captures, so each is resolved with `resolve_part` when its host is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from handrail.base.problems import Problem, Trouble
from handrail.runbook.actions import Sync
from handrail.runbook.model import Step
from handrail.runbook.names import resolve, resolve_argv, resolve_known, resolve_regex
from handrail.runbook.values import Table

LATER: Final = ("verify", "undo", "probe", "sync")
LITERAL: Final = frozenset(
    {
        "id",
        "script",
        "on",
        "only",
        "recheck",
        "since",
        "until",
        "after",
        "instead",
        "need",
        "closes",
        "line",
        "distinct",
    }
)
ARGV: Final = frozenset({"run", "args"})
REGEX: Final = frozenset({"match", "absent", "capture"})
# Texts for people: a name that is not known (yet) is left as written.
SHOWN: Final = frozenset(
    {"title", "why", "good", "wrong", "sample", "stays", "irreversible", "means", "next", "reason", "shows"}
)
Part = TypeVar("Part", bound=Table)


def literal_fields(model: type[Table]) -> frozenset[str]:
    """Return the fields of a table in which no name is ever replaced."""
    return LITERAL | {"from_", "to"} if issubclass(model, Sync) else LITERAL


def resolve_step(step: Step, names: Mapping[str, str]) -> Step:
    """Return the step for one host, its names replaced; raise `Trouble` with every name that is not known."""
    return _resolve(step, names, skip=LATER)


def resolve_part(part: Part, names: Mapping[str, str]) -> Part:
    """Return a verify, undo, probe, sync or guard for one host, its names replaced; raise `Trouble` likewise."""
    return _resolve(part, names)


def _resolve(part: Part, names: Mapping[str, str], skip: tuple[str, ...] = ()) -> Part:
    update: dict[str, Any] = {}
    problems: list[Problem] = []
    literal = literal_fields(type(part))
    for field in type(part).model_fields:
        value = getattr(part, field)
        if value is None or field in literal or field in skip:
            continue
        try:
            resolved = _value(field, value, names)
        except Trouble as error:
            problems += error.problems
            continue
        if resolved is not value:
            update[field] = resolved
    if problems:
        raise Trouble(*dict.fromkeys(problems))
    return part.model_copy(update=update)


def _value(field: str, value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, str):
        if field in SHOWN:
            return resolve_known(value, names)
        return resolve_regex(value, names) if field in REGEX else resolve(value, names)
    if isinstance(value, Table):
        return _resolve(value, names)
    if isinstance(value, tuple) and value:
        return resolve_argv(value, names) if field in ARGV else tuple(_each(field, value, names))
    if isinstance(value, Mapping):
        return dict(zip(value, _each(field, value.values(), names), strict=True))
    return value


def _each(field: str, values: Iterable[object], names: Mapping[str, str]) -> list[object]:
    """Return every value resolved; raise `Trouble` for all of them together."""
    out: list[object] = []
    problems: list[Problem] = []
    for value in values:
        try:
            out.append(_value(field, value, names))
        except Trouble as error:
            problems += error.problems
    if problems:
        raise Trouble(*problems)
    return out
