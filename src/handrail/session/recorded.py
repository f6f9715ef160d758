"""What a run's folder says of it: its binding, its events, the run as it stands. It reads, and takes no lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from handrail.base.clock import Clock, SystemClock, unstamp
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.engine import events as e
from handrail.engine.codec import decode_event
from handrail.engine.evolve import fold
from handrail.runbook.bind import Binding, bind
from handrail.runbook.document import digest, read_document
from handrail.runbook.estate import Estate, examine_estate
from handrail.runbook.read import parse_runbook
from handrail.session import lessons
from handrail.session.outline import outline_of
from handrail.session.people import operator
from handrail.session.preflight import with_preflight
from handrail.session.snapshots import Replayed
from handrail.session.view import Before, Mode, RunInfo
from handrail.store.chain import Record
from handrail.store.journal import read_run
from handrail.store.run_folder import RunFolder


def bound(
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
    binding = bound(
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
