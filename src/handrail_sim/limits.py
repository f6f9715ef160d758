"""What a host may use of the machine: processes and file size; memory is bounded by the sizes of its tmpfs.

Source: setrlimit(2). A limit on processes counts every process of the user on kernels before 5.14, so it is set above
what runs now.
"""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Final

_MORE_PROCESSES: Final = 4096
_LARGEST_FILE: Final = 1 << 30  # bytes


def inside() -> dict[str, int]:
    """Return the limits of a host's pid 1 and all it starts: names without RLIMIT_ to values."""
    return {"NPROC": _running() + _MORE_PROCESSES, "FSIZE": _LARGEST_FILE, "CORE": 0}


def apply_here() -> None:
    """Put the same limits on this process and what it starts (plain folders)."""
    for name, most in inside().items():
        which = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(which)[1]
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (wanted, hard))


def _running() -> int:
    """Return how many threads the machine runs now (proc_loadavg(5)); 0 where that is not told."""
    try:
        return int(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return 0
