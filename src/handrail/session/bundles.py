"""A run's record to hand on: packed into one file, signed by a person, and checked again, down to the reports in it.

The checks of a bundle are those of a run's folder and three more: that every file is the one of the manifest, that the
manifest tells the mode of the journal's first record, and that each report is what the journal tells.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any, Final

from handrail import __version__
from handrail.base.clock import unstamp
from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, Where
from handrail.base.safe import safe
from handrail.report.data import Report
from handrail.session.reports import FORMS, file_name
from handrail.store import bundle, witness
from handrail.store import manifest as listing
from handrail.store.audit import Audit
from handrail.store.audit import audit as recompute
from handrail.store.chain import GENESIS
from handrail.store.disk import DISK, replace_file
from handrail.store.journal import read_journal
from handrail.store.run_folder import RunFolder
from handrail.store.trusted import file_mode

REPORTS: Final = {"report.md": "md", "report.json": "json", "report.html": "html", "report.junit.xml": "junit"}
_BESIDE: Final = ("head", "moving.jsonl")
_PATHS: Final = ("estate_path", "runbook_path", "sim_dir")

Retell = Callable[[RunFolder], Report]
"""Makes a run's report anew, from its folder alone."""


@dataclass(frozen=True)
class Checked:
    """What the audit of a record found: `name` is a run's id, or a bundle's folder; `signed` says by whom, in words."""

    name: str
    mode: str
    found: Audit
    signed: str = "not signed"


def pack(folder: RunFolder, report: Report, place: Path, key: Path | None = None) -> str:
    """Write a run's bundle, signed where there is a key; return the digest of its manifest. Raise `Trouble`."""
    records = read_journal(folder.journal).records
    files = [*listing.evidence(folder.path), *(name for name in _BESIDE if (folder.path / name).is_file())]
    made = {name: FORMS[form](report).encode() for name, form in REPORTS.items()}
    made["inputs.json"] = _inputs(folder)
    told = listing.manifest_of(folder.path, listing.about_of(records, __version__), files)
    with tempfile.TemporaryDirectory(prefix="handrail-") as spot:
        for name, data in made.items():
            (Path(spot) / name).write_bytes(data)
        fresh = listing.manifest_of(Path(spot), {}, made)
        text = replace(told, files={**told.files, **fresh.files}).text()
        made[listing.NAME] = text
        (Path(spot) / listing.NAME).write_bytes(text)
        if key is not None:
            made[listing.SIGNATURE] = witness.sign(Path(spot) / listing.NAME, key).read_bytes()
    when = int(unstamp(records[-1].ts).timestamp()) if records else 0
    bundle.pack(place, file_name(report, "tar").removesuffix(".tar"), folder.path, files, made, when)
    return listing.digest_of(place)


def _inputs(folder: RunFolder) -> bytes:
    """Return what the run was started with; of files of this machine only their names."""
    found: dict[str, Any] = folder.inputs()
    cut = {key: PurePath(str(value)).name if key in _PATHS else value for key, value in found.items()}
    return json.dumps(cut, indent=1, sort_keys=True).encode() + b"\n"


def sign(folder: RunFolder, key: Path) -> Path:
    """Sign a run where it lies: a manifest of what does not change any more, and its signature. Raise `Trouble`."""
    records = read_journal(folder.journal).records
    text = listing.manifest_of(
        folder.path, listing.about_of(records, __version__), listing.evidence(folder.path)
    ).text()
    with tempfile.TemporaryDirectory(prefix="handrail-") as spot:
        (Path(spot) / listing.NAME).write_bytes(text)
        signature = witness.sign(Path(spot) / listing.NAME, key).read_bytes()
    mode = file_mode(folder.path)
    for name, data in ((listing.NAME, text), (listing.SIGNATURE, signature)):
        replace_file(DISK, "manifest.replace", folder.path / name, data, mode)
    return folder.path / listing.SIGNATURE


# ------------------------------------------------------------------ checking


