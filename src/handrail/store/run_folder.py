"""One run is one folder: its journal, its lock, its own copies of runbook, inputs and estate, and its output.

It may not read what is in the copies, nor tell what state a run is in: that takes the engine.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, trouble
from handrail.base.safe import safe
from handrail.store.chain import Record
from handrail.store.disk import DISK, Disk, create_file, replace_file, sync_folder, told
from handrail.store.home import Home
from handrail.store.journal import NAME as JOURNAL
from handrail.store.journal import Skimmed, skim_run
from handrail.store.trusted import file_mode, open_trusted, shared, trust_folder

RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run, and what is kept in them besides the journal."""

    path: Path

    @property
    def run_id(self) -> str:
        """The run's id, which is the folder's name."""
        return self.path.name

    @property
    def journal(self) -> Path:
        """The journal: the truth."""
        return self.path / JOURNAL

    @property
    def out(self) -> Path:
        """The folder of the output spools."""
        return self.path / "out"

    @classmethod
    def create(
        cls,
        home: Home,
        run_id: str,
        *,
        runbook: bytes,
        inputs: Mapping[str, Any],
        estate: bytes,
        disk: Disk = DISK,
    ) -> RunFolder:
        """Make the folder of a new run, so that it lasts; raise Trouble `run-exists` or `untrusted-file`."""
        _check_id(run_id)
        folder = cls(home.runs / run_id)
        if folder.path.exists():
            raise trouble("run-exists", f"there is a run {run_id} already")
        with told("run-unwritable", f"run {run_id} cannot be begun"):
            folder._make(home, {"runbook.toml": runbook, "inputs.json": _json(inputs), "estate.toml": estate}, disk)
        return folder

    @classmethod
    def open(cls, home: Home, run_id: str) -> RunFolder:
        """Return an existing run's folder; raise Trouble `run-unknown` or `untrusted-file`."""
        _check_id(run_id)
        try:
            trust_folder(home.runs / run_id)
        except FileNotFoundError as err:
            raise trouble("run-unknown", f"there is no run {run_id}", "see `handrail runs`") from err
        return cls(home.runs / run_id)

    def runbook(self) -> bytes:
        """Return the run's own copy of its runbook, byte for byte."""
        return _read(self.path / "runbook.toml")

    def estate(self) -> bytes:
        """Return the run's own copy of its estate file."""
        return _read(self.path / "estate.toml")

    def inputs(self) -> dict[str, Any]:
        """Return what the run was started with; raise Trouble `run-damaged` when that cannot be read."""
        try:
            found = json.loads(_read(self.path / "inputs.json"))
        except (ValueError, RecursionError) as err:
            raise trouble("run-damaged", f"inputs.json of run {self.run_id} cannot be read") from err
        return found if isinstance(found, dict) else {}

    def write_status(self, text: str, *, disk: Disk = DISK) -> None:
        """Replace status.txt: a few lines for people who look on; nothing is read from it again, and it is not waited for."""
        path = self.path / "status.txt"
        replace_file(disk, "status.replace", path, text.encode(), file_mode(self.path), lasting=False)

    def write_summary(self, head: str, summary: Mapping[str, Any], *, disk: Disk = DISK) -> None:
        """Keep what was derived from the journal up to the record with hash `head`: a cache, never the truth."""
        data = _json({"head": head, "summary": summary})
        replace_file(disk, "summary.replace", self.path / "summary.json", data, file_mode(self.path))

    def _make(self, home: Home, files: Mapping[str, bytes], disk: Disk) -> None:
        mode = 0o2770 if shared(trust_folder(home.runs)) else 0o700
        for path in (self.path, self.out):
            path.mkdir(0o700)
            path.chmod(mode)
        for name, data in files.items():
            create_file(disk, "run.create", self.path / name, data, file_mode(self.path))
        sync_folder(disk, "run.create", self.path)
        sync_folder(disk, "run.create", home.runs)


@dataclass(frozen=True)
class RunSummary:
    """A run at a glance: `summary` is empty when the cache is older than the journal; `problem` says what is damaged."""

    folder: RunFolder
    first: Record | None = None
    last: Record | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    problem: Problem | None = None

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.folder.run_id


def list_runs(home: Home) -> list[RunSummary]:
    """Return every run, oldest first; each journal's chain is recomputed, and damage is told, never raised."""
    return [_glance(RunFolder(path)) for path in _folders(home.runs)]


def find_run(home: Home, word: str = "") -> RunFolder:
    """Return the run a person means: by id, by a beginning that fits only one, or the last for an empty word.

    Raise Trouble `run-unknown` or `run-ambiguous`.
    """
    known = [path.name for path in _folders(home.runs)]
    fits = [name for name in known if name.startswith(word)]
    if word in known or len(fits) == 1 or (known and not word):
        return RunFolder.open(home, word if word in known else fits[-1])
    if fits:
        raise trouble("run-ambiguous", f"{safe(word)} may be any of {', '.join(fits[:5])}", "give more of the id")
    near = difflib.get_close_matches(word, known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else "see `handrail runs`"
    raise trouble("run-unknown", f"there is no run {safe(word, 80)}" if word else "there is no run yet", hint)


def _check_id(run_id: str) -> None:
    if not RUN_ID.match(run_id):
        raise trouble("run-unknown", f"{safe(run_id, 80)} is no run id", "see `handrail runs`")


def _folders(runs: Path) -> list[Path]:
    """Return the run folders in the order they were made: the runbook's copy is written once."""
    try:
        found = [path for path in runs.iterdir() if RUN_ID.match(path.name) and path.is_dir() and not path.is_symlink()]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda path: (path.name[:13], _made(path), path.name))


def _made(path: Path) -> int:
    try:
        return (path / "runbook.toml").stat().st_mtime_ns
    except OSError:
        return 0


def _glance(folder: RunFolder) -> RunSummary:
    try:
        trust_folder(folder.path)
        found = skim_run(folder.path)
    except Trouble as err:
        return RunSummary(folder, problem=err.problems[0])
    except FileNotFoundError:
        found = Skimmed(None, None, None)
    except (OSError, ValueError):
        problem = Problem("journal-damaged", f"the journal of run {folder.run_id} cannot be read at a glance")
        return RunSummary(folder, problem=problem)
    if found.last is None:
        problem = found.problem or Problem("run-not-begun", f"run {folder.run_id} was never begun")
        return RunSummary(folder, problem=problem)
    cached = {} if found.problem else _cached(folder, found.last)
    return RunSummary(folder, found.first, found.last, cached, found.problem)


def _cached(folder: RunFolder, last: Record) -> Mapping[str, Any]:
    try:
        found = json.loads(_read(folder.path / "summary.json"))
        fresh = found["head"] == last.h
        return found["summary"] if fresh and isinstance(found["summary"], dict) else {}
    except (OSError, Trouble, ValueError, TypeError, KeyError, RecursionError):
        return {}


def _read(path: Path) -> bytes:
    fd = open_trusted(path, os.O_RDONLY, at="run.read")
    with os.fdopen(fd, "rb") as file:
        return file.read()


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=True).encode() + b"\n"
