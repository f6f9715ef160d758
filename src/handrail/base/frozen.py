"""`dataclass(frozen=True)` at a tenth of its price: the standard library's fields, and nothing that has to be compiled at the start.

The standard one writes and compiles six functions for each class, half a millisecond; a program that defines hundreds of events,
messages and results pays for it at every start. Here only `__init__` is written, when a class is first called; the others close over
the names of its fields. Type checkers see the usual one. For classes without slots; what may change takes the standard one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: bool) -> Callable[[type], type]:
        """Return what makes a class a frozen data class, with the fields that stand in it."""
        assert frozen
        return _frozen


_WRITTEN: Final = ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__")


def _frozen(kind: Any) -> Any:  # noqa: ANN401  a class; what it is a class of is for the type checkers' own one
    own = frozenset(vars(kind))
    dataclasses.dataclass(init=False, repr=False, eq=False)(kind)
    fields = dataclasses.fields(kind)
    values = _values([field.name for field in fields if field.compare])
    shown = [field.name for field in fields if field.repr]

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, N807
        kind.__init__ = _init(kind)
        kind.__init__(self, *args, **kwargs)

    def __repr__(self: Any) -> str:  # noqa: ANN401, N807
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def __eq__(self: Any, other: object) -> Any:  # noqa: ANN401, N807
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:  # noqa: ANN401, N807
        return hash(values(self))

    for name, made in zip(
        _WRITTEN, (__init__, __repr__, __eq__, __hash__, _refuse_to_put, _refuse_to_drop), strict=True
    ):
        if name not in own:
            setattr(kind, name, made)
    return kind


def _values(names: list[str]) -> Callable[[Any], Any]:
    """Return what takes these fields of one, to be compared."""
    return attrgetter(*names) if names else lambda _one: ()


def _refuse_to_put(_self: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_drop(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _init(kind: Any) -> Callable[..., None]:  # noqa: ANN401  a class
    """Write the `__init__` of a class: its fields in order, those that are `kw_only` last, then its own checks."""
    known: dict[str, Any] = {"_put": object.__setattr__, "_missing": MISSING}
    places, named, lines = ["self"], ["*"], []
    for field in dataclasses.fields(kind):
        name, value, given = field.name, field.name, field.name
        if field.default is not MISSING:
            known[f"_{name}"], given = field.default, f"{name}=_{name}"
        elif field.default_factory is not MISSING:
            known[f"_{name}"], given = field.default_factory, f"{name}=_missing"
            value = f"_{name}() if {name} is _missing else {name}"
        (named if field.kw_only else places).append(given)
        lines.append(f" _put(self, {name!r}, {value})")
    if hasattr(kind, "__post_init__"):
        lines.append(" self.__post_init__()")
    words = ", ".join(places + (named if len(named) > 1 else []))
    exec("\n".join((f"def __init__({words}):", *lines, " return None")), known)  # noqa: S102  names of fields, as the standard one does
    made: Callable[..., None] = known["__init__"]
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    return made
