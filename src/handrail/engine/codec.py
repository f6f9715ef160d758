"""Events to JSON-ready data and back. Unknown fields of a later version are ignored, missing ones take their default."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
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

_NAMES: Final[Mapping[type[events.Event], str]] = {kind: name for name, kind in EVENTS.items()}


def encode_event(event: events.Event) -> tuple[str, dict[str, Json]]:
    """Return an event's name in the journal and its body."""
    return _NAMES[type(event)], encode(event)


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
    kind: Any = type(value)
    defaults = _defaults(kind)
    if defaults is not None:
        return {name: encode(v) for name, default in defaults if (v := getattr(value, name)) != default}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [encode(v) for v in value]
    return value


@cache
def _defaults(kind: Any) -> tuple[tuple[str, object], ...] | None:  # noqa: ANN401  any type
    """Return the fields of a dataclass with what they hold by default; None for what is none."""
    return tuple((f.name, _default(f)) for f in fields(kind)) if is_dataclass(kind) else None


def _default(field: Any) -> object:  # noqa: ANN401  dataclasses.Field of any type
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING


def decode(kind: Any, data: Json) -> Any:  # noqa: ANN401  the type decides
    """Return a value of a type from JSON-ready data."""
    return _reader(kind)(data)


@cache
def _reader(kind: Any) -> Callable[[Json], Any]:  # noqa: ANN401  any type hint
    """Return what makes a value of a type: a hint is looked at once, not for every record of a journal."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        some = _reader(next(a for a in get_args(kind) if a is not type(None)))
        return lambda data: None if data is None else some(data)
    if origin is tuple:
        return _tuple_reader(get_args(kind))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        value = _reader(get_args(kind)[1])
        return lambda data: {k: value(v) for k, v in data.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        return _record_reader(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return float if kind is float else _as_it_is


def _as_it_is(data: Json) -> Json:
    return data


def _tuple_reader(args: tuple[Any, ...]) -> Callable[[Json], Any]:
    each, _ellipsis = _reader(args[0]), args[1]
    return lambda data: tuple(map(each, data))


def _record_reader(kind: type) -> Callable[[Json], Any]:
    """Return what makes a dataclass; its hints are looked at with the first record, since it may hold its own kind."""
    plan: list[tuple[str, Callable[[Json], Any]]] = []

    def read(data: Json) -> Any:  # noqa: ANN401  of that kind
        if not plan:
            hints = get_type_hints(kind)
            plan.extend((f.name, _reader(hints[f.name])) for f in fields(kind))
        return kind(**{name: read(data[name]) for name, read in plan if name in data})

    return read
