"""The estates that are tortured, and the mark on every test here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from tests.runbooks.bed import Bed, bring_up
from tests.torture.trial import Ground

from handrail.session import simulator

HERE: Final = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is collected here."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.torture)


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    """Return an estate of a test's own."""
    made = await bring_up(tmp_path / "home", "auto", clients=3)
    try:
        yield made
    finally:
        await simulator.down(made.up.folder)


@pytest.fixture
async def ground(tmp_path: Path) -> AsyncIterator[Ground]:
    """Return a small estate of a test's own, and where consoles come from."""
    made = await Ground.made(tmp_path)
    try:
        yield made
    finally:
        await made.close()
