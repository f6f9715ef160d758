"""The new lines of what steps say, each after its host's name. It remembers what was printed, and prints nothing itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from handrail.base.safe import safe
from handrail.engine import order
from handrail.engine.state import State
from handrail.engine.words import Pace
from handrail.plain.learning import spoken
from handrail.session.api import SessionApi
from handrail.session.view import Snapshot

LINES: Final = 200  # lines of output told at once; the rest is in the file


@dataclass
class Heard:
    """What was told of a session's output so far."""

    session: SessionApi
    _told: dict[tuple[str, str], int] = field(default_factory=dict)

    def fresh(self, before: State | None, shown: Snapshot) -> Iterator[str]:
        """Yield the new lines of what runs, or ran a moment ago.

        Of reads that run side by side only the outcome is told; their output is in the log. By step nothing does.
        """
        by_step = shown.state.pace is Pace.STEP
        for step, now in shown.state.walked():
            if shown.state.outline.stage(step.stage).together and not by_step:
                continue
            if now.word in order.BUSY or (before and before.step(step.id).word in order.BUSY):
                yield from self._of(step.id, shown)

    def forget(self) -> None:
        """Tell everything anew."""
        self._told.clear()

    def _of(self, step: str, shown: Snapshot) -> Iterator[str]:
        output = self.session.output(step)
        for host in output.hosts():
            reader = output.reader(host)
            if reader is None:
                continue
            try:
                reader.refresh()
                key = (reader.path.name, host)
                first = self._told.get(key, 0)
                found = reader.lines(first, LINES)
                self._told[key] = first + len(found)
                left = reader.line_count - self._told[key]
            finally:
                reader.close()
            name = shown.names.get(host, host)
            for line in found:
                yield spoken(shown, step, host, line)
            if left > 0 and shown.state.step(step).word not in order.BUSY:  # nobody comes back for them
                yield f"  {safe(name)}: {left} more lines are not shown; type: log {step}"
