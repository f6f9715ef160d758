"""All rules over one runbook: `lint`. A rule is a function of the model; places come from the position index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from handrail.base.problems import Problem, in_order
from handrail.runbook import rules_names, rules_routes, rules_safety, rules_shape
from handrail.runbook.finding import Finding, Rule
from handrail.runbook.model import Runbook
from handrail.runbook.positions import Path, Positions

RULES: Final[tuple[Rule, ...]] = (*rules_shape.RULES, *rules_names.RULES, *rules_safety.RULES, *rules_routes.RULES)

# What the rest of the program takes for granted, whatever rules later versions add.
NEEDED: Final = frozenset(
    {"no-action", "two-actions", "duplicate-id", "unknown-role", "unknown-step", "no-host", "empty-stage"}
)

# What may only seem so because something nearby could not be read.
ABSENCES: Final = frozenset(
    {
        "no-action",
        "no-host",
        "no-way-back",
        "probe-missing",
        "undo-unchecked",
        "undo-nothing-needs-stays",
        "recheck-needs-confirm",
        "line-needs-confirm",
        "line-needs-recheck",
        "line-without-change",
        "line-without-wall",
        "instead-missing",
        "irreversible-unconfirmed",
        "wall-without-line",
        "outcome-empty",
        "wait-form",
        "meter-need",
        "meter-group",
        "key-unfit",
        "var-choices",
        "reads-undo",
        "within-on-change",
        "together-changes",
        "recheck-not-read",
        "capture-used-early",
        "never-needed",
    }
)
_ELSEWHERE: Final = frozenset(
    {"unknown-name", "unknown-role", "unknown-step", "unknown-route", "empty-stage", "route-empty"}
)


def lint(runbook: Runbook, positions: Positions, file: str, *, rules: Iterable[Rule] = RULES) -> tuple[Problem, ...]:
    """Return everything the rules do not accept, errors and warnings, from top to bottom of the file."""
    return in_order(dict.fromkeys(placed(finding, positions, file) for finding in findings(runbook, rules)))


def findings(runbook: Runbook, rules: Iterable[Rule] = RULES) -> Iterator[Finding]:
    """Yield what the rules do not accept, by path."""
    for rule in rules:
        yield from rule(runbook)


def placed(finding: Finding, positions: Positions, file: str) -> Problem:
    """Return a finding as a problem with its place in the file."""
    where = positions.where(file, finding.path, key=finding.key, inside=finding.inside)
    return Problem(finding.code, finding.message, finding.hint, where, finding.severity)


def still_true(finding: Finding, damaged: frozenset[Path], made_up: frozenset[Path], *, whole: bool) -> bool:
    """Tell whether a finding on a salvaged runbook is about what was written, not about what was taken out."""
    path = finding.path
    if any(path[: len(made)] == made for made in made_up):
        return False
    if finding.code in _ELSEWHERE:
        return whole and not any(_declares(table) for table in damaged)
    if finding.code not in ABSENCES:
        return True
    return whole and not any(_touches(path, table) for table in damaged)


def _declares(table: Path) -> bool:
    """Tell whether names, roles or steps are declared in a table that lost something."""
    return not table or table == ("vars",) or table[-1] in ("roles", "capture")


def _touches(path: Path, table: Path) -> bool:
    shared = min(len(path), len(table))
    return path[:shared] == table[:shared]
