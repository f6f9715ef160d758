"""A run that exists, driven again: by who left it, or by who takes it over."""

from __future__ import annotations

import socket
from pathlib import Path

from handrail.base.clock import Clock, SystemClock, unstamp
from handrail.base.failpoint import boundary
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.runbook.read import parse_runbook
from handrail.session.asking import NOTHING, Given
from handrail.session.assembly import assembled, ways_for
from handrail.session.cards import Wanted
from handrail.session.modes import mode_of
from handrail.session.people import known_as, operator
from handrail.session.recorded import bound, events_of
from handrail.session.session import Files, Session
from handrail.session.view import Mode
from handrail.store import asking
from handrail.store.chain import Record
from handrail.store.home import Home
from handrail.store.journal import Journal, boot_id
from handrail.store.lock import Lock, acquire, check_words, holder_of, is_gone, takeover
from handrail.store.run_folder import RunFolder


def resume_run(
    home: Home,
    folder: RunFolder,
    reason: str = "",
    typed: str = "",
    clock: Clock | None = None,
    given: Given = NOTHING,
    *,
    giving_back: bool = False,
) -> Session:
    """Drive a run again; one that another console holds is taken over with its holder's name typed, and a reason.

    `giving_back` opens one that is over, only to be closed again: then the claim goes from where it was left.
    Secrets are in no file of the run: they are given anew. Without them what needs one fails before it is sent.
    """
    clock = clock or SystemClock()
    inputs = folder.inputs()
    if inputs.get("sim_dir") and not Path(str(inputs["sim_dir"])).exists():
        hint = f"read its report: handrail report {folder.run_id}; begin anew: handrail drill"
        raise trouble("estate-gone", f"the simulated estate of run {folder.run_id} is gone: the drill is over", hint)
    binding = bound(
        folder.runbook(),
        "runbook.toml",
        folder.estate(),
        Path(str(inputs["estate_path"])),
        {**inputs.get("values", {}), **given.values()},
        inputs.get("hosts", {}),
    )
    mode_of(binding.estate, home, Mode(str(inputs["mode"])) if inputs["mode"] != "REHEARSAL" else Mode.LIVE)
    who = operator()
    lock = _lock(folder, who, clock, reason, typed)
    try:
        journal = Journal.open(folder.path, clock, who, lock.epoch, guard=lock.check)
    except Trouble:
        lock.release()
        raise
    records = list(journal.records)
    events = events_of(records)
    closed = next((event.reason for event in events if isinstance(event, e.RunClosed)), "")
    if closed and not giving_back:
        _give_back(journal, lock)
        raise trouble("run-closed", f"run {folder.run_id} was closed: {safe(closed)}", "see its report")
    start = _start(records, events, clock)
    ways = ways_for(binding, given)
    session = assembled(home, Files(folder, journal, lock), binding, events, clock, start=start, ways=ways)
    if giving_back:
        return session
    with boundary("resume.submit"):
        refused = session.submit(m.Resume(socket.gethostname(), session.core.state.epoch + 1, reason, known_as()))
    if refused:
        _give_back(journal, lock)
        raise trouble("resume", refused.reason)
    return session


def lacking(folder: RunFolder, given: Given) -> tuple[Wanted, ...]:
    """Return the secret variables of a run that nobody has given this console; nothing but its runbook is read."""
    kinds = parse_runbook(folder.runbook(), "runbook.toml").vars
    needed = (name for name, var in kinds.items() if var.type == "secret" and var.default is None)
    return tuple(
        Wanted(name, "secret", kinds[name].help or "", secret=True) for name in needed if name not in given.secrets
    )


def _give_back(journal: Journal, lock: Lock) -> None:
    journal.close()
    lock.release()


def _lock(folder: RunFolder, who: str, clock: Clock, reason: str, typed: str) -> Lock:
    """Take the lock: of a run that nobody drives, or, with name and reason, from a holder who was asked first."""
    holder = holder_of(folder.path)
    if holder is None or not typed:
        lock = acquire(folder.path, who, clock)  # refused with the holder's name
    else:
        check_words(holder, typed, reason)
        why = "" if is_gone(holder) else asking.may_take(folder.path, who, clock, asking.PATIENCE)
        if why:
            hint = f"handrail resume {folder.run_id} asks them, and waits"
            raise trouble("not-asked", f"{safe(holder.who)} drives this run, and {why}", hint)
        with boundary("lock.takeover"):
            lock = takeover(folder.path, who, clock, seen=holder, typed=typed, reason=reason)
    asking.forget(folder.path)
    return lock


def _start(records: list[Record], events: list[e.Event], clock: Clock) -> float:
    """Return the monotonic time at which run seconds began: by this boot's clock, else by the wall clock."""
    last, at = records[-1], max((event.at for event in events), default=0.0)
    away = max(0.0, (clock.now() - unstamp(last.ts)).total_seconds())
    if last.boot == boot_id() and last.mono <= clock.mono():
        away = clock.mono() - last.mono
    return clock.mono() - at - away
