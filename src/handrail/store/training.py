"""What is kept of a person who drills: one file each, in words, theirs to read and to delete. No score stands in it.

It holds which runbook was drilled when, at which level, and when it is due again. It is a memory, not a truth that a run
depends on: a file that cannot be read counts as none.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final

import tomli
import tomli_w

from handrail.base.frozen import dataclass
from handrail.base.ids import file_word
from handrail.store.disk import DISK, Disk, replace_file, told
from handrail.store.home import Home
from handrail.store.trusted import file_mode, make_folder, open_trusted

KEPT: Final = 200  # drills, the newest
LARGEST: Final = 1 << 20  # bytes
HEAD: Final = """\
# What Handrail keeps of the drills of one person: what was drilled, at which level, and when it is due again.
# No score stands here. It is yours to read, and to delete: `handrail training --forget`, or remove this file.
"""


@dataclass(frozen=True)
class Practised:
    """One finished drill of a person: `when` as in the journal, `due` a date, `every` the time until then in days."""

    runbook: str
    when: str
    level: str
    outcome: str
    due: str
    every: int
    run: str = ""


@dataclass(frozen=True)
class Trainee:
    """One person."""

    person: str
    drills: tuple[Practised, ...] = ()

    def of(self, runbook: str) -> tuple[Practised, ...]:
        """Return the drills of a runbook, oldest first."""
        return tuple(drill for drill in self.drills if drill.runbook == runbook)


def place_of(home: Home, person: str) -> Path:
    """Return the file of a person: never the same for two."""
    word = file_word(person)
    if word != person:
        word = f"{word}~{hashlib.sha256(person.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return home.training / f"{word}.toml"


def trainee(home: Home, person: str) -> Trainee:
    """Return what is kept of a person; nothing where there is no file, or none that can be read."""
    return _read(place_of(home, person)) or Trainee(person)


def trainees(home: Home) -> tuple[Trainee, ...]:
    """Return everybody of whom something is kept, by name."""
    found = (_read(path) for path in sorted(home.training.glob("*.toml")))
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.person))


def keep(home: Home, person: str, drill: Practised, *, disk: Disk = DISK) -> None:
    """Add a drill to a person's file; raise Trouble `training-unwritable`."""
    path = place_of(home, person)
    drills = (*trainee(home, person).drills, drill)[-KEPT:]
    data = {"person": person, "drill": [asdict(one) for one in drills]}
    with told("training-unwritable", "the drill could not be kept"):
        make_folder(path.parent)
        replace_file(disk, "training.replace", path, (HEAD + "\n" + tomli_w.dumps(data)).encode(), file_mode(home.path))


def forget(home: Home, person: str) -> bool:
    """Delete a person's file; tell whether there was one. Raise Trouble `training-unwritable`."""
    path = place_of(home, person)
    with told("training-unwritable", "the file could not be deleted"), suppress(FileNotFoundError):
        path.unlink()
        return True
    return False


def _read(path: Path) -> Trainee | None:
    try:
        fd = open_trusted(path, os.O_RDONLY, at="training.read")
        with os.fdopen(fd, "rb") as file:
            found = tomli.loads(file.read(LARGEST).decode("utf-8"))
        drills = tuple(_drill(one) for one in found.get("drill", []))
        return Trainee(str(found["person"]), tuple(one for one in drills if one is not None))
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _drill(one: dict[str, object]) -> Practised | None:
    texts = {f.name: one.get(f.name, "") for f in fields(Practised) if f.name != "every"}
    every = one.get("every")
    if not all(isinstance(text, str) for text in texts.values()) or not isinstance(every, int):
        return None
    return Practised(**texts, every=every)  # type: ignore[arg-type]  # every one of them is a text, as was just seen
