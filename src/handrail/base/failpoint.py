"""Named boundaries at which a test may end this process as a crash would, or let the operating system refuse.

Off, which is always but in such tests, a boundary is one shared object that does nothing. It may do nothing else than
kill this process, raise what a disk would raise, or note that a boundary was reached; nothing may ever depend on it.

    HANDRAIL_FAILPOINT=dns.send:before       die when `dns.send` is first reached
    HANDRAIL_FAILPOINT=dns.send:after:3      die after the third time
    HANDRAIL_FAILPOINT=*.write:ENOSPC:7      the seventh write, whosever it is, meets a full disk
    HANDRAIL_FAILPOINT=a.b:before|c.d:after  whichever comes first
    HANDRAIL_FAILPOINT_LOG=FILE              append each boundary, when it is first reached, and where it stands
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Final

_SPEC: Final = os.environ.get("HANDRAIL_FAILPOINT", "")
_LOG: Final = os.environ.get("HANDRAIL_FAILPOINT_LOG", "")
ARMED: Final = bool(_SPEC or _LOG)
_NOTHING: Final = nullcontext()
# Not where a boundary stands, but how it is reached.
_PASSED_OVER: Final = (__file__, "/store/disk.py", "/store/trusted.py", "/contextlib.py")
_seen: set[str] = set()


@dataclass
class _Fault:
    """What happens, at which boundary, on which side of it, and how many times it is still passed by before."""

    name: str
    side: str
    left: int

    @classmethod
    def parse(cls, spec: str) -> _Fault:
        """Read NAME[:SIDE[:TIME]]."""
        name, _, rest = spec.partition(":")
        side, _, time = rest.partition(":")
        return cls(name, side or "before", int(time or 1))

    def meets(self, name: str, side: str) -> bool:
        """Tell whether now is the time."""
        here = name.endswith(self.name[1:]) if self.name.startswith("*") else name == self.name
        if not here or side != ("after" if self.side == "after" else "before"):
            return False
        self.left -= 1
        return self.left == 0

    def strike(self) -> None:
        """Kill this process, or raise the error that is named."""
        if self.side in ("before", "after"):
            os.kill(os.getpid(), signal.SIGKILL)
        code = int(getattr(errno, self.side))
        raise OSError(code, os.strerror(code))


@dataclass
class _Armed:
    """What is armed, and where what is reached is noted."""

    faults: list[_Fault]
    log: str


def _parsed(spec: str) -> list[_Fault]:
    return [_Fault.parse(one) for one in spec.split("|") if one]


_now: Final = _Armed(_parsed(_SPEC), _LOG)


def arm(spec: str, log: str) -> None:
    """Arm a process anew that was started armed, and has reached nothing yet."""
    _now.faults, _now.log = _parsed(spec), log


class _Boundary:
    """One boundary at which something may happen."""

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


def _reach(name: str, side: str) -> None:
    key = f"{name}:{side}"
    if _now.log and key not in _seen:
        _seen.add(key)
        _note(f"{key} {_place()}")
    struck = [fault for fault in _now.faults if fault.meets(name, side)]
    if struck:
        if _now.log:
            _note(f"struck {key}")
        struck[0].strike()


def _place() -> str:
    frame = sys._getframe(3)
    while frame.f_back is not None and frame.f_code.co_filename.endswith(_PASSED_OVER):
        frame = frame.f_back
    return f"{frame.f_code.co_filename.rpartition('/src/')[2]}:{frame.f_lineno}"


def _note(line: str) -> None:
    fd = os.open(_now.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, f"{line}\n".encode())
    finally:
        os.close(fd)
