"""After a console has left: its reports are written; a drill that came to an end is remembered, and its estate taken down."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from handrail.base.clock import stamp
from handrail.base.problems import Trouble
from handrail.engine.outcome import outcome
from handrail.engine.words import Outcome, Way
from handrail.session import practice, simulator
from handrail.session.reports import write_reports
from handrail.session.view import Mode, Snapshot
from handrail.store.drills import Drill, add_drill
from handrail.store.home import Home
from handrail.store.run_folder import RunFolder


async def say_farewell(home: Home, folder: RunFolder, shown: Snapshot) -> None:
    """Do what is left to do when a run's console is gone; a run that is held keeps its estate."""
    if not shown.trouble:
        _write_reports(folder, shown)
    came_to = outcome(shown.state)
    over = came_to in (Outcome.DONE, Outcome.UNDONE, Outcome.CLOSED)
    if shown.info.mode is not Mode.DRILL or not over or shown.trouble:
        return
    if came_to is not Outcome.CLOSED:
        _remember(home, folder, shown)
        with suppress(Trouble):  # a memory for the person: the run stands without it
            practice.remember(home, shown)
    where = folder.inputs().get("sim_dir")
    if where:
        await simulator.down(Path(str(where)))


def _write_reports(folder: RunFolder, shown: Snapshot) -> None:
    try:
        write_reports(folder, shown)
    except (OSError, Trouble):
        return  # the journal is the record; a report can be made from it at any time


def _remember(home: Home, folder: RunFolder, shown: Snapshot) -> None:
    undone = any(a.way is Way.BACK for _, now in shown.state.walked() for a in now.attempts)
    add_drill(
        home,
        Drill(
            digest=shown.info.digest,
            runbook=shown.info.runbook,
            when=stamp(shown.wall),
            by=shown.info.operator,
            outcome=outcome(shown.state).value,
            undone=undone,
            run=folder.run_id,
            restored=shown.restored,
            took=max((a.ended for _, now in shown.state.walked() for a in now.attempts if a.ended), default=None),
        ),
    )
