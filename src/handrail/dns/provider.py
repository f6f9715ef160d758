"""The ways to change a name, as plug-ins: RFC 2136, a cloud's command line, a person. Each says what it will do first.

Nothing slow is imported before something is asked or sent, so that a plan can describe a change without dnspython.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from handrail.base.clock import Clock
from handrail.base.problems import Problem, Trouble, trouble
from handrail.base.safe import safe
from handrail.dns.key import read_key
from handrail.dns.names import canonical, rtype_of, spell
from handrail.dns.results import AlreadySo, BeforeSend, Change, NotSent, Result, WaitingForPerson, conflict
from handrail.dns.zone import Zone

if TYPE_CHECKING:
    from handrail.dns.survey import Survey

Settings = Mapping[str, object]
"""What else stands in the estate's [dns] table; each provider knows its own keys."""

GROUP: Final = "handrail.dns_providers"  # the entry point group of providers that are installed beside this package


class Provider(Protocol):
    """One way to change a name. `eventual`: what it reports done may reach the servers later.

    `patience` is for how many seconds the servers may follow, `pause` how many lie between two looks at them.
    """

    kind: str
    eventual: bool
    patience: float
    pause: float

    @property
    def where(self) -> str:
        """Return where a change goes, in a few words."""

    async def survey(self, name: str, *, rtype: str = "A") -> Survey:
        """Return what stands at a name now; problems are in the survey."""

    async def prove(self, name: str, value: tuple[str, ...]) -> Problem | None:
        """Return what would stop a change, found without making one; None also where nothing can be proven."""

    async def change(self, change: Change, *, before_send: BeforeSend | None = None) -> Result | WaitingForPerson:
        """Make one change, once; `before_send` is awaited right before anything leaves this machine."""

    def describe(self, change: Change) -> tuple[str, ...]:
        """Return what `change` will do, a line each: where, how it is signed, under which condition. Asks nobody."""


Factory = Callable[[Zone, Clock, Settings], Provider]


def provider_for(kind: str, zone: Zone, clock: Clock, settings: Settings | None = None) -> Provider:
    """Return the provider of an estate's `provider = "..."`; raise `Trouble` for an unknown kind or a bad setting."""
    factory = _BUILT_IN.get(kind) or _plugged_in(kind)
    return factory(zone, clock, settings or {})


async def settle(provider: Provider, change: Change) -> Survey:
    """Survey once, held against what a change wants: `agreed` means it is done everywhere."""
    from dataclasses import replace

    survey = await provider.survey(change.name, rtype=change.rtype)
    return replace(survey, expected=change.new, expected_ttl=change.new_ttl if change.new else None)


class Rfc2136:
    """Dynamic updates (RFC 2136), signed with TSIG (RFC 8945), over TCP to the zone's first server."""

    kind: str = "rfc2136"
    eventual: bool = False
    patience: float = 60.0
    pause: float = 0.5

    def __init__(self, zone: Zone, clock: Clock, settings: Settings) -> None:
        only(settings, self.kind)
        _ = zone.primary
        self._zone = zone
        self._clock = clock

    @property
    def where(self) -> str:
        """Return the server that takes the updates, and the key's file."""
        key = self._zone.key_file
        return f"{self._zone.primary.label}, {self.kind}, key {key.name if key else 'none'}"

    async def survey(self, name: str, *, rtype: str = "A") -> Survey:
        """Ask every authoritative server."""
        from handrail.dns.lookup import ask_all

        return await ask_all(self._zone, name, self._clock, rtype=rtype)

    async def prove(self, name: str, value: tuple[str, ...]) -> Problem | None:
        """Prove key, clock and zone with an update that has nothing to do."""
        from handrail.dns.update import prove_key

        return await prove_key(self._zone, name, value, rtype=rtype_of(value[0]) if value else "A")

    async def change(self, change: Change, *, before_send: BeforeSend | None = None) -> Result:
        """Compare and set at the primary."""
        from handrail.dns.update import compare_and_set

        return await compare_and_set(self._zone, change, self._clock, before_send=before_send)

    def describe(self, change: Change) -> tuple[str, ...]:
        """Return where it goes, who signs, what must stand before."""
        server = self._zone.primary
        everyone = spell(tuple(s.label for s in self._zone.servers))
        return (
            f"RFC 2136 update of {self._zone.name} to {server.label} ({server.address}, TCP port {server.port})",
            self._signature(),
            f"only if {change.name} {change.rtype} is exactly {spell(change.old)}" + _alone(change),
            _then(change),
            f"done when every server agrees: {everyone}",
        )

    def _signature(self) -> str:
        if not self._zone.key_file:
            return "not signed: the server trusts this machine's address"
        try:
            key = read_key(self._zone.key_file, self._zone.key_name)
        except Trouble as error:
            return f"not signed yet: {error.problems[0].message}"
        return f"signed with the key {key.name} ({key.algorithm}) of {safe(self._zone.key_file.name)}"


