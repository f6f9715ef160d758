"""On a real (pseudo) terminal: which bytes reach it, and how it is left when the program is ended or fails."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("on_a_terminal.py")
LONGEST = 40.0  # seconds; a test that waits this long has failed

# What Textual and we write: SGR, cursor moves, modes of its own, the window title, synchronised output, keyboard protocol.
OURS = re.compile(
    rb"\x1b\[[0-9;]*m|\x1b\[\d*;?\d*H|\x1b\[\?(?:25|1000|1002|1003|1004|1006|1015|1016|2004|2026|2048|1049|7)[hl]"
    rb"|\x1b\[\?(?:2026|2048)\$p|\x1b\[>\d*u|\x1b\[<u|\x1b\[=\d;?\d?u|\x1b\[\d+t"
    rb"|\x1b\]22;default\x07|\x1b\]2;[^\x00-\x1f\x7f]*\x07|\x1bP=[12]s\x1b\\|\x1b\[\?u|\x1b\[[0-9]*[A-D]|\x1b\[c|\x1b\[2?J|\x1b\[K"
)


class Terminal:
    """A program on a pseudo terminal of 80 by 24."""

    def __init__(self, folder: Path, what: str, program: Path = PROGRAM, **env: str) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        clean = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLORTERM", "TEXTUAL")}
        clean |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **env}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(program), str(folder), what],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            env=clean,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def until(self, words: bytes) -> bytes:
        """Read until these words were written."""
        end = time.monotonic() + LONGEST
        while words not in self.seen:
            assert time.monotonic() < end, self.seen[-2000:]
            self._read(0.2)
        return self.seen

    def ended(self) -> int:
        """Read until the program has ended; return its exit code."""
        end = time.monotonic() + LONGEST
        while self.process.poll() is None:
            assert time.monotonic() < end, self.seen[-2000:]
            self._read(0.05)
        self._read(0.05)
        return self.process.returncode

    def _read(self, wait: float) -> None:
        ready, _, _ = select.select([self.master], [], [], wait)
        if ready:
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:
                return

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def hang_up(self) -> None:
        """Close the terminal."""
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)


@contextmanager
def terminal(folder: Path, what: str, program: Path = PROGRAM, **env: str) -> Iterator[Terminal]:
    made = Terminal(folder, what, program, **env)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("what", ["hostile", "hostile-decide"])
def test_only_our_own_sequences_reach_the_terminal(tmp_path: Path, what: str) -> None:
    with terminal(tmp_path, what) as term:
        term.until(b"Leave")
        term.press(b"l")
        term.until(b"Follow")
        os.kill(term.process.pid, signal.SIGTERM)
        assert term.ended() == 130
        rest = OURS.sub(b"", term.seen)
        text = rest.decode()
        strange = [c for c in text if not c.isprintable() and c not in "\r\n\t\b"]
        assert not strange, (strange[:5], rest[:300])
        assert b"\x1b]52" not in term.seen
        assert term.seen.count(b"\x1b[?1049l") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_holds_the_run_and_puts_the_terminal_right(tmp_path: Path, number: signal.Signals) -> None:
    with terminal(tmp_path, "run") as term:
        term.until(b"Nothing to press")
        os.kill(term.process.pid, number)
        assert term.ended() == 130
        assert (tmp_path / "asked.txt").read_text().endswith("Leave held closed")
        assert termios.tcgetattr(term.slave) == term.before
        assert b"\x1b[?25h" in term.seen
        after = term.seen[term.seen.rindex(b"\x1b[?1049l") :]
        assert b"is held at stage 2 of 5, 2.1 Hold the 15-minute sync (running): nobody drives it" in after
        assert b"Come back: handrail resume 20261122-1200-abcdef\r\n" in after
        assert b"Stays changed: 2.1 Hold the 15-minute sync (puppet-dr, running)." in after
        assert f"Its folder: {tmp_path}".encode() in after


def test_a_closed_terminal_holds_the_run(tmp_path: Path) -> None:
    with terminal(tmp_path, "run") as term:
        term.until(b"Nothing to press")
        term.hang_up()
        term.process.wait(LONGEST)
        assert (tmp_path / "asked.txt").read_text().endswith("Leave held closed")


def test_a_stuck_terminal_does_not_stop_the_run(tmp_path: Path) -> None:
    """Nobody reads: every write would block for ever."""
    with terminal(tmp_path, "run") as term:
        term.until(b"Nothing to press")
        for n in range(400):
            fcntl.ioctl(term.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24 + n % 30, 80 + n % 100, 0, 0))
            os.kill(term.process.pid, signal.SIGWINCH)
            os.write(term.master, b"?\x1b")
            select.select([], [], [], 0.005)
        os.kill(term.process.pid, signal.SIGTERM)
        term.process.wait(LONGEST)
        assert (tmp_path / "asked.txt").read_text().endswith("Leave held closed")


def test_an_error_of_ours_puts_the_terminal_right_and_prints_no_locals(tmp_path: Path) -> None:
    with terminal(tmp_path, "raise") as term:
        term.until(b"Leave")
        term.press(b"h")
        assert term.ended() == 1
        assert termios.tcgetattr(term.slave) == term.before
        after = term.seen[term.seen.rindex(b"\x1b[?1049l") :]
        assert b"the screen failed (ZeroDivisionError, " in after
        assert b" boom)" in after
        assert b"handrail resume" in after
        assert b"a-secret-in-a-local" not in term.seen
        assert b"Traceback" not in term.seen
        assert (tmp_path / "asked.txt").read_text().endswith("held closed")


def test_no_color_is_no_colour(tmp_path: Path) -> None:
    with terminal(tmp_path, "run", NO_COLOR="1") as term:
        term.until(b"Nothing to press")
        os.kill(term.process.pid, signal.SIGTERM)
        term.ended()
        colours = re.findall(rb"\x1b\[[0-9;]*m", term.seen)
        codes = {code for found in colours for code in found[2:-1].split(b";")}
        assert b"DRILL" in term.seen
        hues = [
            found
            for found in colours
            if re.search(rb"(?:38|48);5;(?!16m|23[2-9]|24\d|25[0-5]|0m|7m|8m|15m|59|102|145|188|231)", found)
        ]
        assert not hues, hues[:5]
        assert not codes & {b"31", b"32", b"33", b"34", b"35", b"36"}


def test_a_linux_console_gets_ascii(tmp_path: Path) -> None:
    with terminal(tmp_path, "run", TERM="linux", LC_ALL="C", LANG="C") as term:
        term.until(b"Nothing to press")
        os.kill(term.process.pid, signal.SIGTERM)
        term.ended()
        assert term.seen.isascii()


def test_resizing_never_ends_it(tmp_path: Path) -> None:
    with terminal(tmp_path, "run") as term:
        term.until(b"Nothing to press")
        for rows, columns in ((5, 20), (48, 160), (1, 1), (18, 60), (24, 80), (200, 300), (24, 80)):
            fcntl.ioctl(term.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.kill(term.process.pid, signal.SIGWINCH)
        mark = len(term.seen)
        term.press(b"?")
        while b"HELP" not in term.seen[mark:]:
            term.until(term.seen[-1:])
            term._read(0.1)
            assert term.process.poll() is None
        os.kill(term.process.pid, signal.SIGTERM)
        assert term.ended() == 130
