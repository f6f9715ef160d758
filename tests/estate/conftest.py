"""Brings the real estate up once for each file of tests, and stands the tests at the console's desk."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.estate import debian, light, nameservers  # noqa: E402 - the root has to be on the path first
from tests.estate.estate import Estate, bring_up  # noqa: E402
from tests.estate.machines import standing_at  # noqa: E402
from tests.estate.parts import LIGHT, need  # noqa: E402

CLIENTS = ("web01", "web02", "db01")
LONGEST = (
    "puppet",
    "lost",
    "broken",
    "inside",
    "debian",
    "stale",
    "by_hand",
    "knot",
    "beside",
)  # files, the longest first


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that nobody waits for one file at the end."""
    rank = {f"test_{name}": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="module")
def estate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """Return an estate of BIND and of stand-ins for Puppet; a file may have its own NAMES, PUPPET (see debian.py) and CLIENTS."""
    names, puppet = getattr(request.module, "NAMES", nameservers.bind), getattr(request.module, "PUPPET", light)
    need(*LIGHT, *(["Knot"] if names is nameservers.knot else []), *(["Puppet"] if puppet is debian else []))
    clients = getattr(request.module, "CLIENTS", CLIENTS)
    made = bring_up(tmp_path_factory.mktemp("estate") / "given", clients, names, puppet)
    yield made
    made.close()


@pytest.fixture
def desk(estate: Estate) -> Iterator[Estate]:
    """Return the estate as the console meets it: this process is in the desk's network."""
    with standing_at(estate.desk):
        yield estate
