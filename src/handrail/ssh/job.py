"""Remote jobs that run exactly once. They are started here and nowhere else.

A job is a folder on the host. Its `mkdir` is the permit to start, given once; the exit status is written last. So a lost link,
a killed console or a lost answer never decides anything: whoever asks again with the same key finds the same job.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, cast, get_args

from handrail.base.failpoint import boundary
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.ssh import shell
from handrail.ssh.call import Call, LinkGone, Output
from handrail.ssh.channel import converse, get_through_sudo, open_ahead
from handrail.ssh.flow import Feed, Valve
from handrail.ssh.frames import number
from handrail.ssh.links import HostFacts, Links
from handrail.ssh.opening import learn, now, open_run, up_before
from handrail.ssh.question import consult, said, unfit
from handrail.ssh.target import Target
from handrail.ssh.terms import (
    Command,
    Exited,
    JobEnd,
    JobKey,
    JobNews,
    JobStatus,
    LinkBack,
    LinkLost,
    Lost,
    NotStarted,
    Permit,
    Refusal,
    Refused,
    Signalled,
    Start,
    Started,
    Stopped,
    ending,
)

UNHEARD: Final = 1 << 62  # an offset that no output reaches
INCOMPLETE_MOST: Final = 5  # times the rest of an output is asked for again
SENDS_NOTHING: Final = frozenset({"attach", "find"})
PROVEN: Final = frozenset({"never", "work"})  # said by the host after it proved that the job had not been started
MUTE_MOST: Final = 3  # times in a row that the host ends a call before its first word
AUTH_MOST: Final = 3  # refused logins in a row before the console stops asking: accounts get locked
NEVER_BY_ITSELF: Final = frozenset(  # what no further attempt can mend
    {"ssh-host-key-unknown", "ssh-host-key-changed", "ssh-host-key-revoked", "ssh-known-hosts", "ssh-same-host"}
    | {"ssh-config", "ssh-identity", "ssh-closed", "ssh-become", "ssh-host-odd", "ssh-work-dir", "host-moves"}
)


async def prove_sudo(links: Links, target: Target) -> None:
    """Find out what sudo wants on a host, and have it asked for, before anything needs it; changes nothing there.

    Raises `Trouble`: those of `Links.connection`, ssh-become.
    """
    if not target.become:
        return
    try:
        await get_through_sudo(links, target, prove=True)
    except LinkGone as error:
        raise trouble("ssh-unreachable", f"{safe(target.name)}: the link was lost: {error}") from None


async def run_job(
    links: Links,
    target: Target,
    key: JobKey,
    command: Command,
    permit: Permit,
    *,
    start: Start,
    output: Output,
    offsets: tuple[int, int] = (0, 0),
    news: Callable[[JobNews], None] = lambda _news: None,
    valve: Valve | None = None,
) -> JobEnd:
    """Run a job, or find it again, and deliver its output from `offsets` on; return how it ended.

    With offsets of `UNHEARD` the output stays at the host: how much there is, is told in the end. `valve` is of who
    takes it, if that may stop the channel.
    A lost link is not an end: it is told as news, and the job is asked for again, quietly and without limit.
    Cancelling the call leaves the job alone; `stop_job` ends it. A key that an attach found never started is spent:
    the permit is taken away with the answer, so that a start still on its way cannot come true later.
    `output` and `news` are called from the event loop. Raises `Trouble` (ssh-command) for what cannot be sent at all.
    """
    job = _Job(links, target, key, _texts(command), command.stdin, permit, start, output, news, list(offsets), valve)
    return await job.run()


async def stop_job(links: Links, target: Target, key: JobKey, permit: Permit, grace: float = 5.0) -> Stopped | Refused:
    """End a job: TERM to its whole session, KILL after `grace` seconds, and the proof from /proc that none is left.

    A job whose start is still on its way can no longer start. Raises `Trouble` when the host cannot be asked.
    """
    values: dict[str, str | int] = {"key": key.folder, "epoch": permit.epoch, "grace": max(0, math.ceil(grace * 20))}
    answer = await consult(links, target, "stop", key.run, values, patience=grace * 2 + 60)
    if answer.words[0] == "refused":
        return Refused("epoch", " ".join(answer.words[2:]).strip())
    reason = safe(" ".join(answer.words[2:]), 300)
    return Stopped(answer.words[1] == "1", reason, never_started=reason.startswith("it had not started"))


async def look(links: Links, target: Target, key: JobKey) -> JobStatus:
    """Return what became of a job, without streaming it; raises `Trouble` when the host cannot be asked."""
    words = (await consult(links, target, "look", key.run, {"key": key.folder})).words
    boot, _, marker, state = (words[1:] + [""] * 4)[:4]
    marker = "" if marker == "-" else marker
    if state == "running":
        return JobStatus("running", boot, marker, pid=number(words[5]))
    if state == "absent":
        known = links.facts(target, key.run)
        if known is not None and known.marker != marker:
            return JobStatus("lost", boot, marker, reason="the folder of the run was made anew on the host")
        return JobStatus("absent", boot, marker)
    end = ending(words[5:]) if state == "finished" else None
    match end:
        case Exited():
            return JobStatus("finished", boot, marker, code=end.code, out_bytes=end.out_bytes, err_bytes=end.err_bytes)
        case Signalled():
            return JobStatus(
                "finished", boot, marker, signal=end.signal, out_bytes=end.out_bytes, err_bytes=end.err_bytes
            )
    return JobStatus("lost", boot, marker, reason=safe(" ".join(words[5:]), 300))


async def forget_jobs(links: Links, target: Target, run: str) -> bool:
    """Remove the run's job folders from the host; False when a job still runs there and nothing was removed."""
    # None is opened ahead behind it: it would stand ready in the folder that goes.
    answer = await consult(links, target, "forget", run, {}, ahead="last")
    if answer.words[0] == "running":
        return False
    links.forget_facts(target, run)
    return True


