"""docs/report-format.md says what the JSON holds, key by key; and the JSON says what the engine says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.report import tales

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.results import Check, Owed
from handrail.engine.words import How, Outcome, Remarks, ResultKind, Way
from handrail.report.data import FORMAT, Kind, ReportClock, StateWord
from handrail.report.json_form import to_json, to_text

FACTS = replace(tales.FACTS, risks={"at risk": "dr.late"}, clocks=(ReportClock("puppet-dr", 0.4, 0.6),))
PAGE = Path(__file__).parents[2] / "docs" / "report-format.md"
PLACES = {
    "findings": "finding",
    "deviations": "deviation",
    "risks": "risk",
    "vouched": "reason",
    "clocks": "clock",
    "runbook": "runbook",
    "estate": "estate",
    "scenario": "scenario",
    "foretold": "foretold",
    "rto": "rto",
    "journal": "journal",
    "steps": "step",
    "attempts": "attempt",
    "hosts": "host",
    "checks": "check",
    "rechecks": "check",
    "output": "output",
    "undone": "undone",
    "owed": "owed",
    "settled": "settled",
    "confirmed": "confirmed",
    "reasons": "reason",
    "notes": "note",
    "guards": "guard",
    "epochs": "epoch",
    "lines": "line",
    "timeline": "entry",
}
FREE = {"values", "captured"}


def documented() -> dict[str, list[str]]:
    """Return the keys of each object, as the page says."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        found[part.split("\n")[0].strip()] = re.findall(r"^\| `(\w+)` \|", part, flags=re.MULTILINE)
    return found


def gather(value: Any, name: str, found: dict[str, list[str]]) -> None:
    """Note the keys of every object in some JSON under the name of its kind."""
    if isinstance(value, list):
        for item in value:
            gather(item, name, found)
    elif isinstance(value, dict):
        assert found.setdefault(name, list(value)) == list(value)
        for key, inner in value.items():
            if key not in FREE and isinstance(inner, (dict, list)):
                gather(inner, PLACES.get(key, "text"), found)


def full() -> list[dict[str, Any]]:
    """Return reports that between them hold every kind of object."""
    rig = tales.opened()
    item = Owed("x@p", "sync/mask", "p", "mask it", "gone", 0.0, run="r1")
    rig.take(
        e.GuardTripped(0.1, "back", "it answers"),
        e.NoteMade(0.2, "hm", "tom", owner="ana", due="2026-12-01"),
        e.BecameOwed(0.3, item),
        e.Settled(0.4, "x@p", How.BY_HAND, "scrapped", "tom"),
        e.BecameOwed(0.5, item),
        e.Remarked(0.55, Remarks.PREDICTED, "a list", "sync/a", "ana"),
        e.ScenarioTold(
            0.6, "dark", "It is dark", (Check("there is light", False, "none"),), ("the light goes out",), "Wait.", 60
        ),
    )
    return [to_json(tale()) for tale in (tales.done, tales.undone, tales.emergency)] + [
        to_json(tales.report_of(rig, FACTS))
    ]


def test_every_key_is_documented_in_its_place() -> None:
    found: dict[str, list[str]] = {}
    for made in full():
        gather(made, "report", found)
    assert found.pop("text", None) is None
    assert found == documented()


def test_the_words_are_documented() -> None:
    text = PAGE.read_text(encoding="utf-8")
    kinds = (StateWord, Outcome, Kind, ResultKind, How)
    assert [word for kind in kinds for word in kind if word.value and f"`{word.value}`" not in text] == []
    assert f"`format` is **{FORMAT}**" in text


