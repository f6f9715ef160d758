"""The audit: recomputes everything a run's folder claims about itself. It reads, and never writes.

The chain shows whether a record was changed, lost, moved or added in the middle; the anchor whether the end is the end;
the digests in the records whether runbook and output are those that were used and seen. Whoever can write the
whole folder can also forge the whole folder, unless it was signed (see `manifest`) or its head was noted elsewhere.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from handrail.base.clock import unstamp
from handrail.base.durations import show_duration
from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, Where
from handrail.base.safe import safe
from handrail.store.anchor import against_anchor, read_anchor
from handrail.store.chain import GENESIS, Record
from handrail.store.disk import reason
from handrail.store.journal import NAME, read_journal
from handrail.store.trusted import open_trusted, trust_folder

_OUTPUT: Final = re.compile(r"(?:out/)?([A-Za-z0-9_][A-Za-z0-9_.~+-]*)\Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
_PIECE: Final = 1 << 20
SET: Final = 2.0  # seconds that the wall clock may drift between two records


@dataclass(frozen=True)
class Audit:
    """What an audit found: `head` stands for all records, and may be compared with one noted elsewhere."""

    ok: bool
    records: int
    head: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Claim:
    """What one record says of an output file."""

    seq: int
    length: int
    sha256: str


def audit(folder: Path) -> Audit:
    """Return whether a run's folder is what its journal says; warnings alone leave it `ok`."""
    try:
        trust_folder(folder)
        anchor = _anchor(folder)  # before the journal, which may be growing: the anchor is never ahead of it
        reading = read_journal(folder / NAME)
    except Trouble as err:
        return Audit(False, 0, GENESIS, err.problems)
    except OSError as err:
        return Audit(False, 0, GENESIS, (_unreadable(NAME, err),))
    records = reading.records
    problems = [reading.problem] if reading.problem else []
    if reading.state in ("clean", "torn"):
        problems += _check_anchor(anchor, records)
    problems += [*_check_clock(records), *_check_runbook(folder, records), *_check_estate(folder, records)]
    problems += _check_outputs(folder, records)
    ok = not any(p.severity == "error" for p in problems)
    return Audit(ok, len(records), records[-1].h if records else GENESIS, tuple(problems))


def _anchor(folder: Path) -> tuple[int, str] | list[Problem]:
    try:
        return read_anchor(folder)
    except Trouble as err:
        return list(err.problems)
    except OSError as err:
        return [_unreadable("head", err)]


def _check_anchor(anchor: tuple[int, str] | list[Problem], records: Sequence[Record]) -> list[Problem]:
    if isinstance(anchor, list):
        return anchor
    problem = against_anchor(*anchor, records)
    return [problem] if problem else []


def _check_clock(records: Sequence[Record]) -> Iterator[Problem]:
    """Yield a warning wherever the wall clock was set: records are in order all the same, by number."""
    for before, after in pairwise(records):
        if before.boot != after.boot:
            continue
        try:
            wall = (unstamp(after.ts) - unstamp(before.ts)).total_seconds()
        except (ValueError, TypeError):  # a whole chain may be forged, times and all
            yield Problem("audit-clock", f"record {after.seq} has no time of day", severity="warning")
            continue
        moved = wall - (after.mono - before.mono)
        if abs(moved) > SET:
            way = "forward" if moved > 0 else "back"
            what = f"the wall clock was set {way} by {show_duration(abs(moved))} before record {after.seq}"
            yield Problem("audit-clock", what, "times of day lie there; durations do not", severity="warning")


def _check_runbook(folder: Path, records: Sequence[Record]) -> Iterator[Problem]:
    """Yield a problem unless the run's own copy of its runbook is the one of the first record."""
    claimed = records[0].body.get("digest") if records else None
    if not isinstance(claimed, str) or not _DIGEST.match(claimed):
        if records:
            yield Problem("audit-no-digest", "the first record names no runbook digest", severity="warning")
        return
    yield from _check_copy(
        folder, "runbook.toml", claimed, "audit-runbook", "the run's copy of its runbook was changed"
    )


