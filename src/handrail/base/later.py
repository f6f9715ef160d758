"""`dataclass`, made when it is first used: the standard library's own, on the same class, only later.

It writes and compiles six functions for each class, half a millisecond; a program that defines hundreds of events, messages and
results, and uses some of them, starts a tenth of a second sooner. For frozen classes without slots; type checkers see the usual one.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
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
_OF_ANY: Final = ("__dict__", "__weakref__")
_NOT_OF_THE_TWIN: Final = (*_OF_ANY, "__init__", _FIELDS, "__signature__")
_ONE_AT_A_TIME: Final = threading.RLock()


class _Asked:
    """Stands for what the standard library puts into the class; who asks for it has the class made first."""

    def __init__(self, made: type, name: str) -> None:
        self._made, self._name = made, name

    def __get__(self, one: object, kind: type | None = None) -> Any:  # noqa: ANN401  whatever it is in the end
        make(self._made)
        return getattr(self._made, self._name, None)


def _put_off(kind: Any) -> Any:  # noqa: ANN401  a class; what it is a class of is for the type checkers' own one
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, N807
        make(kind)
        kind.__init__(self, *args, **kwargs)

    assert "__init__" not in vars(kind)
    kind.__init__ = __init__
    for name in (_FIELDS, "__signature__"):
        setattr(kind, name, _Asked(kind, name))
    return kind


def make(kind: Any) -> None:  # noqa: ANN401  a class
    """Make a class that was put off; one that is made stays as it is. In any thread: it is whole at every moment.

    What the standard library makes of a twin is taken over, `__init__` last.
    """
    with _ONE_AT_A_TIME:
        if not isinstance(kind.__dict__.get(_FIELDS), _Asked):
            return
        own = {name: value for name, value in vars(kind).items() if name not in _NOT_OF_THE_TWIN}
        twin: Any = dataclasses.dataclass(frozen=True)(type(kind.__name__, (_below(kind),), own))
        for name in own.keys() - vars(twin).keys():
            delattr(kind, name)  # the default of a field that makes its own
        fresh = {
            name: value for name, value in vars(twin).items() if name not in _OF_ANY and own.get(name) is not value
        }
        init = fresh.pop("__init__")
        for name, value in fresh.items():
            setattr(kind, name, value)
        kind.__init__ = init
        del kind.__signature__


def _below(kind: Any) -> type:  # noqa: ANN401  a class
    """Return what stands for the class below in a twin: its fields, and nothing that would know the twin afterwards."""
    below: Any = next((one for one in kind.__mro__[1:] if hasattr(one, _FIELDS)), None)
    own = {} if below is None else {_FIELDS: getattr(below, _FIELDS), _PARAMS: getattr(below, _PARAMS)}
    if hasattr(kind, "__post_init__"):
        own["__post_init__"] = kind.__post_init__
    return type(kind.__name__, (), own)
