"""A bundle: one run's whole record in one tar file, the same bytes for the same record. It packs, and unpacks with distrust.

Members are plain files in one folder that is named after mode, runbook and run; in order of their names, without owner, with
the time of the last record. Unpacking takes nothing else: no links, no paths that lead away, nothing twice.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Final

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, Where, trouble
from handrail.base.safe import safe
from handrail.store.disk import reason
from handrail.store.manifest import MEMBER, NAME, SIGNATURE
from handrail.store.trusted import open_trusted

MOST: Final = 200_000  # members, and
LARGEST: Final = 64 << 30  # bytes of one bundle


@dataclass(frozen=True)
class Unpacked:
    """A bundle's folder as it was unpacked, the name it had in there, and the names of its files."""

    folder: Path
    name: str
    members: tuple[str, ...]


def pack(place: Path, name: str, folder: Path, files: Iterable[str], made: Mapping[str, bytes], when: int) -> None:
    """Write a bundle: `files` of a folder, and what was `made` for it; raise `Trouble` when there is such a file already."""
    lengths = {file: (folder / file).stat().st_size for file in files}
    first = [one for one in (NAME, SIGNATURE) if one in made]
    rest = sorted({*lengths, *made} - set(first))
    try:
        fd = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as raw, tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for member in (*first, *rest):
                if member in made:
                    archive.addfile(_info(f"{name}/{member}", len(made[member]), when), io.BytesIO(made[member]))
                else:
                    _add(archive, folder / member, _info(f"{name}/{member}", lengths[member], when))
    except OSError as err:
        raise trouble("bundle-unwritable", f"{safe(str(place))} cannot be written: {safe(str(err.strerror))}") from err


def _add(archive: tarfile.TarFile, path: Path, info: tarfile.TarInfo) -> None:
    with os.fdopen(open_trusted(path, os.O_RDONLY, at="bundle.read"), "rb") as file:
        archive.addfile(info, file)


def _info(name: str, size: int, when: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, when, 0o644
    return info


def unpack(place: Path, into: Path) -> Unpacked:
    """Unpack a bundle into an empty folder; raise `Trouble` bundle-… that names the member which does not belong there."""
    try:
        with tarfile.open(place, "r:") as archive:
            return _taken(archive, into)
    except (tarfile.TarError, EOFError) as err:
        raise trouble("bundle-damaged", f"{safe(str(place))} is not a whole tar file: {safe(str(err), 120)}") from err
    except OSError as err:
        raise trouble("bundle-damaged", f"{safe(str(place))} cannot be read: {reason(err)}") from err


def _taken(archive: tarfile.TarFile, into: Path) -> Unpacked:
    members: list[str] = []
    name, size = "", 0
    (into / "out").mkdir(0o700)
    for info in archive:
        top, _, member = info.name.partition("/")
        name = name or top
        size += info.size
        if not info.isreg() or top != name or not MEMBER.match(member) or member in members or info.size < 0:
            raise _foreign(info.name, "nothing but plain files of one folder belongs into a bundle, each once")
        if len(members) >= MOST or size > LARGEST:
            raise _foreign(info.name, "the bundle is larger than any record")
        found = archive.extractfile(info)
        if found is None:
            raise _foreign(info.name, "it has no content")
        _write(into / member, found, info.size)
        members.append(member)
    if not members:
        raise trouble("bundle-damaged", "the bundle is empty")
    return Unpacked(into, name, tuple(members))


def _write(path: Path, found: IO[bytes], size: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        left = size
        while left > 0:
            data = found.read(min(1 << 20, left))
            if not data:
                raise trouble("bundle-damaged", f"the bundle ends within {safe(path.name)}")
            file.write(data)
            left -= len(data)


def _foreign(member: str, why: str) -> Trouble:
    shown = safe(member, 120)
    return Trouble(Problem("bundle-member", f"{shown} does not belong there: {why}", "", Where(shown)))