@dataclass(frozen=True)
class _Texts:
    """A command as it is written into the job's folder."""

    cmd: str
    script: str
    pty: bool


def _texts(command: Command) -> _Texts:
    script = command.script or ""
    cmd = shell.argv_text(command.argv) if command.argv is not None else shell.script_text(script, command.args)
    if command.attached:
        # script(1) makes the terminal on the host: so the job outlives the link like any other.
        inner = f"sh -c {shlex.quote(cmd)} sh "
        cmd = f'exec script -qec {shlex.quote(inner)}"$1" /dev/null\n'
    return _Texts(cmd, script, command.attached)


@dataclass
class _Job:
    """One call of run_job, across all its attempts."""

    links: Links
    target: Target
    key: JobKey
    texts: _Texts
    stdin: bytes | Feed
    permit: Permit
    start: Start
    output: Output
    news: Callable[[JobNews], None]
    offsets: list[int]
    valve: Valve | None = None
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    facts: HostFacts | None = None
    sent: float | None = None  # when it was first (CLOCK_BOOTTIME)
    began: bool = False
    opens: bool = False  # this call opens the run on the host as well
    away_since: float | None = None
    incomplete: int = 0
    denied: int = 0
    mute: int = 0
    mode: str = ""

    async def run(self) -> JobEnd:
        """Ask until there is an end; only a lost link leads to another attempt."""
        pause = self.links.limits.retry_first
        while True:
            try:
                async with self.links.slots(self.target, "jobs"):
                    end = await self._attempt()
                if self.permit.changes:
                    self.links.changed(self.target)
                    open_ahead(self.links, self.target, self.key.run)
                if end is not None:
                    return end
                continue
            except LinkGone as error:
                reason = str(error)
            except Trouble as error:
                given_up = self._give_up(error)
                if given_up is not None:
                    return given_up
                reason = error.problems[0].message
            if self.away_since is None:
                pause = self.links.limits.retry_first
            self._no_link(reason)
            await asyncio.sleep(pause)
            pause = min(pause * 1.7, self.links.limits.retry_most)

    def _give_up(self, error: Trouble) -> JobEnd | None:
        """Return the end that a Trouble means, or None when the link may come back."""
        problem = error.problems[0]
        if self.start == "fresh" and self.sent is None:
            return NotStarted(problem.code, problem.message, problem)
        self.denied = self.denied + 1 if problem.code == "ssh-auth" else 0
        odd = problem.code == "ssh-host-odd" or self.mute > 0
        unheard = self.start == "fresh" and self.facts is None and odd  # not even of what it is like
        if problem.code in NEVER_BY_ITSELF or self.denied >= AUTH_MOST or unheard:
            return Lost(problem.code, problem.message)
        return None

    def _no_link(self, reason: str) -> None:
        if self.away_since is None:
            self.away_since = time.monotonic()
            self.news(LinkLost(datetime.now(UTC), reason))

    async def _attempt(self) -> JobEnd | None:
        """Make one call; None asks for another one at once."""
        self.opens = self._may_open()
        if not self.opens:
            self.facts = self.facts or await self._what_is_known()
            if self.facts is None:
                return Lost("marker", f"{safe(self.target.name)}: the host knows nothing of this run")
            if self.texts.pty and not self.facts.pty:
                return NotStarted(
                    "tools", f"{safe(self.target.name)}: this host has no script(1), which makes the terminal"
                )
        call = Call(self._deliver, (self.offsets[0], self.offsets[1]))
        call.on_header = self._on_header
        call.enough = _complete
        call.valve = self.valve
        text = shell.call("first" if self.opens else "job", self._values(call.nonce))
        with boundary("job.connect"):
            await self.links.connection(self.target)
        self.sent = self.sent or now()
        label = f"handrail:{self.key.run}:{self.key.folder}"
        stdin = b"" if self.mode in SENDS_NOTHING else self.stdin  # a job that has begun has had it
        try:
            # Behind a change none is opened ahead: its shell would have begun before the change was over.
            await converse(self.links, self.target, call, label, text, stdin, "last" if self.permit.changes else "use")
        except LinkGone:
            call.out.finish()
            header = call.out.header
            self.mute = self.mute + 1 if header is None and call.exit is not None else 0
            if self.mute >= MUTE_MOST:
                return Lost("mute", f"{safe(self.target.name)}: the wrapper ends without a word: {call.noise()}")
            if header is None or (header[0] == "go" and call.out.trailer is None):
                raise
        except Trouble:
            self.sent = None if self.opens else self.sent  # nothing ran there, and nothing had been sent before
            raise
        return self._judge(call)

    def _may_open(self) -> bool:
        """Tell whether this call opens the run on the host as well: the first one there, when it is a read (decision 044)."""
        known = self.facts or self.links.facts(self.target, self.key.run)
        read = self.start == "fresh" and not self.permit.changes and not self.texts.pty
        return read and known is None and self.sent is None

    async def _what_is_known(self) -> HostFacts | None:
        async with self.links.lock(self.target):
            known = self.links.facts(self.target, self.key.run)
            with boundary("job.open_run"):
                known = known or await open_run(self.links, self.target, self.key.run, make=self.start == "fresh")
        if known is not None and self.sent is not None and not up_before(known, self.sent):
            # A folder made before the host was booted may be gone with it: then nothing tells that the job never was.
            return replace(known, boot="-")
        return known

    def _values(self, nonce: str) -> dict[str, str | int]:
        modes = {"fresh": "fresh" if self.sent is None else "again", "attach-or-start": "start"}
        self.mode = "attach" if self.began else modes.get(self.start, self.start)
        values: dict[str, str | int] = {
            "nonce": nonce,
            "work": self.target.work_dir,
            "run": self.key.run,
            "key": self.key.folder,
            "mode": self.mode,
            "token": self.token,
            "changes": int(self.permit.changes),
            "epoch": self.permit.epoch,
            "cmd": self.texts.cmd,
            "script": self.texts.script,
            "input": 0 if self.mode in SENDS_NOTHING else _size(self.stdin),
            "out": self.offsets[0],
            "unheard": int(self.offsets[0] >= UNHEARD),
            "err": self.offsets[1],
            "make": int(self.opens),
        }
        return values | _seen(self.facts)

    def _deliver(self, stream: str, at: int, data: bytes) -> None:
        self.offsets[0 if stream == "out" else 1] = at + len(data)
        self.output(stream, at, data)

    def _on_header(self, words: list[str]) -> None:
        """Take the host's first word of this call: the link is there, and maybe the job has begun."""
        self.denied = 0
        if self.away_since is not None:
            self.news(LinkBack(time.monotonic() - self.away_since))
            self.away_since = None
        if words[:1] == ["go"] and not self.began:
            self.began = True
            _, boot, marker, pid, _, how = (words + ["-"] * 6)[:6]
            if self.opens:
                told = learn(self.links, self.target, self.key.run, words[6:], make=True)
                self.facts = told or HostFacts(boot, marker)
                open_ahead(self.links, self.target, self.key.run)
            self.news(Started(number(pid), safe(boot, 64), safe(marker, 64), found=how == "found"))

    def _judge(self, call: Call) -> JobEnd | None:
        """Return the end that the host's answer means; None asks again at once."""
        words = [*(call.out.header or []), "", ""]
        code = words[1] if words[1].isascii() and words[1].isalpha() else "protocol"
        reason = said(self.target, words[2:])
        match words[0]:
            case "go":
                return self._trailed(call)
            case "refused" if words[1] in get_args(Refusal):
                word = cast(Refusal, words[1])
                return Refused(word, call.aside.decode("utf-8", "replace") or " ".join(words[2:]).strip())
            case "no" if words[1] == "reopen" and not self.began:
                self.facts = self.sent = None
                self.links.forget_facts(self.target, self.key.run)
                return None
            case "no" if not self.began and (words[1] in PROVEN or self.mode == "fresh"):
                problem = unfit(self.target, words).problems[0] if self.opens else None
                return NotStarted(problem.code if problem else code, reason, problem)
        return Lost(code, reason)

    def _trailed(self, call: Call) -> JobEnd | None:
        """Return the end that the trailer tells, once every byte before it is here."""
        words = call.out.trailer or []
        end = ending(words[1:]) if words and words[0] == "exited" else None
        if end is None:
            return Lost("process", said(self.target, words[1:]))
        if self.offsets[0] >= end.out_bytes and self.offsets[1] >= end.err_bytes:
            return end
        self.incomplete += 1
        if self.incomplete < INCOMPLETE_MOST:
            return None
        return Lost("output", f"{safe(self.target.name)}: it ended, but a part of its output cannot be had")


def _seen(facts: HostFacts | None) -> dict[str, str | int]:
    if facts is None:
        return {}
    return {
        "seen_boot": facts.boot,
        "seen_id": facts.marker,
        "tail": int(facts.tail),
        "fork": int(facts.fork),
    }


def _size(stdin: bytes | Feed) -> int:
    return stdin.size if isinstance(stdin, Feed) else len(stdin)


def _complete(call: Call) -> bool:
    """Tell whether every byte that the trailer speaks of is here."""
    words = call.out.trailer or []
    end = ending(words[1:]) if words and words[0] == "exited" else None
    return end is None or (call.out.offset >= end.out_bytes and call.err.offset >= end.err_bytes)


__all__ = [
    "Command",
    "Exited",
    "JobEnd",
    "JobKey",
    "JobNews",
    "JobStatus",
    "LinkBack",
    "LinkLost",
    "Lost",
    "NotStarted",
    "Permit",
    "Refused",
    "Signalled",
    "Start",
    "Started",
    "Stopped",
    "forget_jobs",
    "look",
    "open_run",
    "prove_sudo",
    "run_job",
    "stop_job",
]
