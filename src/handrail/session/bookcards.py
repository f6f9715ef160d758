"""The card of a runbook: what it is, when it was last drilled and with what figures, which undos never were, what changed since."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from handrail.base.clock import unstamp
from handrail.base.problems import Trouble
from handrail.runbook.document import digest
from handrail.runbook.read import read_runbook
from handrail.session import since
from handrail.session.cards import RunbookCard
from handrail.session.coverage import Coverage, coverage
from handrail.session.people import operator
from handrail.session.practice import is_due
from handrail.session.preflight import with_preflight
from handrail.store.drills import Drill, drills_of
from handrail.store.home import Home
from handrail.store.run_folder import RunSummary, list_runs
from handrail.store.training import trainee, trainees

DUE: Final = timedelta(days=7)


def runbook_card(home: Home, path: Path, glances: Iterable[RunSummary] | None = None) -> RunbookCard:
    """Return the card of a runbook; one that cannot be read says why. `glances` are the runs, where they are known."""
    try:
        data = path.read_bytes()
        runbook = read_runbook(path)
    except (Trouble, OSError) as err:
        problems = tuple(str(p) for p in err.problems) if isinstance(err, Trouble) else (str(err),)
        return RunbookCard(path.stem, path, path.stem, "", 0, 0, 0.0, "", problems=problems)
    mark, whole = digest(data), with_preflight(runbook)
    last = last_drill(home, runbook.id)
    covered = coverage(home, runbook, mark, list_runs(home) if glances is None else glances)
    when = unstamp(last.when) if last else None
    return RunbookCard(
        id=runbook.id,
        path=path,
        title=runbook.title,
        summary=" ".join((runbook.head.summary or "").split()),
        stages=len(whole.stages),
        steps=len(whole.places),
        target=runbook.head.rto.target if runbook.head.rto else 0.0,
        digest=mark,
        derived=len(whole.places) - len(runbook.places),
        last_drill=when,
        last_by=last.by if last else "",
        restored=last.restored if last else None,
        took=last.took if last else None,
        due=_due(home, runbook.id, when),
        people_due=people_due(home, runbook.id, datetime.now(UTC)),
        undo_drilled=covered.back,
        undoable=covered.undoable,
        undo_never=covered.never_undone,
        changed=since.changes(since.drilled_copy(home, last), data) if last and last.digest != mark else (),
    )


def _due(home: Home, runbook: str, when: datetime | None) -> datetime | None:
    """Return when whoever sits here is to drill it again, as their file says; else a week after it was last drilled."""
    mine = trainee(home, operator()).of(runbook)
    try:
        return datetime.fromisoformat(mine[-1].due).replace(tzinfo=UTC) if mine else (when + DUE if when else None)
    except ValueError:
        return None


def people_due(home: Home, runbook: str, now: datetime) -> tuple[str, ...]:
    """Return who is due to drill a runbook again, of those who ever did."""
    return tuple(one.person for one in trainees(home) if one.of(runbook) and is_due(one.of(runbook)[-1], now))


def last_drill(home: Home, runbook: str) -> Drill | None:
    """Return the last drill of a runbook that came to an end."""
    ended = [d for d in drills_of(home, runbook=runbook) if d.outcome in ("done", "undone")]
    return ended[-1] if ended else None


def changed_since(home: Home, card: RunbookCard) -> tuple[str, ...]:
    """Return what is different since the last drill: a line for each step, then the lines of both files that differ."""
    last = last_drill(home, card.id)
    if last is None:
        return ("it was never drilled here: there is nothing to compare with",)
    data, copy = card.path.read_bytes(), since.drilled_copy(home, last)
    if digest(data) == last.digest:
        return (f"nothing is different since the last drill, by {last.by}",)
    return (*since.changes(copy, data), "", *since.diff(copy, data))


def covered(home: Home, card: RunbookCard) -> Coverage:
    """Return which steps of a runbook were drilled at the digest it has now, forward and back."""
    return coverage(home, with_preflight(read_runbook(card.path)), card.digest)
