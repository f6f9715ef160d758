"""What is kept of runs: which may be pruned, and packing one up. Nothing that a person still needs is ever removed."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from handrail.base.clock import stamp
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.report.data import Report
from handrail.session import simulator
from handrail.session.cards import RunCard
from handrail.session.desk import Desk
from handrail.session.reports import FORMS, WRITTEN
from handrail.session.view import Mode
from handrail.store.home import Home
from handrail.store.run_folder import RunFolder
from handrail.store.trusted import open_trusted, trust_folder

_OVER: Final = frozenset({"done", "undone", "closed"})
_OURS: Final = ("lock", "watchers", "mail", ".")  # beginnings of names that are this console's business only


def as_data(card: RunCard) -> dict[str, Any]:
    """Return a run of the list as JSON-ready data."""
    return {
        "run": card.run,
        "mode": card.mode.value,
        "runbook": card.runbook,
        "estate": card.estate,
        "outcome": card.outcome,
        "where": safe(card.where),
        "operator": safe(card.operator),
        "started": stamp(card.started),
        "since": stamp(card.since) if card.since else None,
        "damage": safe(card.damage),
        "driven": card.driven,
        "holder": safe(card.holder),
        "owed": [safe(owed) for owed in card.owed],
        "folder": str(card.folder),
    }


def old_runs(home: Home, seconds: float) -> tuple[list[RunCard], list[tuple[str, str]]]:
    """Return the runs that began longer ago and may go, and those that must stay, each with its reason."""
    before = datetime.now(UTC) - timedelta(seconds=seconds)
    gone, kept = [], []
    for card in Desk(home).runs():
        if card.started >= before:
            continue
        why = needed(card)
        if why:
            kept.append((card.run, why))
        else:
            gone.append(card)
    return gone, kept


def needed(card: RunCard) -> str:
    """Return why a run's record is still needed; nothing when it may go."""
    if card.driven:
        return f"{safe(card.holder)} drives it"
    real = card.mode in (Mode.LIVE, Mode.REHEARSAL)
    if real and card.damage:
        return f"its record is not whole: {safe(card.damage)}"
    if real and card.outcome not in _OVER:
        return f"it is {card.mode.value} and {card.outcome}: finish it, undo it or close it"
    if real and card.owed:
        return f"it owes something: {safe(card.owed[0])}"
    return ""


def remove(card: RunCard) -> None:
    """Remove a run's folder for good, and the simulated estate that a held drill still has."""
    trust_folder(card.folder)
    try:
        sim_dir = RunFolder(card.folder).inputs().get("sim_dir")
    except (Trouble, OSError):
        sim_dir = None
    if sim_dir:
        asyncio.run(simulator.down(Path(str(sim_dir))))
    shutil.rmtree(card.folder)


def pack(folder: RunFolder, report: Report, place: Path) -> None:
    """Write a run into a new tar.gz that only its owner may read; raise `Trouble` when the file is there already."""
    try:
        fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
            for path in sorted(_files(folder)):
                _add_file(archive, path, f"{folder.run_id}/{path.relative_to(folder.path)}")
            for form in WRITTEN:
                _add(archive, FORMS[form](report).encode(), f"{folder.run_id}/report.{form}")
    except OSError as err:
        raise trouble("export-unwritable", f"{safe(str(place))} cannot be written: {safe(str(err.strerror))}") from err


def _files(folder: RunFolder) -> Iterator[Path]:
    """Yield what belongs to the record: plain files of the run's folder and of its output."""
    for parent in (folder.path, folder.out):
        for path in parent.iterdir() if parent.is_dir() else ():
            mine = path.name.startswith(_OURS) or path.name in {f"report.{form}" for form in WRITTEN}
            if path.is_file() and not path.is_symlink() and not mine:
                yield path


def _add_file(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """Add a file as long as it is now: a journal that somebody writes to may grow meanwhile."""
    with os.fdopen(open_trusted(path, os.O_RDONLY, at="export.read"), "rb") as file:
        found = os.fstat(file.fileno())
        archive.addfile(_member(name, found.st_size, found.st_mtime), file)


def _add(archive: tarfile.TarFile, data: bytes, name: str) -> None:
    archive.addfile(_member(name, len(data), datetime.now(UTC).timestamp()), io.BytesIO(data))


def _member(name: str, size: int, when: float) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, int(when), 0o600
    return member
