"""The position index, held against tomli: every path that tomli finds has a place, and the place is the right one."""

from __future__ import annotations

from typing import Any

import tomli
import tomli_w
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.runbook.texts import FULL, MINI

from handrail.runbook.positions import Path, index

WORDS = st.text(alphabet="ab-_ .\"'\\\n\té#[]{}=,", max_size=6)
ATOMS = st.one_of(st.integers(-9, 9), st.booleans(), WORDS, st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=8
)
DOCUMENTS = st.dictionaries(WORDS, VALUES, max_size=5)


def paths(value: Any, path: Path = ()) -> list[Path]:
    """Return every path of a value out of tomli."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, inner in value.items():
            found += paths(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += paths(inner, (*path, number))
    return found


def at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS, st.booleans(), st.sampled_from([0, 4]))
@example({"": [{",]": {" [{": '[ \n}""'}}]}, True, 4)  # quotes before closing quotes: a possessive group went past them
def test_every_path_of_tomli_has_a_place(data: dict[str, Any], multiline: bool, indent: int) -> None:
    text = tomli_w.dumps(data, multiline_strings=multiline, indent=indent)
    _hold(text)


def _hold(text: str) -> None:
    data = tomli.loads(text)
    positions = index(text)
    assert set(positions.spots) == set(paths(data))
    for path, spot in positions.spots.items():
        value = at(data, path)
        if isinstance(value, dict | list):
            assert text[spot.value] in "[{" or spot.key == spot.value or "." in text[spot.key : spot.value]
        else:
            # What stands at the place, read alone, is the value.
            assert _reads(text[spot.value :], value)


def _reads(text: str, value: Any) -> bool:
    """Tell whether some beginning of a text, read as TOML, is this value."""
    ends = [n for n in range(1, min(len(text), 400) + 1) if n == len(text) or text[n] in " ,]}\n#"]
    for end in ends:
        try:
            if tomli.loads(f"x = {text[:end]}")["x"] == value:
                return True
        except tomli.TOMLDecodeError:
            continue
    return False


def test_the_runbooks_of_the_tests() -> None:
    for text in (MINI, FULL.read_text(encoding="utf-8")):
        _hold(text)


def test_hand_written_toml() -> None:
    _hold(
        """
a.b . "c d" = 1 # not [here]
'lit.eral' = '''two
lines ''quoted'' '''
s = \"\"\"\\
   a \\\"\"\" b "" c\"\"\"\"\"
date = 1979-05-27T07:32:00Z
local = 1979-05-27 07:32:00
list = [ # one
  [1, 2,], {x.y = "]", z = [ ]}, "}", '#',
]
[t . u]
k = {}
[[t.v]]
[[t.v]]
w = {a = 1}
[t.v.deep]
x = +inf
[[t.v.more]]
y = 0x_f
""".replace("0x_f", "0xf")
    )


def test_toml_one_point_one_inline_tables() -> None:
    _hold("a = {\n  b = 1, # why\n  c = [\n 1 ],\n}\n")


def test_lines_and_columns() -> None:
    text = '"é" = 1\n[t]\n  key  =   ["a",\n "b"]\n'
    positions = index(text)
    assert str(positions.where("f", ("é",), key=True)) == "f:1:1"
    assert str(positions.where("f", ("é",))) == "f:1:7"
    assert str(positions.where("f", ("t", "key"), key=True)) == "f:3:3"
    assert str(positions.where("f", ("t", "key", 1))) == "f:4:2"
    assert str(positions.where("f", ("t", "key", 7))) == "f:3:3"
    assert str(positions.where("f", ("t", "other"))) == "f:2:1"
    assert str(positions.where("f", ("nowhere",))) == "f:1:1"


def test_one_text_where_a_list_may_stand() -> None:
    positions = index('[s]\non = "dr"\n')
    assert str(positions.where("f", ("s", "on", 0))) == "f:2:6"
