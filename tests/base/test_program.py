"""A local program: bounded in time and bytes, and nothing of it is left behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from handrail.base.program import TooLong, TooMuch, printed


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def test_what_it_prints_and_how_it_ends(tmp_path: Path) -> None:
    done = printed(["sh", "-c", "pwd; echo oh >&2; exit 3"], folder=tmp_path, seconds=20, most=100)
    assert (done.status, done.stdout, done.stderr) == (3, f"{tmp_path}\n".encode(), b"oh\n")
    assert printed(["cat"], folder=tmp_path, seconds=20, most=100).stdout == b""  # no stdin
    with pytest.raises(OSError, match="none"):
        printed(["./none"], folder=tmp_path, seconds=20, most=100)


@pytest.mark.parametrize("line", ["sleep 60", "sleep 60 & echo started", "trap '' TERM; while :; do sleep 1; done"])
def test_one_that_does_not_end_goes_with_its_children(tmp_path: Path, line: str) -> None:
    with pytest.raises(TooLong):
        printed(["sh", "-c", f"echo $$ >pid; {line}"], folder=tmp_path, seconds=0.5, most=100)
    group = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 20  # a killed process may take a moment to be gone
    while (left := _members(group)) and time.monotonic() < until:
        time.sleep(0.01)
    assert left == []


def _members(group: int) -> list[int]:
    numbers = [int(e.name) for e in Path("/proc").iterdir() if e.name.isdigit()]
    return [number for number in numbers if not gone(number) and _group(number) == group]


def _group(number: int) -> int:
    try:
        return os.getpgid(number)
    except ProcessLookupError:
        return 0


def test_one_that_prints_without_end_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(TooMuch):
        printed([sys.executable, "-c", "while True: print('x' * 65536)"], folder=tmp_path, seconds=20, most=1 << 20)


def test_a_long_complaint_keeps_its_end(tmp_path: Path) -> None:
    done = printed(["sh", "-c", "seq 1 100000 >&2"], folder=tmp_path, seconds=20, most=100)
    assert done.stderr.endswith(b"100000\n")
    assert len(done.stderr) <= 4096
