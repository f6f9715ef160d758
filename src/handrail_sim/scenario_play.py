"""Plays a scenario beside a drill, in a process of its own: begins it, follows the run's journal, judges the end.

It touches the estate through its control socket alone, and writes nothing of the run's.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import tomli

from handrail.base.problems import Trouble
from handrail.runbook.scenario import read_scenario
from handrail.runbook.scenario_model import Act, Card, ScenarioFile, When
from handrail_sim.daemon import LOG
from handrail_sim.registry import lives
from handrail_sim.scenario_acts import COPY, hosts_of, perform, performed, say
from handrail_sim.scenario_checks import Judge
from handrail_sim.scenario_story import Journal, comes, story

_LOOK: Final = 0.05  # seconds between two looks at the journal
_LIVES_EVERY: Final = 20  # looks


def begin(folder: Path, file: Path) -> dict[str, Any]:
    """Keep the scenario with the estate, and do what comes before the run."""
    scenario = read_scenario(file)
    shutil.copyfile(file, folder / COPY)
    hosts = hosts_of(folder)
    done = [perform(folder, act, hosts) for act in scenario.act if act.when.before]
    return {"id": scenario.id, "problems": [d.problem for d in done if d.problem]}


def set_off(folder: Path, run: Path) -> dict[str, Any]:
    """Follow a run in a process of its own, which outlives whoever asked; what it has to say goes into the estate's log."""
    child = os.fork()
    if child:
        return {"pid": child}
    status = 1
    try:
        os.setsid()
        for path, flags, fds in ((os.devnull, os.O_RDONLY, (0,)), (folder / LOG, os.O_WRONLY | os.O_APPEND, (1, 2))):
            opened = os.open(path, flags)
            for fd in fds:
                os.dup2(opened, fd)
        follow(folder, run)
        status = 0
    except Trouble:
        status = 0  # the estate is gone, and with it what there was to do
    finally:
        os._exit(status)


def follow(folder: Path, run: Path) -> dict[str, Any]:
    """Do each act once, when its event comes, until the estate is gone."""
    scenario = read_copy(folder)
    waiting = [Coming(act.when, act) for act in scenario.act if not act.when.before]
    waiting += [Coming(card.comes, card, f"scenario-{n}") for n, card in enumerate(scenario.card, 1)]
    hosts, journal = hosts_of(folder), Journal(run)
    due: list[tuple[float, Coming]] = []
    looks = 0
    while waiting or due:
        looks += 1
        if looks % _LIVES_EVERY == 0 and not lives(folder):
            break
        now = time.monotonic()
        for record in journal.fresh():
            come = [one for one in waiting if comes(one.when, record)]
            due += [(now + one.when.after, one) for one in come]
            waiting = [one for one in waiting if one not in come]
        for entry in sorted((e for e in due if e[0] <= now), key=lambda e: e[0]):
            due.remove(entry)
            _do(folder, entry[1], hosts)
        time.sleep(_LOOK)
    return {"left": [one.what.title for one in waiting if isinstance(one.what, Act)]}


@dataclass(frozen=True)
class Coming:
    """Something that comes once: an act, or a message with its name."""

    when: When
    what: Act | Card
    name: str = ""


def _do(folder: Path, one: Coming, hosts: Mapping[str, tuple[str, ...]]) -> None:
    if isinstance(one.what, Act):
        perform(folder, one.what, hosts)
    else:
        say(folder, one.name, one.what)


def judge(folder: Path, run: Path) -> dict[str, Any]:
    """Return the scenario, what was done, and whether the end is as it should be."""
    scenario = read_copy(folder)
    records = list(Journal(run).fresh())
    told = story(records)
    asks = Judge(folder, hosts_of(folder), told)
    checks = [asks.judge(check) for check in scenario.check]
    return {
        "id": scenario.id, "title": scenario.head.title, "good": scenario.head.good, "par": scenario.head.par,
        "took": told.seconds, "acts": [asdict(done) for done in performed(folder)],
        "checks": [asdict(check) for check in checks], "holds": all(check.holds for check in checks),
    }  # fmt: skip


def read_copy(folder: Path) -> ScenarioFile:
    """Return the scenario that was begun on an estate; its steps were held against the runbook then."""
    return ScenarioFile.model_validate(tomli.loads((folder / COPY).read_text(encoding="utf-8")))
