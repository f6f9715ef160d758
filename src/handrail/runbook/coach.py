"""Coach files: reading one, with all its problems, and finding the one of a runbook: `coach/ID.toml` beside it, or shipped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from handrail.base.problems import Problem, Trouble, Where, in_order
from handrail.base.safe import safe
from handrail.runbook.document import Document, read_document
from handrail.runbook.faults import near
from handrail.runbook.files import read_file
from handrail.runbook.read import read_runbook
from handrail.runbook.salvage import nothing, validate
from handrail.runbook.scenario import known_scenarios
from handrail.runbook.shipped import known_runbooks, shipped

if TYPE_CHECKING:
    from handrail.runbook.coach_model import CoachFile

FOLDER: Final = "coach"
LONGEST: Final = 420  # characters of a note: what fits a box at 80x24, and is read


def read_coach(path: Path) -> CoachFile:
    """Return a coach's file; raise `Trouble` with all its problems."""
    made, problems = examine_coach(read_document(read_file(path), safe(str(path))), path)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors or made is None:
        raise Trouble(*errors)
    return made


def coach_of(runbook: str, path: Path) -> CoachFile | None:
    """Return the coach of a runbook that lies at `path`; None where there is none. Raise `Trouble` for one that is not sound."""
    for folder in (path.parent, shipped()):
        file = folder / FOLDER / f"{runbook}.toml"
        if file.is_file():
            return read_coach(file)
    return None


def examine_coach(document: Document, path: Path) -> tuple[CoachFile | None, tuple[Problem, ...]]:
    """Return the coach that a document describes, and every problem with it."""
    from handrail.runbook.coach_model import CoachFile  # a start that reads none does not make its model

    salvaged = validate(document, CoachFile) if document.data or document.whole else nothing()
    problems = [*document.problems, *salvaged.problems]
    made = salvaged.model if isinstance(salvaged.model, CoachFile) else None
    if made is not None and not salvaged.problems:
        problems += [*_notes(made, document), *_against_runbook(made, document, path)]
    return made, in_order(dict.fromkeys(problems))


def _notes(made: CoachFile, document: Document) -> list[Problem]:
    """Return what is wrong with the notes alone: an id twice, a note too long to be read."""
    problems, seen = [], set()
    for number, note in enumerate(made.note):
        if note.id in seen:
            where = document.positions.where(document.name, ("note", number, "id"))
            problems.append(Problem("duplicate-id", f"there are two notes `{note.id}`", "an id stands once", where))
        seen.add(note.id)
        length = len(" ".join(note.say.split()))
        if length > LONGEST:
            where = document.positions.where(document.name, ("note", number, "say"))
            hint = f"at most {LONGEST}: say one thing, and what to do"
            problems.append(Problem("coach-long", f"a note of {length} characters is not read", hint, where, "warning"))
    return problems


def _against_runbook(made: CoachFile, document: Document, path: Path) -> list[Problem]:
    """Return what is wrong with the runbook, the scenario and the steps that it names."""
    here = path.absolute().parent.parent

    def where(*place: str | int) -> Where | None:
        return document.positions.where(document.name, place)

    word, known = made.head.runbook, known_runbooks(here)
    if word not in known:
        message = f"there is no runbook `{safe(word, 60)}`"
        return [Problem("unknown-runbook", message, near(word, known), where("coach", "runbook"))]
    problems, scenarios = [], known_scenarios(here)
    first = made.head.first
    if first is not None and first not in scenarios:
        message = f"there is no scenario `{safe(first, 60)}`"
        problems.append(Problem("unknown-scenario", message, near(first, scenarios), where("coach", "first")))
    try:
        steps = [place.name for place in read_runbook(known[word]).places]
    except Trouble:
        return problems  # that file's own problems are told where it is linted
    for number, note in enumerate(made.note):
        if note.when.step and note.when.step not in steps:
            message = f"{word} has no step `{safe(note.when.step, 60)}`"
            hint = near(note.when.step, steps)
            problems.append(Problem("coach-step", message, hint, where("note", number, "when")))
    return problems
