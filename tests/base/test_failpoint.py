"""Failpoints: off they are nothing; on they kill exactly where and when they are told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
from handrail.base.failpoint import boundary
for number in range(3):
    with boundary("some.act"):
        print(number, flush=True)
"""


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HANDRAIL_FAILPOINT")}
    argv = [sys.executable, "-c", PROGRAM]
    return subprocess.run(argv, env={**clean, **variables}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("spec", "printed"),
    [("some.act", ""), ("some.act:before", ""), ("some.act:after", "0\n"), ("some.act:before:3", "0\n1\n")],
)
def test_it_kills_where_and_when_it_is_told_to(spec: str, printed: str) -> None:
    done = run(HANDRAIL_FAILPOINT=spec)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, printed)


@pytest.mark.parametrize("spec", ["", "another.act:before", "some.act:after:4"])
def test_otherwise_nothing_happens(spec: str) -> None:
    done = run(HANDRAIL_FAILPOINT=spec)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n1\n2\n", "")


def test_each_boundary_is_noted_once_with_its_place(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(HANDRAIL_FAILPOINT_LOG=str(log))
    assert log.read_text().splitlines() == ["some.act:before <string>:4", "some.act:after <string>:4"]


def test_an_error_is_raised_where_it_is_told_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = run(HANDRAIL_FAILPOINT="*.act:ENOSPC:2", HANDRAIL_FAILPOINT_LOG=str(log))
    assert done.returncode == 1
    assert done.stdout == "0\n"
    assert "No space left on device" in done.stderr
    assert log.read_text().splitlines()[-1] == "struck some.act:before"


def test_of_several_the_one_that_comes_first_strikes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = run(
        HANDRAIL_FAILPOINT="another.act:before|some.act:after:2|some.act:before:3", HANDRAIL_FAILPOINT_LOG=str(log)
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "0\n1\n")
    assert log.read_text().splitlines()[-1] == "struck some.act:after"


def test_off_it_is_one_shared_object() -> None:
    from handrail.base.failpoint import ARMED, boundary

    assert bool(os.environ.get("HANDRAIL_FAILPOINT") or os.environ.get("HANDRAIL_FAILPOINT_LOG")) == ARMED
    assert boundary("a") is boundary("b")
