"""The estates that tests share: one in namespaces, one in plain folders. Makes `tests.sim_machines` importable."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncssh
import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.sim_machines.bed import Sim, finish, start  # noqa: E402


def _kept(mode: str) -> Iterator[Sim]:
    sim = start(mode)
    yield sim
    finish(sim)


@pytest.fixture(scope="session")
def spaces() -> Iterator[Sim]:
    """Return an estate in namespaces that tests share; they leave it as they found it."""
    yield from _kept("namespaces")


@pytest.fixture(scope="session")
def folders() -> Iterator[Sim]:
    """Return an estate in plain folders that tests share."""
    yield from _kept("folders")


@pytest.fixture(params=["namespaces", "folders"])
def sim(request: pytest.FixtureRequest) -> Sim:
    """Return either kind of shared estate."""
    found: Sim = request.getfixturevalue("spaces" if request.param == "namespaces" else "folders")
    return found


@pytest.fixture
async def alpha(sim: Sim) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Return a connection to the primary."""
    async with await sim.connect("alpha") as connection:
        yield connection
