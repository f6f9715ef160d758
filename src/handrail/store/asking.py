"""Asking for a run: before anybody takes it from a console that is alive, its operator is asked.

One asks, the holder's console shows it; the holder answers by leaving (the lock is free) or by `decline` (the question
is gone, the lock is not). The question is a file beside the lock, and binds nobody.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from handrail.base.clock import Clock, stamp
from handrail.base.problems import Trouble
from handrail.base.safe import Safe, safe
from handrail.store.disk import DISK, Disk, replace_file, told
from handrail.store.trusted import file_mode, open_trusted

NAME: Final = "asked"
_LIMIT: Final = 1024  # bytes of a question that are read


@dataclass(frozen=True)
class Question:
    """Who asks for the run, from where and since when; showable."""

    who: Safe
    host: Safe
    at: Safe


def ask_for(folder: Path, who: str, host: str, clock: Clock, *, disk: Disk = DISK) -> None:
    """Ask whoever drives a run to leave it; raise Trouble `asking`."""
    question = Question(safe(who, 60), safe(host, 60), safe(stamp(clock.now())))
    with told("asking", "the question cannot be left"):
        replace_file(disk, "asked.replace", folder / NAME, json.dumps(asdict(question)).encode(), file_mode(folder))


def asked(folder: Path) -> Question | None:
    """Return who asks for a run; None when nobody does. Cheap enough to look every second."""
    try:
        fd = open_trusted(folder / NAME, os.O_RDONLY, at="asked.read")
    except (OSError, Trouble):
        return None
    try:
        found = json.loads(os.read(fd, _LIMIT))
        return Question(*(safe(str(found[key]), 60) for key in ("who", "host", "at")))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    finally:
        os.close(fd)


def decline(folder: Path) -> None:
    """Take the question away: the holder goes on, or it is answered."""
    with suppress(OSError):
        (folder / NAME).unlink()
