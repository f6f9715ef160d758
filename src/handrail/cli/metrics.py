"""What a check came to as a textfile for node_exporter: the exposition format 0.0.4. Whole and readable at any moment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path

from handrail.base.clock import unstamp
from handrail.base.durations import parse_duration
from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble
from handrail.base.safe import safe
from handrail.store.drills import Drill


@dataclass(frozen=True)
class Figures:
    """What there is to tell. `checks` says of each step whether it holds; `drills` is every drill that is remembered."""

    runbook: str
    estate: str
    ready: bool
    at: datetime
    checks: Mapping[str, bool] = field(default_factory=dict)
    measured: Mapping[str, str] = field(default_factory=dict)  # metric -> the text of its headline
    drills: Iterable[Drill] = ()


def textfile(figures: Figures) -> str:
    """Return the metrics as text."""
    own = f'runbook="{_escape(figures.runbook)}",estate="{_escape(figures.estate)}"'
    lines = [
        *_metric("ready", "Whether every check of the runbook holds."),
        f"handrail_ready{{{own}}} {int(figures.ready)}",
        *_metric("check_timestamp_seconds", "When the check ended, in seconds since 1970."),
        f"handrail_check_timestamp_seconds{{{own}}} {figures.at.timestamp():.0f}",
    ]
    if figures.checks:
        lines += _metric("check", "Whether one check holds; 0 also when it could not be asked.")
        lines += [f'handrail_check{{{own},check="{_escape(n)}"}} {int(ok)}' for n, ok in figures.checks.items()]
    for name, text in figures.measured.items():
        value = number(text)
        if value is not None:
            lines += _metric(name, "A figure of the runbook's headline.")
            lines.append(f"handrail_{name}{{{own}}} {value:.10g}")
    last = {drill.runbook: drill for drill in figures.drills if drill.outcome in ("done", "undone")}
    if last:
        lines += _metric("last_drill_timestamp_seconds", "When a runbook was last drilled to its end from here.")
        for name, drill in last.items():
            when = unstamp(drill.when).timestamp()
            lines.append(f'handrail_last_drill_timestamp_seconds{{runbook="{_escape(name)}"}} {when:.0f}')
    return "\n".join(lines) + "\n"


def number(text: str) -> float | None:
    """Return a headline's text as a number: itself, a duration's seconds, 0 for "none", else how many words it has."""
    words = text.split()
    if words in ([], ["-"], ["never"]):
        return None
    if words == ["none"]:
        return 0.0
    if len(words) > 1:
        return float(len(words))
    try:
        return float(words[0]) if words[0].isdecimal() else parse_duration(words[0])
    except Trouble:
        return 1.0


def write(path: Path, text: str) -> None:
    """Replace the textfile at once, readable for everybody: node_exporter runs as somebody else; raise OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _metric(name: str, what: str) -> Iterator[str]:
    yield f"# HELP handrail_{name} {what}"
    yield f"# TYPE handrail_{name} gauge"


def _escape(text: str) -> str:
    return safe(text).replace("\\", "\\\\").replace('"', '\\"')
