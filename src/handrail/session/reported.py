"""What a report is told besides the journal: objectives and figures of the runbook, and how far the hosts' clocks were off."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Final

from handrail.base.durations import show_duration
from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble
from handrail.base.safe import safe
from handrail.engine import events as e
from handrail.report.data import Happening, ReportClock
from handrail.runbook.names import references
from handrail.runbook.read import parse_runbook
from handrail.store.past_reader import came_at
from handrail.store.run_folder import RunFolder

_CLOCK: Final = re.compile(rb"^clock: (\d{1,15})$", re.MULTILINE)
_MOST: Final = 1 << 16  # bytes of an output in which a clock is looked for


@dataclass(frozen=True)
class Aims:
    """What a runbook sets out to reach, and which captured names its header's figures show: all of them, and the ages."""

    objectives: tuple[str, ...] = ()
    risks: Mapping[str, str] = field(default_factory=dict)
    ages: Mapping[str, str] = field(default_factory=dict)
    pars: Mapping[str, float] = field(default_factory=dict)  # step -> seconds that a practised operator takes


def aims_of(folder: RunFolder) -> Aims:
    """Return a run's aims, by its own copy of its runbook; none where that cannot be read."""
    try:
        runbook = parse_runbook(folder.runbook(), "runbook.toml")
    except (Trouble, OSError):
        return Aims()
    head, pars = runbook.head, {place.name: place.step.par for place in runbook.places if place.step.par}
    told = [safe(f"{one.label}: {one.target} at most") for one in head.headline if one.target]
    if head.rto:
        until = f", until {head.rto.until} has passed" if head.rto.until else ""
        told.insert(0, safe(f"restored within {show_duration(head.rto.target)}{until}"))
    risks: dict[str, str] = {}
    ages: dict[str, str] = {}
    for one in head.headline:
        names = [ref.name for ref in references(one.value)]
        if len(names) == 1 and "." in names[0]:
            (ages if one.age or one.target else risks)[one.label] = names[0]
    return Aims(tuple(told), risks, ages, pars)


def clocks_of(folder: RunFolder, happenings: Sequence[Happening], names: Mapping[str, str]) -> tuple[ReportClock, ...]:
    """Return how far each host's clock was from this console's, as its first words in the run tell."""
    begun: dict[tuple[str, int], datetime] = {}
    found: dict[str, ReportClock] = {}
    for told in happenings:
        match told.event:
            case e.AttemptStarted(step=step, attempt=attempt):
                begun[step, attempt] = told.wall
            case e.HostEnded(step=step, attempt=attempt, result=result) if "/reach-" in step and result.output:
                since = begun.get((step, attempt))
                path = folder.path / "out" / Path(result.output.file).name
                offset = _offset(path, since.timestamp(), told.wall.timestamp()) if since else None
                if offset is not None:
                    name = safe(names.get(result.host, result.host))
                    found[result.host] = ReportClock(name, *offset)
    return tuple(found[host] for host in sorted(found))


def _offset(path: Path, since: float, until: float) -> tuple[float, float] | None:
    """Return by how many seconds a host's clock was ahead, and the most that this can be wrong: it tells whole seconds."""
    try:
        with path.open("rb") as file:
            said = _CLOCK.search(file.read(_MOST))
        times = came_at(path)
    except (OSError, Trouble):
        return None
    if said is None:
        return None
    came = min(until, times[-1] / 1000) if times else until
    low, high = int(said[1]) - came, int(said[1]) + 1 - since
    return round((low + high) / 2, 1), round((high - low) / 2, 1)
