"""Named boundaries at which a test may end this process, as a crash would, before or after what stands there.

Off, which is always but in such tests, a boundary is one shared object that does nothing. It may do nothing else than
kill this process or note that a boundary was reached, and nothing may ever depend on it.

    HANDRAIL_FAILPOINT=dns.send:before      die when `dns.send` is first reached
    HANDRAIL_FAILPOINT=dns.send:after:3     die after the third time
    HANDRAIL_FAILPOINT_LOG=FILE             append each boundary, when it is first reached, and where it stands
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Final, Literal

Side = Literal["before", "after"]

_SPEC: Final = os.environ.get("HANDRAIL_FAILPOINT", "")
_LOG: Final = os.environ.get("HANDRAIL_FAILPOINT_LOG", "")
ARMED: Final = bool(_SPEC or _LOG)
_NOTHING: Final = nullcontext()
# Not where a boundary stands, but how it is reached.
_PASSED_OVER: Final = (__file__, "/store/disk.py", "/store/trusted.py", "/contextlib.py")
_reached: dict[str, int] = {}


def _fatal(spec: str) -> tuple[str, int]:
    """Return which side of which boundary kills, and at which time it is reached."""
    name, _, rest = spec.partition(":")
    side, _, time = rest.partition(":")
    return f"{name}:{side or 'before'}", int(time or 1)


_FATAL: Final = _fatal(_SPEC)


class _Boundary:
    """One boundary that may kill."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        _reach(self.name, "before")

    def __exit__(self, kind: type[BaseException] | None, _err: BaseException | None, _tb: TracebackType | None) -> None:
        if kind is None:
            _reach(self.name, "after")


def boundary(name: str) -> AbstractContextManager[None]:
    """Return the boundary of this name, to be put around the one act that it names, such as `dns.send`."""
    return _Boundary(name) if ARMED else _NOTHING


def _reach(name: str, side: Side) -> None:
    key = f"{name}:{side}"
    _reached[key] = _reached.get(key, 0) + 1
    if _LOG and _reached[key] == 1:
        _note(key)
    if (key, _reached[key]) == _FATAL:
        os.kill(os.getpid(), signal.SIGKILL)


def _note(key: str) -> None:
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.endswith(_PASSED_OVER):
        frame = frame.f_back
    place = f"{frame.f_code.co_filename.rpartition('/src/')[2]}:{frame.f_lineno}"
    fd = os.open(_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, f"{key} {place}\n".encode())
    finally:
        os.close(fd)