def test_what_the_design_promises_is_there() -> None:
    made = to_json(tales.undone())
    assert made["format"] == 1
    assert (made["mode"], made["outcome"], made["route"]) == ("LIVE", "undone", "planned")
    assert set(made["rto"]) >= {"target", "actual"}
    steps = {step["id"]: step for step in made["steps"]}
    dns = steps["switch/dns"]
    assert dns["state"] == "undone"
    forward, back = dns["attempts"]
    assert (forward["way"], forward["result"], back["way"], back["result"]) == ("forward", "failed", "back", "passed")
    assert forward["hosts"][0]["exit"] == 2
    assert forward["hosts"][0]["result"] == "failed"
    assert forward["hosts"][0]["output"] == {"file": "out/switch-dns.1.dns.log", "length": 12, "sha256": "cd" * 32}
    assert steps["sync/a"]["state"] == "pending"
    assert made["not_run"] == ["clients/seen"]
    assert made["stays_changed"] == []
    assert made["owed"] == []
    assert [c["typed"] for c in made["confirmed"]] == ["10.9.0.10", "10.0.0.10"]
    assert made["ended"] == "2026-11-23T03:10:08.000Z"
    assert made["lines"][0]["crossed"]
    assert made["lines"][0]["back"] is not None


def test_it_is_json_and_the_same_each_time() -> None:
    report = tales.emergency()
    assert json.loads(to_text(report)) == to_json(report)
    assert to_text(report) == to_text(tales.emergency())
    assert to_text(report).isascii()


def test_a_held_run_has_not_ended_and_is_not_restored() -> None:
    rig = tales.opened().through("sync")
    rig.must(m.Leave(by="ana"))
    made = to_json(tales.report_of(rig))
    assert (made["outcome"], made["ended"], made["rto"]["actual"], made["rto"]["met"]) == ("held", None, None, None)


def test_what_runs_when_a_run_is_closed_is_unknown() -> None:
    rig = tales.opened().through("sync")
    rig.work(until=lambda act: type(act).__name__ == "Perform")
    gate = rig.gate("switch/dns")
    rig.must(m.GateSeen("switch/dns", gate))
    rig.must(m.Confirm("switch/dns", gate.token))
    rig.work(until=lambda act: type(act).__name__ == "Perform")
    assert to_json(tales.report_of(rig))["steps"][2]["state"] == "running"
    rig.must(m.Leave(by="ana"))
    rig.must(m.Close("nobody", by="ana"))
    made = to_json(tales.report_of(rig))
    assert made["steps"][2]["state"] == "unknown"
    attempt = made["steps"][2]["attempts"][0]
    assert (attempt["result"], attempt["ended"], attempt["hosts"][0]["result"]) == ("running", None, "running")


def test_what_the_route_does_without_is_not_needed() -> None:
    rig = tales.opened()
    rig.must(m.Declare("emergency", "dark", by="ana"))
    made = to_json(tales.report_of(rig))
    mask = made["steps"][1]
    assert (mask["state"], mask["needed"]) == ("not-needed", False)
    assert made["reasons"][-1]["reason"] == "dark"
    assert made["timeline"][-1]["kind"] == "emergency"


@pytest.mark.parametrize(("restored", "met"), [(900.0, True), (900.5, False), (None, None)])
def test_the_target_is_met_or_not(restored: float | None, met: bool | None) -> None:
    from dataclasses import replace

    report = tales.report_of(tales.opened(), replace(tales.FACTS, restored=restored))
    assert to_json(report)["rto"]["met"] is met


def test_an_undo_tells_its_way() -> None:
    ways = {a.way for step in tales.undone().steps for a in step.attempts}
    assert ways == {Way.FORWARD.value, Way.BACK.value}


def test_reports_need_nothing_but_the_engine() -> None:
    code = (
        "import sys, handrail.report.build, handrail.report.html, handrail.report.json_form, handrail.report.markdown, "
        "handrail.report.text; print(' '.join(sorted(m for m in sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {m.split(".")[1] for m in loaded if m.startswith("handrail.")} == {"base", "engine", "report"}
    assert not {"pydantic", "asyncssh", "textual", "click", "dns", "tomli"} & set(loaded)
