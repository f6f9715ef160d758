"""A data class that is made when it is first used is the very one that the standard library makes."""

from __future__ import annotations

import dataclasses
import inspect
import threading
from dataclasses import field
from typing import Any

import pytest

from handrail.base.later import _Asked, dataclass


def made(how: Any) -> tuple[Any, Any]:
    @how(frozen=True)
    class Said:
        """Something said."""

        at: float

        def again(self: Any) -> Any:
            return dataclasses.replace(self, at=self.at + 1)

    @how(frozen=True)
    class Heard(Said):
        by: str = "nobody"
        words: tuple[str, ...] = field(default_factory=lambda: ("so",))
        secret: str = field(default="", repr=False, compare=False)

        def __post_init__(self) -> None:
            if self.at < 0:
                raise ValueError(self.at)

    return Said, Heard


def test_it_is_made_when_it_is_called_and_not_before() -> None:
    said, heard = made(dataclass)
    assert isinstance(vars(heard)["__dataclass_fields__"], _Asked)
    one = heard(1.0, "ann")
    assert not isinstance(vars(heard)["__dataclass_fields__"], _Asked)
    assert not isinstance(vars(said)["__dataclass_fields__"], _Asked)
    assert (one.at, one.by, one.words, one.secret) == (1.0, "ann", ("so",), "")


def test_it_is_what_the_standard_library_makes() -> None:
    for which in (0, 1):
        late: Any = made(dataclass)[which]
        usual: Any = made(dataclasses.dataclass)[which]
        assert [f.name for f in dataclasses.fields(late)] == [f.name for f in dataclasses.fields(usual)]
        assert inspect.signature(late).parameters.keys() == inspect.signature(usual).parameters.keys()
        mine, theirs = late(at=2.0), usual(at=2.0)
        assert mine == late(2.0) != late(3.0)
        assert hash(mine) == hash(late(2.0)) == hash(theirs)
        assert mine.again() == late(3.0)
        assert repr(mine) == repr(theirs)
        assert vars(late).keys() == vars(usual).keys()
        with pytest.raises(dataclasses.FrozenInstanceError):
            mine.at = 1.0
        assert dataclasses.is_dataclass(late)


def test_an_ordinary_one_may_be_made_of_it_and_its_checks_are_kept() -> None:
    said, heard = made(dataclass)

    @dataclasses.dataclass(frozen=True)
    class Shouted(said):  # type: ignore[misc, valid-type]
        loud: int = 1

    assert [f.name for f in dataclasses.fields(Shouted)] == ["at", "loud"]
    assert Shouted(1.0).loud == 1
    with pytest.raises(ValueError, match="-1"):
        heard(-1.0)
    assert said.__subclasses__() == [heard, Shouted]


def test_many_threads_may_be_the_first() -> None:
    for _ in range(50):
        _, heard = made(dataclass)
        start = threading.Barrier(4)
        found: list[Any] = []

        def use(kind: type[Any], start: threading.Barrier, found: list[Any]) -> None:
            start.wait()
            found.append(kind(1.0))

        threads = [threading.Thread(target=use, args=(heard, start, found)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [heard(1.0)] * 4
