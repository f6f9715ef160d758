"""Names in texts: replaced once, literally, and never as an option, a second line or a piece of a regex."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.base.problems import Trouble
from handrail.runbook.names import Ref, references, resolve, resolve_argv, resolve_known, resolve_regex

ONE_LINE = st.text(st.characters(blacklist_characters="\0\n\r", blacklist_categories=["Cs"]))


def test_references_and_where_they_stand() -> None:
    assert references("a {{ x }} b {{dr.ca_dir}}") == [Ref("x", 2, 9), Ref("dr.ca_dir", 12, 25)]
    ref = references("{{ dr.address }}")[0]
    assert (ref.role, ref.fact, ref.legal) == ("dr", "address", True)
    assert [ref.legal for ref in references("{{ X }} {{ a.b.c }} {{ }} {{ a b }} {{.Name}} {{ a|b }} {{ open")] == [
        False
    ] * 7
    assert references("} } {x} }}") == []


@given(ONE_LINE)
def test_a_value_is_put_in_as_it_is_and_never_looked_at_again(value: str) -> None:
    assert resolve("<{{ x }}{{ x }}>", {"x": value}) == f"<{value}{value}>"


@given(ONE_LINE)
def test_in_a_regex_a_value_means_itself(value: str) -> None:
    assert re.fullmatch(resolve_regex("a{{ x }}b?", {"x": value}), f"a{value}b")


@given(ONE_LINE)
def test_no_argument_begins_as_an_option_by_its_value(value: str) -> None:
    template = ["ls", "-{{ x }}", "{{ x }}", "{{ x }}-rf"]
    if value.startswith("-") or not value:
        with pytest.raises(Trouble, match="leading-hyphen"):
            resolve_argv(template, {"x": value})
    else:
        assert resolve_argv(template, {"x": value}) == ("ls", f"-{value}", value, f"{value}-rf")


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "a\r"])
def test_values_are_one_line(value: str) -> None:
    for resolver in (resolve, resolve_regex):
        with pytest.raises(Trouble, match="value-line"):
            resolver("{{ x }}", {"x": value})


def test_all_that_is_unknown_is_told_at_once() -> None:
    with pytest.raises(Trouble) as raised:
        resolve_argv(["{{ fqn }}", "{{ dr.x }} {{ 1 }}"], {"fqdn": "a.b", "dr.y": "1"})
    assert [problem.code for problem in raised.value.problems] == ["unknown-name", "unknown-name", "not-a-name"]
    assert raised.value.problems[0].hint == "did you mean `fqdn`?"


def test_for_showing_the_unknown_stays_as_written() -> None:
    assert resolve_known("{{ a }} {{ b }} {{ no name }}", {"a": "1"}) == "1 {{ b }} {{ no name }}"
