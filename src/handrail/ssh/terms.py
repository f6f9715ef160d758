"""The words of a remote job: what to run, under which name, with whose permission, and how it ended. Data only."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, trouble
from handrail.ssh.flow import Feed

Start = Literal["fresh", "find", "attach", "attach-or-start"]
"""fresh: this key was never used; find: only if it was started, else leave it to be; attach: the same, and it can then never be
started; attach-or-start: start it when it provably never was."""

_RUN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}\Z")
_STEP: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}(/[a-z0-9][a-z0-9-]{0,63})?\Z")
_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}\Z")


@dataclass(frozen=True)
class Command:
    """What runs: an argv, or a script with its arguments. `stdin` may be secret: it is never in argv and never stays on disk.

    All of it is at the host before the job is started; a `Feed` is asked for as it is sent, and never held here.

    `attached` gives the program a terminal of its own on the host; its stderr is then part of its stdout.
    """

    argv: tuple[str, ...] | None = None
    script: str | None = None
    args: tuple[str, ...] = ()
    stdin: bytes | Feed = b""
    attached: bool = False

    def __post_init__(self) -> None:
        """Refuse both or neither of argv and script."""
        if (self.argv is None) == (self.script is None):
            raise trouble("ssh-command", "a command is either an argv or a script")


@dataclass(frozen=True)
class JobKey:
    """The name of one job: run, "stage/step", and the part of it ("1.run", "1.verify0", "undo1.run")."""

    run: str
    step: str
    part: str

    def __post_init__(self) -> None:
        """Refuse what could not be one folder name; different keys never share a folder."""
        if not (_RUN.match(self.run) and _STEP.match(self.step) and _PART.match(self.part)):
            raise trouble("ssh-key", f"not a job's name: {self.run!r} {self.step!r} {self.part!r}")

    @property
    def folder(self) -> str:
        """Return its folder below the run's folder on the host."""
        return f"{self.step.replace('/', '+')}.{self.part}"


@dataclass(frozen=True)
class Permit:
    """Who asks, and whether the job changes something: then the host checks its claim and the epoch."""

    operator: str
    run: str
    epoch: int
    changes: bool


@dataclass(frozen=True)
class Exited:
    """It ended with an exit status; every byte of its output was delivered."""

    code: int
    out_bytes: int
    err_bytes: int
    seconds: float


@dataclass(frozen=True)
class Signalled:
    """It was ended by a signal; every byte of its output was delivered.

    A shell tells 128 + n, and says on its own stderr that it was a signal; of INT and PIPE no shell says so. Those are
    `Exited` with 130 and 141, as a shell script would see them.
    """

    signal: int
    out_bytes: int
    err_bytes: int
    seconds: float


Refusal = Literal["claim", "epoch", "reused", "stopped"]


@dataclass(frozen=True)
class Refused:
    """The host refused it and started nothing. `holder` is the claim's JSON, or the newer epoch: the host's own text."""

    reason: Refusal
    holder: str = ""


@dataclass(frozen=True)
class NotStarted:
    """Nothing was started; `code` says why: a Trouble's code, or never, work, tools, proc."""

    code: str
    reason: str
    problem: Problem | None = None


@dataclass(frozen=True)
class Lost:
    """The host cannot say what became of it: UNKNOWN. `code` is folder, marker, boot, permit, process, output or ssh-...."""

    code: str
    reason: str


@dataclass(frozen=True)
class Stopped:
    """What `stop_job` found: `proved` is that no process of the job is left, `reason` is in the host's words."""

    proved: bool
    reason: str = ""
    never_started: bool = False


JobEnd = Exited | Signalled | Refused | NotStarted | Lost | Stopped


@dataclass(frozen=True)
class Started:
    """The host has it: its process, and the facts to journal for a later attach."""

    pid: int
    boot: str
    marker: str
    found: bool  # it was running already: this is a re-attachment


@dataclass(frozen=True)
class LinkLost:
    """There is no link since then; the job goes on at the host, the console asks again by itself."""

    since: datetime
    reason: str


@dataclass(frozen=True)
class LinkBack:
    """The link is back after so many seconds."""

    away: float


JobNews = Started | LinkLost | LinkBack


@dataclass(frozen=True)
class JobStatus:
    """What `look` found. `code` is the exit status when finished."""

    state: Literal["running", "finished", "absent", "lost"]
    boot: str
    marker: str
    pid: int = 0
    code: int | None = None
    signal: int | None = None
    out_bytes: int = 0
    err_bytes: int = 0
    reason: str = ""


def ending(words: list[str]) -> Exited | Signalled | None:
    """Read the content of `rc`: status, sizes of out and err, whether a signal was seen, uptime at begin and end."""
    try:
        code, out, err, signalled = (int(word) for word in words[:4])
        seconds = max(0.0, float(words[5]) - float(words[4]))
    except (ValueError, IndexError):
        return None
    if not 0 <= code <= 255 or out < 0 or err < 0 or seconds == float("inf"):
        return None
    if signalled and code > 128:
        return Signalled(code - 128, out, err, seconds)
    return Exited(code, out, err, seconds)
