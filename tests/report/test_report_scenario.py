"""A drill's scenario in its report: announced, or told at the end, with what was not as it should be."""

from __future__ import annotations

import pytest
from tests.report import tales

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.results import Check
from handrail.report.html import to_html
from handrail.report.json_form import to_json
from handrail.report.markdown import to_markdown
from handrail.report.text import to_plain

TOLD = e.ScenarioTold(
    0.0,
    "dark",
    "It is dark",
    (Check("there is light", False, "none"),),
    ("the light goes out",),
    "Look for a candle.",
    60.0,
)


def test_what_is_not_announced_is_not_told_before_the_end() -> None:
    made = tales.report_of(tales.opened(scenario="unannounced"))
    assert made.scenario is None
    assert to_json(made)["scenario"]["name"] == "unannounced"
    assert to_json(made)["scenario"]["holds"] is None
    assert "unannounced" in to_plain(made)


@pytest.mark.parametrize("form", [to_plain, to_markdown, to_html])
def test_at_the_end_it_stands_there_whole(form: object) -> None:
    rig = tales.opened(scenario="unannounced")
    rig.must(m.ScenarioNews(TOLD))
    made = tales.report_of(rig)
    text = form(made)  # type: ignore[operator]
    for words in ("It is dark", "the light goes out", "NOT SO", "there is light", "Look for a candle"):
        assert words in text
    assert to_json(made)["scenario"]["announced"] is False
    assert any("the end is not as it should be" in entry.text for entry in made.timeline)


def test_a_drill_without_one_says_nothing_of_it() -> None:
    made = tales.report_of(tales.opened())
    assert to_json(made)["scenario"] is None
    assert "Scenario" not in to_plain(made)
