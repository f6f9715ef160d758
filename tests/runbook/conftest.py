"""Puts the project's root on the path, so that the tests can import what they share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.runbook.texts import ESTATE, FULL  # noqa: E402

from handrail.runbook.estate import Estate, read_estate  # noqa: E402
from handrail.runbook.model import Runbook  # noqa: E402
from handrail.runbook.read import read_runbook  # noqa: E402


@pytest.fixture
def full() -> Runbook:
    """The runbook that has every kind of thing in it."""
    return read_runbook(FULL)


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    """An estate for it, with its files."""
    return read_estate(lay(tmp_path, ESTATE))


def lay(folder: Path, text: str) -> Path:
    """Write an estate file and the key files it names."""
    path = folder / "estate.toml"
    path.write_text(text, encoding="utf-8")
    for name in ("id_ed25519", "dr-switch.key"):
        (folder / name).write_text("key\n", encoding="utf-8")
        (folder / name).chmod(0o600)
    (folder / "known_hosts").write_text("", encoding="utf-8")
    return path
