"""The port: what an action may ask of the world. The session implements it; an action sees nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from handrail.base.clock import Clock
from handrail.base.frozen import dataclass
from handrail.dns.provider import Provider
from handrail.dns.zone import Zone
from handrail.engine.results import Question, Result
from handrail.engine.words import ResultKind
from handrail.runbook.checks import Command

FIRST: int = 1 << 20  # bytes of standard output that expects, captures and probes look at


@dataclass(frozen=True)
class Said:
    """What came of one remote command: a fact. `stdout` is its first MiB (or what was asked for), `cut` if there was more;
    `sent` tells whether it may have been started.
    """

    kind: ResultKind
    sent: bool
    exit: int | None = None
    signal: str = ""
    stdout: bytes = b""
    complaint: str = ""  # the last line of standard error
    detail: str = ""
    cut: bool = False


class Port(Protocol):
    """The world, as one attempt at one step sees it."""

    @property
    def clock(self) -> Clock:
        """Return the clock."""

    async def command(
        self,
        host: str,
        command: Command,
        part: str,
        *,
        changes: bool,
        limit: float | None,
        attach: bool = False,
        most: int = FIRST,
    ) -> Said:
        """Run a command as a remote job and return what came of it.

        `part` names the job within the attempt: the same part is the same job, started at most once. A read is stopped at
        `limit` seconds; a change never is. `attach` forbids to start what may have been started before. `most` is how many
        bytes of its output are kept.
        """

    async def found(self, host: str, command: Command, part: str, *, spend: bool) -> Said | None:
        """Return what came of a change that an earlier console may have begun; None when the host proves that it never was.

        With `spend` it can then never begin any more, not even by a start that is still on its way.
        """

    async def stream(
        self, source: str, send: Command, target: str, receive: Command, part: str, moved: Callable[[int, int], None]
    ) -> tuple[Said, Said]:
        """Pipe one host's command into another host's through this console; nothing of it is kept anywhere.

        `moved` is told how many bytes have passed, of how many.
        """

    def ended(self, result: Result) -> None:
        """Report what a host answered."""

    def say(self, host: str, *lines: str) -> None:
        """Write lines of our own into a host's output, all at once."""

    def progress(self, done: float, total: float = 0.0, text: str = "", silent: tuple[str, ...] = ()) -> None:
        """Show how far the step is."""

    def again(self, host: str, tries: int, wait: float, left: float, seen: str) -> None:
        """Show that a read did not hold yet: how often it was asked, in how many seconds it is asked again, and for how long.

        `host` is empty where a question goes to several.
        """

    def remember(self, host: str, data: Mapping[str, str]) -> None:
        """Put a fact on disk before going on; raise `Trouble` when it is not there: then nothing may follow."""

    def notes(self, host: str, step: str = "") -> Mapping[str, str]:
        """Return what was remembered, by this step or another."""

    async def ask(self, question: Question) -> str:
        """Ask the operator; an empty answer means no."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def names(self) -> tuple[Zone, Provider]:
        """Return the estate's zone and the provider that changes it; raise `Trouble` if it has none."""
