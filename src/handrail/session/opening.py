"""Opening a run and taking one up again: folder, lock, journal, binding, and the session that drives them."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from handrail import __version__
from handrail.base.clock import Clock, SystemClock, unstamp
from handrail.base.failpoint import boundary
from handrail.base.ids import new_run_id
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.codec import decode_event, encode_event
from handrail.engine.evolve import fold
from handrail.engine.words import Pace
from handrail.runbook.bind import Binding, bind, moving_names
from handrail.runbook.document import digest, read_document
from handrail.runbook.estate import Estate, examine_estate
from handrail.runbook.read import parse_runbook
from handrail.session import approvals, lessons, practice, scenarios
from handrail.session.asking import NOTHING, Given, Ways
from handrail.session.cards import Wanted
from handrail.session.core import Core
from handrail.session.farewell import say_farewell
from handrail.session.memory import remembered
from handrail.session.modes import mode_of
from handrail.session.outline import outline_of
from handrail.session.people import known_as
from handrail.session.preflight import with_preflight
from handrail.session.revision import revision_of
from handrail.session.session import Files, Session
from handrail.session.snapshots import Replayed, Shown
from handrail.session.view import Before, Mode, RunInfo
from handrail.ssh.links import HostFacts
from handrail.store import asking
from handrail.store.chain import Record
from handrail.store.home import Home
from handrail.store.journal import Journal, boot_id, read_run
from handrail.store.lock import Lock, acquire, check_words, holder_of, is_gone, takeover
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


def operator() -> str:
    """Return who sits at this console: HANDRAIL_OPERATOR, who called sudo, or the user."""
    found = os.environ.get("HANDRAIL_OPERATOR") or os.environ.get("SUDO_USER") or getpass.getuser()
    return safe(found, 40)


def open_run(home: Home, opening: Opening, clock: Clock | None = None, ways: Ways | None = None) -> Session:
    """Return the session of a new run, which takes over `ways`; raise `Trouble` with nothing sent when it cannot be opened."""
    clock = clock or SystemClock()
    data, text = opening.runbook.read_bytes(), opening.estate.read_bytes()
    binding = _binding(data, str(opening.runbook), text, opening.estate, opening.values)
    mode = mode_of(binding.estate, home, opening.mode)
    if mode in (Mode.LIVE, Mode.REHEARSAL):
        home.refuse_network()
    if opening.route not in binding.runbook.routes:
        known = ", ".join(binding.runbook.routes)
        raise trouble("route", f"{binding.runbook.id} has no route {safe(opening.route, 40)!r}", f"its routes: {known}")
    if binding.missing:
        raise _missing(binding)
    approved = _approved(home, binding, digest(data), opening.route, mode, clock)
    run = new_run_id(clock.now())
    inputs = {
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
    folder = RunFolder.create(home.make(), run, runbook=data, inputs=inputs, estate=text)
    who = operator()
    with boundary("lock.acquire"):
        lock = acquire(folder.path, who, clock)
    journal = Journal.create(folder.path, clock, who, lock.epoch, guard=lock.check)
    lost = binding.runbook.routes[opening.route].lost
    captures, captured_at = remembered(home, binding, clock)
    opened = e.RunOpened(
        at=0.0,
        run=run,
        mode=mode.value,
        route=opening.route,
        operator=who,
        host=socket.gethostname(),
        runbook=binding.runbook.id,
        digest=digest(data),
        estate=binding.estate.name,
        tool=__version__,
        inputs=dict(binding.values),
        known_hosts=_digest_of(binding.estate.known_hosts),
        reason=opening.reason,
        incident=opening.incident,
        disrupted=opening.since,
        pace=opening.pace,
        epoch=lock.epoch,
        emergency=(opening.emergency or "declared at the start") if lost else "",
        remembered=captures,
        remembered_at=captured_at,
        approved=approved,
        scenario=scenarios.name_of(opening.scenario),
        level=opening.level,
        predict=opening.predict,
        known=known_as(),
        revision=revision_of(opening.runbook),
        estate_digest=digest(text),
    )
    name, body = encode_event(opened)
    journal.append(name, body)
    ways = ways or ways_for(binding, NOTHING)
    session = _session(home, Files(folder, journal, lock), binding, [opened], clock, start=clock.mono(), ways=ways)
    if opening.successor_of:
        why = opening.reason or f"goes on from there with {binding.runbook.id}"
        session.core.successor_of = (opening.successor_of, why)
    return session


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
    binding = _binding(
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
    session = _session(home, Files(folder, journal, lock), binding, events, clock, start=start, ways=ways)
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


def _digest_of(path: Path | None) -> str:
    try:
        return digest(path.read_bytes()) if path else ""
    except OSError:
        return ""


def _binding(
    data: bytes,
    name: str,
    text: bytes,
    estate_path: Path,
    values: Mapping[str, str],
    hosts: Mapping[str, Any] | None = None,
    *,
    reading: bool = False,
) -> Binding:
    """Return the binding of a run; `hosts` are those it was opened with, None for a new one, which looks for them."""
    runbook = with_preflight(parse_runbook(data, name))
    return bind(runbook, _estate(text, estate_path, hosts, reading=reading), values)


def _estate(text: bytes, path: Path, hosts: Mapping[str, Any] | None, *, reading: bool) -> Estate:
    """Return an estate; `reading` a record needs none of the files it names: they may be gone, or somebody else's."""
    document = read_document(text, safe(str(path)))
    estate, problems = examine_estate(document, path, digest(text), ask=hosts is None, known=hosts)
    errors = [p for p in problems if p.severity == "error"]
    if estate is None or (errors and not reading):
        raise Trouble(*errors)
    return estate


