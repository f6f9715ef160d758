"""Makes `tests.dns` importable and brings the fixtures. There may be no `__init__.py` here: it would shadow dnspython."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.dns.server import Server, write_key  # noqa: E402

from handrail.dns.zone import Zone  # noqa: E402


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return write_key(tmp_path / "switch.key")


@pytest.fixture
async def ns1() -> AsyncIterator[Server]:
    async with Server("ns1") as server:
        yield server


@pytest.fixture
def zone(ns1: Server, key_file: Path) -> Zone:
    return Zone("example.test", (ns1.at,), (), key_file)
