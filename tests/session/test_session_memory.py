"""What a run remembers of the last good CHECK: never another estate's, never older than the runbook says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handrail.engine import events as e
from handrail.engine.codec import encode_event
from handrail.engine.results import Result
from handrail.engine.words import ResultKind, Way
from handrail.runbook.bind import Binding, bind
from handrail.runbook.estate import read_estate
from handrail.runbook.read import parse_runbook
from handrail.session.memory import remembered
from handrail.store.home import Home
from handrail.store.journal import Journal
from handrail.store.run_folder import RunFolder

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BOOK = b"""
format = 1
[runbook]
id = "book"
title = "Book"
roles = { primary = "one" }
[[stage]]
id = "checks"
title = "Checks"
reads = true
[[stage.step]]
id = "late"
title = "Late"
on = "primary"
run = ["true"]
capture = { late = '^late: (.*)$' }
remember = "24h"
[[stage.step]]
id = "other"
title = "Other"
on = "primary"
run = ["true"]
capture = { other = '^other: (.*)$' }
"""
ESTATE = """
format = 1
[estate]
name = "{name}"
class = "production"
known_hosts = "known_hosts"
[roles.primary]
host = "127.0.0.1"
"""


class At:
    """A clock that stands."""

    def __init__(self, when: datetime) -> None:
        self.when = when

    def now(self) -> datetime:
        return self.when

    def mono(self) -> float:
        return 1.0


def binding(folder: Path, name: str = "production") -> Binding:
    path = folder / f"{name}.toml"
    path.write_text(ESTATE.format(name=name))
    (folder / "known_hosts").touch()
    return bind(parse_runbook(BOOK, "book.toml"), read_estate(path))


def checked(
    home: Home, run: str, when: datetime, mode: str = "CHECK", kind: ResultKind = ResultKind.EXITED, book: str = "book"
) -> None:
    """Write the journal of a run in which both steps captured something."""
    folder = RunFolder.create(home, run, runbook=BOOK, inputs={}, estate=b"")
    journal = Journal.create(folder.path, At(when), "ana", 1)
    opened = e.RunOpened(0.0, run, mode, "planned", "ana", "here", book, "d", "production", "0")
    events: list[e.Event] = [opened]
    for step, captures in (("checks/late", {"late": "web07"}), ("checks/other", {"other": "x"})):
        events.append(e.AttemptStarted(0.0, step, 1, Way.FORWARD, ("primary",)))
        result = Result("primary", kind, sent=False, exit=0, captures=captures)
        events.append(e.HostEnded(0.0, step, 1, result))
    for event in events:
        journal.append(*encode_event(event))
    journal.close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").make()


def test_the_last_check_is_remembered_with_its_time(home: Home, tmp_path: Path) -> None:
    checked(home, "20261121-0000-aaaaaa", NOW - timedelta(hours=23))
    checked(home, "20261122-0000-bbbbbb", NOW - timedelta(hours=2))
    values, when = remembered(home, binding(tmp_path), At(NOW))
    assert values == {"primary.late": "web07"}  # only the step that says `remember`
    assert when.startswith("2026-11-23T01:00:00")


def test_what_is_too_old_is_forgotten(home: Home, tmp_path: Path) -> None:
    checked(home, "20261121-0000-aaaaaa", NOW - timedelta(hours=25))
    assert remembered(home, binding(tmp_path), At(NOW)) == ({}, "")


def test_another_estate_another_mode_and_a_failed_read_count_for_nothing(home: Home, tmp_path: Path) -> None:
    checked(home, "20261122-0000-aaaaaa", NOW, mode="LIVE")
    checked(home, "20261122-0000-bbbbbb", NOW, kind=ResultKind.LOST)
    assert remembered(home, binding(tmp_path), At(NOW)) == ({}, "")
    checked(home, "20261122-0000-cccccc", NOW)
    assert remembered(home, binding(tmp_path, "staging"), At(NOW)) == ({}, "")
    assert remembered(home, binding(tmp_path), At(NOW))[0] == {"primary.late": "web07"}


def test_a_fact_is_remembered_whichever_runbook_asked_for_it(home: Home, tmp_path: Path) -> None:
    """Monitoring asks the readiness runbook every few minutes: the emergency of another one knows what that saw."""
    checked(home, "20261122-0000-aaaaaa", NOW - timedelta(hours=1), book="ready")
    assert remembered(home, binding(tmp_path), At(NOW))[0] == {"primary.late": "web07"}
