"""TSIG keys from BIND's own key file format. A file others could read or swap is refused; no secret is shown."""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.dns.names import plain_name, show_name

if TYPE_CHECKING:
    import dns.tsig

LARGEST: Final = 64 * 1024  # bytes; a key file has a few hundred

_ALGORITHMS: Final = {
    "hmac-md5": "hmac-md5.sig-alg.reg.int",  # RFC 8945, 6: the one with a name of its own
    "hmac-md5.sig-alg.reg.int": "hmac-md5.sig-alg.reg.int",
    "hmac-sha1": "hmac-sha1",
    "hmac-sha224": "hmac-sha224",
    "hmac-sha256": "hmac-sha256",
    "hmac-sha384": "hmac-sha384",
    "hmac-sha512": "hmac-sha512",
}
_NOISE: Final = re.compile(r"//[^\n]*|#[^\n]*|/\*.*?\*/|\s+", re.DOTALL)
_TOKEN: Final = re.compile(r'"(?P<quoted>[^"\n]*)"|(?P<mark>[{};])|(?P<word>[^\s{};"]+)')


@dataclass(frozen=True)
class TsigKey:
    """One shared key: its name (it must match the server's, letter for letter), its algorithm and its secret."""

    name: str
    algorithm: str
    secret: Secret

    def dnspython(self) -> dns.tsig.Key:
        """Return the key as dnspython signs with it. Its repr shows the secret: keep it out of tracebacks."""
        import dns.tsig  # slow to load, and a plan only shows names

        return dns.tsig.Key(f"{self.name}.", base64.b64decode(self.secret.reveal()), _ALGORITHMS[self.algorithm])


def read_keys(path: Path) -> tuple[TsigKey, ...]:
    """Return the keys of a file, in its order; at least one. Raises `Trouble` with a code that begins with dns-key."""
    return parse_keys(_read(path), path)


def read_key(path: Path, name: str = "") -> TsigKey:
    """Return the named key of a file, or its first; raise `Trouble` (dns-key-*)."""
    keys = read_keys(path)
    if not name:
        return keys[0]
    for key in keys:
        if key.name == plain_name(name):
            return key
    known = ", ".join(k.name for k in keys)
    raise trouble("dns-key-name", f"{safe(path.name)} has no key {show_name(name)}", f"it has: {known}")


def parse_keys(text: str, path: Path) -> tuple[TsigKey, ...]:
    """Return the keys in a text of `key "name" { algorithm NAME; secret "BASE64"; };` clauses (named.conf(5))."""
    tokens = _tokens(text, path)
    keys = []
    for word in tokens:
        if word == ";":
            continue
        if word != "key":
            raise _broken(path, "something else than a `key` stands in it")  # which may be a secret: not shown
        keys.append(_key(tokens, path))
    if not keys:
        raise _broken(path, "there is no key in it")
    return tuple(keys)


def _key(tokens: Iterator[str], path: Path) -> TsigKey:
    name = next(tokens, "")
    if next(tokens, "") != "{":
        raise _broken(path, "a key's name is followed by {")
    fields: dict[str, str] = {}
    for field in tokens:
        if field == "}":
            return _checked(name, fields, path)
        if field not in ("algorithm", "secret"):
            raise _broken(path, "a key has an `algorithm` and a `secret`, nothing else")
        fields[field] = next(tokens, "")
        if next(tokens, "") != ";":
            raise _broken(path, f"expected ; after {field}")
    raise _broken(path, "the file ends inside a key")


def _checked(name: str, fields: dict[str, str], path: Path) -> TsigKey:
    shown = plain_name(name)
    algorithm = fields.get("algorithm", "").lower().rstrip(".")
    if algorithm not in _ALGORITHMS:
        known = ", ".join(a for a in _ALGORITHMS if "." not in a)
        raise trouble(
            "dns-key-algorithm", f"key {shown}: {safe(algorithm, 40)!r} is not an algorithm", f"known: {known}"
        )
    secret = fields.get("secret", "")
    try:
        good = len(base64.b64decode(secret, validate=True)) > 0
    except (binascii.Error, ValueError):
        good = False
    if not good:
        # The secret is not shown, not even a broken one.
        raise trouble("dns-key-secret", f"key {shown} in {safe(path.name)}: its secret is not base64")
    return TsigKey(shown, algorithm, Secret(secret))


def _tokens(text: str, path: Path) -> Iterator[str]:
    at = 0
    while at < len(text):
        if noise := _NOISE.match(text, at):
            at = noise.end()
            continue
        token = _TOKEN.match(text, at)
        if not token:
            raise _broken(path, f"line {text.count(chr(10), 0, at) + 1}: a quote is not closed")
        yield token["quoted"] if token["quoted"] is not None else token[0]
        at = token.end()


def _read(path: Path) -> str:
    """Return the text of a plain file that is ours alone; never follow a link, never wait on a FIFO."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        hint = "it may not be a symbolic link" if path.is_symlink() else ""
        why = safe(error.strerror or str(error))
        raise trouble("dns-key-file", f"cannot open the key file {safe(str(path))}: {why}", hint) from error
    try:
        _check_mode(os.fstat(handle), path)
        with os.fdopen(handle, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    finally:
        os.close(handle)
    if len(content) > LARGEST:
        raise trouble("dns-key-file", f"{safe(str(path))} is too large to be a key file")
    return content.decode("utf-8", "replace")


def _check_mode(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise trouble("dns-key-file", f"{safe(str(path))} is not a plain file")
    if status.st_uid not in (os.geteuid(), 0):
        raise trouble("dns-key-owner", f"{safe(str(path))} belongs to another user", "copy it, so that it is yours")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        hint = f"chmod 600 {safe(path.name)}"
        raise trouble("dns-key-mode", f"{safe(str(path))} can be reached by others (mode {mode:04o})", hint)


def _broken(path: Path, why: str) -> Trouble:
    hint = 'it should read: key "name" { algorithm hmac-sha256; secret "..."; };  (tsig-keygen writes it so)'
    return trouble("dns-key-format", f"{safe(path.name)} is not a BIND key file: {why}", hint)
