"""Post for the run this console drives: notes of those who look on, what an instructor leaves, and a scenario's messages.

An instructor is heard in a drill only: on real hosts nothing but notes comes through here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from handrail.base.safe import safe
from handrail.engine import messages as m
from handrail.session import mailbox

CARDS: Final = "scenario.cards"  # beside the simulated estate, a JSON line each; whoever plays the scenario writes it
_WORDS: Final = 400
_LINE: Final = 1 << 14


class Post:
    """What has come for one run, each thing once; `taught` lets an instructor be heard."""

    def __init__(self, folder: Path, estate: Path | None, *, taught: bool) -> None:
        self._folder, self._taught = folder, taught
        self._cards = estate / CARDS if estate else None
        self._read = 0

    def take(self) -> Iterator[m.Message]:
        """Yield what has come since the last time, as messages to the engine; each counts as taken when the next is asked for."""
        for letter in mailbox.take(self._folder):
            message = _meant(letter) if self._taught or letter.kind == "note" else None
            if message is not None:
                yield message
        yield from self._said()

    def _said(self) -> Iterator[m.Message]:
        """Yield the scenario's messages; those of an earlier console come again, and are shown once."""
        if self._cards is None:
            return
        try:
            with self._cards.open("rb") as file:
                file.seek(self._read)
                fresh = file.read(_LINE)
        except OSError:
            return
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            try:
                found = json.loads(line)
                yield m.ShowCard(
                    safe(str(found["card"]), 60), safe(str(found["say"]), _WORDS), safe(str(found["by"]), 60)
                )
            except (ValueError, KeyError, TypeError, RecursionError):
                continue


def _meant(letter: mailbox.Letter) -> m.Message | None:
    match letter.kind:
        case "note":
            return m.Note(letter.text, by=letter.by)
        case "card":
            return m.ShowCard(letter.name, safe(letter.text, _WORDS), safe(letter.more, 60) or letter.by)
        case "fault":
            return m.FaultNews(safe(letter.text, _WORDS), letter.by, safe(letter.more, _WORDS))
        case "halt":
            return m.Halt(letter.by, safe(letter.text, _WORDS))
        case "go":
            return m.EndHalt(letter.by)
    return None
