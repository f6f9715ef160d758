"""Coach files: those that ship are sound and fit a small screen; every fault has its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.runbook.coach import coach_of, read_coach
from handrail.runbook.lint import lint_file
from handrail.runbook.shipped import known_runbooks, shipped

SHIPPED = sorted((shipped() / "coach").glob("*.toml"))
SOUND = """
format = 1
[coach]
runbook = "puppet-failover"
first = "dr-other-ca"
[[note]]
id = "a"
when = { gate = "switch/dns" }
say = "Read first."
"""


def codes(folder: Path, text: str) -> list[str]:
    file = folder / "x.toml"
    file.write_text(text)
    return [problem.code for problem in lint_file(file)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_ships_is_sound_and_named_after_its_runbook(path: Path) -> None:
    assert lint_file(path) == ()
    made = read_coach(path)
    assert made.head.runbook == path.stem
    assert 5 <= len(made.note) <= 7


def test_the_coach_of_a_runbook_is_found_beside_it_and_is_no_runbook(tmp_path: Path) -> None:
    assert coach_of("puppet-failover", shipped() / "puppet-failover.toml") is not None
    assert coach_of("nobody", shipped() / "puppet-failover.toml") is None
    assert all("coach" not in path.parts for path in known_runbooks(tmp_path).values())


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('gate = "switch/dns"', 'gate = "switch/dmz"', "coach-step"),
        ('gate = "switch/dns"', 'gate = "switch/dns", opened = true', "coach-when"),
        ('when = { gate = "switch/dns" }', "when = { }", "coach-when"),
        ('first = "dr-other-ca"', 'first = "dr-other-cat"', "unknown-scenario"),
        ('runbook = "puppet-failover"', 'runbook = "pupet-failover"', "unknown-runbook"),
        ('say = "Read first."', f'say = "{"word " * 100}"', "coach-long"),
        ('say = "Read first."', 'say = "Read."\n[[note]]\nid = "a"\nwhen = { over = true }\nsay = "x"', "duplicate-id"),
        ("say =", "says =", "unknown-key"),
    ],
)
def test_a_fault_is_told_by_its_code(tmp_path: Path, old: str, new: str, code: str) -> None:
    assert codes(tmp_path, SOUND) == []
    assert code in codes(tmp_path, SOUND.replace(old, new))
