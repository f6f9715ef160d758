"""Validating as much as can be: what is refused is told, taken out, and the rest validated again, so that the rules can
look at everything else in the same breath. What comes out is for finding problems only, never for running.
"""

from __future__ import annotations

import copy
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem
from handrail.runbook.document import Document, Toml
from handrail.runbook.faults import MOST, path_of, problems_of
from handrail.runbook.positions import Path

ROUNDS: Final = 8
_STAND_INS: Final[dict[str, Any]] = {
    "format": 1,
    "roles": {},
    "runbook": {},
    "estate": {},
    "stage": [],
    "done": {"exit": 0},
    "not_done": {"exit": 1},
    "trip": {"exit": 0},
    "on": "here-is-none",
    "need": 1,
    "target": "1h",
    "dirs": ["/"],
    "since": "x/x",
    "match": "(?P<x>.)",
    "distinct": "x",
}
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Salvaged(Generic[Model]):
    """The model of what could be read, what was refused, the tables that lost something, the values put in."""

    model: Model | None
    problems: tuple[Problem, ...]
    damaged: frozenset[Path]
    made_up: frozenset[Path]


def nothing() -> Salvaged[Any]:
    """Return what is left of a text that cannot be read at all."""
    return Salvaged(None, (), frozenset(), frozenset())


def validate(document: Document, model: type[Model]) -> Salvaged[Model]:
    """Return the model of a document, whole where nothing was refused."""
    data: Toml = document.data
    told: list[tuple[Path, Problem]] = []
    damaged: set[Path] = set()
    made_up: set[Path] = set()
    for _ in range(ROUNDS):
        try:
            return _salvaged(model.model_validate(data), told, damaged, made_up)
        except ValidationError as error:
            if error.error_count() > MOST:
                told += problems_of(error, document, model)
                break
            fresh = problems_of(error, document, model)
            told += [(path, problem) for path, problem in fresh if path[:-1] not in damaged]
            if data is document.data:
                data = copy.deepcopy(data)
            damaged |= {path[:-1] for path, _ in fresh}
            made_up |= _repair(data, error)
    return _salvaged(None, told, damaged, made_up)


def _salvaged(
    model: Model | None, told: list[tuple[Path, Problem]], damaged: set[Path], made_up: set[Path]
) -> Salvaged[Model]:
    return Salvaged(model, tuple(problem for _, problem in told), frozenset(damaged), frozenset(made_up))


def _repair(data: Toml, error: ValidationError) -> set[Path]:
    """Take out what was refused, put something harmless where something is missing; return the paths of the latter."""
    details = error.errors(include_url=False, include_input=False)
    missing = [path_of(detail) for detail in details if detail["type"] == "missing"]
    refused = {path_of(detail) for detail in details if detail["type"] != "missing"}
    for path in sorted(refused, key=lambda path: [(str(type(part)), part) for part in path], reverse=True):
        _remove(data, path)
    for number, path in enumerate(missing):
        table = _table(data, path[:-1])
        if isinstance(table, dict):
            key = str(path[-1])
            table.setdefault(key, copy.deepcopy(_STAND_INS.get(key, f"salvaged-{number}" if key == "id" else "x")))
    return set(missing)


def _table(data: Toml, path: Path) -> Toml:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _remove(data: Toml, path: Path) -> None:
    """Take out the value at a path, or the nearest value around it; entries of lists of tables stay where they are."""
    while path:
        holder = _table(data, path[:-1])
        if isinstance(holder, dict) and path[-1] in holder:
            del holder[str(path[-1])]
            return
        if isinstance(holder, list) and isinstance(path[-1], int) and path[-1] < len(holder):
            if isinstance(holder[path[-1]], dict):
                return
            del holder[path[-1]]
            return
        path = path[:-1]
