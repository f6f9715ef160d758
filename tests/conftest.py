"""What holds for all tests: the areas that take long go first, so that two workers end together; tortures are counted."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.table import Notes, Table  # noqa: E402

for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:  # begun in the background: what tests start must not inherit that
        signal.signal(number, usual)

LONG: Final = (
    "torture",
    "runbooks",
    "stories",
    "session",
    "sim_services",
    "ssh",
    "sim_machines",
    "tui",
    "engine",
    "actions",
)
HERE: Final = Path(__file__).parent
# Whole drills beside the failover's own: minutes of waiting, so that they run in CI and when they are asked for.
DRILLS: Final = (
    frozenset(f"runbooks/test_{name}.py" for name in ("failback", "generic", "readiness", "setup"))
    | frozenset(
        f"torture/test_{name}.py" for name in ("random_kills", "disk_faults", "failpoints_apart", "failpoints_failover")
    )
    | {"scenarios/test_matrix.py", "scenarios/test_guided.py", "scenarios/test_turning.py"}
)
_TABLE: Final = Table()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long areas first; within an area the order stays. Note what marked tests are going to try."""

    def place(item: pytest.Item) -> int:
        area = item.path.relative_to(HERE).parts[0]
        return LONG.index(area) if area in LONG else len(LONG)

    items.sort(key=place)
    for item in items:
        if item.path.relative_to(HERE).as_posix() in DRILLS:
            item.add_marker(pytest.mark.drill)
        mark = item.get_closest_marker("torture")
        if mark is not None and mark.args:
            Notes(item.user_properties).note(mark.args[0], trials=mark.kwargs.get("trials", 1))


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Notes:
    """Return where this test notes its trials."""
    return Notes(request.node.user_properties)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what a test noted."""
    _TABLE.take(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was counted."""
    _TABLE.show(terminalreporter)
