"""What holds for all tests: the areas that take long go first, so that two workers end together."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

LONG: Final = ("runbooks", "stories", "session", "sim_services", "ssh", "sim_machines", "tui", "engine", "actions")
HERE: Final = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long areas first; within an area the order stays."""

    def place(item: pytest.Item) -> int:
        area = item.path.relative_to(HERE).parts[0]
        return LONG.index(area) if area in LONG else len(LONG)

    items.sort(key=place)
