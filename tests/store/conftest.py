"""Puts the project's root on the path, so that the tests can import what they share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.store.bench import SteppingClock  # noqa: E402


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "20261123-0512-k3f9q2"
    path.mkdir(0o700)
    return path
