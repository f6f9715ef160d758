"""The table of what was tried and what was survived: fault, trials, survived. It prints; it judges nothing."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

PROPERTY: Final = "torture"


@dataclass(frozen=True)
class Notes:
    """Where one test notes its trials; they travel with its report, from worker to whoever prints."""

    properties: list[tuple[str, Any]]

    def note(self, fault: str, name: str = "", *, survived: bool = True, trials: int = 1) -> None:
        """Note trials of a fault."""
        self.properties.append((PROPERTY, [fault, name, trials, trials if survived else 0]))


@dataclass
class Table:
    """Counts what all tests have noted."""

    tried: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)
    names: list[str] = field(default_factory=list)

    def take(self, report: pytest.TestReport) -> None:
        """Take what a test noted; one that failed has survived nothing that it was marked with."""
        if report.when != "call":
            return
        for name, noted in report.user_properties:
            if name == PROPERTY and isinstance(noted, list):
                self._count(report, *noted)

    def _count(self, report: pytest.TestReport, fault: str, what: str, trials: int, survived: int) -> None:
        lived = 0 if report.failed and not what else survived
        self.tried[fault] += trials
        self.survived[fault] += lived
        self.names.append(f"{fault}: {what or report.nodeid} {'survived' if lived else 'BROKEN'}")

    def show(self, terminal: pytest.TerminalReporter) -> None:
        """Print the table, and keep every trial's name in the file of HANDRAIL_TORTURE_LOG."""
        if not self.tried:
            return
        terminal.section(f"{'fault':<52} {'trials':>9} {'survived':>9}", sep="-")
        for fault, tried in sorted(self.tried.items()):
            terminal.write_line(f"{fault:<52} {tried:>9} {self.survived[fault]:>9}")
        kept = os.environ.get("HANDRAIL_TORTURE_LOG")
        if kept:
            Path(kept).write_text("".join(f"{line}\n" for line in sorted(self.names)), encoding="utf-8")
