"""The last line before the disk: masks secrets and private keys in what is about to be written to the journal.

Secrets have no business in a record; this is for the day when one gets there. It may not be relied upon elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from handrail.base.secrets import Secret, redact, spellings

_KEY: Final = b"PRIVATE KEY-----"


class Mask:
    """Masks a set of secrets, and every private key, in the strings of a JSON value."""

    def __init__(self, secrets: Sequence[Secret] = ()) -> None:
        self._secrets = tuple(secrets)
        self._forms = (_KEY, *(form for s in secrets for form in spellings(s.reveal())))

    def clean(self, line: bytes, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return `body` itself when `line`, which holds it, is free of secrets; else a copy with them masked."""
        return self._mapping(body) if any(form in line for form in self._forms) else body

    def _mapping(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {self._text(str(key)): self._value(inner) for key, inner in value.items()}

    def _value(self, value: object) -> object:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, (list, tuple)):
            return [self._value(inner) for inner in value]
        return value

    def _text(self, text: str) -> str:
        return redact(text.encode("utf-8", "surrogatepass"), self._secrets).decode("utf-8", "surrogatepass")
