"""The holder's side of a question: who asks for the run this console drives, and what is answered.

It may not leave the run: that is the session's part, once what was asked for is journalled.
"""

from __future__ import annotations

from pathlib import Path

from handrail.base.clock import Clock
from handrail.base.problems import Trouble
from handrail.engine import messages as m
from handrail.session.view import Relief
from handrail.store import asking
from handrail.store.asking import Question, Said


class Handing:
    """One question at a time, as it stands in the run's folder. `after` is a hand-over that waits for a step to end."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock
        self._question: Question | None = None
        self.after: m.HandOver | None = None

    @property
    def who(self) -> str:
        """Return who asks; nothing when nobody does."""
        return self._question.who if self._question else ""

    def look(self) -> bool:
        """Look whether somebody asks; tell whether that has changed."""
        before, self._question = self._question, asking.asked(self._folder)
        return (before.id if before else "") != (self._question.id if self._question else "")

    def view(self, at: float) -> Relief | None:
        """Return what front ends show of it, at run seconds `at`."""
        found = self._question
        if found is None:
            return None
        until = at + asking.PATIENCE - found.stood(self._clock)
        return Relief(found.id, found.who, found.host, found.note, until, handing=self.after is not None)

    def answer(self, said: Said, words: str, by: str) -> None:
        """Leave an answer for who asks; one that cannot be written is no reason to stop the run."""
        if self._question is None:
            return
        try:
            asking.answer(self._folder, self._question, said, words, by)
        except Trouble:
            return
        if said is Said.DECLINED:
            self._question = None