def events_of(records: list[Record]) -> list[e.Event]:
    """Return the events of a journal; records of the store's own (repairs) are passed over."""
    found = (decode_event(record.event, record.body) for record in records)
    return [event for event in found if event is not None]


def _start(records: list[Record], events: list[e.Event], clock: Clock) -> float:
    """Return the monotonic time at which run seconds began: by this boot's clock, else by the wall clock."""
    last, at = records[-1], max((event.at for event in events), default=0.0)
    away = max(0.0, (clock.now() - unstamp(last.ts)).total_seconds())
    if last.boot == boot_id() and last.mono <= clock.mono():
        away = clock.mono() - last.mono
    return clock.mono() - at - away


def ways_for(binding: Binding, given: Given) -> Ways:
    """Return a console's connections for a binding, and the questions they ask."""
    ways = Ways.made(given, _apart(binding))
    ways.links.moving = moving_names(binding.runbook, binding.values)
    return ways


def _session(
    home: Home, files: Files, binding: Binding, events: list[e.Event], clock: Clock, *, start: float, ways: Ways
) -> Session:
    opened = next(event for event in events if isinstance(event, e.RunOpened))
    mode = Mode(opened.mode)
    outline = outline_of(binding, until_first_change=mode is Mode.CHECK)
    state = fold(outline, events)
    ways.links.moving = moving_names(binding.runbook, binding.values)  # a briefing's ways did not know every answer
    secrets = tuple(binding.secrets.values())
    files.journal.hide(secrets)
    shown = Shown(run_info(files.folder, files.journal.records, binding, opened, clock))

    def make(session: Session) -> Core:
        return Core(
            teller=session,
            binding=binding,
            run=opened.run,
            operator=operator(),
            host=socket.gethostname(),
            clock=clock,
            links=ways.links,
            asking=ways.asking,
            out=files.folder.out,
            now=_run_seconds(clock, start),
            state=state,
            secrets=secrets,
            anchor=lambda: (len(files.journal.records), files.journal.head),
        )

    scenario = partial(scenarios.news, files.folder) if opened.scenario else None
    session = Session(files, shown, make, partial(say_farewell, home, files.folder), scenario)
    _recall_hosts(session.core)
    return session


def _recall_hosts(core: Core) -> None:
    """Tell the links what each host was like when this run's jobs were started there: absence is held against it."""
    for _, now in core.state.walked():
        for key, notes in now.notes.items():
            if "marker" in notes:
                core.links.recall(core.target(key), core.run, HostFacts(notes["boot"], notes["marker"]))


def _run_seconds(clock: Clock, start: float) -> Callable[[], float]:
    return lambda: round(clock.mono() - start, 3)


def _apart(binding: Binding) -> tuple[str, ...]:
    """Return the hosts that must be different machines: those of the one-roles."""
    return tuple(role for role, kind in binding.runbook.roles.items() if kind == "one")


def run_info(
    folder: RunFolder, records: Sequence[Record], binding: Binding, opened: e.RunOpened, clock: Clock
) -> RunInfo:
    """Return what does not change in a run."""
    head, inputs, mode = binding.runbook.head, folder.inputs(), Mode(opened.mode)
    first = records[0] if records else None
    return RunInfo(
        run=opened.run,
        mode=mode,
        runbook=opened.runbook,
        title=head.title,
        summary=head.summary or "",
        digest=opened.digest,
        estate=opened.estate,
        operator=operator(),
        folder=folder.path,
        started=unstamp(first.ts) if first else clock.now(),
        rto=head.rto.target if head.rto else 0.0,
        rto_until=(head.rto.until or "") if head.rto else "",
        simulated=str(inputs.get("simulated", "")),
        reason=opened.reason,
        shortened=str(inputs.get("shortened", "")),
        adds=float(inputs.get("adds", 0.0)),
        level=opened.level,
        predict=opened.predict,
        coach=lessons.notes_from(inputs.get("coach")),
        before=Before(**inputs.get("before", {})),
        scenario=opened.scenario,
        told=str(inputs.get("told", "")),
        sim_dir=Path(str(inputs["sim_dir"])) if inputs.get("sim_dir") else None,
    )


def replayed(folder: RunFolder, clock: Clock | None = None) -> Replayed:
    """Return a run from its folder, read only; raise `Trouble` when its journal is damaged at the front."""
    inputs = folder.inputs()
    binding = _binding(
        folder.runbook(),
        "runbook.toml",
        folder.estate(),
        Path(str(inputs["estate_path"])),
        inputs.get("values", {}),
        inputs.get("hosts", {}),
        reading=True,
    )
    reading = read_run(folder.path)
    records = tuple(reading.records)
    events = events_of(list(records))
    opened = next((event for event in events if isinstance(event, e.RunOpened)), None)
    if opened is None:
        raise reading_trouble(folder.run_id, str(reading.problem or "it holds no run"))
    mode = Mode(opened.mode)
    state = fold(outline_of(binding, until_first_change=mode is Mode.CHECK), events)
    info = run_info(folder, records, binding, opened, clock or SystemClock())
    return Replayed(info, binding, state, records, reading.damage)


def reading_trouble(run: str, why: str) -> Trouble:
    """Return the trouble of a run that cannot be read."""
    return trouble("run-unreadable", f"run {run} cannot be read: {why}", f"look with: handrail audit {run}")
