"""What one call to a host has brought so far: header, output, trailer, and what the host said outside the protocol.

It is fed by a channel, and starts nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

from handrail.base.safe import safe
from handrail.base.secrets import Secret, redact
from handrail.ssh import shell
from handrail.ssh.flow import Valve
from handrail.ssh.frames import Stream

Output = Callable[[str, int, bytes], None]
"""Called with "out" or "err", the offset of the first byte, and the bytes."""

ANSWER_MOST: Final = 1 << 20  # bytes kept of a short answer


class LinkGone(Exception):
    """The connection or the channel ended before the call was over; nothing follows from that."""


class Call:
    """One call and what it has brought so far."""

    def __init__(self, output: Output, offsets: tuple[int, int] = (0, 0)) -> None:
        loop = asyncio.get_running_loop()
        self.nonce = secrets.token_hex(16)
        self.out = Stream(self.nonce, offsets[0], lambda at, data: self._put("out", at, data), ends=True)
        self.err = Stream(self.nonce, offsets[1], lambda at, data: self._put("err", at, data), ends=False)
        self.ended: asyncio.Future[None] = loop.create_future()
        self.step: asyncio.Future[str] = loop.create_future()
        self.loaded = False
        self.exit: int | None = None
        self.closed = False
        self.prompt = b""
        self.ready = ""  # the run for which the shell that serves it stands ready
        self.aside = bytearray()
        self.on_header: Callable[[list[str]], None] = lambda _words: None
        self.enough: Callable[[Call], bool] = lambda _call: True
        self.valve: Valve | None = None  # of what takes the output: full, it stops the channel
        self.writable = asyncio.Event()
        self.writable.set()
        self._output = output
        self._told = False

    def feed(self, data: bytes, *, is_err: bool) -> None:
        """Take a piece of stdout or stderr."""
        (self.err if is_err else self.out).feed(data)
        self._tell()
        if self.out.trailer is not None and not self.ended.done() and self.enough(self):
            self.ended.set_result(None)

    def _put(self, stream: str, at: int, data: bytes) -> None:
        """Hand on the job's bytes; what follows a header that is no `go` is the answer's body."""
        header = self.out.header
        if stream == "out" and header and header[0] != "go":
            if len(self.aside) < ANSWER_MOST:
                self.aside += data
            return
        self._tell()
        self._output(stream, at, data)

    def _tell(self) -> None:
        if self.out.header is not None and not self._told:
            self._told = True
            self.on_header(self.out.header)

    def noise(self) -> str:
        """Return what the host said outside the protocol, as showable text."""
        return _showable(self.err.heard().replace(self.prompt or b"\0", b"") + b" " + self.out.heard())

    def answered(self, secret: Secret) -> str:
        """Return what sudo said to a password, as showable text; a host that repeats the password is not repeated here."""
        heard = self.err.heard().split(self.prompt)[1:] if self.prompt else []
        return _showable(redact(b" ".join(heard), [secret]))


def _showable(heard: bytes) -> str:
    return safe(b" ".join(heard.replace(shell.READY, b"").split()), 300)
