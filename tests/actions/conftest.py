"""Makes `tests.actions` importable and brings the world."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.session.world import World, a_world  # noqa: E402


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A primary and a DR host."""
    async with a_world(tmp_path) as one:
        yield one
