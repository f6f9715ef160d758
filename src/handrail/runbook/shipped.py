"""Finding runbooks: by path, by id in the folder one is in, or among those that come with the program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from handrail.base.problems import trouble
from handrail.base.safe import safe

SKIPPED: Final = frozenset({"schema", "sim", "scenarios", "coach"})
_ID: Final = re.compile(rb'^\s*id\s*=\s*["\']([a-z0-9-]+)["\']', re.MULTILINE)
_HEAD: Final = re.compile(rb"^\s*\[runbook\]", re.MULTILINE)
_LOOK: Final = 1 << 16  # bytes of a file that are looked at for its id


def shipped() -> Path:
    """Return the folder of the runbooks that come with the program: in a wheel inside the package, else in the checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "shipped"
    return inside if inside.is_dir() else package.parent.parent / "runbooks"


def runbooks_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield id and path of every runbook in a folder, by name; files that are none, or cannot be read, are passed over."""
    try:
        files = sorted(path for path in folder.glob("*.toml") if path.is_file())
    except OSError:
        return
    for path in files:
        found = _id_of(path)
        if found:
            yield found, path


def known_runbooks(cwd: Path) -> dict[str, Path]:
    """Return every runbook that a word can mean, the nearest first: `cwd`, `cwd/runbooks`, then the shipped ones."""
    found: dict[str, Path] = {}
    for folder in (cwd, cwd / "runbooks", shipped(), *_below(shipped())):
        for name, path in runbooks_in(folder):
            found.setdefault(name, path)
    return found


def find_runbook(word: str, cwd: Path) -> Path:
    """Return the file that a word on the command line means: a path, or a runbook's id; raise `Trouble` if there is none."""
    if "/" in word or word.endswith(".toml"):
        path = cwd / Path(word).expanduser()
        if path.exists() or path.is_symlink():
            return path
        raise trouble("file-missing", f"there is no file {safe(word, 120)}", "check the path")
    found = known_runbooks(cwd)
    if word in found:
        return found[word]
    known = ", ".join(found) or "none"
    raise trouble("unknown-runbook", f"there is no runbook `{safe(word, 60)}`", f"known from here: {safe(known, 200)}")


def _below(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and path.name not in SKIPPED)
    except OSError:
        return []


def _id_of(path: Path) -> str:
    """Return the id in a file's [runbook] table, or the empty string; the file is only glanced at."""
    try:
        with path.open("rb") as file:
            text = file.read(_LOOK)
    except OSError:
        return ""
    head = _HEAD.search(text)
    found = _ID.search(text, head.end()) if head else None
    return found[1].decode() if found else ""
