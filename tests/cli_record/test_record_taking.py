"""`resume` of a run that somebody drives: they are asked; nobody answers; what is missing then is said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli_record.conftest import Run
from tests.cli_record.records import held, make_run

from handrail.store import asking
from handrail.store.home import Home

RUN = "20261123-0100-aaaaaa"
HOLDER = """
import sys, time
from pathlib import Path
from handrail.base.clock import SystemClock
from handrail.store.lock import acquire
lock = acquire(Path(sys.argv[1]), "maria", SystemClock())
print("ready", flush=True)
time.sleep(600)
"""


@contextmanager
def driven(folder: Path) -> Iterator[None]:
    """Let another process hold the run's lock, and answer nothing."""
    other = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE)
    try:
        assert other.stdout
        assert other.stdout.readline() == b"ready\n"
        yield
    finally:
        other.kill()
        other.communicate()


def test_without_a_terminal_and_without_a_word_nobody_is_asked(home: Home, handrail: Run) -> None:
    folder = make_run(home, RUN, tale=held)
    with driven(folder.path):
        said = handrail("resume")
        assert (said.code, "the run is driven by maria" in said.err) == (6, True)
        assert "--note WORDS" in said.err
        assert asking.asked(folder.path) is None
        assert "DRIVEN by maria since " in handrail().out
        assert "running" in handrail("runs").out


def test_one_who_does_not_answer_is_taken_over_from_by_name_and_reason_only(
    home: Home, handrail: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(home, RUN, tale=held)
    with driven(folder.path):
        monkeypatch.setattr(asking, "PATIENCE", 0.0)
        said = handrail("resume", "--note", "let me")
        assert said.code == 6
        for fact in (
            "driven    by maria on ",
            "changed   2.1 Mask the old one",
            "undo      2.1 Mask",
            "owed      nothing",
        ):
            assert fact in said.err, fact
        assert f"handrail resume {RUN} --take-over-from maria --reason WHY" in said.err
        wrong = handrail("resume", "--take-over-from", "mario", "--reason", "asleep")
        assert (wrong.code, "type the holder's name, maria" in wrong.err) == (6, True)
        assert asking.asked(folder.path) is None, "whoever gives up takes the question back"
