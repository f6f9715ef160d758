"""What a rule says: a code, a sentence, a hint, and the TOML path it is about. Places are put in later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from handrail.base.frozen import dataclass
from handrail.runbook.model import Place, Runbook
from handrail.runbook.positions import Path


@dataclass(frozen=True)
class Finding:
    """One thing a rule does not accept; `key` points at the key instead of its value, `inside` characters into it."""

    code: str
    message: str
    hint: str
    path: Path
    key: bool = False
    inside: int = 0
    severity: Literal["error", "warning"] = "error"


Rule = Callable[[Runbook], Iterator[Finding]]


def at(place: Place, *keys: str | int) -> Path:
    """Return the path of something in a step."""
    return (*place.path, *keys)


def warn(code: str, message: str, hint: str, path: Path) -> Finding:
    """Return a finding that does not stop a run."""
    return Finding(code, message, hint, path, severity="warning")
