"""Problems: what is wrong, where, and what to do next. A problem is data; `Trouble` carries problems through a raise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Where:
    """A place in a file: line and column count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """Return `file:line:column`, without the parts that are not known."""
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: a stable code, a sentence for the operator, and the next thing to do."""

    code: str
    message: str
    hint: str = ""
    where: Where | None = None
    severity: str = "error"  # or "warning"

    def __str__(self) -> str:
        """Return the text the operator reads, on one or two lines."""
        place = f"{self.where}: " if self.where else ""
        kind = "" if self.severity == "error" else f"{self.severity}: "
        hint = f"\n  {self.hint}" if self.hint else ""
        return f"{place}{kind}{self.message} [{self.code}]{hint}"


class Trouble(Exception):
    """Raised with one or more problems; `str()` is what the operator reads."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))


def trouble(code: str, message: str, hint: str = "", where: Where | None = None) -> Trouble:
    """Return a `Trouble` with a single problem."""
    return Trouble(Problem(code, message, hint, where))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems sorted by place, so that a file reads from top to bottom."""
    return tuple(sorted(problems, key=lambda p: (p.where or Where(""), p.code, p.message)))