def _check_estate(folder: Path, records: Sequence[Record]) -> Iterator[Problem]:
    """Yield a problem unless the run's own copy of its estate file is the one of the first record, where it names one."""
    claimed = records[0].body.get("estate_digest") if records else None
    if isinstance(claimed, str) and _DIGEST.match(claimed):
        what = "the run's copy of its estate file was changed"
        yield from _check_copy(folder, "estate.toml", claimed, "audit-estate", what)


def _check_copy(folder: Path, file: str, claimed: str, code: str, what: str) -> Iterator[Problem]:
    try:
        found = _digests(folder / file, [-1])[-1]
    except Trouble as err:
        yield from err.problems
    except OSError as err:
        yield _unreadable(file, err)
    else:
        if found != claimed:
            yield Problem(code, what, "", Where(file))


def _check_outputs(folder: Path, records: Sequence[Record]) -> Iterator[Problem]:
    claims: dict[str, list[_Claim]] = defaultdict(list)
    for record in records:
        if record.event == "host_ended":
            yield from _gather(record, claims)
    for file, said in claims.items():
        yield from _check_output(folder, file, said)


def _gather(record: Record, claims: dict[str, list[_Claim]]) -> Iterator[Problem]:
    """Add what a record says of its output; yield a problem when it says nonsense."""
    result = record.body.get("result")
    output = record.body.get("output") or (result.get("output") if isinstance(result, Mapping) else None)
    if not output:
        return
    claim = _claim(record.seq, output)
    if claim:
        claims[f"out/{str(output['file']).removeprefix('out/')}"].append(claim)
    elif not isinstance(output, Mapping) or output.get("file"):
        yield Problem("audit-output", f"record {record.seq} names an output that cannot be: {safe(str(output), 80)}")


def _claim(seq: int, output: Any) -> _Claim | None:  # noqa: ANN401 - it comes from JSON
    if not isinstance(output, Mapping) or not _OUTPUT.match(str(output.get("file", ""))):
        return None
    length, digest = output.get("length", 0), output.get("sha256", "")
    if isinstance(length, int) and length >= 0 and isinstance(digest, str) and _DIGEST.match(digest):
        return _Claim(seq, length, digest)
    return None


def _check_output(folder: Path, file: str, said: Sequence[_Claim]) -> Iterator[Problem]:
    where = Where(file)
    try:
        found = _digests(folder / file, [claim.length for claim in said])
    except FileNotFoundError:
        yield Problem("audit-output-lost", f"the output of record {said[0].seq} is gone", "", where)
        return
    except Trouble as err:
        yield from err.problems
        return
    except OSError as err:
        yield _unreadable(file, err)
        return
    for claim in said:
        if claim.length not in found:
            what = f"the output of record {claim.seq} is shorter than the {claim.length} bytes it had"
            yield Problem("audit-output-cut", what, "", where)
        elif found[claim.length] != claim.sha256:
            yield Problem("audit-output", f"the output of record {claim.seq} was changed", "", where)
    if max(found) > max(claim.length for claim in said):
        yield Problem("audit-output-longer", f"there is more output than record {said[-1].seq} knows of", "", where)


def _digests(path: Path, lengths: Sequence[int]) -> dict[int, str]:
    """Return the digest of a file up to each length it reaches, of all of it by its own length, and by -1."""
    fd = open_trusted(path, os.O_RDONLY, at="audit.read")
    found: dict[int, str] = {}
    digest, done = sha256(), 0
    try:
        for stop in [*sorted({n for n in lengths if n >= 0}), 1 << 62]:
            while done < stop and (data := os.pread(fd, min(_PIECE, stop - done), done)):
                digest.update(data)
                done += len(data)
            found[done] = digest.hexdigest()
    finally:
        os.close(fd)
    return {**found, -1: found[done]}


def _unreadable(file: str, err: OSError) -> Problem:
    return Problem("audit-unreadable", f"{file} cannot be read: {reason(err)}", "", Where(file))
