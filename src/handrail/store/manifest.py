"""The manifest of a record: every file with its SHA-256, under a head that says what it is. This is what gets signed.

The form is that of sha256sum(1), so that `sha256sum -c MANIFEST` reads it; its head is in lines that begin with `#`. It may
not tell whether a file is what a run needs: only whether it is the file that was there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from hashlib import sha256
from pathlib import Path
from typing import Final

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, Where, trouble
from handrail.base.safe import safe
from handrail.store.chain import Record
from handrail.store.disk import reason
from handrail.store.trusted import open_trusted

NAME: Final = "MANIFEST"
SIGNATURE: Final = "MANIFEST.sig"
JOURNAL: Final = "journal.jsonl"
FORMAT: Final = "1"
LONGEST: Final = 64 << 20  # bytes of a manifest that are read
MEMBER: Final = re.compile(r"(?:out/)?[A-Za-z0-9_][A-Za-z0-9_.~+-]{0,240}\Z")
_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)\Z")
_HEAD: Final = re.compile(r"# ([a-z]+) (.*)\Z")


@dataclass(frozen=True)
class Manifest:
    """What a record was: `about` is its head (mode, run, runbook, ...), `files` each file's SHA-256."""

    about: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> bytes:
        """Return it as it is written and signed."""
        head = [f"# handrail {FORMAT}", *(f"# {key} {value}" for key, value in self.about.items())]
        return "\n".join([*head, *(f"{self.files[name]}  {name}" for name in sorted(self.files)), ""]).encode()


def read_manifest(data: bytes) -> Manifest:
    """Return the manifest of a text; raise `Trouble` audit-manifest when it is none."""
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError as err:
        raise _none("it is not text") from err
    if lines[0] != f"# handrail {FORMAT}" or lines[-1]:
        raise _none(f"its first line is {safe(lines[0], 60)}")
    about: dict[str, str] = {}
    files: dict[str, str] = {}
    for number, line in enumerate(lines[1:-1], 2):
        head, file = _HEAD.match(line), _LINE.match(line)
        if head and not files:
            about[head[1]] = head[2]
        elif file and MEMBER.match(file[2]) and file[2] not in files:
            files[file[2]] = file[1]
        else:
            raise _none(f"line {number} is {safe(line, 80)}", number)
    return Manifest(about, files)


def _none(why: str, line: int = 1) -> Trouble:
    return Trouble(Problem("audit-manifest", f"{NAME} is no manifest of this Handrail: {why}", "", Where(NAME, line)))


def digest_of(path: Path, length: int | None = None) -> str:
    """Return the SHA-256 of a file, or of its first bytes; raise OSError, or `Trouble` for one that may not be trusted."""
    digest, left = sha256(), length if length is not None else 1 << 62
    fd = open_trusted(path, os.O_RDONLY, at="manifest.read")
    with os.fdopen(fd, "rb") as file:
        while left > 0 and (data := file.read(min(1 << 20, left))):
            digest.update(data)
            left -= len(data)
    return digest.hexdigest()


def evidence(folder: Path) -> list[str]:
    """Return the names of a run's files that do not change any more but by growing: what a signature stands for."""
    named = [name for name in (JOURNAL, "runbook.toml", "estate.toml") if (folder / name).is_file()]
    out = sorted(f"out/{path.name}" for path in (folder / "out").glob("*") if path.is_file() and not path.is_symlink())
    return [*named, *(name for name in out if MEMBER.match(name))]


def manifest_of(folder: Path, about: Mapping[str, str], names: Iterable[str]) -> Manifest:
    """Return the manifest of a folder's files as they are now."""
    try:
        return Manifest(about, {name: digest_of(folder / name) for name in names})
    except OSError as err:
        raise trouble("manifest-unreadable", f"the record cannot be read: {reason(err)}") from err


def about_of(records: Sequence[Record], tool: str) -> dict[str, str]:
    """Return the head of a manifest, from the journal alone."""
    first = records[0].body if records else {}
    told = {key: str(first.get(key, "")) for key in ("mode", "run", "runbook", "digest", "estate")}
    said = {**told, "records": str(len(records)), "head": records[-1].h if records else "", "tool": tool}
    return {key: safe(value, 200) for key, value in said.items()}


def against_files(manifest: Manifest, folder: Path, present: Iterable[str]) -> Iterator[Problem]:
    """Yield what is not as the manifest says: changed, gone, or there although it is not listed."""
    there = set(present)
    for name, digest in manifest.files.items():
        if name not in there:
            yield Problem("audit-member-lost", f"{name} is in the manifest and not there", "", Where(name))
            continue
        try:
            found = digest_of(folder / name)
        except Trouble as err:
            yield from err.problems
            continue
        except OSError as err:
            yield Problem("audit-unreadable", f"{name} cannot be read: {reason(err)}", "", Where(name))
            continue
        if found != digest:
            yield Problem("audit-member", f"{name} is not the file that the manifest tells of", "", Where(name))
    for name in sorted(there - set(manifest.files)):
        yield Problem("audit-member-added", f"{safe(name)} is there and not in the manifest", "", Where(safe(name)))


def against_records(manifest: Manifest, records: Sequence[Record]) -> Iterator[Problem]:
    """Yield what the manifest's head says of the run and the journal does not; a drill can not be told as anything else."""
    told = about_of(records, "")
    for key in ("mode", "run", "runbook", "digest", "estate"):
        if manifest.about.get(key, "") != told[key]:
            what = (
                f"the manifest says {key} {safe(manifest.about.get(key, ''), 80) or 'nothing'}, the journal {told[key]}"
            )
            yield Problem("audit-about", what, "", Where(NAME))
    yield from against_growth(manifest, records)


def against_growth(manifest: Manifest, records: Sequence[Record]) -> Iterator[Problem]:
    """Yield a problem unless the journal holds the record that the manifest ends with; a warning when it went on since."""
    number, head = manifest.about.get("records", ""), manifest.about.get("head", "")
    count = int(number) if number.isdigit() and len(number) < 10 else 0
    if not 0 < count <= len(records) or records[count - 1].h != head:
        what = f"record {safe(number, 20) or '?'} of the journal is not the one that the manifest ends with"
        yield Problem("audit-head", what, "", Where(JOURNAL, max(1, count)))
    elif count < len(records):
        more = len(records) - count
        what = f"the journal went on by {more} record{'s' * (more != 1)} since the manifest was made"
        yield Problem("audit-grown", what, "what came later is not signed: sign it again", severity="warning")
