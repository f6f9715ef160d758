"""A note on a run that nobody drives: a record more at its end. No host is asked, nothing else of the run changes."""

from __future__ import annotations

from handrail.base.clock import Clock, SystemClock, unstamp
from handrail.base.problems import trouble
from handrail.engine import messages as m
from handrail.engine.codec import encode_event
from handrail.engine.decide import decide
from handrail.engine.evolve import evolve
from handrail.engine.messages import Refused
from handrail.session.people import operator
from handrail.session.recorded import replayed
from handrail.session.reports import write_reports
from handrail.session.snapshots import still
from handrail.store.journal import Journal
from handrail.store.lock import acquire
from handrail.store.run_folder import RunFolder


def write_note(folder: RunFolder, note: m.Note, clock: Clock | None = None) -> None:
    """Keep a note, and write the reports anew; raise `Trouble` when somebody drives the run, or when it says nothing."""
    clock = clock or SystemClock()
    who = operator()
    lock = acquire(folder.path, who, clock)
    try:
        run = replayed(folder, clock)
        away = max(0.0, (clock.now() - unstamp(run.records[-1].ts)).total_seconds())
        at = round(run.state.at + away, 3)
        made = decide(run.state, m.Note(note.text, note.step, note.owner, note.due, note.next_test, at=at, by=who))
        if isinstance(made, Refused):
            raise trouble("note", made.reason)
        journal = Journal.open(folder.path, clock, who, lock.epoch, guard=lock.check)
        try:
            state = run.state
            for event in made:
                journal.append(*encode_event(event))
                state = evolve(state, event)
            shown = still(run.at(state, tuple(journal.records), run.damage), 1, at, clock.now())
        finally:
            journal.close()
        write_reports(folder, shown)
    finally:
        lock.release()
