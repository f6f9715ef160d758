"""Secrets: values that may never be written. The redactor masks them in every spelling, wherever the chunks break."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = b"[redacted]"
_ODD: Final = ("utf-8", "surrogatepass")  # what a terminal sent in another encoding is kept, and stops nothing
SHORTEST: Final = 4  # masking shorter values would hide ordinary words

_PEM_PREFIX: Final = b"-----BEGIN "
_PEM_BEGIN: Final = re.compile(rb"-----BEGIN (?:[A-Z0-9 ]{0,40} )?PRIVATE KEY(?: BLOCK)?-----")
_PEM_LONGEST: Final = len(_PEM_PREFIX) + 41 + len("PRIVATE KEY BLOCK-----")
_PEM_BEGUN: Final = re.compile(rb"-{1,5}\Z|-----(?:BEGIN|BEGI|BEG|BE|B)\Z|-----BEGIN [A-Z0-9 ]{0,58}-{0,4}\Z")
_PEM_END: Final = b"-----END "
_PEM_TITLE: Final = 64  # bytes after "-----END " in which its closing dashes must come


class Secret:
    """A value that shows itself nowhere: not in repr, not in str, not in a traceback's locals."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = bytearray(value, *_ODD)

    def reveal(self) -> str:
        """Return the value, for the one place that sends it."""
        return self._value.decode(*_ODD)

    def wipe(self) -> None:
        """Overwrite the value; copies that the interpreter made of it on the way are out of our reach."""
        self._value[:] = bytes(len(self._value))
        self._value.clear()

    def __repr__(self) -> str:
        """Return a mask."""
        return "Secret(…)"

    __str__ = __repr__


def spellings(secret: str) -> frozenset[bytes]:
    """Return every form in which a secret might be printed: raw, URL, JSON, shell, and base64 at any offset."""
    raw = secret.encode(*_ODD)
    urls = {quote(secret, "", *_ODD), quote(secret, "/", *_ODD), quote_plus(secret, "", *_ODD)}
    urls |= {re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), url) for url in urls}
    texts = urls | {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    texts |= {shlex.quote(secret), secret.replace("'", "'\\''"), re.sub(r"([^\w@%+=:,./-])", r"\\\1", secret)}
    forms = {raw, *(text.encode(*_ODD) for text in texts)}
    for shift in range(3):
        core = _base64_core(raw, shift)
        forms |= {core, core.translate(bytes.maketrans(b"+/", b"-_"))}
    return frozenset(f for f in forms if len(f) >= SHORTEST)


def _base64_core(raw: bytes, shift: int) -> bytes:
    """Return the characters of a base64 text that depend on a secret alone, when it begins `shift` bytes into a group."""
    encoded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
    end = len(encoded) - (1 if (len(raw) + shift) % 3 else 0)
    return encoded[(0, 2, 3)[shift] : end]


class Redactor:
    """Masks secrets and private keys in a stream of bytes; the result does not depend on how the stream is chunked."""

    def __init__(self, secrets: Iterable[Secret] = (), *, in_key: bool = False) -> None:
        """Begin a stream, or go on (`in_key`) where an earlier redactor was inside a private key."""
        forms = {form for s in secrets if len(s.reveal()) >= SHORTEST for form in spellings(s.reveal())}
        self._forms = sorted(forms, key=len, reverse=True)
        self._window = max([len(f) - 1 for f in self._forms] + [_PEM_LONGEST - 1])
        self._firsts = frozenset(f[0] for f in (*self._forms, _PEM_PREFIX))
        self._known = re.compile(b"|".join(map(re.escape, self._forms))) if self._forms else None
        self._held = b""
        self._in_key = in_key
        self._likely = bool(self._forms)

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
        out: list[bytes] = []
        while self._held:
            if self._in_key:
                if not self._leave_key(final=final):
                    break
                continue
            if not self._take(out, final=final):
                break
        return b"".join(out)

    def _take(self, out: list[bytes], *, final: bool) -> bool:
        """Write and mask what is decided, up to a private key; return whether one has begun."""
        held, at = self._held, 0
        self._likely = any(form in held for form in self._forms)
        end = len(held) if final else self._undecided()
        while found := self._find(at, end):
            start, stop, is_key = found
            out += (held[at:start], MASK)
            at = stop
            if is_key:
                self._held, self._in_key = held[at:], True
                return True
        cut = max(at, end)
        out.append(held[at:cut])
        self._held = held[cut:]
        return False

    def _find(self, at: int, end: int) -> tuple[int, int, bool] | None:
        """Return the first secret or key header that begins in a part of what is held: start, end, whether it is a key."""
        begun = self._held.find(_PEM_PREFIX, at)
        key = _PEM_BEGIN.search(self._held, begun) if 0 <= begun < end else None
        known = self._known.search(self._held, at) if self._known and self._likely else None
        if known and known.start() < end and (not key or known.start() <= key.start()):
            return known.start(), known.end(), False
        return (key.start(), key.end(), True) if key and key.start() < end else None

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
        """Return from where on what is held may be the beginning of something that its end cuts off."""
        held = self._held
        for at in range(max(0, len(held) - self._window), len(held)):
            if held[at] in self._firsts and self._may_begin(held[at:]):
                return at
        return len(held)

    def _may_begin(self, tail: bytes) -> bool:
        """Tell whether a tail is the beginning of a form, or of a private key's header line."""
        if any(len(form) > len(tail) and form.startswith(tail) for form in self._forms):
            return True
        return len(tail) < _PEM_LONGEST and bool(_PEM_BEGUN.match(tail))


def redact(text: bytes, secrets: Iterable[Secret] = ()) -> bytes:
    """Return a whole text with its secrets masked."""
    redactor = Redactor(secrets)
    return redactor.feed(text) + redactor.flush()
