"""Who sits at a console, and how that is known: it stands in the record, so that a name is never more than what it was."""

from __future__ import annotations

import getpass
import os
import pwd
from collections.abc import Mapping

from handrail.base.safe import safe


def operator() -> str:
    """Return who sits at this console: HANDRAIL_OPERATOR, who called sudo, or the user."""
    found = os.environ.get("HANDRAIL_OPERATOR") or os.environ.get("SUDO_USER") or getpass.getuser()
    return safe(found, 40)


def known_as(environ: Mapping[str, str] = os.environ) -> str:
    """Return how the operator's name is known: by which variable or login, as which user, from where."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = getpass.getuser()
    parts = [f"user {user} (uid {os.getuid()})"]
    if environ.get("HANDRAIL_OPERATOR"):
        parts.insert(0, "named by HANDRAIL_OPERATOR")
    elif environ.get("SUDO_USER"):
        parts.insert(0, f"by sudo from {environ['SUDO_USER']} (uid {environ.get('SUDO_UID', '?')})")
    came = environ.get("SSH_CONNECTION", "").split(" ")
    if len(came) == 4:
        parts.append(f"over ssh from {came[0]}")
    return safe(", ".join(parts), 200)
