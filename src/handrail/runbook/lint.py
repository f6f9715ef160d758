"""`handrail lint`: one file, of any kind, and everything that is wrong with it. It runs no program for an estate."""

from __future__ import annotations

from pathlib import Path

from handrail.base.problems import Problem, Trouble, Where
from handrail.base.safe import safe
from handrail.runbook.document import Document, digest, read_document
from handrail.runbook.files import read_file
from handrail.runbook.read import examine
from handrail.runbook.rules import lint

__all__ = ["lint", "lint_file"]

_RUNBOOK = frozenset({"runbook", "stage", "guard", "routes"})
_ESTATE = frozenset({"estate", "dns", "sim", "roles"})


def lint_file(path: Path) -> tuple[Problem, ...]:
    """Return every problem of a file, errors and warnings, from top to bottom; never raises for them."""
    try:
        data = read_file(path)
    except Trouble as error:
        return error.problems
    document = read_document(data, safe(str(path)))
    if not document.data:
        return document.problems or (_neither(document),)
    if "scenario" in document.data:
        from handrail.runbook.scenario import examine_scenario

        return examine_scenario(document, path)[1]
    if "coach" in document.data:
        from handrail.runbook.coach import examine_coach

        return examine_coach(document, path)[1]
    if len(_RUNBOOK & document.data.keys()) >= len(_ESTATE & document.data.keys()):
        if not _RUNBOOK & document.data.keys():
            return (*document.problems, _neither(document))
        return examine(document).problems
    from handrail.runbook.estate import examine_estate  # its models cost as much as the rest: only for an estate

    return examine_estate(document, path, digest(data))[1]


def _neither(document: Document) -> Problem:
    hint = "a runbook has [runbook], an estate has [estate]"
    return Problem("neither", "this is neither a runbook nor an estate", hint, Where(document.name, 1, 1))
