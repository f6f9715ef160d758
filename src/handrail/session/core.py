"""The core of a session: what its acts share. Telling the engine, the hosts, the spools, and what is moving right now."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from handrail.base.clock import Clock
from handrail.base.ids import file_word
from handrail.base.problems import trouble
from handrail.base.secrets import Secret
from handrail.dns.provider import Provider, provider_for
from handrail.dns.zone import Zone, make_zone
from handrail.engine.messages import Observation, Refused
from handrail.engine.results import Output
from handrail.engine.state import State
from handrail.runbook.bind import Binding
from handrail.runbook.estate import Estate, Host
from handrail.session.asking import Asking
from handrail.session.orders import Orders
from handrail.session.view import LiveHost, LiveStep
from handrail.ssh.links import Links
from handrail.ssh.target import EVERYBODY, Target
from handrail.ssh.terms import Permit
from handrail.store.spool import Spool


class Teller(Protocol):
    """Who decides and journals: the session."""

    def tell(self, seen: Observation) -> Refused | None:
        """Tell what the world answered; what follows from it is on disk when this returns."""

    def nudge(self) -> None:
        """Let front ends look again: something moved that is not an event."""


def _no_anchor() -> tuple[int, str]:
    return 0, ""


@dataclass
class Core:
    """What acts share. The state is always the newest; everything else is owned here."""

    teller: Teller
    binding: Binding
    run: str
    operator: str
    host: str
    clock: Clock
    links: Links
    out: Path
    now: Callable[[], float]
    state: State
    secrets: tuple[Secret, ...] = ()
    live: dict[str, LiveStep] = field(default_factory=dict)
    spools: dict[str, Spool] = field(default_factory=dict)
    asking: Asking = field(default_factory=Asking)
    turns: int = 0
    anchor: Callable[[], tuple[int, str]] = _no_anchor  # number and hash of the journal's last record
    successor_of: tuple[str, str] | None = None  # the holder's name as typed, and why its claim is taken over
    moved: asyncio.Event = field(default_factory=asyncio.Event)  # set, and replaced, whenever the state moves

    async def until(self, holds: Callable[[State], bool]) -> None:
        """Wait until the state is as wanted."""
        while not holds(self.state):
            await self.moved.wait()

    @property
    def hidden(self) -> tuple[Secret, ...]:
        """Return what is masked in everything that is written: secret variables, and sudo's passwords as they become known."""
        return (*self.secrets, *self.links.sudo.passwords())

    def put(self, state: State) -> None:
        """Take the new state, and wake everybody who waits for one."""
        self.state = state
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()

    @property
    def orders(self) -> Orders:
        """Return what resolves steps on the present state."""
        return Orders(self.binding, self.run, self.state)

    def turn(self) -> int:
        """Return a number that was never used in this console: reads get jobs of their own with it."""
        self.turns += 1
        return self.turns

    def target(self, key: str) -> Target:
        """Return how a host is reached."""
        return self._targets[key]

    @cached_property
    def _targets(self) -> dict[str, Target]:
        """How every host is reached: made once, since a run keeps its estate, and all of them are looked at for every record."""
        estate = self.binding.estate
        return {host.key: target_of(estate, host) for host in estate.every_host()}

    def permit(self, *, changes: bool) -> Permit:
        """Return what the host checks before it starts something."""
        return Permit(self.operator, self.run, self.state.epoch, changes)

    def spool(self, step: str, attempt: int, host: str) -> Spool:
        """Return the open spool of one host's output in one attempt."""
        name = spool_name(step, attempt, host)
        if name not in self.spools:
            self.spools[name] = Spool.open(self.out, name, self.clock, secrets=self.hidden)
        return self.spools[name]

    def seal(self, step: str, attempt: int, host: str) -> Output | None:
        """Close a host's spool; return where its output lies, None when it said nothing."""
        spool = self.spools.pop(spool_name(step, attempt, host), None)
        if spool is None:
            return None
        sealed = spool.seal()
        return Output(sealed.file, sealed.length, sealed.sha256)

    def show(self, step: str, **changes: object) -> None:
        """Change what is shown as moving in a step."""
        self.live[step] = replace(self.live.get(step, LiveStep()), **changes)  # type: ignore[arg-type]
        self.teller.nudge()

    def heard(self, step: str, host: str, text: str) -> None:
        """Note that a host said something."""
        live = self.live.get(step, LiveStep())
        before = live.hosts.get(host, LiveHost(host))
        after = replace(before, last_output=self.now(), text=text or before.text, no_link_since=None)
        self.live[step] = replace(live, hosts={**live.hosts, host: after})
        self.teller.nudge()

    def again(self, step: str, host: str, tries: int, wait: float, left: float, seen: str) -> None:
        """Note that a read is asked again, when, and until when."""
        now, live = self.now(), self.live.get(step, LiveStep())
        before = live.hosts.get(host, LiveHost(host))
        after = replace(before, text=seen, tries=tries, next_at=now + wait, until=now + left)
        self.live[step] = replace(live, hosts={**live.hosts, host: after})
        self.teller.nudge()

    def names(self) -> tuple[Zone, Provider]:
        """Return the estate's zone and its provider; raise `Trouble` if there is none."""
        return zone_of(self.binding.estate, self.clock)


def spool_name(step: str, attempt: int, host: str) -> str:
    """Return the file name of one host's output in one attempt; never the same for two."""
    word = file_word(host)
    if word != host:
        word = f"{word}~{hashlib.sha256(host.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"{step.replace('/', '+')}.{attempt}.{word}.log"


def target_of(estate: Estate, host: Host) -> Target:
    """Return how the SSH floor reaches a host of an estate."""
    return Target(
        key=host.key,
        name=host.name,
        host=host.host,
        port=host.port or 0,
        user=host.user or "",
        identity=host.identity,
        host_key_alias=host.host_key_alias or "",
        known_hosts=estate.known_hosts or Path("/nonexistent"),
        ssh_config=estate.ssh_config,
        become=host.become or "",
        become_group=host.become_group or host.user or EVERYBODY,
        work_dir=host.work_dir,
    )


def zone_of(estate: Estate, clock: Clock) -> tuple[Zone, Provider]:
    """Return an estate's zone and provider; raise `Trouble` if it has no `[dns]`."""
    dns = estate.dns
    if dns is None:
        raise trouble("no-dns", f"the estate {estate.name} has no [dns]", "add [dns] with provider, zone and servers")
    zone = make_zone(dns.zone, dns.servers, port=dns.port, resolvers=dns.resolvers, key_file=dns.key_file)
    settings: dict[str, object] = {}
    if dns.provider == "command":
        settings = {"read": dns.read, "change": dns.change, "timeout": dns.timeout, "cwd": str(estate.path.parent)}
    return zone, provider_for(dns.provider, zone, clock, settings)
