"""Before a run is taken over: who drives it, what it has changed, what is under way; and asking who drives it.

It reads the run's folder and writes the one question; taking over is `resuming.resume_run`.
"""

from __future__ import annotations

import contextlib
import socket
from datetime import datetime, timedelta

from handrail.base.clock import Clock, SystemClock, unstamp
from handrail.base.problems import trouble
from handrail.engine import order
from handrail.report.telling import tell
from handrail.session.people import operator
from handrail.session.recorded import replayed
from handrail.session.reports import happening_of
from handrail.session.snapshots import Replayed, still
from handrail.session.standing import Reply, Stage, Standing
from handrail.session.status import changed_steps, clients_word, where_text
from handrail.session.view import Snapshot
from handrail.store import asking
from handrail.store.asking import Question, Said
from handrail.store.lock import holder_of, is_gone, silence_of
from handrail.store.run_folder import RunFolder

RECENT = 40  # records in which the last thing that was done is looked for


def stand(folder: RunFolder, clock: Clock | None = None) -> Standing:
    """Return what stands in a run that somebody drives; raise `Trouble` `run-free` when nobody does."""
    clock = clock or SystemClock()
    holder = holder_of(folder.path)
    if holder is None:
        raise trouble("run-free", f"nobody drives run {folder.run_id}", "resume it")
    run = replayed(folder, clock)
    last = run.records[-1]
    away = max(0.0, (clock.now() - unstamp(last.ts)).total_seconds())
    snap = still(run, 1, run.state.at + away, clock.now())
    undo = order.to_undo(run.state, "")
    return Standing(
        snap=snap,
        holder=holder.who,
        host=holder.host,
        pid=holder.pid,
        gone=is_gone(holder),
        since=_time(holder.since),
        keyed=_time(holder.keyed),
        silent=silence_of(folder.path, holder),
        where=where_text(run.state, whole=not run.damage),
        last=_last(run, snap),
        note=_note(run, snap),
        flight=tuple(_flight(snap)),
        changed=changed_steps(snap),
        undo=tuple(run.state.outline.step(step).name for step in undo),
        undo_seconds=sum(snap.undo_seconds.get(step, 0.0) for step in undo),
        owed=tuple(f"{o.what} ({o.why})" for o in run.state.owed),
        clients=clients_word(run.state),
        differs=tuple(f"{step.name}: {now.differs}" for step, now in run.state.walked() if now.differs),
    )


def _time(text: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        return unstamp(text)
    return None


def _last(run: Replayed, snap: Snapshot) -> str:
    """Return the last record that is worth a line, in words."""
    for record in reversed(run.records[-RECENT:]):
        happening = happening_of(record)
        entry = tell(run.state.outline, snap.names, happening) if happening else None
        if entry is not None:
            return f"{entry.wall:%H:%M:%SZ} {entry.text}"
    return ""


def _note(run: Replayed, snap: Snapshot) -> str:
    notes = run.state.notes
    return f'{_wall(snap, notes[-1].at):%H:%MZ} {notes[-1].by}: "{notes[-1].text}"' if notes else ""


def _flight(snap: Snapshot) -> list[str]:
    state, found = snap.state, []
    for step in order.busy(state):
        attempt = state.step(step.id).attempt
        where = ", ".join(snap.names.get(h, h) for h in attempt.missing) if attempt else ""
        since = f" since {_wall(snap, attempt.started):%H:%M:%SZ}" if attempt else ""
        found.append(f"{step.name}, {state.step(step.id).word.value}{f' on {where}' if where else ''}{since}, goes on")
    return found


def _wall(snap: Snapshot, at: float) -> datetime:
    return snap.info.started + timedelta(seconds=at)


class Asking:
    """One operator's questions: at most one for each run."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._questions: dict[str, Question] = {}

    def ask(self, folder: RunFolder, note: str = "") -> None:
        """Ask whoever drives a run to hand it over."""
        found = asking.ask_for(folder.path, operator(), socket.gethostname(), self._clock, note=note)
        self._questions[folder.run_id] = found

    def withdraw(self, folder: RunFolder) -> None:
        """Take the question away."""
        question = self._questions.pop(folder.run_id, None)
        if question:
            asking.withdraw(folder.path, question)

    def reply(self, folder: RunFolder) -> Reply:
        """Return what has come of it; cheap enough to look every second."""
        holder = holder_of(folder.path)
        if holder is None:
            return Reply(Stage.FREE)
        if is_gone(holder):
            return Reply(Stage.GONE)
        question = self._questions.get(folder.run_id)
        if question is None:
            return Reply(Stage.UNASKED)
        left = asking.PATIENCE - question.stood(self._clock)
        answer = asking.answered(folder.path, question)
        if answer is not None:
            return Reply(Stage.HANDING if answer.said is Said.HANDING else Stage.DECLINED, answer.words, left)
        standing = asking.asked(folder.path)
        if standing is None or standing.id != question.id:
            who = f"{standing.who} asks for it now" if standing else "it was taken away"
            return Reply(Stage.UNASKED, f"your question does not stand any more: {who}")
        return Reply(Stage.WAITING if left > 0 else Stage.SILENT, left=max(0.0, left))
