"""Values of variables: who gave them, and whether they are of the declared type. It asks nobody."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from handrail.base.durations import parse_duration
from handrail.base.problems import Trouble
from handrail.base.safe import safe
from handrail.runbook.model import Var

_LABEL: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)\Z")
_INT: Final = re.compile(r"-?\d{1,18}\Z")


def value_problem(var: Var, value: str) -> str | None:
    """Return what is wrong with a value for a variable, as the end of a sentence ("is not ..."), or nothing."""
    if "\0" in value or "\n" in value or "\r" in value:
        return "has a line break or NUL"
    if var.type == "choice":
        return None if value in var.choices else f"is none of {', '.join(safe(c, 40) for c in var.choices)}"
    return None if _CHECKS[var.type](value) else f"is not {_KINDS[var.type]}"


def _is_fqdn(value: str) -> bool:
    name = value.removesuffix(".")
    labels = name.split(".")
    return len(name) <= 253 and len(labels) > 1 and all(_LABEL.match(label) for label in labels) and not _is_ip(name)


def _is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return "%" not in value


def _is_duration(value: str) -> bool:
    try:
        parse_duration(value)
    except Trouble:
        return False
    return True


_KINDS: Final = {
    "fqdn": 'a full name such as "app.example.test"',
    "ip": "an IP address",
    "path": "an absolute path",
    "int": "a whole number",
    "duration": 'a duration such as "90s" or "15m"',
    "text": "a text",
    "secret": "a text",
}
_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "fqdn": _is_fqdn,
    "ip": _is_ip,
    "path": lambda value: value.startswith("/"),
    "int": lambda value: bool(_INT.match(value)),
    "duration": _is_duration,
    "text": lambda value: True,
    "secret": lambda value: True,
}