def check_folder(folder: RunFolder, allowed: Path | None = None, signer: str = "") -> Checked:
    """Return whether a run's folder is what its journal, its manifest and its signature say."""
    found = recompute(folder.path)
    records = read_journal(folder.journal).records if found.records else ()
    mode = str(records[0].body.get("mode", "")) if records else ""
    problems = list(found.problems)
    if (folder.path / listing.NAME).is_file():
        told = _manifest(folder.path, problems)
        if told is not None:
            problems += listing.against_records(told, records)
            changed = listing.against_files(told, folder.path, listing.evidence(folder.path))
            problems += [p for p in changed if not _may_grow(p)]
    signed, wrong = witness.check(folder.path, allowed, signer)
    return Checked(folder.run_id, mode, _with(found, [*problems, *wrong]), signed)


def _may_grow(problem: Problem) -> bool:
    """Tell whether this is the journal, or output, that went on since a run was signed: its records are checked as such."""
    grown = problem.code == "audit-member" and problem.where is not None and problem.where.file == listing.JOURNAL
    return grown or problem.code == "audit-member-added"


@contextmanager
def opened(place: Path) -> Iterator[tuple[RunFolder, bundle.Unpacked]]:
    """Give a bundle's run, unpacked into a folder that is gone afterwards; raise `Trouble` when it cannot be."""
    with tempfile.TemporaryDirectory(prefix="handrail-") as spot:
        inside = Path(spot) / "run"
        inside.mkdir(0o700)
        unpacked = bundle.unpack(place, inside)
        yield RunFolder(inside), unpacked


def check_bundle(place: Path, retell: Retell, allowed: Path | None = None, signer: str = "") -> Checked:
    """Return whether a bundle is whole and is what it says; each problem names the place."""
    try:
        return _check_bundle(place, retell, allowed, signer)
    except Trouble as err:
        if not all(problem.code.startswith("bundle-") for problem in err.problems):
            raise
        return Checked(safe(place.name, 200), "", Audit(False, 0, GENESIS, err.problems))


def _check_bundle(place: Path, retell: Retell, allowed: Path | None, signer: str) -> Checked:
    with opened(place) as (folder, unpacked):
        found = recompute(folder.path)
        problems = list(found.problems)
        records = read_journal(folder.journal).records if found.records else ()
        told = _manifest(folder.path, problems)
        if told is not None:
            members = [name for name in unpacked.members if name not in (listing.NAME, listing.SIGNATURE)]
            problems += listing.against_files(told, folder.path, members)
            problems += listing.against_records(told, records)
            problems += _reports(folder, told, unpacked, retell) if found.records else []
        signed, wrong = witness.check(folder.path, allowed, signer)
        mode = str(records[0].body.get("mode", "")) if records else ""
        return Checked(unpacked.name, mode, _with(found, [*problems, *wrong]), signed)


def _manifest(folder: Path, problems: list[Problem]) -> listing.Manifest | None:
    try:
        with (folder / listing.NAME).open("rb") as file:
            return listing.read_manifest(file.read(listing.LONGEST))
    except FileNotFoundError:
        problems.append(Problem("audit-manifest", f"there is no {listing.NAME}", "", Where(listing.NAME)))
    except Trouble as err:
        problems += err.problems
    return None


def _reports(folder: RunFolder, told: listing.Manifest, unpacked: bundle.Unpacked, retell: Retell) -> Iterator[Problem]:
    """Yield each report that is not what the journal tells, and a folder's name that tells another mode or run."""
    try:
        report = retell(folder)
    except Trouble as err:
        yield from err.problems
        return
    if unpacked.name != (name := file_name(report, "tar").removesuffix(".tar")):
        yield Problem(
            "audit-about", f"the folder is called {safe(unpacked.name, 120)}, not {name}", "", Where(listing.NAME)
        )
    same = told.about.get("tool", "") == __version__
    for file, form in REPORTS.items():
        path = folder.path / file
        if not path.is_file() or path.read_bytes() == FORMS[form](report).encode():
            continue
        if same:
            yield Problem("audit-report", f"{file} is not what the journal tells", "", Where(file))
        else:
            what = f"{file} was made by Handrail {safe(told.about.get('tool', ''), 40)}: not compared word for word"
            yield Problem("audit-report-version", what, "", Where(file), "warning")


def _with(found: Audit, problems: list[Problem]) -> Audit:
    ok = found.ok and not any(p.severity == "error" for p in problems)
    return replace(found, ok=ok, problems=tuple(problems))
