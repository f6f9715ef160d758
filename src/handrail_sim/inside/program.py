"""A Python program of a host, run in a copy of this process: no interpreter is started and nothing is loaded twice.

The zygote has loaded what the estate's programs share, so a service costs a fork instead of some tenths of a second.
What the program sees is what a start by the shell would give it: its own argv, environment, session, descriptors and
name in the process list. It may import the standard library only; a stand-in finds it in `sys.modules`, if at all.
"""

# pathlib would be the largest import of a process that has to start at once.
# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import ctypes
import os
import runpy
import signal
import site
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn, TextIO, cast

_ARG_START, _ARG_END = 45, 46  # fields of /proc/self/stat after the name (proc_pid_stat(5): 48 and 49)
_LOG: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def is_python(argv: Sequence[str]) -> bool:
    """Tell whether a command line is a program for this very interpreter: a script by its first line, or `-m MODULE`."""
    if not argv or not sys.executable:
        return False
    if argv[0] == sys.executable:
        return len(argv) > 2 and argv[1] == "-m"
    try:
        with open(argv[0], "rb") as script:
            first = script.readline(300)
    except OSError:
        return False
    return first.rstrip() == f"#!{sys.executable} -IS".encode() and os.access(argv[0], os.X_OK)


def start(argv: Sequence[str], env: Mapping[str, str], log: str, cwd: str = "/") -> int:
    """Run a program in a session of its own, its output appended to a log; return its pid; raise OSError."""
    for stream in (sys.stdout, sys.stderr):  # what waits in them is ours to write, not the copy's
        stream.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.setsid()
        _settle(log, cwd)
        _become(argv, env)
        status = _run(list(argv))
    except BaseException:  # noqa: BLE001 - the last stop of a process of its own: it goes into the log
        traceback.print_exc()
    finally:
        _leave(status)


def _settle(log: str, cwd: str) -> None:
    """Give the process its own three descriptors and no others, and the signals of a new one."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for path, flags, targets in ((os.devnull, os.O_RDONLY, (0,)), (log, _LOG, (1, 2))):
        fd = os.open(path, flags, 0o644)
        for target in targets:
            os.dup2(fd, target)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    sys.stdin, sys.stdout = _stream(0, "r"), _stream(1, "w")
    sys.stderr = _stream(2, "w", errors="backslashreplace", buffering=1)
    os.chdir(cwd)


def _stream(fd: int, mode: str, errors: str = "strict", buffering: int = -1) -> TextIO:
    """Return one of the three streams. It never closes its descriptor: a copy of this copy replaces it by its own."""
    return cast("TextIO", open(fd, mode, buffering, encoding="utf-8", errors=errors, closefd=False))


def _become(argv: Sequence[str], env: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    shown = argv if argv[0] == sys.executable else [sys.executable, "-IS", *argv]
    rename(shown, (argv[0] if argv[0] != sys.executable else argv[2]).rpartition("/")[2])


def rename(argv: Sequence[str], name: str) -> None:
    """Show another command line in the process list, as far as there is room for it (setproctitle does the same)."""
    ctypes.CDLL(None).prctl(15, name.encode()[:15], 0, 0, 0)  # PR_SET_NAME, prctl(2)
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        begin, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    except (OSError, ValueError, IndexError):
        return
    if 0 < begin < end:
        text = "\0".join(argv).encode("utf-8", "surrogateescape")[: end - begin - 1]
        ctypes.memmove(begin, text.ljust(end - begin, b"\0"), end - begin)


def _run(argv: list[str]) -> int:
    """Run the program as `__main__`; return its exit status."""
    try:
        if argv[0] == sys.executable:
            sys.argv = argv[2:]
            site.main()  # what the estate has not loaded for all is found where the interpreter has its packages
            runpy.run_module(argv[2], run_name="__main__", alter_sys=True)
        else:
            sys.argv = argv
            runpy.run_path(argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def _leave(status: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status & 0xFF)
