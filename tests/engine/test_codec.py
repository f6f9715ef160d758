"""The journal's words: every event there is goes out and comes back the same, whatever it holds."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_type_hints

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from handrail.engine import events as e
from handrail.engine.codec import EVENTS, decode_event, encode_event
from handrail.engine.results import Check, Gate, Output, Owed, Question, Recheck, Result
from handrail.engine.words import Pace

TIMES = st.floats(0, 1e9, allow_nan=False)
st.register_type_strategy(float, TIMES)
KINDS = sorted(EVENTS)


def _any(kind: Any) -> st.SearchStrategy[Any]:
    """Return any of a data class: whatever its fields may hold."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: st.from_type(hints[field.name]) for field in dataclasses.fields(kind)})


for held in (Check, Gate, Output, Owed, Question, Recheck, Result):
    st.register_type_strategy(held, _any)


@pytest.mark.parametrize("name", KINDS)
def test_every_event_comes_back_the_same(name: str) -> None:
    kind = EVENTS[name]

    @given(_any(kind))
    @settings(max_examples=25, deadline=None)
    def round_trip(event: e.Event) -> None:
        told, body = encode_event(event)
        assert told == name
        read = json.loads(json.dumps(body))
        back = decode_event(told, read)
        assert back == event
        assert encode_event(event) == encode_event(decode_event(told, read) or event)

    round_trip()


def test_every_event_of_the_module_has_its_word() -> None:
    kinds = {k for k in vars(e).values() if isinstance(k, type) and issubclass(k, e.Event) and k is not e.Event}
    assert set(EVENTS.values()) == kinds
    assert len(EVENTS) == len(kinds)
    assert {"run_opened", "attempt_started", "walk_ended"} <= set(EVENTS)


def test_a_later_version_may_add_fields_and_events() -> None:
    assert decode_event("something_new", {"at": 1.0}) is None
    assert decode_event("pace_set", {"at": 1, "pace": "by step", "new": [1]}) == e.PaceSet(1.0, Pace.STEP)
    assert decode_event("paused", {"at": 2.0}) == e.Paused(2.0)


def test_what_is_left_at_its_default_is_not_written() -> None:
    assert encode_event(e.Paused(1.0)) == ("paused", {"at": 1.0})
    gate = Gate("10.9.0.10", rechecks=(Recheck("a/b", "b", None, "", 1.0),))
    assert encode_event(e.GateOpened(1.0, "s/t", gate))[1]["gate"] == {
        "token": "10.9.0.10",
        "rechecks": [{"step": "a/b", "title": "b", "holds": None, "seen": "", "at": 1.0}],
    }


def test_the_parts_of_events_come_back_as_they_are() -> None:
    from handrail.engine.words import ResultKind

    result = Result(
        "d",
        ResultKind.EXITED,
        sent=True,
        exit=0,
        expected=(0, 2),
        checks=(Check("x", None), Check("y", False, "z")),
        captures={"a": "b"},
        output=Output("f.log", 3, "ab"),
    )
    owed = Owed("i", "s", "h", "w", "y", 1.5, "ask", "r0")
    for event in (
        e.HostEnded(1.0, "s/t", 1, result),
        e.ClaimTaken(1.0, ("d",), inherited=(owed,)),
        e.Asked(1.0, "s/t", Question("?", "3", ("a", "b"))),
        e.Reverified(1.0, "s/t", None),
    ):
        name, body = encode_event(event)
        assert decode_event(name, json.loads(json.dumps(body))) == event
