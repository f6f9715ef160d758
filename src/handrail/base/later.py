"""`dataclass`, made when it is first used: the standard library's own, on the same class, only later.

It writes and compiles six functions for each class, half a millisecond; a program that defines hundreds of events, messages and
results, and uses some of them, starts a tenth of a second sooner. For frozen classes without slots; type checkers see the usual one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, frozen: bool) -> Callable[[type], type]:
        """Return what lets a class be made a frozen data class once it is called, or looked at as one."""
        assert frozen
        return _put_off


_FIELDS: Final = "__dataclass_fields__"
_PARAMS: Final = "__dataclass_params__"
_SIGNATURE: Final = "__signature__"
_OF_ANY: Final = ("__dict__", "__weakref__")


class _Asked:
    """Stands for what the standard library puts into the class; who asks for it has the class made first."""

    def __init__(self, kind: type, name: str, make: Callable[[], None]) -> None:
        self._kind, self._name, self._make = kind, name, make

    def __get__(self, one: object, kind: type | None = None) -> Any:  # noqa: ANN401  whatever it is in the end
        self._make()
        return getattr(self._kind, self._name, None)


def _put_off(kind: Any) -> Any:  # noqa: ANN401  a class; what it is a class of is for the type checkers' own one
    own = {name: value for name, value in vars(kind).items() if name not in _OF_ANY}
    assert "__init__" not in own

    def make() -> None:
        if vars(kind)["__init__"] is __init__:
            _make(kind, own)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, N807
        make()
        kind.__init__(self, *args, **kwargs)

    kind.__init__ = __init__
    for name in (_FIELDS, _SIGNATURE):
        setattr(kind, name, _Asked(kind, name, make))
    return kind


def _make(kind: Any, own: Mapping[str, Any]) -> None:  # noqa: ANN401  a class
    """Make a class of what stood in it: what the standard library makes of a twin is taken over, `__init__` last.

    Two threads may do so at once: both make the same, and neither meets half of a class.
    """
    twin: Any = dataclasses.dataclass(frozen=True)(type(kind.__name__, (_below(kind),), dict(own)))
    made = dict(vars(twin))
    init = made.pop("__init__")
    for name, value in made.items():
        if name not in _OF_ANY and own.get(name) is not value:
            setattr(kind, name, value)
    with suppress(AttributeError):
        for name in (*(own.keys() - made.keys()), _SIGNATURE):  # a field that makes its own default leaves none
            delattr(kind, name)
    kind.__init__ = init


def _below(kind: Any) -> type:  # noqa: ANN401  a class
    """Return what stands for the class below in a twin: its fields, and nothing that would know the twin afterwards."""
    below: Any = next((one for one in kind.__mro__[1:] if hasattr(one, _FIELDS)), None)
    own = {} if below is None else {_FIELDS: getattr(below, _FIELDS), _PARAMS: getattr(below, _PARAMS)}
    if hasattr(kind, "__post_init__"):
        own["__post_init__"] = kind.__post_init__
    return type(kind.__name__, (), own)
