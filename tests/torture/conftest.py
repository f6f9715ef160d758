"""Makes `tests` importable, and prints the table of what was tried."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.runbooks.bed import Bed, bring_up  # noqa: E402
from tests.torture.table import Table  # noqa: E402

from handrail.session import simulator  # noqa: E402

_TABLE = Table()


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    """Return an estate of a test's own."""
    made = await bring_up(tmp_path / "home", "auto", clients=3)
    try:
        yield made
    finally:
        await simulator.down(made.up.folder)


@pytest.fixture
def table() -> Table:
    """Return the table of this run of the tests."""
    return _TABLE


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's counts to whoever prints them."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["torture"] = json.dumps(_TABLE.names)


def pytest_testnodedown(node: object) -> None:
    """Take the counts of a worker that has ended."""
    for fault, names in json.loads(getattr(node, "workeroutput", {}).get("torture", "{}")).items():
        for name in names:
            _TABLE.note(fault, name.removesuffix(" survived").removesuffix(" BROKEN"), survived="BROKEN" not in name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, and keep every trial's name where it was asked for."""
    if not _TABLE.tried:
        return
    terminalreporter.section("tortures: fault, trials, survived")
    for line in _TABLE.lines():
        terminalreporter.write_line(line)
    kept = os.environ.get("HANDRAIL_TORTURE_LOG")
    if kept:
        Path(kept).write_text("".join(f"{f}: {n}\n" for f, names in sorted(_TABLE.names.items()) for n in names))
