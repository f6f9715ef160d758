"""Identifiers: of runs, steps and hosts, in the forms that are safe as file names and shell words."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Final

SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?\Z")


def is_slug(text: str) -> bool:
    """Tell whether a text is a legal id: lower-case letters, digits and inner hyphens, at most 48."""
    return bool(SLUG.match(text))


def new_run_id(now: datetime) -> str:
    """Return a run id that sorts by time and is unique between machines: `20261123-0512-k3f9q2`."""
    alphabet = "23456789abcdefghjkmnpqrstuvwxyz"
    tail = "".join(secrets.choice(alphabet) for _ in range(6))
    return f"{now:%Y%m%d-%H%M}-{tail}"


def file_word(text: str) -> str:
    """Return a text as one word that is safe in a file name; different texts may meet."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).lstrip(".-")[:80] or "x"
