"""The page that says which fault is tested by what: every test on it exists, and no row was taken off it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from tests.torture.failpoints import places

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "robustness.md").read_text(encoding="utf-8")
KNOWN: Final = {"J": 12, "L": 9, "S": 18, "T": 9, "D": 12, "R": 12, "B": 9}
TESTS: Final = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


def test_every_row_stands_on_it() -> None:
    rows = re.findall(r"^\| ([A-Z]\d+) \|", PAGE, re.MULTILINE)
    wanted = [f"{kind}{number}" for kind, most in KNOWN.items() for number in range(1, most + 1)]
    invariants = [f"I{number}" for number in range(1, 12)]
    assert sorted(rows) == sorted([*wanted, *invariants])


def test_every_failpoint_stands_on_it_with_both_outcomes() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| `[\w/.]+` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert {name for name, *_ in rows} == set(places()), "make torture, then python -m tests.torture.outcomes LOG"
    assert not [row for row in rows if {*row[1:3]} - {"survived", "has no end"} or row[3] not in ("survived", "-")]


@pytest.mark.parametrize(("file", "name"), TESTS)
def test_each_test_on_it_exists(file: str, name: str) -> None:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^(?:async )?def {name}\(|^{name} = |^class {name}\b", text, re.MULTILINE), f"{file}::{name}"
