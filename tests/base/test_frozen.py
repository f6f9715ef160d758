"""A frozen data class of ours does what the one of the standard library does."""

from __future__ import annotations

import copy
import dataclasses
import threading
from dataclasses import field
from typing import Any

import pytest

from handrail.base.frozen import dataclass


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


def test_it_is_written_when_it_is_first_called() -> None:
    said, heard = made(dataclass)
    before = heard.__init__
    one = heard(1.0, "ann")
    assert heard.__init__ is not before
    assert (one.at, one.by, one.words, one.secret) == (1.0, "ann", ("so",), "")
    assert heard.__init__.__qualname__ == f"{heard.__qualname__}.__init__"
    with pytest.raises(TypeError, match="at"):
        said()


def test_it_is_what_the_standard_library_makes() -> None:
    for which in (0, 1):
        late: Any = made(dataclass)[which]
        usual: Any = made(dataclasses.dataclass)[which]
        assert [f.name for f in dataclasses.fields(late)] == [f.name for f in dataclasses.fields(usual)]
        assert late.__match_args__ == usual.__match_args__
        mine, theirs = late(at=2.0), usual(at=2.0)
        assert mine == late(2.0) != late(3.0)
        assert hash(mine) == hash(late(2.0))
        assert mine.again() == late(3.0)
        assert repr(mine) == repr(theirs)
        assert vars(late).keys() == vars(usual).keys()
        with pytest.raises(dataclasses.FrozenInstanceError):
            mine.at = 1.0
        with pytest.raises(dataclasses.FrozenInstanceError):
            del mine.at
        assert dataclasses.is_dataclass(late)


def test_its_own_checks_are_kept_and_so_is_what_it_says_of_itself() -> None:
    _, heard = made(dataclass)
    with pytest.raises(ValueError, match="-1"):
        heard(-1.0)

    @dataclass(frozen=True)
    class Nothing:
        def __repr__(self) -> str:
            return "nothing"

    assert Nothing() == Nothing() != heard(1.0)
    assert hash(Nothing()) == hash(Nothing())
    assert repr(Nothing()) == "nothing"


def test_fields_that_are_named_come_last_and_one_of_a_class_below_is_not_one_of_another() -> None:
    @dataclass(frozen=True)
    class Moment:
        at: float = field(default=0.0, kw_only=True)

    @dataclass(frozen=True)
    class Said(Moment):
        words: str

    @dataclass(frozen=True)
    class Shouted(Said):
        pass

    one = Said("so", at=1.0)
    assert (one.words, one.at) == ("so", 1.0)
    assert one != Shouted("so", at=1.0)
    assert dataclasses.replace(one, words="no") == Said("no", at=1.0)
    assert dataclasses.asdict(one) == {"at": 1.0, "words": "so"}
    with pytest.raises(TypeError):
        Said("so", 1.0)  # type: ignore[call-arg]
    match one:
        case Said(words):
            assert words == "so"


def test_each_has_a_value_of_its_own_for_a_field_that_makes_one() -> None:
    @dataclass(frozen=True)
    class Kept:
        all: dict[str, int] = field(default_factory=dict)

    assert Kept().all == {}
    assert Kept().all is not Kept().all
    one = Kept({"a": 1})
    assert copy.deepcopy(one) == one
    assert copy.deepcopy(one).all is not one.all


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
