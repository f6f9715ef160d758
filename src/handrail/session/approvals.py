"""Approvals: somebody else's signed word that this runbook may run LIVE on this estate, with these inputs, until then.

An approval is a small JSON text and an SSH signature beside it, in the home's `approvals/`. It covers the runbook's digest,
the estate, the route and every value that is no secret. It starts nothing, and nobody approves their own run.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from handrail.base.clock import stamp, unstamp
from handrail.base.frozen import dataclass
from handrail.base.ids import file_word
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.runbook.bind import Binding
from handrail.runbook.files import read_file
from handrail.ssh.signing import is_signed
from handrail.store.home import Home
from handrail.store.trusted import file_mode, make_folder

NAMESPACE: Final = "handrail-approval"
FORMAT: Final = 1


@dataclass(frozen=True)
class Asked:
    """What is to be approved: nothing of it may differ from what is run."""

    runbook: str
    digest: str
    estate: str
    estate_digest: str
    route: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Approval:
    """One approval that holds."""

    by: str
    until: datetime

    def __str__(self) -> str:
        """Return one showable phrase."""
        return f"{safe(self.by, 60)}, until {self.until:%Y-%m-%d %H:%M}Z"


def asked(binding: Binding, digest: str, route: str) -> Asked:
    """Return what has to be approved of a run that is about to be opened; secrets are not in it."""
    estate = binding.estate
    return Asked(binding.runbook.id, digest, estate.name, estate.digest, route, dict(sorted(binding.values.items())))


def text_of(what: Asked, by: str, until: datetime) -> bytes:
    """Return the text that is signed: canonical JSON, one line."""
    said = {"format": FORMAT, **asdict(what), "by": by, "until": stamp(until)}
    return json.dumps(said, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def write(home: Home, what: Asked, by: str, lasts: timedelta, sign: Callable[[bytes], bytes], now: datetime) -> Path:
    """Sign an approval and put it where consoles of this home find it; return its file, the signature is beside it."""
    text = text_of(what, by, now + lasts)
    signature = sign(text)
    folder = make_folder(home.path / "approvals")  # who approves is somebody else than who drives
    path = folder / f"{what.digest[:12]}.{file_word(by)}.{now:%Y%m%dT%H%M%S}.json"
    for file, data in ((path.with_suffix(".json.sig"), signature), (path, text)):
        file.write_bytes(data)
        file.chmod(file_mode(folder))
    return path


def holding(home: Home, what: Asked, signers: Path | None, now: datetime) -> tuple[Approval, ...]:
    """Return the approvals that count for this operator: one's own does not."""
    return tuple(one for one in signed(home, what, signers, now) if one.by not in _myself())


def signed(home: Home, what: Asked, signers: Path | None, now: datetime) -> tuple[Approval, ...]:
    """Return the approvals that hold, the latest of each person."""
    if signers is None or not (home.path / "approvals").is_dir():
        return ()
    allowed, found = read_file(signers), dict[str, Approval]()
    for path in sorted((home.path / "approvals").glob("*.json")):
        one = _holds(path, what, allowed, now)
        if one is not None:
            found[one.by] = one
    return tuple(found.values())


def _holds(path: Path, what: Asked, allowed: bytes, now: datetime) -> Approval | None:
    """Return an approval if it is of exactly this, in time, and signed by whom it names."""
    try:
        text, signature = read_file(path), read_file(path.with_suffix(".json.sig"))
        said = json.loads(text)
        by, until = str(said["by"]), unstamp(str(said["until"]))
    except (Trouble, OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if text != text_of(what, by, until) or until <= now.astimezone(UTC):
        return None
    return Approval(by, until) if is_signed(text, signature, by, NAMESPACE, allowed) else None


def _myself() -> frozenset[str]:
    """Return every name this operator goes by here: another name of one's own approves nothing."""
    names = {os.environ.get("HANDRAIL_OPERATOR"), os.environ.get("SUDO_USER"), getpass.getuser()}
    return frozenset(name for name in names if name)


def demand(found: tuple[Approval, ...], wanted: int, runbook: str) -> None:
    """Raise `Trouble` not-approved unless enough people have approved."""
    if len(found) < wanted:
        have = f"{len(found)} of {wanted}" + (f" ({', '.join(map(str, found))})" if found else "")
        hint = f"a colleague reviews it and runs: handrail approve {runbook} --estate FILE, with the same --set and --route"
        raise trouble("not-approved", f"{runbook} wants approval by others before it runs LIVE: {have}", hint)
