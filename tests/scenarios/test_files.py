"""Scenario files: every one that ships is sound, and every fault is told with its place; what a scenario waits for in a journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.runbooks.bed import RUNBOOKS

from handrail.base.problems import Trouble
from handrail.cli.scenarios import chosen
from handrail.runbook.lint import lint_file
from handrail.runbook.scenario import find_scenario, known_scenarios, read_scenario
from handrail.runbook.scenario_model import When
from handrail.session.desk import Desk
from handrail.session.view import Mode
from handrail.store.home import Home
from handrail_sim.scenario_story import Journal, comes, story

SOUND = """
format = 1
[scenario]
id = "x"
title = "Something"
runbook = "puppet-failover"
par = "5m"
good = "Wait."
[[check]]
title = "It leads to the DR server"
name_leads_to = "dr"
"""


def codes(folder: Path, text: str) -> list[str]:
    file = folder / "x.toml"
    file.write_text(text)
    return [problem.code for problem in lint_file(file)]


@pytest.mark.parametrize("path", sorted((RUNBOOKS / "scenarios").glob("*.toml")), ids=lambda path: path.stem)
def test_what_ships_is_sound_and_named_after_its_file(path: Path) -> None:
    assert lint_file(path) == ()
    made = read_scenario(path)
    assert made.id == path.stem
    assert any(check.name_leads_to or check.run for check in made.check), "the estate itself is asked"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ('[[act]]\ntitle = "a"\nwhen = { starts = "copy/sink" }\ndo = "power dr off"', "scenario-step"),
        (
            '[[act]]\ntitle = "a"\nwhen = { starts = "copy/sync", passed = "copy/sync" }\ndo = "power dr off"',
            "scenario-when",
        ),
        ('[[act]]\ntitle = "a"\nwhen = { }\ndo = "power dr off"', "scenario-when"),
        ('[[act]]\ntitle = "a"\nwhen = { before = true }\ndo = "format dr"', "scenario-verb"),
        ('[[check]]\ntitle = "a"\nrun = "true"', "scenario-check"),
        ('[[check]]\ntitle = "a"\nname_leads_to = "dr"\npassed = ["copy/sync"]', "scenario-check"),
        ('[[act]]\ntitle = "a"\nwen = { before = true }\ndo = "power dr off"', "unknown-key"),
    ],
)
def test_a_fault_is_told_by_its_code(tmp_path: Path, more: str, code: str) -> None:
    assert codes(tmp_path, SOUND) == []
    assert code in codes(tmp_path, f"{SOUND}\n{more}\n")


def test_routes_and_runbooks_that_are_not_there_are_told(tmp_path: Path) -> None:
    assert codes(tmp_path, SOUND.replace("puppet-failover", "puppet-failoverr")) == ["unknown-runbook"]
    assert codes(tmp_path, SOUND.replace('par = "5m"', 'par = "5m"\nroute = "panned"')) == ["scenario-route"]


def test_a_scenario_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    assert len(known_scenarios(tmp_path)) >= 15
    assert find_scenario("dr-other-ca", tmp_path).name == "dr-other-ca.toml"
    with pytest.raises(Trouble, match="dr-other-cb") as told:
        find_scenario("dr-other-cb", tmp_path)
    assert "dr-other-ca" in str(told.value)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "mine.toml").write_text(SOUND)
    assert find_scenario("mine", tmp_path) == tmp_path / "scenarios" / "mine.toml"


RECORDS = [
    {"event": "run_opened", "body": {"at": 0.0}},
    {"event": "attempt_started", "body": {"at": 1.0, "step": "a/b", "way": "forward"}},
    {"event": "attempt_ended", "body": {"at": 2.0, "step": "a/b", "way": "forward", "verdict": "passed"}},
    {"event": "attempt_started", "body": {"at": 3.0, "step": "a/b", "way": "back"}},
    {"event": "step_undone", "body": {"at": 4.0, "step": "a/b"}},
    {"event": "attempt_ended", "body": {"at": 5.0, "step": "a/c", "way": "forward", "verdict": "failed"}},
    {"event": "note_made", "body": {"at": 6.0, "text": "who MOVED the name?", "by": "x"}},
    {"event": "attempt_ended", "body": {"at": 7.0, "step": "a/b", "way": "check", "verdict": "failed"}},
]


@pytest.mark.parametrize(
    ("when", "at"),
    [
        ({"after": "3s"}, [0]),
        ({"starts": "a/b"}, [1]),
        ({"passed": "a/b"}, [2]),
        ({"undone": "a/b"}, [4]),
        ({"failed": "a/c"}, [5]),
        ({"failed": "a/b"}, []),
        ({"noted": "moved"}, [6]),
        ({"before": True}, []),
    ],
)
def test_an_act_comes_at_its_event_and_at_no_other(when: dict[str, object], at: list[int]) -> None:
    waits = When.model_validate(when)
    assert [n for n, record in enumerate(RECORDS) if comes(waits, record)] == at


def test_a_story_forgets_what_was_undone() -> None:
    half, whole = story(RECORDS[:3]), story(RECORDS)
    assert (set(half.passed), set(half.stands)) == ({"a/b"}, {"a/b"})
    assert (whole.passed, whole.stands, whole.seconds) == (frozenset(), frozenset(), 7.0)


def test_a_journal_is_read_line_by_line_as_it_grows(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    assert list(journal.fresh()) == []
    lines = [json.dumps(record) + "\n" for record in RECORDS]
    (tmp_path / "journal.jsonl").write_text(lines[0] + lines[1][:10])
    assert list(journal.fresh()) == RECORDS[:1]
    (tmp_path / "journal.jsonl").write_text("".join(lines[:3]))
    assert list(journal.fresh()) == RECORDS[1:3]
    assert list(journal.fresh()) == []


async def test_what_needs_namespaces_is_not_begun_in_folders(tmp_path: Path) -> None:
    wanted = find_scenario("dr-disk-full", tmp_path)
    desk = Desk(Home(tmp_path / "home").make(), simulator_options=("--mode", "folders"), scenario=wanted)
    with pytest.raises(Trouble, match="needs namespaces; refused here: asked for") as told:
        await desk.brief(desk.card(RUNBOOKS / "puppet-failover.toml"), Mode.DRILL, lambda _line: None)
    assert told.value.problems[0].code == "scenario-needs"
    assert list(desk.store.estates.iterdir()) == []


def test_at_random_the_same_number_is_the_same_scenario_and_one_that_can_be_played_here() -> None:
    names = {chosen("", seed, "puppet-failover", folders=True).path.stem for seed in range(40)}
    assert "dr-disk-full" not in names
    assert len(names) >= 10
    assert chosen("", 7, "") == chosen("", 7, "")


def test_a_message_comes_at_its_moment_and_its_steps_are_held_against_the_runbook(tmp_path: Path) -> None:
    card = '[[card]]\nsay = "The CTO asks for an ETA"\n'
    assert codes(tmp_path, SOUND + card + 'at = "4m"') == []
    assert codes(tmp_path, SOUND + card + 'when = { passed = "switch/dns", after = "2s" }') == []
    assert codes(tmp_path, SOUND + card + 'when = { passed = "switch/dsn" }') == ["scenario-step"]
    assert codes(tmp_path, SOUND + card) == ["scenario-card"]
    assert codes(tmp_path, SOUND + card + 'at = "4m"\nwhen = { before = true }') == ["scenario-card"]
