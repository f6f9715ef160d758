"""Choosing a scenario for a drill: by name, or one that nobody knows beforehand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from handrail.base.durations import show_duration
from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import Safe, safe
from handrail.runbook.scenario import find_scenario, known_scenarios, read_scenario
from handrail.runbook.scenario_model import ScenarioFile


@dataclass(frozen=True)
class Chosen:
    """A scenario, the runbook that is drilled with it, and the route it begins on."""

    path: Path
    runbook: str
    route: str


def chosen(name: str, seed: int | None, runbook: str, *, folders: bool = False) -> Chosen:
    """Return the scenario of that name, else one at random that can be played here; raise `Trouble` when there is none.

    `folders`: the simulated estate runs in plain folders.
    """
    if name:
        path = find_scenario(name, Path.cwd())
        return _chosen(path, read_scenario(path), runbook)
    known = [(path, made) for path, made in _readable() if runbook in ("", made.head.runbook)]
    known = [one for one in known if not (folders and one[1].head.needs)]
    if not known:
        raise trouble("unknown-scenario", "there is no scenario for that runbook", "handrail drill --scenarios")
    return _chosen(*random.Random(seed).choice(known), runbook)  # noqa: S311 - a surprise, not a secret


def _chosen(path: Path, made: ScenarioFile, runbook: str) -> Chosen:
    return Chosen(path, runbook or made.head.runbook, made.head.route)


def _readable() -> Iterator[tuple[Path, ScenarioFile]]:
    for path in known_scenarios(Path.cwd()).values():
        try:
            yield path, read_scenario(path)
        except Trouble:
            continue  # `handrail lint` says what is wrong with it


def listed() -> list[Safe]:
    """Return a line for each scenario; of one that is not announced, no more than that."""
    found = []
    for path, made in _readable():
        about = made.head.title if made.head.told else "not announced: what it is, the drill tells at its end"
        found.append(safe(f"{path.stem:<22} {show_duration(made.head.par):>5}  {made.head.runbook}: {about}", 200))
    return found or [safe("no scenarios are known from here")]
