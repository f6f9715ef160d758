"""The table that the tortures print at their end: fault, trials, survived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Table:
    """Counts what was tried and what was survived, and keeps each trial's name."""

    tried: Counter[str] = field(default_factory=Counter)
    survived: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[str]] = field(default_factory=dict)

    def note(self, fault: str, name: str = "", *, survived: bool = True) -> None:
        """Note one trial of a fault."""
        self.tried[fault] += 1
        self.survived[fault] += survived
        self.names.setdefault(fault, []).append(f"{name} {'survived' if survived else 'BROKEN'}".strip())

    def lines(self) -> Iterator[str]:
        """Return the table, a line each."""
        for fault, tried in sorted(self.tried.items()):
            yield f"{fault:<44} {tried:>8} {self.survived[fault]:>8}"
