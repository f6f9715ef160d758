"""What an auditor asks: deviations with their reasons, what was at risk and what came of it, findings, people, the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.engine.rig import bad
from tests.report import tales

from handrail.base.clock import stamp
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.results import Result
from handrail.engine.words import ResultKind, Verdict, Way
from handrail.report.data import Report
from handrail.report.html import to_html
from handrail.report.markdown import to_markdown
from handrail.report.text import to_plain

RISKY = replace(tales.FACTS, risks={"at risk": "primary.late"}, ages={"good copy": "dr.age"})


def seen(host: str, **captures: str) -> Result:
    return Result(host, ResultKind.EXITED, sent=False, exit=0, captures=captures)


def walked(*, late: str | None, then: str | None = None, lost: bool = False) -> Report:
    """Return a drill in which the primary told what was late, perhaps twice, and was perhaps lost then."""
    rig = tales.opened()
    if late is not None:
        rig.ends("sync/a", Way.FORWARD, seen("d", age="2m"))
        rig.ends("sync/mask", Way.FORWARD, seen("p", late=late))
    rig.stage()
    if then is not None:
        rig.ends("sync/mask", Way.FORWARD, seen("p", late=then))
        rig.take(e.HostEnded(rig.state.at + 1, "sync/mask", 1, seen("p", late=then)))
    if lost:
        rig.must(m.Declare("emergency", "dark", by="ana"))
    return tales.report_of(rig, RISKY)


def came_to(report: Report) -> dict[str, str]:
    return {risk.name: risk.verdict for risk in report.risks}


def test_what_a_later_step_proved_is_fine_and_what_still_stands_is_unknown() -> None:
    assert came_to(walked(late="web07, db03", then="none")) == {"web07": "fine", "db03": "fine"}
    assert came_to(walked(late="web07 db03", then="db03")) == {"web07": "fine", "db03": "unknown"}
    assert came_to(walked(late="web07")) == {"web07": "unknown"}
    assert came_to(walked(late="none")) == {}


def test_with_its_side_lost_it_is_lost_and_what_came_since_is_unknown_from_to() -> None:
    report = walked(late="web07", lost=True)
    assert came_to(report) == {"web07": "lost", "what came since": "unknown"}
    since = report.risks[-1]
    assert since.since is not None
    assert since.until == report.declared
    assert since.since < since.until  # type: ignore[operator]


def test_what_an_earlier_check_named_is_lost_with_its_side_by_name() -> None:
    check = stamp(tales.BEGAN - timedelta(minutes=20))
    rig = tales.opened(remembered={"primary.late": "web07 db03"}, remembered_at=check)
    rig.must(m.Declare("emergency", "dark", by="ana"))
    report = tales.report_of(rig, RISKY)
    assert came_to(report) == {"web07": "lost", "db03": "lost", "what came since": "unknown"}
    assert report.risks[0].since == report.risks[-1].since == tales.BEGAN - timedelta(minutes=20)


def test_never_asked_is_unknown_from_the_last_good_copy_or_the_beginning() -> None:
    report = walked(late=None)
    assert [(r.name, r.verdict, r.why) for r in report.risks] == [("all of it", "unknown", "it was never asked")]
    rig = tales.opened()
    rig.ends("sync/a", Way.FORWARD, seen("d", age="2m"))
    rig.ends("sync/mask", Way.FORWARD, bad("p"))
    rig.stage()
    rig.must(m.Declare("emergency", "dark", by="ana"))
    (risk,) = tales.report_of(rig, RISKY).risks
    assert (risk.name, risk.verdict) == ("what came since", "unknown")
    assert risk.since is not None
    assert tales.BEGAN - timedelta(seconds=121) <= risk.since <= tales.BEGAN - timedelta(seconds=110)


def test_every_deviation_has_its_reason() -> None:
    rig = tales.opened("LIVE", reason="the drill room was closed")
    rig.ends("sync/a", Way.FORWARD, bad("d"))
    rig.stage()
    rig.must(m.Resolve("sync/a", Verdict.PASSED, "asked maria", "she read it out", by="ana"))
    rig.must(m.Leave(by="ana"))
    rig.must(m.Resume("b2", 2, "maria lost her line", "named by HANDRAIL_OPERATOR", by="tom"))
    report = tales.report_of(rig, replace(tales.FACTS, rto=900.0, restored=1200.0, shortened=""))
    told = {deviation.what: deviation.reason for deviation in report.deviations}
    assert (
        told["opened although this runbook's digest was never drilled, or from another run"]
        == "the drill room was closed"
    )
    assert told["1.1 a: failed"] == "d: exit 1, expected 0"
    assert told["1.1 a: passed by a person's word"] == "asked maria; she read it out"
    assert told["taken over by tom"] == "maria lost her line"
    assert told["the target was missed"] == "restored in 20m"
    assert report.epochs[-1].known == "named by HANDRAIL_OPERATOR"
    assert [(v.what, v.reason, v.by) for v in report.vouched] == [("1.1 a", "asked maria; she read it out", "ana")]


@pytest.mark.parametrize(
    ("disrupted", "seconds"),
    [
        ("03:04Z", 368.0),
        ("3:04 utc", 368.0),
        ("2026-11-23T03:04:00Z", 368.0),
        ("2026-11-23 04:04+01:00", 368.0),
        ("23:59", 11468.0),  # the evening before
        ("about three", None),
        ("2026-11-24", None),
        ("", None),
    ],
)
def test_the_outage_is_reckoned_where_the_disruption_is_a_time(disrupted: str, seconds: float | None) -> None:
    rig = tales.opened("LIVE", disrupted=disrupted).through("sync")
    assert tales.report_of(rig, replace(tales.FACTS, restored=8.0)).outage == seconds


def test_a_drill_without_a_hitch_says_so() -> None:
    rig = tales.opened().through("sync")
    report = tales.report_of(rig, replace(tales.FACTS, shortened=""))
    assert report.deviations == ()
    assert "None: everything went as planned." in to_plain(report)


def test_the_plan_stands_beside_what_was_done_and_what_was_not() -> None:
    report = tales.report_of(tales.opened().through("sync"), replace(tales.FACTS, pars={"sync/a": 5.0}))
    text = to_plain(report)
    plan = text[text.index("Plan against actual") :]
    assert [line.split()[2:] for line in plan.splitlines()[2:6]] == [
        ["yes", "5s", "T+00:01", "00:00", "passed"],
        ["yes", "T+00:02", "00:00", "passed"],
        ["yes", "not", "executed", "pending"],
        ["yes", "not", "executed", "pending"],
    ]


@pytest.mark.parametrize("form", [to_plain, to_markdown, to_html])
def test_findings_people_and_the_next_test_stand_in_every_form(form: object) -> None:
    rig = tales.opened(known="by sudo from ana (uid 1000)", revision="c0ffee, changed since").through("sync")
    rig.must(m.Note("the pager was silent", owner="tom", due="2026-12-01", by="ana"))
    rig.must(m.Note("all in all", next_test="2027-02-01", by="ana"))
    text = form(tales.report_of(rig, tales.FACTS))  # type: ignore[operator]
    for words in (
        "the pager was silent",
        "2026-12-01",
        "2027-02-01",
        "by sudo from ana (uid 1000)",
        "c0ffee, changed since",
    ):
        assert words in text, words
    assert "not asked" in text
