"""Connections: one per target, shared by all that talk to it, opened again when it is lost. It starts no remote command.

Nothing here can connect unverified (see `trust`), wait without a bound, or ask for anything on a terminal.
"""

from __future__ import annotations

import asyncio
import getpass
import socket
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import asyncssh

from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.ssh.target import Target
from handrail.ssh.trust import Pinned, fingerprint, pinned, refused_key

JOBS: Final = 8  # channels at once on one connection: a default sshd allows 10 (MaxSessions, sshd_config(5)) ...
QUESTIONS: Final = 2  # ... of which these are kept for stop, look and claim
CIPHERS: Final = (
    "aes128-gcm@openssh.com",  # the cheapest with AES instructions: measured 200 MB/s
    "chacha20-poly1305@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes256-ctr",
)
_QUICKACK: Final = getattr(socket, "TCP_QUICKACK", None)


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
    wall: int = 0  # the host's clock, in seconds since 1970; 0 when it did not say


JUST_NOW: Final = 1.0  # seconds for which a host that was silent counts as silent


class Links:
    """The connections of one session; the session closes them."""

    def __init__(
        self,
        *,
        on_link: Callable[[LinkNews], None] = lambda _news: None,
        limits: Limits = Limits(),
        become_passwords: Mapping[str, Secret] | None = None,
        passphrases: Mapping[Path, Secret] | None = None,
        apart: Collection[str] = (),
    ) -> None:
        """Take the sudo passwords by target key, passphrases by identity, and the keys that must be different hosts."""
        self.limits = limits
        self.become_passwords = dict(become_passwords or {})
        self._passphrases = dict(passphrases or {})
        self._apart = frozenset(apart)
        self._on_link = on_link
        self._open: dict[str, asyncssh.SSHClientConnection] = {}
        self._opening: dict[str, asyncio.Task[asyncssh.SSHClientConnection]] = {}
        self._prints: dict[str, str] = {}
        self._slots: dict[tuple[str, str], asyncio.Semaphore] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._heard: dict[str, float] = {}
        self._jumps: dict[str, asyncssh.SSHClientConnection] = {}
        self._facts: dict[tuple[str, str], HostFacts] = {}
        self._silent: dict[str, tuple[float, Trouble]] = {}
        self._closed = False

    async def connection(self, target: Target) -> asyncssh.SSHClientConnection:
        """Return the target's connection, opening it when there is none; one attempt, shared by all who wait for it.

        Raises `Trouble`: ssh-unreachable, ssh-timeout, ssh-host-key-unknown, ssh-host-key-changed, ssh-host-key-revoked,
        ssh-auth, ssh-identity, ssh-known-hosts, ssh-config, ssh-same-host, ssh-protocol.
        """
        if self._closed:
            raise trouble("ssh-closed", "this session's connections are closed")
        there = self._open.get(target.key)
        if there is not None and not there.is_closed():
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
        if isinstance(error, Trouble) and error.problems[0].code == "ssh-timeout":
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

    def is_up(self, target: Target) -> bool:
        """Tell whether there is a connection that is not known to be dead."""
        there = self._open.get(target.key)
        return there is not None and not there.is_closed()

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
        there = self._open.pop(target.key, None)
        if there is not None:
            there.abort()

    async def close(self) -> None:
        """Close every connection; remote jobs are not touched."""
        self._closed = True
        for task in list(self._opening.values()):
            task.cancel()
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        connections = [*self._open.values(), *self._jumps.values()]
        self._open.clear()
        self._jumps.clear()
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(c.wait_closed() for c in connections), return_exceptions=True)

    # -- opening one ------------------------------------------------------------------------------------------

    async def _connect(self, target: Target) -> asyncssh.SSHClientConnection:
        pins = await asyncio.to_thread(pinned, target)
        watch = _Watch(self, target)
        try:
            async with asyncio.timeout(self.limits.connect) as limit:
                watch.met = lambda: limit.reschedule(asyncio.get_running_loop().time() + self.limits.login)
                tunnel = await self._jump(target, watch.met)
                connection = await asyncssh.connect(**self._options(target, pins, watch), tunnel=tunnel)
        except Trouble:
            raise
        except Exception as error:  # noqa: BLE001 - the border: whatever a peer can provoke becomes a Trouble
            raise self._explain(target, pins, watch, error) from None
        return self._keep(target, connection, watch)

    def _options(self, target: Target, pins: Pinned, watch: _Watch) -> dict[str, Any]:
        passphrase = self._passphrases.get(target.identity) if target.identity else None
        known: dict[str, Any] = {
            "host": target.host,
            "known_hosts": pins.exact(),
            "host_key_alias": target.pinned_as,
            "server_host_key_algs": pins.algorithms + [a for a in _host_key_algorithms() if a not in pins.algorithms]
            if pins.keys
            else "default",
            "config": [str(target.ssh_config.expanduser())] if target.ssh_config else None,
            "client_factory": lambda: watch,
            "encryption_algs": CIPHERS,
            "compression_algs": None,
            "gss_kex": False,
            "gss_auth": False,
            "host_based_auth": False,
            "password_auth": False,
            "kbdint_auth": False,
            "agent_forwarding": False,
            "login_timeout": self.limits.login,
            "keepalive_interval": self.limits.keepalive,
            "keepalive_count_max": self.limits.misses,
        }
        if target.port:
            known["port"] = target.port
        if target.user:
            known["username"] = target.user
        if target.identity:
            known |= {"client_keys": [str(target.identity.expanduser())], "agent_path": None}
        if passphrase:
            known["passphrase"] = passphrase.reveal()
        return known

    async def _jump(self, target: Target, met: Callable[[], None]) -> asyncssh.SSHClientConnection | None:
        """Open what ProxyJump names, each hop verified by the same known_hosts; asyncssh would use the user's own."""
        if target.ssh_config is None:
            return None
        options = asyncssh.SSHClientConnectionOptions(
            config=[str(target.ssh_config.expanduser())], host=target.host, client_keys=None, agent_path=None
        )
        hops = options.tunnel
        if not isinstance(hops, str) or not hops or hops.lower() == "none":
            return None
        tunnel: asyncssh.SSHClientConnection | None = None
        for hop in hops.split(","):
            async with self._locks.setdefault(f"jump {hop}", asyncio.Lock()):
                tunnel = await self._hop(target, hop.strip(), tunnel, met)
        return tunnel

    async def _hop(
        self, target: Target, hop: str, tunnel: asyncssh.SSHClientConnection | None, met: Callable[[], None]
    ) -> asyncssh.SSHClientConnection:
        there = self._jumps.get(hop)
        if there is not None and not there.is_closed():
            return there
        user, _, place = hop.removeprefix("ssh://").rpartition("@")
        host, _, port = place.partition(":")
        way = replace(target, key=f"jump {hop}", name=hop, host=host, port=int(port or 0), user=user, host_key_alias="")
        pins = await asyncio.to_thread(pinned, way)
        watch = _Watch(self, way)
        watch.met = met
        try:
            connection = await asyncssh.connect(**self._options(way, pins, watch), tunnel=tunnel)
        except (OSError, asyncssh.Error) as error:
            raise self._explain(way, pins, watch, error) from None
        self._jumps[hop] = connection
        return connection

    def _keep(
        self, target: Target, connection: asyncssh.SSHClientConnection, watch: _Watch
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

    def _lost(self, target: Target, connection: asyncssh.SSHClientConnection, error: Exception | None) -> None:
        if self._open.get(target.key) is connection:
            del self._open[target.key]
        self._on_link(LinkNews(target.key, up=False, reason=safe(str(error), 200) if error else "closed by the host"))

    def _explain(self, target: Target, pins: Pinned, watch: _Watch, error: Exception) -> Trouble:
        """Return what a failed attempt means; texts of exceptions carry the peer's own bytes."""
        name, text = safe(target.name), safe(str(error), 300)
        where = f"{name} ({safe(target.host)}{f' port {target.port}' if target.port else ''})"
        match error:
            case asyncssh.HostKeyNotVerifiable():
                return refused_key(target, pins, watch.shown, str(error))
            case asyncssh.PermissionDenied():
                who = safe(target.user or getpass.getuser())
                return trouble("ssh-auth", f"{where} does not let {who} in: {text}", "check the user and the key")
            case asyncssh.KeyImportError() | asyncssh.KeyEncryptionError():
                return trouble("ssh-identity", f"the key {safe(str(target.identity))} cannot be used: {text}")
            case asyncssh.ConfigParseError():
                return trouble("ssh-config", f"the ssh_config cannot be read: {text}")
            case FileNotFoundError() | PermissionError() if error.filename:
                return trouble("ssh-identity", f"a file for connecting to {name} cannot be read: {text}")
            case TimeoutError() if not watch.connected:
                return trouble("ssh-unreachable", f"{where} does not answer within {self.limits.connect:g}s")
            case TimeoutError():
                return trouble(
                    "ssh-timeout", f"{where} answers, but does not finish the login in {self.limits.login:g}s"
                )
            case OSError() if not watch.connected:
                return trouble("ssh-unreachable", f"{where} cannot be reached: {text or 'no answer'}")
            case asyncssh.ChannelOpenError():
                return trouble("ssh-unreachable", f"{where} cannot be reached from its jump host: {text}")
            case OSError() | asyncssh.ConnectionLost():
                return trouble("ssh-unreachable", f"{where} closed the connection during the login: {text}")
        return trouble("ssh-protocol", f"{where} does not speak SSH as expected: {text or type(error).__name__}")


class _Watch(asyncssh.SSHClient):
    """Sees one connection: the key that was shown, when it was met, when it was lost."""

    def __init__(self, links: Links, target: Target) -> None:
        self._links = links
        self._target = target
        self.shown: asyncssh.SSHKey | None = None
        self.met: Callable[[], None] = lambda: None
        self.connected = False
        self.kept: asyncssh.SSHClientConnection | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """Note the meeting, and watch what arrives."""
        self.connected = True
        self.met()
        self._watch_arrivals(conn)

    def _watch_arrivals(self, conn: asyncssh.SSHClientConnection) -> None:
        """Acknowledge at once whatever arrives, and note when.

        A server without TCP_NODELAY before the login waits for our delayed ACK, 40 ms each time; the kernel clears
        TCP_QUICKACK by itself, so it is set again with every piece (tcp(7)).
        """
        sock = conn.get_extra_info("socket")
        heard, key, receive = self._links._heard, self._target.key, conn.data_received
        quick = (
            _QUICKACK if sock is not None and getattr(sock, "family", 0) in (socket.AF_INET, socket.AF_INET6) else None
        )

        def received(data: bytes, datatype: int | None = None) -> None:
            heard[key] = time.monotonic()
            if quick is not None:
                with suppress(OSError):
                    sock.setsockopt(socket.IPPROTO_TCP, quick, 1)
            receive(data, datatype)

        conn.data_received = received  # type: ignore[method-assign]

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Remember the key that known_hosts does not know; it is never accepted."""
        self.shown = key
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on, when the connection had been in use."""
        if self.kept is not None:
            self._links._lost(self._target, self.kept, exc)


def _host_key_algorithms() -> list[str]:
    """Return the host key algorithms asked for after the pinned ones, so that a changed key can be shown, not guessed."""
    return [
        "ssh-ed25519",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "rsa-sha2-512",
        "rsa-sha2-256",
    ]


__all__ = ["JOBS", "QUESTIONS", "HostFacts", "Limits", "LinkNews", "Links", "fingerprint"]
