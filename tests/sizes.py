"""How much of each torture: small in `make test`, the CI sizes in `make torture`, all of it with `FULL=1`."""

from __future__ import annotations

import os
from typing import Final, Literal

Size = Literal["small", "ci", "full"]

SIZE: Final[Size] = (
    "full"
    if os.environ.get("HANDRAIL_TORTURE") == "full"
    else ("ci" if os.environ.get("HANDRAIL_TORTURE") else "small")
)


def sized(small: int, ci: int, full: int) -> int:
    """Return how many trials are made at the size that was asked for."""
    return {"small": small, "ci": ci, "full": full}[SIZE]
