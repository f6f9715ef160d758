"""A home for each test, and the command line as a process would call it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from handrail.cli.main import main
from handrail.store.home import Home


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str


Run = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Return a home that the command line finds."""
    monkeypatch.setenv("HANDRAIL_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


@pytest.fixture
def handrail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what calls the command line and gives what it says, and its exit code."""

    def call(*words: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["handrail", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, said.out, said.err)

    return call
