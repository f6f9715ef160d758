"""Reading a runbook: bytes to a frozen model, or every problem at once. It opens one file and nothing else."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, in_order
from handrail.base.safe import safe
from handrail.runbook.document import Document, digest, read_document
from handrail.runbook.faults import MOST
from handrail.runbook.files import read_file
from handrail.runbook.model import Runbook
from handrail.runbook.rules import NEEDED, findings, placed, still_true
from handrail.runbook.salvage import Salvaged, nothing, validate

__all__ = ["Reading", "digest", "examine", "parse_runbook", "read_runbook"]


@dataclass(frozen=True)
class Reading:
    """What one look at a runbook file found: every problem, and the model when there is no error among them."""

    document: Document
    salvaged: Salvaged[Runbook]
    problems: tuple[Problem, ...]

    @property
    def runbook(self) -> Runbook | None:
        """Return the model, unless something is wrong with it."""
        wrong = any(problem.severity == "error" for problem in self.problems)
        return None if wrong else self.salvaged.model


def read_runbook(path: Path) -> Runbook:
    """Return the runbook in a file; raise `Trouble` with all its problems, or with why the file is not to be trusted."""
    return parse_runbook(read_file(path), safe(str(path)))


def parse_runbook(data: bytes, name: str, *, rules: bool = True) -> Runbook:
    """Return the runbook in these bytes; raise `Trouble` with all its problems, each with its place.

    `rules=False` asks only for what the model needs: for a run's own copy, which was read with all rules when it began
    and must stay readable when later versions know more rules.
    """
    reading = examine(read_document(data, name), rules=rules)
    runbook = reading.runbook
    if runbook is None:
        raise Trouble(*(problem for problem in reading.problems if problem.severity == "error"))
    return runbook


def examine(document: Document, *, rules: bool = True) -> Reading:
    """Return everything that can be said about a document as a runbook."""
    salvaged = validate(document, Runbook) if document.data or document.whole else nothing()
    problems = [*document.problems, *salvaged.problems, *_by_rules(document, salvaged, rules=rules)]
    return Reading(document, salvaged, in_order(dict.fromkeys(problems)))


def _by_rules(document: Document, salvaged: Salvaged[Runbook], *, rules: bool) -> list[Problem]:
    """Return what the rules say of the runbook, or of as much as could be read of it."""
    if salvaged.model is None:
        return []
    found = [
        finding
        for finding in islice(findings(salvaged.model), MOST)
        if (rules or finding.code in NEEDED)
        and still_true(finding, salvaged.damaged, salvaged.made_up, whole=document.whole)
    ]
    return [placed(finding, document.positions, document.name) for finding in found]
