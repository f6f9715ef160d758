"""meter: follow a growing file at a host from a noted position, count distinct names in it, and name the silent."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handrail.actions.port import Port, Said
from handrail.actions.work import Work
from handrail.engine.results import Check, Result
from handrail.engine.words import ResultKind
from handrail.runbook.actions import Meter
from handrail.runbook.checks import Command
from handrail.runbook.model import Step

LIMIT: Final = 30.0
CHUNK: Final = 900_000  # bytes of filtered lines taken at once; the rest comes with the next look

POSITION: Final = """
if [ -e "$1" ]; then stat -L -c '%i %s' -- "$1"; else echo 0 0; fi
"""

# $1 file, $2 inode, $3 offset, $4 text that filters here, before the wire. The first line says where the next look begins.
# A rotated file is looked for beside its successor by its inode, so that its last lines count too.
LOOK: Final = r"""
now=0; size=0
if [ -e "$1" ]; then set -- "$1" "$2" "$3" "$4" $(stat -L -c '%i %s' -- "$1"); now=$5; size=$6; fi
from=$3; old=
if [ "$2" != "$now" ] && [ "$2" != 0 ]; then
  for f in "$1".* "$1"-*; do
    if [ -f "$f" ] && [ "$(stat -L -c %i -- "$f")" = "$2" ]; then old=$f; fi
  done
fi
if [ "$2" != "$now" ]; then from=0; fi
if [ "$from" -gt "$size" ]; then from=0; fi
echo "$now $size"
{
  if [ -n "$old" ]; then tail -c +$(($3 + 1)) -- "$old"; fi
  if [ "$size" -gt "$from" ]; then tail -c +$((from + 1)) -- "$1" | head -c $((size - from)); fi
} | if [ -n "$4" ]; then grep -aF -- "$4" || true; else cat; fi
"""


@dataclass
class Count:
    """Who has been seen so far, and where the next look begins."""

    inode: str
    offset: str
    seen: set[str]


def position_command(file: str) -> Command:
    """Return the read that notes where a file ends now."""
    return Command(script=POSITION, args=(file,))


def read_position(said: Said) -> dict[str, str] | None:
    """Return what `position_command` said, as notes; None when it could not be asked."""
    words = said.stdout.decode("ascii", "replace").split()
    if said.exit != 0 or len(words) != 2:
        return None
    return {"inode": words[0], "offset": words[1]}


def wanted(meter: Meter) -> tuple[int, int]:
    """Return how many names are needed, and how many are expected (0: not known)."""
    expected = len(meter.expected())
    need = meter.need
    if isinstance(need, int):
        return need, expected
    if need.endswith("%"):
        return max(1, math.ceil(expected * float(need[:-1]) / 100)), expected
    return max(1, expected), expected


async def perform(work: Work, port: Port) -> None:
    """Count until enough have arrived or the time is up; then name who was not seen."""
    for host, step in work.hosts.items():
        assert isinstance(step, Step)
        assert step.meter is not None
        port.ended(await _count(work, host, step.meter, port))


async def _count(work: Work, host: str, meter: Meter, port: Port) -> Result:
    count = await _start(host, meter, port)
    if isinstance(count, Result):
        return count
    need, expected = wanted(meter)
    pattern = re.compile(meter.match)
    until = port.clock.mono() + (work.within or work.limit)
    turn = 0
    while True:
        turn += 1
        look = Command(script=LOOK, args=(meter.file, count.inode, count.offset, meter.contains or ""))
        said = await port.command(host, look, f"look{turn}", changes=False, limit=LIMIT)
        fresh = _take(said, count, pattern, meter.distinct)
        for name in sorted(fresh):
            port.say(host, f"+ {name}")
        silent = tuple(n for n in meter.expected() if n not in count.seen)
        arrived = _arrived(count, meter)
        port.progress(arrived, expected or need, _words(arrived, expected, silent), silent)
        if arrived >= need or port.clock.mono() + work.every > until:
            return _result(host, arrived, need, expected, silent, said)
        await port.sleep(work.every)


def _arrived(count: Count, meter: Meter) -> int:
    expected = meter.expected()
    return len(count.seen.intersection(expected)) if expected else len(count.seen)


async def _start(host: str, meter: Meter, port: Port) -> Count | Result:
    """Begin where the position was noted; without a note, at the end of the file as it is now."""
    notes: Mapping[str, str] = port.notes(host)
    if "offset" not in notes:
        said = await port.command(host, position_command(meter.file), "position", changes=False, limit=LIMIT)
        found = read_position(said)
        if found is None:
            return Result(host, ResultKind.UNREACHABLE, sent=False, detail=said.detail or "the file's end is not known")
        port.remember(host, found)
        notes = found
    return Count(notes["inode"], notes["offset"], set())


def _take(said: Said, count: Count, pattern: re.Pattern[str], group: str) -> set[str]:
    """Count the names in what one look brought; return the new ones."""
    head, _, body = said.stdout.partition(b"\n")
    words = head.split()
    if said.exit != 0 or len(words) != 2:
        return set()
    count.inode, count.offset = words[0].decode("ascii", "replace"), words[1].decode("ascii", "replace")
    found = set()
    for line in body.decode("utf-8", "replace").splitlines():
        match = pattern.search(line)
        if match:
            found.add(match.group(group))
    fresh = found - count.seen
    count.seen |= found
    return fresh


def _words(arrived: int, expected: int, silent: tuple[str, ...]) -> str:
    of = f" of {expected}" if expected else ""
    names = f"; silent: {', '.join(silent[:5])}" + (f" and {len(silent) - 5} more" if len(silent) > 5 else "")
    return f"{arrived}{of} seen" + (names if silent else "")


def _result(host: str, arrived: int, need: int, expected: int, silent: tuple[str, ...], said: Said) -> Result:
    words = _words(arrived, expected, silent)
    if arrived < need and said.kind is not ResultKind.EXITED:
        return Result(host, said.kind, sent=False, detail=f"{words}; {said.detail}")
    check = Check(f"at least {need} are seen", holds=arrived >= need, seen=words)
    return Result(host, ResultKind.EXITED, sent=False, exit=0, checks=(check,), detail=words if silent else "")
