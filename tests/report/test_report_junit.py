"""JUnit: what passed passes, what failed fails, what was not started is no success; and a drill is a drill in every name."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from tests.engine.rig import lost
from tests.report import tales

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.results import Check
from handrail.engine.words import Way
from handrail.report.data import Report
from handrail.report.junit import to_junit


def cases(report: Report) -> dict[str, str]:
    """Return what each case came to: passed, failure, error or skipped."""
    found = {}
    for case in ET.fromstring(to_junit(report)).iter("testcase"):
        bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[str(case.get("name"))] = bad[0] if bad else "passed"
    return found


def test_a_drill_that_went_well_is_green() -> None:
    found = cases(tales.done())
    assert set(found.values()) == {"passed"}
    assert found["the run is done, or undone"] == "passed"
    assert found["restored within 15m"] == "passed"


def test_what_failed_fails_and_what_is_owed_or_not_known_is_an_error() -> None:
    found = cases(tales.emergency())
    assert found["3.1 seen"] == "failure"
    assert found["the run is done, or undone"] == "failure"
    assert found["nothing is owed"] == "error"
    rig = tales.opened()
    rig.ends("sync/a", Way.FORWARD, lost("d"))
    rig.stage()
    found = cases(tales.report_of(rig))
    assert (found["1.1 a"], found["1.2 mask"]) == ("error", "skipped")


def test_a_run_that_stands_in_the_middle_is_not_green_although_nothing_failed() -> None:
    rig = tales.opened().through("sync")
    rig.must(m.Leave(by="ana"))
    report = tales.report_of(rig)
    found = cases(report)
    assert found["3.1 seen"] == "skipped"
    assert found["the run is done, or undone"] == "failure"
    whole = ET.fromstring(to_junit(report))
    counted = {key: int(str(whole.get(key))) for key in ("tests", "failures", "errors", "skipped")}
    assert counted == {"tests": 6, "failures": 1, "errors": 0, "skipped": 3}
    assert sum(int(str(suite.get("tests"))) for suite in whole.iter("testsuite")) == counted["tests"]


def test_too_late_a_damaged_record_and_a_scenario_s_end_fail() -> None:
    late = cases(replace(tales.done(), rto_actual=1000.0))
    assert late["restored within 15m"] == "failure"
    damaged = cases(replace(tales.done(), damage="record 7 was changed"))
    assert damaged["the run is done, or undone"] == "failure"
    rig = tales.opened().through("sync")
    rig.take(e.ScenarioTold(9.0, "dark", "It is dark", (Check("there is light", False, "none"),), (), "Wait.", 60))
    assert cases(tales.report_of(rig))["at the end: there is light"] == "failure"


def test_the_mode_is_the_first_word_of_every_name_and_class() -> None:
    for report in (tales.done(), tales.undone(), tales.emergency()):
        whole = ET.fromstring(to_junit(report))
        names = [str(one.get("name")) for one in (whole, *whole.iter("testsuite"))]
        names += [str(case.get("classname")) for case in whole.iter("testcase")]
        assert all(name.startswith(report.mode) for name in names)
        assert next(p.get("value") for p in whole.iter("property") if p.get("name") == "mode") == report.mode


def test_evidence_and_hostile_text_stand_in_it_as_text() -> None:
    report = tales.undone()
    hostile = replace(report, operator="]]></system-out><failure/>", estate='"&<x>')
    whole = ET.fromstring(to_junit(hostile))
    assert '"&<x>' in str(whole.get("name"))
    said = "\n".join(case.findtext("system-out") or "" for case in whole.iter("testcase"))
    assert "sha256:" + "cd" * 32 in said
    assert "exit 2" in said
