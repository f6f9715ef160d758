"""What holds for every decision, whatever the story: its events are of their types, and carry who decided, or why it was refused."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.offers import Offer, offers
from handrail.engine.state import State


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind) if is_dataclass(kind) else {}


def of_type(value: object, kind: Any) -> bool:
    """Tell whether a value is what a hint promises, down to the last field."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(of_type(value, one) for one in args)
    if origin is tuple and args[-1] is Ellipsis:
        return isinstance(value, tuple) and all(of_type(one, args[0]) for one in value)
    if origin is tuple:
        return isinstance(value, tuple) and all(map(of_type, value, args)) and len(value) == len(args)
    if origin is frozenset:
        return isinstance(value, frozenset) and all(of_type(one, args[0]) for one in value)
    if origin is not None:
        assert issubclass(origin, Mapping), kind
        return isinstance(value, Mapping) and all(of_type(k, args[0]) and of_type(v, args[1]) for k, v in value.items())
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if not isinstance(value, kind):
        return False
    return all(of_type(getattr(value, name), hint) for name, hint in _hints(value.__class__).items())


def assert_well_formed(message: m.Message, said: Sequence[e.Event] | m.Refused) -> None:
    """Hold what is true of every decision."""
    if isinstance(said, m.Refused):
        assert of_type(said, m.Refused), said
        assert said.reason, message
        return
    for event in said:
        assert of_type(event, type(event)), event
        assert event.at == message.at, event
        mended = isinstance(message, m.Resume) and not isinstance(event, e.Resumed)  # cut off by a crash: nobody's word
        if isinstance(message, m.Intent) and not mended:
            assert getattr(event, "by", message.by) == message.by, event


def assert_offered(state: State) -> None:
    """Hold what is true of every offer: it is whole, and at most one is proposed."""
    made = offers(state)
    for offer in made:
        assert of_type(offer, Offer), offer
        assert offer.verb, offer
        assert offer.label, offer
    assert len([o for o in made if o.proposed]) <= 1, made
