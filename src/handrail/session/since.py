"""What changed in a runbook since it was last drilled: in words, step by step, and as a diff of the two files."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Final

from handrail.base.problems import Trouble
from handrail.base.safe import Safe, safe_line
from handrail.runbook.model import Runbook
from handrail.runbook.read import parse_runbook
from handrail.store.drills import Drill
from handrail.store.home import Home
from handrail.store.run_folder import RunFolder

MOST: Final = 400  # lines of a diff
_GONE: Final = "the file changed; the run that kept what was drilled is gone, so nobody can say how"


def drilled_copy(home: Home, drill: Drill) -> bytes | None:
    """Return the runbook as that drill ran it, from its own copy; None when the run is gone."""
    try:
        return RunFolder.open(home, drill.run).runbook() if drill.run else None
    except (Trouble, OSError):
        return None


def changes(before: bytes | None, now: bytes) -> tuple[str, ...]:
    """Return a line for each step that was added, taken away or changed, and one for what else is different."""
    if before is None:
        return (_GONE,)
    if before == now:
        return ()
    try:
        old, new = parse_runbook(before, "drilled"), parse_runbook(now, "now")
    except Trouble:
        return ("the file changed; one of the two does not read",)
    return tuple(_steps(old, new)) or ("the file changed, and none of its steps did",)


def _steps(old: Runbook, new: Runbook) -> Iterator[str]:
    was, has = {p.name: p for p in old.places}, {p.name: p for p in new.places}
    for name, place in has.items():
        if name not in was:
            yield f"new: {place.number} {place.step.title}"
        elif was[name].step != place.step:
            fields = (f for f in type(place.step).model_fields if getattr(was[name].step, f) != getattr(place.step, f))
            yield f"changed: {place.number} {place.step.title} ({', '.join(f.strip('_') for f in fields)})"
    yield from (f"gone: {place.number} {place.step.title}" for name, place in was.items() if name not in has)
    kept = [name for name in was if name in has]
    if kept != [name for name in has if name in was]:
        yield "the order of the steps"


def diff(before: bytes | None, now: bytes) -> tuple[Safe, ...]:
    """Return the lines that differ, as `diff -u` shows them; the beginning of a long one."""
    if before is None:
        return ()
    was, has = (data.decode("utf-8", "replace").splitlines() for data in (before, now))
    lines = list(difflib.unified_diff(was, has, "as drilled", "now", lineterm="", n=2))
    more = [f"... and {len(lines) - MOST} more lines"] if len(lines) > MOST else []
    return tuple(safe_line(line) for line in [*lines[:MOST], *more])
