"""What files say is kept while they stay as they are, and never longer."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from handrail.ssh.kept import FRESH, Kept


class Reader:
    """Reads a file, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, path: Path) -> str:
        self.times += 1
        return path.read_text(encoding="ascii")


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Return a reader, a moment after whatever the test has written: nobody waits for it."""
    now = time.time
    monkeypatch.setattr("handrail.ssh.kept.time.time", lambda: now() + 2 * FRESH)
    return Reader()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "known_hosts"
    path.write_text("one", encoding="ascii")
    return path


async def test_many_who_ask_at_once_have_it_read_once(reader: Reader, file: Path) -> None:
    kept = Kept(reader)
    assert await asyncio.gather(*(kept.of(file) for _ in range(64))) == ["one"] * 64
    assert reader.times == 1


async def test_a_file_of_the_same_length_and_age_is_read_again(reader: Reader, file: Path) -> None:
    kept = Kept(reader)
    assert await kept.of(file) == "one"
    before = file.stat()
    file.with_name("new").write_text("two", encoding="ascii")
    file.with_name("new").replace(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert await kept.of(file) == "two"


async def test_a_file_beside_it_counts_when_it_comes_and_when_it_goes(reader: Reader, file: Path) -> None:
    kept = Kept(reader, beside=("-cert.pub",))
    await kept.of(file)
    beside = Path(f"{file}-cert.pub")
    beside.touch()
    await kept.of(file)
    beside.unlink()
    await kept.of(file)
    assert reader.times == 3


async def test_what_was_just_written_is_not_kept(file: Path) -> None:
    reader = Reader()
    kept = Kept(reader)
    await kept.of(file)
    await kept.of(file)
    assert reader.times == 2


async def test_a_file_that_is_gone_is_an_error_each_time(reader: Reader, file: Path) -> None:
    kept = Kept(reader)
    await kept.of(file)
    file.unlink()
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            await kept.of(file)


async def test_it_forgets_when_it_is_told_to(reader: Reader, file: Path) -> None:
    kept = Kept(reader)
    await kept.of(file)
    kept.wipe()
    await kept.of(file)
    assert reader.times == 2
