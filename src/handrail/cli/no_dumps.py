"""No core dumps: a crash of the interpreter would write every secret in memory to a file. It touches nothing else."""

from __future__ import annotations

import ctypes
import resource
from contextlib import suppress
from typing import Final

_PR_SET_DUMPABLE: Final = 4  # prctl(2): also for kernels that pipe a core to a program, whatever its size limit


def forbid_core_dumps() -> None:
    """Let this process leave no core; a child that is executed is its own master again but for the size limit."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
