"""Asking for a run: before anybody takes it from a console that is alive, its operator is asked.

One asks, the holder's console shows it; the holder answers by leaving (the lock is free), by saying that the run is
handed over once a step has ended, or by declining with a word. Question and answer are files beside the lock. They move
nothing by themselves; but whoever takes over must be able to show that a question stood, unanswered, for long enough.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from handrail.base.clock import Clock, stamp
from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble
from handrail.base.safe import Safe, safe
from handrail.store.disk import DISK, Disk, replace_file, told
from handrail.store.journal import boot_id
from handrail.store.trusted import file_mode, open_trusted

PATIENCE: Final = 30.0  # seconds a holder has to answer before the run may be taken
NAME: Final = "asked"
ANSWER: Final = "answer"
_LIMIT: Final = 4096  # bytes of a question or an answer that are read
_WORDS: Final = 400  # characters of what is said


@dataclass(frozen=True)
class Question:
    """Who asks for the run, from where, since when and with what words; showable. `mono` counts within one `boot`."""

    id: str
    who: Safe
    host: Safe
    at: Safe
    note: Safe
    mono: float
    boot: str

    def stood(self, clock: Clock) -> float:
        """Return for how many seconds the question has stood; none when that was before this machine was started."""
        return max(0.0, clock.mono() - self.mono) if self.boot == boot_id() else 0.0


class Said(StrEnum):
    """What a holder answers; one who hands over at once simply leaves."""

    HANDING = "handing"  # over, as soon as the running step has ended
    DECLINED = "declined"


@dataclass(frozen=True)
class Answer:
    """What a holder answered to one question."""

    to: str
    said: Said
    words: Safe
    by: Safe


def ask_for(folder: Path, who: str, host: str, clock: Clock, *, note: str = "", disk: Disk = DISK) -> Question:
    """Ask whoever drives a run to leave it, and return the question; raise Trouble `asking`."""
    at = safe(stamp(clock.now()))
    question = Question(
        secrets.token_hex(8), safe(who, 60), safe(host, 60), at, safe(note, _WORDS), clock.mono(), boot_id()
    )
    _put(folder, NAME, asdict(question), disk)
    return question


def asked(folder: Path) -> Question | None:
    """Return who asks for a run; None when nobody does. Cheap enough to look every second."""
    found = _get(folder / NAME)
    try:
        texts = {key: safe(str(found[key]), 60) for key in ("who", "host", "at")}
        note = safe(str(found.get("note", "")), _WORDS)
        return Question(str(found["id"])[:40], **texts, note=note, mono=float(found["mono"]), boot=str(found["boot"]))
    except (ValueError, TypeError, KeyError):
        return None


def answer(folder: Path, question: Question, said: Said, words: str, by: str, *, disk: Disk = DISK) -> None:
    """Answer a question; raise Trouble `asking`. One that is declined is taken away."""
    _put(folder, ANSWER, {"to": question.id, "said": said.value, "words": words[:_WORDS], "by": by}, disk)
    if said is Said.DECLINED:
        withdraw(folder, question)


def answered(folder: Path, question: Question) -> Answer | None:
    """Return what was answered to this question; None when nothing was."""
    found = _get(folder / ANSWER)
    try:
        if found["to"] != question.id:
            return None
        return Answer(question.id, Said(found["said"]), safe(str(found["words"]), _WORDS), safe(str(found["by"]), 60))
    except (ValueError, TypeError, KeyError):
        return None


def withdraw(folder: Path, question: Question) -> None:
    """Take a question away, if it is still the one that stands."""
    standing = asked(folder)
    if standing and standing.id == question.id:
        forget(folder)


def forget(folder: Path) -> None:
    """Take whatever question stands away: the run has a new holder, or none."""
    with suppress(OSError):
        (folder / NAME).unlink()


def may_take(folder: Path, who: str, clock: Clock, patience: float) -> str:
    """Return why a run may not be taken from a living holder yet; nothing when who takes it asked, and was not answered."""
    question = asked(folder)
    if question is None or question.who != safe(who, 60):
        return "they are asked first"
    left = patience - question.stood(clock)
    return f"they were asked, and have {left:.0f} s left to answer" if left > 0 else ""


def _put(folder: Path, name: str, what: dict[str, Any], disk: Disk) -> None:
    with told("asking", "the question or its answer cannot be left"):
        replace_file(disk, f"{name}.replace", folder / name, json.dumps(what).encode(), file_mode(folder))


def _get(path: Path) -> dict[str, Any]:
    """Return what a small file of ours says; nothing when it is not there, or none of ours."""
    try:
        fd = open_trusted(path, os.O_RDONLY, at=f"{path.name}.read")
    except (OSError, Trouble):
        return {}
    try:
        found = json.loads(os.read(fd, _LIMIT))
    except (OSError, ValueError, RecursionError):
        return {}
    finally:
        os.close(fd)
    return found if isinstance(found, dict) else {}
