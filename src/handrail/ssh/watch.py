"""Seeing one connection: the key that was shown, when it was met, what it asks, what arrives, when it was lost."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncssh

from handrail.base.safe import safe
from handrail.ssh.asking import Ask, Question, nobody
from handrail.ssh.identities import Keyring
from handrail.ssh.target import Target

ROUNDS: Final = 6  # challenges of one login that are answered; a server that asks for ever is left
PROMPTS: Final = 4  # prompts in one of them
_QUICKACK: Final = getattr(socket, "TCP_QUICKACK", None)


class Clock:
    """The time limit of one attempt to connect: it stands still while a person is asked."""

    def __init__(self, limit: asyncio.Timeout, login: float) -> None:
        self._limit, self._login = limit, login

    def met(self) -> None:
        """Give the login its own time: the host answers."""
        self._limit.reschedule(asyncio.get_running_loop().time() + self._login)

    @contextmanager
    def person(self) -> Iterator[None]:
        """Stop; afterwards the login has its time again."""
        self._limit.reschedule(None)
        try:
            yield
        finally:
            if not self._limit.expired():
                self.met()


@dataclass
class Meeting:
    """One attempt to connect to a target: what it may ask, and how long it may take."""

    target: Target
    clock: Clock
    ask: Ask
    keyring: Keyring
    heard: Callable[[], None] = lambda: None
    locked: list[Path] = field(default_factory=list)


class Watch(asyncssh.SSHClient):
    """What asyncssh tells of one connection."""

    def __init__(self, meeting: Meeting, lost: Callable[[Watch, Exception | None], None]) -> None:
        self._meeting, self._lost = meeting, lost
        self._rounds = 0
        self._asked: set[str] = set()
        self._declined = False
        self.shown: asyncssh.SSHKey | None = None
        self.connected = False
        self.wants_more = False  # it asks for a code, or a password, beside or instead of a key
        self.outdated = False  # the password was right, and the host wants a new one
        self.kept: asyncssh.SSHClientConnection | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Note the meeting, and watch what arrives."""
        self.connected = True
        self._meeting.clock.met()
        self._watch_arrivals(conn)

    def _watch_arrivals(self, conn: asyncssh.SSHClientConnection) -> None:
        """Acknowledge at once whatever arrives, and note when.

        A server without TCP_NODELAY before the login waits for our delayed ACK, 40 ms each time; the kernel clears
        TCP_QUICKACK by itself, so it is set again with every piece (tcp(7)).
        """
        sock = conn.get_extra_info("socket")
        heard, receive = self._meeting.heard, conn.data_received
        quick = (
            _QUICKACK if sock is not None and getattr(sock, "family", 0) in (socket.AF_INET, socket.AF_INET6) else None
        )

        def received(data: bytes, datatype: int | None = None) -> None:
            heard()
            if quick is not None:
                with suppress(OSError):
                    sock.setsockopt(socket.IPPROTO_TCP, quick, 1)
            receive(data, datatype)

        conn.data_received = received  # type: ignore[method-assign]

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Remember the key that known_hosts does not know; it is never accepted."""
        self.shown = key
        return False

    async def public_key_auth_requested(self) -> asyncssh.SSHKey | None:
        """Offer the next key that wants a passphrase: everything else was refused."""
        while self._meeting.locked:
            path = self._meeting.locked.pop(0)
            with self._meeting.clock.person():
                key = await self._meeting.keyring.unlock(path)
            if key is not None:
                return key
        return None

    def kbdint_auth_requested(self) -> str | None:
        """Take part in keyboard-interactive (RFC 4256) if somebody can be asked."""
        self.wants_more = True
        return None if self._meeting.ask is nobody or self._declined else ""

    async def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Iterable[tuple[str, bool]]
    ) -> list[str] | None:
        """Have the person answer what the host asks; its words are shown safely, after its name."""
        self._rounds += 1
        wanted = list(prompts)
        if self._rounds > ROUNDS or len(wanted) > PROMPTS:
            return None
        said = " ".join(safe(text, 200).strip() for text in (name, instructions) if text.strip())
        answers: list[str] = []
        for text, echo in wanted:
            answer = await self._answer(said, text, echo=echo)
            if answer is None:
                self._declined = True
                return None
            answers.append(answer)
        return answers

    async def password_auth_requested(self) -> str | None:
        """Have the person type the password of the method `password` (RFC 4252, section 8); it is kept nowhere."""
        self.wants_more = True
        self._rounds += 1
        if self._meeting.ask is nobody or self._declined or self._rounds > ROUNDS:
            return None
        answer = await self._answer("", "the account's password", echo=False)
        self._declined = self._declined or answer is None
        return answer

    def password_change_requested(self, prompt: str, lang: str) -> Any:  # noqa: ANN401 - NotImplemented has no type
        """Refuse to choose a new password: that is done at the host, by its user, in peace."""
        self.outdated = True
        return NotImplemented

    async def _answer(self, said: str, text: str, *, echo: bool) -> str | None:
        target = self._meeting.target
        who = f"{safe(target.name, 60)} asks" + (f" {safe(target.user, 40)}" if target.user else "")
        prompt = f"{said}: {safe(text, 120)}" if said else safe(text, 120)
        wrong = "it did not accept what was said before" if text in self._asked else ""
        self._asked.add(text)
        with self._meeting.clock.person():
            answer = await self._meeting.ask(Question("code", who, prompt.strip() or "?", echo, wrong))
        return None if answer is None else answer.reveal()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._lost(self, exc)
