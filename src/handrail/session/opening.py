"""Opening a run: what it cannot be opened without, its folder, lock and journal, and the session that drives it."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Any

from handrail import __version__
from handrail.base.clock import Clock, SystemClock
from handrail.base.failpoint import boundary
from handrail.base.frozen import dataclass
from handrail.base.ids import new_run_id
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.engine import events as e
from handrail.engine.codec import encode_event
from handrail.engine.words import Pace
from handrail.runbook.bind import Binding
from handrail.runbook.document import digest
from handrail.session import approvals, lessons, practice, scenarios
from handrail.session.asking import NOTHING, Ways
from handrail.session.assembly import assembled, ways_for
from handrail.session.memory import remembered
from handrail.session.modes import mode_of
from handrail.session.people import known_as, operator
from handrail.session.recorded import bound
from handrail.session.revision import revision_of
from handrail.session.session import Files, Session
from handrail.session.view import Mode
from handrail.store.home import Home
from handrail.store.journal import Journal
from handrail.store.lock import acquire
from handrail.store.run_folder import RunFolder


@dataclass(frozen=True)
class Opening:
    """Everything a new run is opened with."""

    runbook: Path
    estate: Path
    mode: Mode
    route: str = "planned"
    values: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    incident: str = ""
    since: str = ""
    emergency: str = ""
    pace: Pace = Pace.STAGE
    simulated: str = ""  # "namespaces" or "folders"
    sim_dir: str = ""
    shortened: str = ""
    adds: float = 0.0  # seconds that production's TTL would add
    level: str = ""  # how much whoever drills is helped; empty: nobody practises here
    predict: bool = False
    scenario: Path | None = None
    successor_of: str = ""  # the name of who holds the estate's claim, typed: this run goes on from theirs


def open_run(home: Home, opening: Opening, clock: Clock | None = None, ways: Ways | None = None) -> Session:
    """Return the session of a new run, which takes over `ways`; raise `Trouble` with nothing sent when it cannot be opened."""
    clock = clock or SystemClock()
    data, text = opening.runbook.read_bytes(), opening.estate.read_bytes()
    binding = bound(data, str(opening.runbook), text, opening.estate, opening.values)
    mode = mode_of(binding.estate, home, opening.mode)
    _demand(home, opening, binding, mode)
    approved = _approved(home, binding, digest(data), opening.route, mode, clock)
    inputs = _inputs(home, opening, binding, mode)
    folder = RunFolder.create(home.make(), new_run_id(clock.now()), runbook=data, inputs=inputs, estate=text)
    who = operator()
    with boundary("lock.acquire"):
        lock = acquire(folder.path, who, clock)
    journal = Journal.create(folder.path, clock, who, lock.epoch, guard=lock.check)
    captures, captured_at = remembered(home, binding, clock)
    opened = replace(
        _first_record(opening, binding, mode),
        run=folder.run_id,
        operator=who,
        digest=digest(data),
        estate_digest=digest(text),
        epoch=lock.epoch,
        remembered=captures,
        remembered_at=captured_at,
        approved=approved,
    )
    name, body = encode_event(opened)
    journal.append(name, body)
    ways = ways or ways_for(binding, NOTHING)
    session = assembled(home, Files(folder, journal, lock), binding, [opened], clock, start=clock.mono(), ways=ways)
    if opening.successor_of:
        why = opening.reason or f"goes on from there with {binding.runbook.id}"
        session.core.successor_of = (opening.successor_of, why)
    return session


def _demand(home: Home, opening: Opening, binding: Binding, mode: Mode) -> None:
    """Raise `Trouble` for what a run cannot be opened without."""
    if mode in (Mode.LIVE, Mode.REHEARSAL):
        home.refuse_network()
    if opening.route not in binding.runbook.routes:
        known = ", ".join(binding.runbook.routes)
        raise trouble("route", f"{binding.runbook.id} has no route {safe(opening.route, 40)!r}", f"its routes: {known}")
    if binding.missing:
        raise _missing(binding)


def _inputs(home: Home, opening: Opening, binding: Binding, mode: Mode) -> dict[str, Any]:
    """Return what is kept beside the journal: what a console needs to drive or to show this run again."""
    return {
        "estate_path": str(opening.estate.absolute()),
        "runbook_path": str(opening.runbook.absolute()),
        "values": dict(binding.values),
        "hosts": dict(binding.estate.found),
        "mode": mode.value,
        "simulated": opening.simulated,
        "sim_dir": opening.sim_dir,
        "shortened": opening.shortened,
        "adds": opening.adds,
        "coach": lessons.notes_kept(practice.notes_of(binding.runbook.id, opening.runbook, opening.level)),
        "before": asdict(practice.before(home, operator(), binding.runbook.id)) if opening.level else {},
        "told": scenarios.told(opening.scenario) if opening.scenario else "",
    }


def _first_record(opening: Opening, binding: Binding, mode: Mode) -> e.RunOpened:
    """Return the first record of a run, as far as what was asked for tells it."""
    lost = binding.runbook.routes[opening.route].lost
    return e.RunOpened(
        at=0.0,
        run="",
        operator="",
        digest="",
        mode=mode.value,
        route=opening.route,
        host=socket.gethostname(),
        runbook=binding.runbook.id,
        estate=binding.estate.name,
        tool=__version__,
        inputs=dict(binding.values),
        known_hosts=_digest_of(binding.estate.known_hosts),
        reason=opening.reason,
        incident=opening.incident,
        disrupted=opening.since,
        pace=opening.pace,
        emergency=(opening.emergency or "declared at the start") if lost else "",
        scenario=scenarios.name_of(opening.scenario),
        level=opening.level,
        predict=opening.predict,
        known=known_as(),
        revision=revision_of(opening.runbook),
    )


def _missing(binding: Binding) -> Trouble:
    """Return what to say of variables that nobody has given a value."""
    name = binding.missing[0]
    how = f"--secret {name}=@FILE" if binding.runbook.vars[name].type == "secret" else f"--set {name}=…"
    return trouble("missing-value", f"these need a value: {', '.join(binding.missing)}", f"give it with {how}")


def _approved(home: Home, binding: Binding, identity: str, route: str, mode: Mode, clock: Clock) -> tuple[str, ...]:
    """Return who approved a run that is about to be opened; raise `Trouble` when that is not enough."""
    wanted = binding.runbook.head.approvals if mode in (Mode.LIVE, Mode.REHEARSAL) else 0
    if not wanted:
        return ()
    what = approvals.asked(binding, identity, route)
    found = approvals.holding(home, what, binding.estate.allowed_signers, clock.now())
    approvals.demand(found, wanted, binding.runbook.id)
    return tuple(map(str, found))


def _digest_of(path: Path | None) -> str:
    try:
        return digest(path.read_bytes()) if path else ""
    except OSError:
        return ""
