"""Scenarios: reading one, with all its problems, and finding them by name beside runbooks and among the shipped ones."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from handrail.base.problems import Problem, Trouble, in_order, trouble
from handrail.base.safe import safe
from handrail.runbook.document import Document, read_document
from handrail.runbook.faults import near
from handrail.runbook.files import read_file
from handrail.runbook.read import parse_runbook
from handrail.runbook.salvage import nothing, validate
from handrail.runbook.shipped import known_runbooks, shipped

if TYPE_CHECKING:
    from handrail.runbook.scenario_model import ScenarioFile

FOLDER: Final = "scenarios"


def read_scenario(path: Path) -> ScenarioFile:
    """Return a scenario; raise `Trouble` with all its problems."""
    made, problems = examine_scenario(read_document(read_file(path), safe(str(path))), path)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors or made is None:
        raise Trouble(*errors)
    return made


def examine_scenario(document: Document, path: Path) -> tuple[ScenarioFile | None, tuple[Problem, ...]]:
    """Return the scenario a document describes, and every problem with it."""
    from handrail.runbook.scenario_model import ScenarioFile  # a start that reads none does not make its model

    salvaged = validate(document, ScenarioFile) if document.data or document.whole else nothing()
    problems = [*document.problems, *salvaged.problems]
    made = salvaged.model if isinstance(salvaged.model, ScenarioFile) else None
    if made is not None and not salvaged.problems:
        problems += _against_runbook(made, document, path)
    return made, in_order(dict.fromkeys(problems))


def _against_runbook(made: ScenarioFile, document: Document, path: Path) -> list[Problem]:
    """Return what is wrong with the steps and the route it speaks of."""
    word, known = made.head.runbook, known_runbooks(path.absolute().parent.parent)
    if word not in known:
        where = document.positions.where(document.name, ("scenario", "runbook"))
        return [Problem("unknown-runbook", f"there is no runbook `{safe(word, 60)}`", near(word, known), where)]
    try:
        steps, routes = _parts(read_file(known[word]), safe(str(known[word])))
    except Trouble:
        return []  # that file's own problems are told where it is linted
    problems = [
        Problem(
            "scenario-step", f"{word} has no step `{safe(step, 60)}`", near(step, steps),
            document.positions.where(document.name, place),
        )
        for place, step in made.steps if step not in steps
    ]  # fmt: skip
    if made.head.route not in routes:
        where = document.positions.where(document.name, ("scenario", "route"))
        message = f"{word} has no route `{safe(made.head.route, 60)}`"
        problems.append(Problem("scenario-route", message, near(made.head.route, routes), where))
    return problems


@lru_cache(maxsize=8)
def _parts(data: bytes, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the steps and the routes of a runbook; a file's bytes are read once, however many scenarios speak of it."""
    runbook = parse_runbook(data, name)
    return tuple(place.name for place in runbook.places), tuple(runbook.routes)


def known_scenarios(cwd: Path) -> dict[str, Path]:
    """Return every scenario's file by name, the nearest first: `cwd`, `cwd/runbooks`, then the shipped ones."""
    found: dict[str, Path] = {}
    for folder in (cwd, cwd / "runbooks", shipped()):
        for path in sorted((folder / FOLDER).glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


def find_scenario(word: str, cwd: Path) -> Path:
    """Return the file of a scenario: a path, or a name; raise `Trouble` if there is none."""
    if "/" in word or word.endswith(".toml"):
        path = cwd / word
        if path.exists():
            return path
        raise trouble("file-missing", f"there is no file {safe(word, 120)}", "check the path")
    known = known_scenarios(cwd)
    if word in known:
        return known[word]
    hint = near(word, known) or "handrail drill --scenarios lists them"
    raise trouble("unknown-scenario", f"there is no scenario `{safe(word, 60)}`", hint)
