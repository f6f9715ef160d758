"""A cloud's command line as a DNS provider: one program reads the record, one writes it. No shell is involved.

A program cannot compare and set by itself: it is read right before it is written, and the gap is told to the operator.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from handrail.base.clock import Clock
from handrail.base.problems import Problem, Trouble, trouble
from handrail.base.safe import safe
from handrail.dns.answer import UNTOLD, Answer
from handrail.dns.names import canonical, name_in_zone, spell
from handrail.dns.program import Ended, run
from handrail.dns.provider import Settings, only
from handrail.dns.results import (
    AlreadySo,
    Applied,
    BeforeSend,
    Change,
    NotApplied,
    NotSent,
    Result,
    Unsettled,
    conflict,
)
from handrail.dns.survey import Survey, without_serials
from handrail.dns.zone import NameServer, Zone

READ_WITHIN: Final = (
    30.0  # seconds for one `read` unless the estate says; `change` has no limit: no clock ends a change
)
READ_AGAIN: Final = (1.0, 3.0)  # seconds before a read that failed is asked again: clouds limit how often one may ask
PATIENCE: Final = 600.0  # seconds in which the cloud's own servers should follow
_PLACE: Final = re.compile(r"\{\{\s*([a-z_]*)\s*\}\}")
_READ: Final = frozenset({"zone", "name", "type"})
_WRITE: Final = _READ | {"from", "to", "ttl", "old_ttl"}


class Command:
    """Reads and writes one record through two programs, `read` and `change`, given as lists of words with {{ }} places.

    `read` prints the addresses, one a line, or JSON: "address", ["address"], {"value": ..} or {"values": [..], "ttl": n};
    nothing printed means there is no record. `change` exits 0 when the change is accepted. Both run in the folder `cwd`.
    """

    kind: str = "command"
    eventual: bool = True
    patience: float = PATIENCE

    def __init__(self, zone: Zone, clock: Clock, settings: Settings) -> None:
        only(settings, self.kind, "read", "change", "timeout", "cwd")
        self._zone = zone
        self._clock = clock
        self._get = _template(settings, "read", _READ)
        self._set = _template(settings, "change", _WRITE)
        self._within = float(str(settings.get("timeout", READ_WITHIN)))
        self._cwd = str(settings.get("cwd", ".")) or "."
        self.pause = 1.0 if zone.servers else 5.0
        self.again: tuple[float, ...] = READ_AGAIN

    @property
    def where(self) -> str:
        """Return where a change goes, in a few words."""
        return f"command, {safe(self._set[0])}"

    async def survey(self, name: str, *, rtype: str = "A") -> Survey:
        """Ask the authoritative servers if the estate lists them, since clients do; else ask the program."""
        if self._zone.servers:
            from handrail.dns.lookup import ask_all

            survey = await ask_all(self._zone, name, self._clock, rtype=rtype)
            return without_serials(survey)
        begun = self._clock.mono()
        plain = name_in_zone(name, self._zone.name)
        answer = await self._read(plain, rtype)
        return Survey(plain, rtype, (answer,), begun, self._clock.mono())

    async def prove(self, name: str, value: tuple[str, ...]) -> Problem | None:
        """Prove that the program can read the record and that it is this; whether it may write is not proven."""
        rtype = "AAAA" if any(":" in v for v in value) else "A"
        answer = await self._read(name_in_zone(name, self._zone.name), rtype)
        if answer.problem:
            return Problem("dns-command", f"{answer.server.label} {answer.problem}")
        if answer.values != canonical(value, rtype):
            return Problem("dns-not-now", f"{answer.server.label} says {spell(answer.values)}, not {spell(value)}")
        return None

    async def change(self, change: Change, *, before_send: BeforeSend | None = None) -> Result:
        """Read, compare, run `set` once, and read again if it did not say that it worked."""
        name_in_zone(change.name, self._zone.name)
        before = await self._read(change.name, change.rtype)
        if before.problem:
            return NotSent(Problem("dns-command", f"{before.server.label} {before.problem}: nothing was sent"))
        if change.arrived(before.values, before.ttl):
            return AlreadySo()
        if before.values != change.old:
            return conflict(change, before.values)
        if before_send:
            await before_send()
        argv = _fill(self._set, self._words(change))
        try:
            ended = await run(argv, self._cwd)
        except OSError as error:
            return NotSent(Problem("dns-command", f"{safe(argv[0])} cannot be started: {safe(error.strerror or '')}"))
        return Applied(None) if ended.status == 0 else await self._judge(change, argv[0], ended)

    def describe(self, change: Change) -> tuple[str, ...]:
        """Return the very programs that will run."""
        return (
            f"read with:  {safe(' '.join(_fill(self._get, self._words(change))))}",
            f"only if {change.name} {change.rtype} is exactly {spell(change.old)} (read right before, not at once with it)",
            f"write with: {safe(' '.join(_fill(self._set, self._words(change))))}",
            "done when "
            + (f"{spell(tuple(s.label for s in self._zone.servers))} agree" if self._zone.servers else "it reads back"),
        )

    async def _judge(self, change: Change, program: str, ended: Ended) -> Result:
        """Return what a `change` that did not exit 0 has done: read, never run again.

        That the old record still stands does not prove that nothing will come of it: clouds answer before they act.
        """
        how = f"exit {ended.status}" if ended.status >= 0 else f"signal {-ended.status}"
        said = f"{safe(program)} ended with {how}"
        after = await self._read(change.name, change.rtype)
        if after.problem:
            message = f"{said}, and cannot read the record now ({after.problem})"
            return Unsettled(
                Problem("dns-unsettled", message, "nothing will be sent again: probe until it can be read")
            )
        if change.arrived(after.values, after.ttl):
            return Applied(None, "read back")
        if after.values != change.old:
            return conflict(change, after.values)
        message = f"{said}: {spell(after.values)} still stands"
        return NotApplied(after.values, Problem("dns-not-applied", message, ended.complaint))

    async def _read(self, name: str, rtype: str) -> Answer:
        """Return what `read` prints; one that ends badly is asked again a little later."""
        for pause in self.again:
            answer, settled = await self._read_once(name, rtype)
            if settled:
                return answer
            await asyncio.sleep(pause)
        return (await self._read_once(name, rtype))[0]

    async def _read_once(self, name: str, rtype: str) -> tuple[Answer, bool]:
        """Return what `read` prints, and whether asking again cannot help."""
        argv = _fill(self._get, {"zone": self._zone.name, "name": name, "type": rtype})
        blank = Answer(NameServer(safe(argv[0]), "", 0), rtype, asked_at=self._clock.mono())
        try:
            async with asyncio.timeout(self._within):
                ended = await run(argv, self._cwd)
        except TimeoutError:
            return replace(blank, problem=f"does not end within {self._within:g} s"), True
        except OSError as error:
            return replace(blank, problem=f"cannot be started ({safe(error.strerror or str(error), 80)})"), True
        if ended.status != 0:
            return replace(blank, problem=f"ended with status {ended.status}: {ended.complaint}"), False
        try:
            values, ttl = parse_record(ended.stdout, rtype)
        except Trouble as error:
            return replace(blank, problem=f"printed no record ({error.problems[0].message})"), True
        return replace(blank, values=values, ttl=ttl, exists=bool(values)), True

    def _words(self, change: Change) -> dict[str, str]:
        return {
            "zone": self._zone.name,
            "name": change.name,
            "type": change.rtype,
            "from": ",".join(change.old),
            "to": ",".join(change.new),
            "ttl": str(change.new_ttl),
            "old_ttl": str(change.old_ttl),
        }


def parse_record(output: bytes, rtype: str) -> tuple[tuple[str, ...], int]:
    """Return addresses and TTL (-1: not told) of what `read` printed; raise `Trouble` if it is neither lines nor JSON."""
    text = output.decode("utf-8", "replace").strip()
    if text[:1] not in ("{", "[", '"') and text != "null":
        return canonical(tuple(text.split()), rtype), UNTOLD
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise trouble("dns-command-output", f"not JSON: {safe(text, 60)}") from error
    ttl = UNTOLD
    if isinstance(found, Mapping):
        told = found.get("ttl", UNTOLD)
        ttl = told if isinstance(told, int) and not isinstance(told, bool) else UNTOLD
        found = found.get("values", found.get("value"))
    found = [] if found is None else [found] if isinstance(found, str) else found
    if not isinstance(found, list) or not all(isinstance(v, str) for v in found):
        hint = 'print {"values": ["192.0.2.10"], "ttl": 60}: most programs have a --query or --format for it'
        raise trouble("dns-command-output", f"JSON without addresses: {safe(text, 60)}", hint)
    return canonical(tuple(found), rtype), ttl


def _template(settings: Settings, key: str, known: frozenset[str]) -> tuple[str, ...]:
    """Return the words of `read` or `change`; raise `Trouble` if they are not words or name a place that is not known."""
    words = settings.get(key)
    if not isinstance(words, (list, tuple)) or not words or not all(isinstance(w, str) and w for w in words):
        example = f'{key} = ["cloud-dns", "{key}", "{{{{ name }}}}"]'
        raise trouble("dns-command-template", f"the DNS provider command needs `{key}`, a list of words", example)
    for word in words:
        for place in _PLACE.findall(word):
            if place not in known:
                hint = f"known in `{key}`: {', '.join(sorted(known))}"
                raise trouble("dns-command-template", f"{{{{ {safe(place)} }}}} is not known in `{key}`", hint)
    return tuple(words)


def _fill(template: tuple[str, ...], words: Mapping[str, str]) -> list[str]:
    """Return the argv; a value is one word or part of one, whatever is in it."""
    return [_PLACE.sub(lambda match: words[match[1]], word) for word in template]
