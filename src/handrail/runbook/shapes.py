"""What the models say about themselves: which keys a table has, and which table stands at a path. Words in, words out."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@cache
def keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a table by the key the author writes."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def models_in(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the tables that a field's type speaks of, however deep in lists and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Annotated, Union, types.UnionType, tuple) or get_args(annotation):
        for inner in get_args(annotation):
            if inner is not Ellipsis:
                yield from models_in(inner)


def tables_along(root: type[BaseModel], path: Sequence[str | int]) -> list[type[BaseModel]]:
    """Return the tables from the root to the innermost one that a path leads into; repeated numbers are passed over."""
    found = [root]
    for part in path:
        if isinstance(part, int):
            continue
        info = keys(found[-1]).get(part)
        inner = next(models_in(info.annotation), None) if info else None
        if inner is None:
            if info is None:
                continue  # a key of the author's own, such as a variable's name
            break
        found.append(inner)
    return found
