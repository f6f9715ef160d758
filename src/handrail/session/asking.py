"""What connections ask a person, and what was given beforehand. It is kept in memory only: no answer is ever journalled.

One question stands open at a time, in the order in which they came; who cannot be asked is told so at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from handrail.base.secrets import Secret
from handrail.session.view import Asked
from handrail.ssh.asking import Question, nobody
from handrail.ssh.links import Links


@dataclass(frozen=True)
class Given:
    """What was given for this console beforehand: sudo passwords by group ("" for all), values of secret variables.

    `person` tells whether somebody sits there who can be asked for the rest.
    """

    sudo: Mapping[str, Secret] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    person: bool = True

    def values(self) -> dict[str, str]:
        """Return the secret variables, for the binding."""
        return {name: secret.reveal() for name, secret in self.secrets.items()}


NOTHING: Final = Given()


_NUMBERS: Final = count(1)  # never the same for two questions of this program


@dataclass
class _Open:
    asked: Asked
    answer: asyncio.Future[Secret | None]


class Asking:
    """The questions of one console's connections."""

    def __init__(self) -> None:
        self.tell: Callable[[], None] = lambda: None
        self._open: list[_Open] = []

    @property
    def open(self) -> tuple[Asked, ...]:
        """Return what is asked now, the first one first."""
        return tuple(one.asked for one in self._open)

    async def ask(self, question: Question) -> Secret | None:
        """Have a person answer; None when they rather would not. A question that is cancelled is withdrawn."""
        asked = Asked(next(_NUMBERS), question.title, question.text, question.echo, question.wrong)
        one = _Open(asked, asyncio.get_running_loop().create_future())
        self._open.append(one)
        self.tell()
        try:
            return await one.answer
        finally:
            self._open.remove(one)
            self.tell()

    def answer(self, number: int, words: str | None) -> None:
        """Answer a question, or decline it with None; one that was withdrawn meanwhile is passed over."""
        for one in self._open:
            if one.asked.number == number and not one.answer.done():
                one.answer.set_result(None if words is None else Secret(words))


@dataclass(frozen=True)
class Ways:
    """The connections of one console, and the questions they ask. A briefing hands them on to the run it opens."""

    links: Links
    asking: Asking

    @classmethod
    def made(cls, given: Given, apart: Collection[str]) -> Ways:
        """Return new ones; `apart` are the hosts that must be different machines."""
        asking = Asking()
        ask = asking.ask if given.person else nobody
        return cls(Links(apart=apart, ask=ask, become_passwords=given.sudo), asking)
