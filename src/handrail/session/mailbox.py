"""What those who look on leave, and their presence: small files beside the journal, which the driving console takes up.

A letter is a note, or what an instructor says to a drill. It moves nothing by itself: the console asks the engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from handrail.base.frozen import dataclass
from handrail.base.ids import file_word
from handrail.base.safe import safe
from handrail.store.trusted import file_mode, make_folder

PRESENT: Final = 10.0  # seconds after which a watcher who was not heard of is gone
LONGEST: Final = 4096


@dataclass(frozen=True)
class Letter:
    """One thing that was left: what kind it is, its words, by whom, and a name of its own."""

    kind: str  # "note", or what an instructor leaves: "card", "fault", "halt", "go"
    text: str
    by: str
    name: str
    more: str = ""


def leave_note(folder: Path, text: str, by: str) -> None:
    """Leave a note for whoever drives the run; it is journalled when they take it up."""
    leave(folder, "note", text, by)


def leave(folder: Path, kind: str, text: str, by: str, more: str = "") -> None:
    """Leave a letter for whoever drives the run."""
    box = make_folder(folder / "inbox")
    name = f"{time.time_ns()}-{secrets.token_hex(4)}"
    draft = box / f".{name}"
    said = {"kind": kind, "text": text[:LONGEST], "by": by, "more": more[:LONGEST]}
    draft.write_text(json.dumps(said), encoding="utf-8")
    draft.chmod(file_mode(box))
    draft.rename(box / f"{name}.json")


def take(folder: Path) -> Iterator[Letter]:
    """Yield the letters that were left, oldest first; each goes when the next is asked for.

    So a console that dies before it has one in its journal leaves it to the next.
    """
    for path in sorted((folder / "inbox").glob("*.json")):
        letter = _letter(path)
        if letter is not None:
            yield letter
        with contextlib.suppress(OSError):  # what is no file of ours may lie there for ever: it is passed over
            path.unlink()


def _letter(path: Path) -> Letter | None:
    try:
        found = json.loads(_read(path))
        kind, more = str(found.get("kind", "note")), str(found.get("more", ""))
        return Letter(kind, str(found["text"]), safe(str(found["by"]), 40), safe(path.stem, 60), more)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _read(path: Path) -> bytes:
    """Return the beginning of a plain file; anything else, such as a pipe that never answers, is refused."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError
        return os.read(fd, LONGEST * 8)
    finally:
        os.close(fd)


def be_present(folder: Path, who: str) -> Path:
    """Show that somebody watches; call it again every few seconds."""
    place = make_folder(folder / "watchers")
    path = place / f"{file_word(who)}.{os.getpid()}"
    path.touch(mode=0o600)
    os.utime(path)
    return path


def present(folder: Path) -> tuple[str, ...]:
    """Return who watches just now."""
    now = time.time()
    found: dict[str, None] = {}
    for path in (folder / "watchers").glob("*"):
        try:
            if now - path.stat().st_mtime < PRESENT:
                found[safe(path.name.rpartition(".")[0], 40)] = None
        except OSError:
            continue
    return tuple(sorted(found))
