"""Events to JSON-ready data and back. Unknown fields of a later version are ignored, missing ones take their default."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from handrail.engine import events

Json = Any


def _event_name(kind: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


EVENTS: Final[Mapping[str, type[events.Event]]] = {
    _event_name(kind): kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, events.Event) and kind is not events.Event
}


def encode_event(event: events.Event) -> tuple[str, dict[str, Json]]:
    """Return an event's name in the journal and its body."""
    return _event_name(type(event)), encode(event)


def decode_event(name: str, body: Mapping[str, Json]) -> events.Event | None:
    """Return the event of a journal record; None for a name this version does not know."""
    kind = EVENTS.get(name)
    if kind is None:
        return None
    made = decode(kind, body)
    if not isinstance(made, events.Event):  # pragma: no cover  decode returns what it is asked for
        raise TypeError(name)
    return made


def encode(value: object) -> Json:
    """Return JSON-ready data; fields that hold their default are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(v) for f in fields(value) if (v := getattr(value, f.name)) != _default(f)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted(encode(v) for v in value)
    return value


def _default(field: Any) -> object:  # noqa: ANN401  dataclasses.Field of any type
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def decode(kind: Any, data: Json) -> Any:  # noqa: ANN401  the type decides
    """Return a value of a type from JSON-ready data."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        inner = next(a for a in get_args(kind) if a is not type(None))
        return None if data is None else decode(inner, data)
    if origin is tuple:
        args = get_args(kind)
        kinds = [args[0]] * len(data) if args[-1] is Ellipsis else args
        return tuple(decode(k, v) for k, v in zip(kinds, data, strict=True))
    if origin is frozenset:
        return frozenset(decode(get_args(kind)[0], v) for v in data)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {k: decode(get_args(kind)[1], v) for k, v in data.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{f.name: decode(hints[f.name], data[f.name]) for f in fields(kind) if f.name in data})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return float(data) if kind is float else data
