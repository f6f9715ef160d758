"""The timeline as a picture, and the modes: what is drawn is inside, what is folded is said, and a drill is never real."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tests.report import tales

from handrail.engine import messages as m
from handrail.report.chart import LEFT, RIGHT, WIDTH, chart, legend
from handrail.report.data import Report
from handrail.report.html import to_html
from handrail.report.json_form import to_json
from handrail.report.markdown import to_markdown
from handrail.report.scale import scale
from handrail.report.text import to_plain


def test_bars_lines_and_marks() -> None:
    report = tales.undone()
    picture = ElementTree.fromstring(chart(report))
    bars = [r for r in picture.iter("rect") if "gap" not in r.get("class", "")]
    assert len(bars) == sum(len(step.attempts) for step in report.steps)
    assert sum("back" in b.get("class", "") for b in bars) == 2
    for bar in bars:
        assert LEFT <= float(bar.get("x", "")) <= WIDTH - RIGHT
        assert float(bar.get("x", "")) + float(bar.get("width", "")) <= WIDTH - RIGHT + 2.5
    texts = [t.text for t in picture.iter("text")]
    assert "⚑ CLIENTS MOVE" in texts
    assert {"◆", "✖", "↶"} <= set(texts)
    assert "undone" in texts
    assert "a value was typed" in legend(report)
    assert "a note" not in legend(report)


def test_the_emergency_and_the_failure_are_marked() -> None:
    texts = [t.text for t in ElementTree.fromstring(chart(tales.emergency())).iter("text")]
    assert "!" in texts
    assert "FAILED" in texts
    assert "a note" in legend(tales.done())


def test_nothing_started_draws_nothing() -> None:
    report = tales.report_of(tales.opened())
    assert chart(report) == ""
    tales.read_html(to_html(report))


def test_days_in_which_a_run_was_held_are_folded() -> None:
    rig = tales.opened().through("sync")
    rig.must(m.Leave(by="ana"))
    rig.at = 3 * 86400.0
    rig.must(m.Resume("b2", 2, by="tom"))
    rig.work()
    rig.stage()
    text = chart(tales.report_of(rig))
    assert "in which nothing ran, drawn shorter" in text
    bars = [r for r in ElementTree.fromstring(text).iter("rect") if "gap" not in r.get("class", "")]
    assert max(float(b.get("x", "")) for b in bars) - min(float(b.get("x", "")) for b in bars) > 100


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e4)), max_size=12),
    st.lists(st.floats(0, 1e6), max_size=12),
    st.floats(1, 2e6),
)
@settings(max_examples=80, deadline=None)
def test_a_scale_keeps_order_and_stays_inside(
    starts: list[tuple[float, float]], moments: list[float], length: float
) -> None:
    busy = [(min(a, length), min(a + took, length)) for a, took in starts]
    made = scale(length, 600.0, busy, [min(at, length) for at in moments])
    points = sorted([0.0, length, *(at for pair in busy for at in pair)])
    placed = [made.x(at) for at in points]
    assert placed == sorted(placed)
    assert placed[0] == 0.0
    assert placed[-1] == 600.0
    assert all(0 <= at <= length for at in made.ticks())
    assert len(made.ticks()) <= 15


@pytest.mark.parametrize("mode", ["DRILL", "CHECK", "REHEARSAL", "LIVE"])
def test_the_mode_stands_at_the_head_of_every_form(mode: str) -> None:
    report = replace(tales.done(), mode=mode)
    page = to_html(report)
    assert re.search(r"<title>" + mode, page)
    assert re.search(r"<thead><tr><th[^>]*>" + mode, page)
    assert f"<h1>{mode}" in page
    assert f'<body class="{mode.lower()}">' in page
    assert "thead { display: table-header-group; }" in page
    lines = to_markdown(report).splitlines()
    assert lines[0].startswith(f"# {mode}")
    assert lines[2].startswith(f"**{mode}")
    assert lines[-1] == lines[2]
    assert to_plain(report).startswith(mode)
    assert to_json(report)["mode"] == mode


def test_an_unknown_mode_is_never_taken_for_a_real_one() -> None:
    report: Report = replace(tales.done(), mode="")
    for form in (to_html, to_markdown, to_plain):
        assert "MODE UNKNOWN" in form(report)
        assert "Live: real hosts" not in form(report)


def test_the_html_fetches_nothing_and_runs_nothing() -> None:
    page = to_html(tales.emergency())
    found = tales.read_html(page)
    assert "default-src 'none'" in page
    assert not {"script", "link", "img", "iframe", "a"} & found.tags
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert "url(" not in page
    assert "http" not in page.replace("http-equiv", "")
