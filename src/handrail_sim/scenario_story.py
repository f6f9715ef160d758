"""Where a run is, read from its journal and never written: what has happened, and what a scenario waits for.

Records are taken as they stand in the file (JSON lines); who recomputes the chain is `handrail audit`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from handrail.runbook.scenario_model import When

Record = dict[str, Any]
NAME: Final = "journal.jsonl"


class Journal:
    """The new whole lines of a journal, at each call."""

    def __init__(self, run: Path) -> None:
        self._path, self._place = run / NAME, 0

    def fresh(self) -> Iterator[Record]:
        """Yield the records that were added since the last call; nothing while there is no file."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                for line in file:
                    if not line.endswith(b"\n"):
                        return
                    self._place += len(line)
                    yield json.loads(line)
        except FileNotFoundError:
            return


def comes(when: When, record: Record) -> bool:
    """Tell whether a record is what an act waits for."""
    event, body = str(record.get("event")), record.get("body", {})
    step, forward = body.get("step"), body.get("way", "forward") == "forward"
    if when.starts:
        return event == "attempt_started" and forward and step == when.starts
    if when.passed or when.failed:
        wanted = ("passed",) if when.passed else ("failed", "unknown")
        told = event in ("attempt_ended", "resolved") and forward
        return told and step == (when.passed or when.failed) and body.get("verdict") in wanted
    if when.undone:
        return event == "step_undone" and step == when.undone
    if when.noted:
        return event == "note_made" and re.search(when.noted, str(body.get("text", "")), re.IGNORECASE) is not None
    return event == "run_opened" and not when.before


@dataclass(frozen=True)
class Story:
    """What a run has done with its steps: passed and checked, started and not taken back; and how long it took."""

    passed: frozenset[str]
    stands: frozenset[str]
    seconds: float


def story(records: Iterable[Record]) -> Story:
    """Return what a journal tells."""
    passed: set[str] = set()
    stands: set[str] = set()
    seconds = 0.0
    for record in records:
        event, body = record.get("event"), record.get("body", {})
        step, forward = str(body.get("step", "")), body.get("way", "forward") == "forward"
        seconds = max(seconds, float(body.get("at", 0.0)))
        if event == "attempt_started" and forward:
            stands.add(step)
        elif event == "attempt_ended" and forward and body.get("verdict") == "passed":
            passed.add(step)
        elif event == "step_undone":
            passed.discard(step)
            stands.discard(step)
    return Story(frozenset(passed), frozenset(stands), seconds)