class Manual:
    """A person edits the record somewhere else; this asks the servers until it is done."""

    kind: str = "manual"
    eventual: bool = True
    patience: float = 3600.0
    pause: float = 1.0

    def __init__(self, zone: Zone, clock: Clock, settings: Settings) -> None:
        only(settings, self.kind)
        _ = zone.primary
        self._zone = zone
        self._clock = clock

    @property
    def where(self) -> str:
        """Return who changes it."""
        return f"{self.kind}: a person edits the zone {self._zone.name}"

    async def survey(self, name: str, *, rtype: str = "A") -> Survey:
        """Ask every authoritative server."""
        from handrail.dns.lookup import ask_all
        from handrail.dns.survey import without_serials

        return without_serials(await ask_all(self._zone, name, self._clock, rtype=rtype))

    async def prove(self, name: str, value: tuple[str, ...]) -> Problem | None:
        """Return None: what a person may do cannot be proven from here."""
        return None

    async def change(self, change: Change, *, before_send: BeforeSend | None = None) -> Result | WaitingForPerson:
        """Look what stands; if it is the old record, return the words for the person who is to edit it."""
        survey = await self.survey(change.name, rtype=change.rtype)
        if not survey.answered:
            return NotSent(Problem("dns-unreadable", f"{change.name} cannot be read: {'; '.join(survey.differences)}"))
        if change.arrived(survey.value, survey.ttl):
            return AlreadySo(survey.serial)
        if survey.value != change.old:
            return conflict(change, survey.value)
        if before_send:
            await before_send()
        return WaitingForPerson(self.describe(change))

    def describe(self, change: Change) -> tuple[str, ...]:
        """Return what the person is to edit, and how the console knows it is done."""
        everyone = spell(tuple(s.label for s in self._zone.servers))
        return (
            f"by hand, where the zone {self._zone.name} is edited: {change.name} {change.rtype}",
            f"it must be exactly {spell(change.old)} now",
            _then(change),
            f"the console asks {everyone} until they all agree",
        )


def only(settings: Settings, kind: str, *known: str) -> None:
    """Raise `Trouble` for a setting that a provider does not know."""
    for key in settings:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else ""
            raise trouble("dns-setting", f"the DNS provider {kind} has no setting {safe(key, 40)!r}", hint)


def _alone(change: Change) -> str:
    other = "AAAA" if change.rtype == "A" else "A"
    return f", and no {other} stands beside it" if change.alone else ""


def _then(change: Change) -> str:
    if not change.new:
        return f"then {change.name} {change.rtype} is removed"
    return f"then it is {spell(canonical(change.new, change.rtype))}, TTL {change.new_ttl} s"


def _command(zone: Zone, clock: Clock, settings: Settings) -> Provider:
    from handrail.dns.command import Command

    return Command(zone, clock, settings)


_BUILT_IN: Final[dict[str, Factory]] = {"rfc2136": Rfc2136, "command": _command, "manual": Manual}


def _plugged_in(kind: str) -> Factory:
    """Return the factory of an installed plug-in; its code runs with the operator's rights, as pip installed it."""
    from importlib.metadata import entry_points

    installed = entry_points(group=GROUP)
    for point in installed:
        if point.name == kind:
            factory: Factory = point.load()
            return factory
    known = [*_BUILT_IN, *installed.names]
    near = difflib.get_close_matches(kind, known, 1)
    hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(map(safe, known))}"
    raise trouble("dns-provider", f"there is no DNS provider {safe(kind, 40)!r}", hint)
