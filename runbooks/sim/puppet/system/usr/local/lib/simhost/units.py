"""Units: their files, whether they are enabled or masked, what runs. The state lies in files, as systemd keeps it.

A unit is enabled by its name in a `.wants` folder and masked by a link to /dev/null: both survive a power cut. What
runs is noted under /run with pid and start time, so that a note left over from before the cut deceives nobody.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Final, NamedTuple

from simhost import process
from simhost.host import at, replace_file

VENDOR: Final = "/usr/local/lib/systemd/system"
ADMIN: Final = "/etc/systemd/system"
RUN: Final = "/run/handrail-sim/units"
LOGS: Final = "/var/log/handrail-sim"
_SUFFIXES: Final = (".service", ".timer", ".target")


class Unit(NamedTuple):
    """A unit file's name and settings; keys are `Section.Key`, a later line wins."""

    name: str
    settings: dict[str, str]

    def get(self, key: str, default: str = "") -> str:
        """Return a setting such as `Service.Type`."""
        return self.settings.get(key, default)


class Note(NamedTuple):
    """What is noted of a unit's last start: pid 0 once it has ended; times are seconds since the epoch."""

    pid: int = 0
    born: str = ""
    since: float = 0.0
    result: str = "success"


def full_name(name: str) -> str:
    """Return a unit's name with its suffix."""
    return name if name.endswith(_SUFFIXES) else f"{name}.service"


def find(name: str) -> Unit | None:
    """Return a unit, None if no file has its name; a masked one is found by its vendor file."""
    for folder in (ADMIN, VENDOR):
        path = at(folder) / name
        if path.is_file() and not _is_mask(path):
            return Unit(name, _parse(path.read_text("utf-8")))
    return None


def _parse(text: str) -> dict[str, str]:
    settings: dict[str, str] = {}
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line and line[0] not in "#;":
            key, value = line.split("=", 1)
            settings[f"{section}.{key.strip()}"] = value.strip()
    return settings


def all_names() -> list[str]:
    """Return the names of all units there are."""
    folders = (at(folder) for folder in (VENDOR, ADMIN))
    return sorted({p.name for folder in folders if folder.is_dir() for p in folder.iterdir() if p.suffix in _SUFFIXES})


# ---------------------------------------------------------------------- enabled, masked


def _is_mask(path: Path) -> bool:
    return path.is_symlink() and str(path.readlink()) == "/dev/null"


def is_masked(name: str) -> bool:
    """Tell whether a unit may not be started at all."""
    return _is_mask(at(ADMIN) / name)


def mask(name: str) -> None:
    """Forbid a unit to start, now and after a boot."""
    path = at(ADMIN) / name
    if not _is_mask(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to("/dev/null")


def unmask(name: str) -> None:
    """Allow it again."""
    if is_masked(name):
        (at(ADMIN) / name).unlink()


def _wants(unit: Unit) -> Path:
    target = unit.get("Install.WantedBy", "multi-user.target").split()[0]
    return at(ADMIN) / f"{target}.wants" / unit.name


def is_enabled(unit: Unit) -> bool:
    """Tell whether a boot starts the unit."""
    path = _wants(unit)
    return path.is_symlink() or path.exists()


def enable(unit: Unit) -> None:
    """Have a boot start the unit."""
    if not is_enabled(unit):
        _wants(unit).parent.mkdir(parents=True, exist_ok=True)
        _wants(unit).symlink_to(f"{VENDOR}/{unit.name}")


def disable(unit: Unit) -> None:
    """Have a boot leave it alone; the folder of its link goes when it was the last, as systemd does."""
    _wants(unit).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        _wants(unit).parent.rmdir()


def wanted() -> list[str]:
    """Return the names that a boot starts."""
    return sorted({p.name for folder in at(ADMIN).glob("*.wants") for p in folder.iterdir()})


# ---------------------------------------------------------------------- what runs


def read_note(name: str) -> Note | None:
    """Return what was noted at the last start, None if it was never started since boot."""
    try:
        return Note(**json.loads((at(RUN) / f"{name}.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_note(name: str, note: Note) -> None:
    """Note a start or an end."""
    replace_file(at(RUN) / f"{name}.json", json.dumps(note._asdict()).encode())


def forget(name: str) -> None:
    """Drop the note: the unit is as if never started."""
    with contextlib.suppress(OSError):
        (at(RUN) / f"{name}.json").unlink()


def note_start(name: str, pid: int) -> None:
    """Note that a unit runs as this process."""
    write_note(name, Note(pid, process.birth(pid), time.time()))


def is_running(name: str) -> bool:
    """Tell whether the process of a unit lives."""
    note = read_note(name)
    return bool(note and note.pid and note.born and process.birth(note.pid) == note.born)


def state(name: str) -> str:
    """Return `active`, `activating`, `failed` or `inactive`."""
    if is_running(name):
        return "active"
    if (at(RUN) / f"{name}.starting").exists():
        return "activating"
    note = read_note(name)
    return "failed" if note and note.result != "success" else "inactive"
