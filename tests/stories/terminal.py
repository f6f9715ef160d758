"""A terminal with the installed command in it: what is typed, and every byte that comes back."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import sysconfig
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

BOOKS = Path(__file__).parent / "books"
PATIENCE = 40.0


def handrail() -> list[str]:
    """Return the installed command; without one, the module."""
    script = Path(sysconfig.get_path("scripts")) / "handrail"
    return [str(script)] if script.exists() else [sys.executable, "-c", "from handrail.cli.main import main; main()"]


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of an operator at a plain terminal."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "VIRTUAL_ENV", "TMPDIR")}
    return {
        **kept,
        "HOME": str(home),
        "HANDRAIL_HOME": str(home / "handrail"),
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
        **more,
    }


def run(home: Path, *words: str, stdin: bytes = b"", **more: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command without a terminal, to its end."""
    return subprocess.run(
        [*handrail(), *words],
        input=stdin,
        capture_output=True,
        env=environment(home, **more),
        timeout=PATIENCE,
        check=False,
    )


class Terminal:
    """One console in a pseudo terminal; at the end it is killed, and its simulated estate taken down."""

    def __init__(self, home: Path, *words: str, **more: str) -> None:
        self.home, self.heard, self._at = home, b"", 0
        home.mkdir(exist_ok=True)
        self.fd, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*handrail(), *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(home, **more),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that ctrl+c is a signal
            cwd=home,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.fd)
        for estate in self.estates():
            subprocess.run(
                [sys.executable, "-m", "handrail_sim", "down", str(estate)], capture_output=True, check=False
            )

    def estates(self) -> list[Path]:
        """Return the folders of the simulated estates that are up."""
        return [p.parent for p in (self.home / "handrail" / "estates").glob("*/estate.toml")]

    def type(self, line: str) -> None:
        """Type a line and press enter."""
        os.write(self.fd, f"{line}\n".encode())

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.fd, keys)

    def expect(self, *texts: str, seconds: float = PATIENCE) -> str:
        """Wait until one of the texts stands in what came since the last one; return which."""
        until = time.monotonic() + seconds
        while True:
            found = [(self.heard.find(t.encode(), self._at), t) for t in texts]
            places = [(at, t) for at, t in found if at >= 0]
            if places:
                at, text = min(places)
                self._at = at + len(text.encode())
                return text
            assert time.monotonic() < until, f"never said {texts}:\n{self.tail()}"
            if not self._read(0.2):
                assert self.process.poll() is None or self._read(0.2), f"ended before {texts}:\n{self.tail()}"

    def _read(self, seconds: float) -> bool:
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other side was closed
            return False
        self.heard += data
        return bool(data)

    def end(self) -> int:
        """Wait for the console's end and return its exit code."""
        until = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < until, f"never ended:\n{self.tail()}"
            self._read(0.1)
        while self._read(0.05):
            pass
        return self.process.returncode

    def kill(self) -> None:
        """Kill the console as the OOM killer does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def tail(self) -> str:
        """Return the beginning and the end of what was heard, and what the estate's log says."""
        logs = b"".join(p.read_bytes()[-1000:] for e in self.estates() for p in e.glob("*.log"))
        return (self.heard[:300] + b"\n...\n" + self.heard[-2500:] + b"\n" + logs).decode("utf-8", "replace")

    def ctl(self, *words: str) -> dict[str, Any]:
        """Ask the simulated estate's control socket."""
        (estate,) = self.estates()
        done = subprocess.run(
            [sys.executable, "-m", "handrail_sim", "ctl", str(estate), *words],
            capture_output=True,
            check=False,
            timeout=60,
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert answer["ok"], answer
        return answer

    def sh(self, host: str, command: str) -> str:
        """Run a command on a simulated host."""
        return str(self.ctl("exec", host, command)["out"])

    def run_folder(self) -> Path:
        """Return the folder of the newest run."""
        return max((self.home / "handrail" / "runs").iterdir(), key=lambda p: p.name)

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """Return the bodies of the newest run's records, all or those of one name."""
        found = []
        for line in (self.run_folder() / "journal.jsonl").read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return [r for r in found if not name or r["event"] == name]
