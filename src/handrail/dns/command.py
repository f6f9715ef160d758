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
    Refused,
    Result,
    Unsettled,
    conflict,
)
from handrail.dns.survey import Survey
from handrail.dns.zone import NameServer, Zone

READ_WITHIN: Final = 60.0  # seconds for `get`; `set` has no limit: a change is never ended by a clock
_PLACE: Final = re.compile(r"\{\{\s*([a-z_]*)\s*\}\}")
_READ: Final = frozenset({"zone", "name", "type"})
_WRITE: Final = _READ | {"old", "new", "ttl", "old_ttl"}


class Command:
    """Reads and writes one record through two programs, `get` and `set`, given as lists of words with {{ }} places.

    `get` prints the addresses, one a line, or JSON: "address", ["address"], {"value": ..} or {"values": [..], "ttl": n};
    nothing printed means there is no record. `set` exits 0 when the change is accepted.
    """

    kind: str = "command"
    eventual: bool = True

    def __init__(self, zone: Zone, clock: Clock, settings: Settings) -> None:
        only(settings, self.kind, "get", "set")
        self._zone = zone
        self._clock = clock
        self._get = _template(settings, "get", _READ)
        self._set = _template(settings, "set", _WRITE)

    async def survey(self, name: str, *, rtype: str = "A") -> Survey:
        """Ask the authoritative servers if the estate lists them, since clients do; else ask the program."""
        if self._zone.servers:
            from handrail.dns.lookup import ask_all

            return await ask_all(self._zone, name, self._clock, rtype=rtype)
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
            ended = await run(argv)
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
        """Return what a `set` that did not exit 0 has done: read, never run again."""
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
        if ended.status < 0:
            return NotApplied(after.values, Problem("dns-not-applied", f"{said}: {spell(after.values)} still stands"))
        return Refused(how, Problem("dns-command", f"{said}: nothing was changed", ended.complaint))

    async def _read(self, name: str, rtype: str) -> Answer:
        argv = _fill(self._get, {"zone": self._zone.name, "name": name, "type": rtype})
        blank = Answer(NameServer(safe(argv[0]), "", 0), rtype, asked_at=self._clock.mono())
        try:
            async with asyncio.timeout(READ_WITHIN):
                ended = await run(argv)
        except TimeoutError:
            return replace(blank, problem=f"does not end within {READ_WITHIN:g} s")
        except OSError as error:
            return replace(blank, problem=f"cannot be started ({safe(error.strerror or str(error), 80)})")
        if ended.status != 0:
            return replace(blank, problem=f"ended with status {ended.status}: {ended.complaint}")
        try:
            values, ttl = parse_record(ended.stdout, rtype)
        except Trouble as error:
            return replace(blank, problem=f"printed no record ({error.problems[0].message})")
        return replace(blank, values=values, ttl=ttl, exists=bool(values))

    def _words(self, change: Change) -> dict[str, str]:
        return {
            "zone": self._zone.name,
            "name": change.name,
            "type": change.rtype,
            "old": ",".join(change.old),
            "new": ",".join(change.new),
            "ttl": str(change.new_ttl),
            "old_ttl": str(change.old_ttl),
        }


def parse_record(output: bytes, rtype: str) -> tuple[tuple[str, ...], int]:
    """Return addresses and TTL (-1: not told) of what `get` printed; raise `Trouble` if it is neither lines nor JSON."""
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
    """Return the words of `get` or `set`; raise `Trouble` if they are not words or name a place that is not known."""
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
