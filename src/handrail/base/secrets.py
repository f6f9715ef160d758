"""Secrets: values that may never be written. The redactor masks them in every spelling, wherever the chunks break."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

MASK: Final = b"[redacted]"
SHORTEST: Final = 4  # masking shorter values would hide ordinary words

_PEM_BEGIN: Final = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_PEM_PREFIX: Final = b"-----BEGIN "
_PEM_END: Final = b"-----END "
_PEM_TITLE: Final = 64  # bytes after "-----END " in which its closing dashes must come


class Secret:
    """A value that shows itself nowhere: not in repr, not in str, not in a traceback's locals."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        """Return a mask."""
        return "Secret(…)"

    __str__ = __repr__


def spellings(secret: str) -> frozenset[bytes]:
    """Return every form in which a secret might be printed: raw, URL, JSON, shell and the three base64 alignments."""
    raw = secret.encode()
    forms = {raw, quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode(), shlex.quote(secret).encode()}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        skip = (0, 2, 3)[shift]
        cut = len(raw) + shift
        end = len(encoded) - (1 if cut % 3 else 0)
        forms.add(encoded[skip:end])
    return frozenset(f for f in forms if len(f) >= SHORTEST)


class Redactor:
    """Masks secrets and private keys in a stream of bytes; the result does not depend on how the stream is chunked."""

    def __init__(self, secrets: Iterable[Secret] = (), *, in_key: bool = False) -> None:
        """Begin a stream, or go on (`in_key`) where an earlier redactor was inside a private key."""
        forms = {form for s in secrets if len(s.reveal()) >= SHORTEST for form in spellings(s.reveal())}
        self._forms = sorted(forms, key=len, reverse=True)
        self._longest = max((len(f) for f in self._forms), default=0)
        self._known = re.compile(b"|".join(map(re.escape, self._forms))) if self._forms else None
        self._held = b""
        self._in_key = in_key

    @property
    def in_key(self) -> bool:
        """Tell whether what comes next is inside a private key."""
        return self._in_key

    @property
    def pending(self) -> int:
        """Return how many bytes at the end of what was fed are not decided yet."""
        return len(self._held)

    def feed(self, chunk: bytes) -> bytes:
        """Return what may be written now; a possible beginning of a secret is held back until more is known."""
        self._held += chunk
        return self._drain(final=False)

    def flush(self) -> bytes:
        """Return the rest; the stream has ended."""
        return self._drain(final=True)

    def _drain(self, *, final: bool) -> bytes:
        out = bytearray()
        while self._held:
            if self._in_key:
                if not self._leave_key(final=final):
                    break
                continue
            begin = self._find()
            if begin is None:
                keep = 0 if final else self._undecided()
                cut = len(self._held) - keep
                out += self._held[:cut]
                self._held = self._held[cut:]
                break
            start, end, is_key = begin
            if not final and not is_key and end == len(self._held) and self._could_grow(start):
                out += self._held[:start]
                self._held = self._held[start:]
                break
            out += self._held[:start] + MASK
            self._held = self._held[end:]
            self._in_key = is_key
        return bytes(out)

    def _find(self) -> tuple[int, int, bool] | None:
        """Return the first secret or key header in what is held: start, end, whether it opens a private key."""
        key = _PEM_BEGIN.search(self._held)
        known = self._known.search(self._held) if self._known else None
        if known and (not key or known.start() <= key.start()):
            return known.start(), known.end(), False
        return (key.start(), key.end(), True) if key else None

    def _could_grow(self, start: int) -> bool:
        """Tell whether what is held from `start` may be the beginning of a longer form."""
        tail = self._held[start:]
        return any(len(f) > len(tail) and f.startswith(tail) for f in self._forms)

    def _leave_key(self, *, final: bool) -> bool:
        """Drop the body of a private key; return whether its end was found. Never more than a line is held."""
        while (mark := self._held.find(_PEM_END)) >= 0:
            title = mark + len(_PEM_END)
            close = self._held.find(b"-----", title, title + _PEM_TITLE)
            if close >= 0:
                self._held = self._held[close + 5 :]
                self._in_key = False
                return True
            if not final and len(self._held) < title + _PEM_TITLE:
                self._held = self._held[mark:]
                return False
            self._held = self._held[title:]
        self._held = b"" if final else self._held[1 - len(_PEM_END) :]
        return False

    def _undecided(self) -> int:
        """Return how many bytes at the end may be the beginning of a secret."""
        held = self._held
        for size in range(min(len(held), max(self._longest - 1, 40)), 0, -1):
            tail = held[-size:]
            if any(len(f) > size and f.startswith(tail) for f in self._forms):
                return size
            if _PEM_PREFIX.startswith(tail[: len(_PEM_PREFIX)]) and self._may_open_key(tail):
                return size
        return 0

    @staticmethod
    def _may_open_key(tail: bytes) -> bool:
        """Tell whether a tail may still become a private key's header line."""
        return b"\n" not in tail and len(tail) < 64


def redact(text: bytes, secrets: Iterable[Secret] = ()) -> bytes:
    """Return a whole text with its secrets masked."""
    redactor = Redactor(secrets)
    return redactor.feed(text) + redactor.flush()
