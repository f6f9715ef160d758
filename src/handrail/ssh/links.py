"""Connections: one per target, shared by all that talk to it, opened again when it is lost. It starts no remote command.

Nothing here can connect unverified (see `trust`), wait without a bound (but for a person who is asked), or use a terminal.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import field
from typing import Any, Final, Literal, Protocol

import asyncssh

from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.ssh.asking import Ask, Patience, Question, nobody
from handrail.ssh.config import Said, said_of, way_to
from handrail.ssh.failure import explained
from handrail.ssh.identities import Keyring, Offer
from handrail.ssh.sudo import Sudo
from handrail.ssh.target import Target
from handrail.ssh.trust import Pinned, fingerprint, pinned
from handrail.ssh.watch import Clock, Meeting, Watch

JOBS: Final = 7  # channels at once on one connection: a default sshd allows 10 (MaxSessions, sshd_config(5)) ...
QUESTIONS: Final = 2  # ... of which these are kept for stop, look and claim, and one is opened ahead of the next call
CIPHERS: Final = (
    "aes128-gcm@openssh.com",  # the cheapest with AES instructions: measured 200 MB/s
    "chacha20-poly1305@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes256-ctr",
)


@dataclass(frozen=True)
class Limits:
    """How long anything may take, in seconds; a lost peer is noticed after `keepalive * (misses + 1)`."""

    connect: float = 10.0
    login: float = 20.0
    keepalive: float = 5.0
    misses: int = 3
    retry_first: float = 0.2
    retry_most: float = 5.0


@dataclass(frozen=True)
class LinkNews:
    """A connection came up or went down; `reason` is showable."""

    key: str
    up: bool
    reason: str = ""


@dataclass(frozen=True)
class HostFacts:
    """What a host said when the run was opened on it. `boot` and `marker` are what a later attach is held against."""

    boot: str
    marker: str
    tail: bool = True
    fork: bool = True
    pty: bool = False
    ahead: float = field(default=0.0, compare=False)  # seconds its clock is ahead of ours; 0 when it did not say
    # By when it had been booted, at the latest, on our own CLOCK_BOOTTIME.
    since: float = field(default=math.inf, compare=False)


JUST_NOW: Final = 1.0  # seconds for which a host that was silent counts as silent


class Spare(Protocol):
    """A channel that was opened ahead of the next call."""

    def discard(self) -> None:
        """Close it: nobody needs it."""


class Links:
    """The connections of one session; the session closes them."""

    def __init__(
        self,
        *,
        on_link: Callable[[LinkNews], None] = lambda _news: None,
        limits: Limits = Limits(),  # noqa: B008  it is frozen
        become_passwords: Mapping[str, Secret] | None = None,
        ask: Ask = nobody,
        apart: Collection[str] = (),
    ) -> None:
        """Take sudo passwords by group, whom to ask, and the keys that must be different hosts."""
        self.limits = limits
        self.moving: Mapping[str, str] = {}  # names that lead elsewhere after a step, with that step
        self.patience = Patience()
        self._nobody, self._person = ask is nobody, ask
        self.sudo = Sudo(self._ask, become_passwords or {}, person=ask is not nobody)
        self._keyring = Keyring(self._ask, self.patience)
        self._apart = frozenset(apart)
        self._on_link = on_link
        self._open: dict[str, asyncssh.SSHClientConnection] = {}
        self._opening: dict[str, asyncio.Task[asyncssh.SSHClientConnection]] = {}
        self._prints: dict[str, str] = {}
        self._slots: dict[tuple[str, str], asyncio.Semaphore] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._heard: dict[str, float] = {}
        self._jumps: dict[tuple[str, ...], asyncssh.SSHClientConnection] = {}
        self._facts: dict[tuple[str, str], HostFacts] = {}
        self._silent: dict[str, tuple[float, Trouble]] = {}
        self._away: dict[str, tuple[float, str]] = {}
        self._closed = False
        self._behind: set[asyncio.Task[None]] = set()
        self.spares: dict[str, Spare] = {}  # by target key; open, or being opened
        self.without_spare: set[str] = set()  # where a channel ahead of time was refused
        self.one_piece: set[str] = set()  # whose head(1) takes exactly what it is told to: they said so to this console

    async def connection(self, target: Target) -> asyncssh.SSHClientConnection:
        """Return the target's connection, opening it when there is none; one attempt, shared by all who wait for it.

        Raises `Trouble`: ssh-unreachable, ssh-timeout, ssh-host-key-unknown, ssh-host-key-changed, ssh-host-key-revoked,
        ssh-auth, ssh-identity, ssh-known-hosts, ssh-config, ssh-same-host, ssh-protocol, host-moves.
        """
        if self._closed:
            raise trouble("ssh-closed", "this session's connections are closed")
        there = self.there(target)
        if there is not None:
            return there
        silent = self._silent.get(target.key)
        if silent is not None and time.monotonic() - silent[0] < JUST_NOW:
            raise Trouble(*silent[1].problems)
        task = self._opening.get(target.key)
        if task is None:
            task = asyncio.create_task(self._connect(target), name=f"connect {target.key}")
            self._opening[target.key] = task
            task.add_done_callback(lambda done: self._opened(target.key, done))
        return await asyncio.shield(task)

    def _opened(self, key: str, task: asyncio.Task[asyncssh.SSHClientConnection]) -> None:
        self._opening.pop(key, None)
        if task.cancelled():
            return
        error = task.exception()  # whoever waits has it; a task nobody waits for any more is no news
        code = error.problems[0].code if isinstance(error, Trouble) else ""
        if isinstance(error, Trouble) and code in ("ssh-timeout", "ssh-unreachable"):
            self._away.setdefault(key, (time.monotonic(), error.problems[0].message))
        elif error is None or code not in ("", "ssh-closed"):  # it answers, whatever it says
            self._away.pop(key, None)
        if isinstance(error, Trouble) and code == "ssh-timeout":
            self._silent[key] = (time.monotonic(), error)  # those who stood in line need not wait as long again

    async def fingerprint(self, target: Target) -> str:
        """Return "SHA256:..." of the key that the host has shown and that known_hosts pins."""
        await self.connection(target)
        return self._prints[target.key]

    async def round_trip(self, target: Target) -> float:
        """Return the seconds of one request and its answer on the connection; nothing is started on the host."""
        connection = await self.connection(target)
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.limits.login):
                # The request that asyncssh itself sends as its keepalive; it has no public name.
                await connection._make_global_request(b"keepalive@openssh.com")
        except TimeoutError:
            raise trouble("ssh-timeout", f"{safe(target.name)} does not answer") from None
        return time.monotonic() - begun

    def quiet_for(self, target: Target) -> float:
        """Return the seconds since anything was heard of the host; more than a keepalive means the link is stale."""
        heard = self._heard.get(target.key)
        return time.monotonic() - heard if heard is not None else float("inf")

    @property
    def closed(self) -> bool:
        """Tell whether the session has let go of them."""
        return self._closed

    def there(self, target: Target) -> asyncssh.SSHClientConnection | None:
        """Return the target's connection, when there is one that is not known to be dead."""
        there = self._open.get(target.key)
        return there if there is not None and not there.is_closed() else None

    def is_up(self, target: Target) -> bool:
        """Tell whether there is a connection that is not known to be dead."""
        return self.there(target) is not None

    def up(self) -> frozenset[str]:
        """Return, by target key, the hosts to which there is a connection that is not known to be dead."""
        return frozenset(key for key, there in self._open.items() if not there.is_closed())

    def away(self) -> dict[str, tuple[float, str]]:
        """Return, by target key, the hosts that did not answer when asked: for how many seconds, and what was seen."""
        now = time.monotonic()
        return {key: (now - since, why) for key, (since, why) in self._away.items()}

    def slots(self, target: Target, kind: Literal["jobs", "questions"]) -> asyncio.Semaphore:
        """Return what bounds the channels of a kind that are open at once on this target's connection."""
        most = JOBS if kind == "jobs" else QUESTIONS
        return self._slots.setdefault((target.key, kind), asyncio.Semaphore(most))

    def lock(self, target: Target) -> asyncio.Lock:
        """Return what keeps two from opening the same run at once."""
        return self._locks.setdefault(target.key, asyncio.Lock())

    def facts(self, target: Target, run: str) -> HostFacts | None:
        """Return what is known of a run on a host, for the journal."""
        return self._facts.get((target.key, run))

    def recall(self, target: Target, run: str, facts: HostFacts) -> None:
        """Put back what an earlier console of this run knew: an attach is then held against it."""
        self._facts[(target.key, run)] = facts

    def forget_facts(self, target: Target, run: str) -> None:
        """Forget a run on a host: its folder is gone from there."""
        self._facts.pop((target.key, run), None)

    def drop(self, target: Target) -> None:
        """Cut the connection at once, without a word to the host."""
        self.changed(target)
        there = self._open.pop(target.key, None)
        if there is not None:
            there.abort()

    async def close(self) -> None:
        """Close every connection; remote jobs are not touched."""
        self._closed = True
        for spare in list(self.spares.values()):
            spare.discard()
        pending = [*self._opening.values(), *self._behind]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        connections = [*self._open.values(), *self._jumps.values()]
        self._open.clear()
        self._jumps.clear()
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(c.wait_closed() for c in connections), return_exceptions=True)
        self.sudo.wipe()
        self._keyring.wipe()

    def changed(self, target: Target) -> None:
        """Note that something was changed on a host: a shell that stood there before must not serve what comes after it."""
        spare = self.spares.get(target.key)
        if spare is not None:
            spare.discard()

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Own a task that nobody waits for; it ends with the session."""
        task = asyncio.get_running_loop().create_task(work)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    async def _ask(self, question: Question) -> Secret | None:
        with self.patience.person():
            return await self._person(question)

    # -- opening one ------------------------------------------------------------------------------------------

    async def _connect(self, target: Target) -> asyncssh.SSHClientConnection:
        # A thread only where a file is read: one is a tenth of a millisecond, which many hosts add up.
        way = await asyncio.to_thread(way_to, target) if target.ssh_config else ()
        tunnel: asyncssh.SSHClientConnection | None = None
        for at, hop in enumerate(way):
            tunnel = await self._hop(hop, tuple(one.key for one in way[: at + 1]), tunnel)
        connection, watch = await self._reach(target, tunnel)
        return self._keep(target, connection, watch)

    async def _hop(
        self, hop: Target, key: tuple[str, ...], tunnel: asyncssh.SSHClientConnection | None
    ) -> asyncssh.SSHClientConnection:
        """Return the connection to a jump host, shared by all that stand behind it; verified like every other."""
        async with self._locks.setdefault(" ".join(key), asyncio.Lock()):
            there = self._jumps.get(key)
            if there is None or there.is_closed():
                there, _ = await self._reach(hop, tunnel)
                self._jumps[key] = there
            return there

    async def _reach(
        self, target: Target, tunnel: asyncssh.SSHClientConnection | None
    ) -> tuple[asyncssh.SSHClientConnection, Watch]:
        """Make one attempt."""
        pins = await asyncio.to_thread(pinned, target)
        said = await asyncio.to_thread(said_of, target) if target.ssh_config else Said()
        self._stays(target, said)
        offer = await self._keyring.offer(target, said)
        try:
            async with asyncio.timeout(self.limits.connect) as limit:
                watch = self._watch(target, Clock(limit, self.limits.login), offer)
                try:
                    connection = await asyncssh.connect(**self._options(target, pins, watch, offer), tunnel=tunnel)
                except Exception as error:  # noqa: BLE001 - the border: whatever a peer can provoke becomes a Trouble
                    raise self._explain(target, pins, watch, error) from None
        except TimeoutError as error:
            raise self._explain(target, pins, watch, error) from None
        finally:
            offer.close()
        return connection, watch

    def _stays(self, target: Target, said: Said) -> None:
        """Refuse a host, or a jump host, that is reached by a name which the runbook switches."""
        name = said.host or target.host.lower().rstrip(".")
        step = self.moving.get(name) or next(
            (step for moved, step in self.moving.items() if "." not in name and moved.partition(".")[0] == name), None
        )
        if step is not None:
            message = f"{safe(target.name, 60)} is reached by {safe(name, 80)}, the name that {safe(step, 80)} switches"
            raise trouble(
                "host-moves",
                message,
                "give it a management name or an address, in the estate or as HostName in the ssh_config: "
                "after the switch this would be another machine",
            )

    def _explain(self, target: Target, pins: Pinned, watch: Watch, error: Exception) -> Trouble:
        return explained(target, pins, watch, error, connect=self.limits.connect, login=self.limits.login)

    def _watch(self, target: Target, clock: Clock, offer: Offer) -> Watch:
        def heard() -> None:
            self._heard[target.key] = time.monotonic()

        ask = nobody if self._nobody else self._ask
        meeting = Meeting(target, clock, ask, self._keyring, heard, [] if self._nobody else offer.locked)
        return Watch(meeting, lambda watch, error: self._lost(target, watch, error))

    def _options(self, target: Target, pins: Pinned, watch: Watch, offer: Offer) -> dict[str, Any]:
        known: dict[str, Any] = {
            "host": target.host,
            "known_hosts": pins.exact(),
            "host_key_alias": target.pinned_as,
            "server_host_key_algs": pins.algorithms,
            "config": [str(target.ssh_config.expanduser())] if target.ssh_config else None,
            "client_factory": lambda: watch,
            "encryption_algs": CIPHERS,
            "compression_algs": None,
            "gss_kex": False,
            "gss_auth": False,
            "host_based_auth": False,
            "password_auth": True,  # the watch declines both where nobody can be asked
            "kbdint_auth": True,
            "agent_forwarding": False,
            "login_timeout": 0,  # the limit around the whole attempt stands still while a person is asked; this one would not
            "keepalive_interval": self.limits.keepalive,
            "keepalive_count_max": self.limits.misses,
        }
        if target.port:
            known["port"] = target.port
        if target.user:
            known["username"] = target.user
        return known | offer.options

    def _keep(
        self, target: Target, connection: asyncssh.SSHClientConnection, watch: Watch
    ) -> asyncssh.SSHClientConnection:
        key = connection.get_server_host_key()
        shown = key.get_fingerprint() if key else ""
        if target.key in self._apart:
            twin = next((k for k in self._apart if k != target.key and self._prints.get(k) == shown), None)
            if twin is not None:
                connection.abort()
                raise trouble(
                    "ssh-same-host",
                    f"{safe(target.name)} shows the same host key as {safe(twin)}: {shown}",
                    "the two must be different machines: check the estate file",
                )
        self._prints[target.key] = shown
        self._open[target.key] = connection
        watch.kept = connection
        self._on_link(LinkNews(target.key, up=True))
        return connection

    def _lost(self, target: Target, watch: Watch, error: Exception | None) -> None:
        if watch.kept is None:
            return
        if self._open.get(target.key) is watch.kept:
            del self._open[target.key]
        self._on_link(LinkNews(target.key, up=False, reason=safe(str(error), 200) if error else "closed by the host"))


__all__ = ["JOBS", "QUESTIONS", "HostFacts", "Limits", "LinkNews", "Links", "fingerprint"]
