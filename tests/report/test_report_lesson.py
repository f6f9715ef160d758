"""What a drill taught, in its report: its level, and what was foretold beside what came; and nothing where nobody practised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.report import tales

from handrail.engine import messages as m
from handrail.engine.words import Remarks
from handrail.report.data import Report
from handrail.report.html import to_html
from handrail.report.json_form import to_json
from handrail.report.junit import to_junit
from handrail.report.markdown import to_markdown
from handrail.report.text import to_plain


def taught() -> Report:
    """Return the report of a drill whose first step was foretold, and judged by who foretold it."""
    rig = tales.opened(level="guided", predict=True)
    rig.must(m.Remark(Remarks.PREDICTED, "a list of folders", "sync/a"))
    rig.must(m.Remark(Remarks.PREDICTED_UNDO, "nothing does", "sync/a"))
    rig.through("sync")
    rig.must(m.Remark(Remarks.JUDGED, "not so", "sync/a"))
    rig.must(m.Remark(Remarks.SLIP, "go: 2.1 waits", "switch/dns"))
    return tales.report_of(rig, replace(tales.FACTS, came={"sync/a": ("/etc/one", "/etc/two")}))


@pytest.mark.parametrize("form", [to_plain, to_html, to_markdown])
def test_level_and_what_was_foretold_stand_in_every_form(form: Callable[[Report], str]) -> None:
    text = form(taught())
    for words in ("guided, each step foretold", "a list of folders", "/etc/one / /etc/two", "nothing does", "not so"):
        assert words in text
    assert "2.1 waits" not in text, "what slipped is shown to nobody else"


def test_the_forms_for_programs_have_it_too() -> None:
    told = to_json(taught())
    assert (told["level"], told["predict"]) == ("guided", True)
    assert told["foretold"] == [
        {
            "step": "sync/a",
            "prints": "a list of folders",
            "came": ["/etc/one", "/etc/two"],
            "undone": "nothing does",
            "undo": told["steps"][0]["attempts"][0]["undo"],
            "judged": "not so",
        }
    ]
    assert 'name="level" value="guided"' in to_junit(taught())


def test_a_run_in_which_nobody_practised_says_nothing_of_it() -> None:
    made = tales.done()
    assert "Level" not in to_plain(made)
    assert "foretold" not in to_plain(made)
    assert to_json(made)["level"] == ""
