"""meter: follow a growing file at a host from a noted position, count distinct names in it, and name the silent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handrail.actions.port import Port, Said
from handrail.actions.work import Work
from handrail.base.failpoint import boundary
from handrail.base.patterns import BUDGET, SlowPatternError, bounded
from handrail.base.problems import trouble
from handrail.engine.results import Check, Result
from handrail.engine.words import ResultKind
from handrail.runbook.actions import Meter
from handrail.runbook.checks import Command
from handrail.runbook.model import Step
from handrail.runbook.values import need_count

LIMIT: Final = 30.0
CHUNK: Final = (
    900_000  # bytes read at once, fewer than are kept of an output; the rest comes with the next look, at once
)

# What stands right before an offset tells whether a file is still the one that was read: an inode is soon used again,
# and a file that was cut and has grown past the offset looks as before.
_BEFORE: Final = r"""
before() {
  n=$2; [ "$n" -le 256 ] || n=256
  if [ "$n" -gt 0 ]; then tail -c +$(($2 - n + 1)) -- "$1" | head -c "$n" | cksum | tr ' ' .; else echo 0; fi
}
"""

# $1 file: says its inode, its size, and what stands before its end.
POSITION: Final = (
    _BEFORE
    + r"""
if [ -e "$1" ]; then size=$(stat -L -c %s -- "$1"); echo "$(stat -L -c %i -- "$1") $size $(before "$1" "$size")"; else echo 0 0 0; fi
"""
)

# $1 file, $2 inode, $3 offset, $4 what stood before it, $5 text that filters here, before the wire, $6 bytes read at most. The
# first line says where the next look begins, and whether more is there already. A file that was rotated away, by a new name
# or by a copy, is read to its end first. A line that is not whole yet is left for the next look.
LOOK: Final = (
    _BEFORE
    + r"""
file=$1; ino=$2; off=$3; mark=$4; text=$5; most=$6
is() {
  [ -f "$1" ] && [ "$(stat -L -c %s -- "$1")" -ge "$off" ] && [ "$(before "$1" "$off")" = "$mark" ] || return 1
  [ "$off" -gt 0 ] || [ "$(stat -L -c %i -- "$1")" = "$ino" ]
}
part() { tail -c +$((off + 1)) -- "$cur" | head -c $((end - off)); }
cur=
for f in "$file" "$file".* "$file"-*; do if [ -z "$cur" ] && is "$f"; then cur=$f; fi; done
if [ -z "$cur" ]; then cur=$file; off=0; fi
size=0; more=0
if [ -e "$cur" ]; then size=$(stat -L -c %s -- "$cur"); fi
end=$size
if [ $((end - off)) -gt "$most" ]; then end=$((off + most)); more=1; fi
if [ "$end" -gt "$off" ] && [ "$(part | tail -c 1 | wc -l)" -eq 0 ]; then
  rest=$(part | tail -n 1 | wc -c)
  if [ "$rest" -lt "$most" ]; then end=$((end - rest)); fi
fi
if [ "$cur" != "$file" ] && [ "$more" = 0 ] && [ -s "$file" ]; then echo "0 0 0 1"
elif [ -e "$cur" ]; then echo "$(stat -L -c %i -- "$cur") $end $(before "$cur" "$end") $more"
else echo "0 0 0 0"; fi
if [ "$end" -gt "$off" ]; then part | if [ -n "$text" ]; then grep -aF -- "$text" || true; else cat; fi; fi
"""
)


@dataclass
class Count:
    """Who has been seen so far, and where the next look begins."""

    inode: str
    offset: str
    mark: str
    seen: set[str]
    more: bool = False


def position_command(file: str) -> Command:
    """Return the read that notes where a file ends now."""
    return Command(script=POSITION, args=(file,))


def read_position(said: Said) -> dict[str, str] | None:
    """Return what `position_command` said, as notes; None when it could not be asked."""
    words = said.stdout.decode("ascii", "replace").split()
    if said.exit != 0 or len(words) != 3:
        return None
    return dict(zip(("inode", "offset", "mark"), words, strict=True))


def wanted(meter: Meter) -> tuple[int, int]:
    """Return how many names are needed, and how many are expected (0: not known)."""
    expected = len(meter.expected())
    return max(1, need_count(meter.need, expected)), expected


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
    silent = meter.expected()
    pattern = re.compile(meter.match)
    until = port.clock.mono() + (work.within or work.limit)
    turn = 0
    while True:
        turn += 1
        args = (meter.file, count.inode, count.offset, count.mark, meter.contains or "", str(CHUNK))
        look = Command(script=LOOK, args=args)
        with boundary("meter.look"):
            said = await port.command(host, look, f"look{turn}", changes=False, limit=LIMIT)
        fresh = _take(said, count, pattern, meter.distinct)
        if fresh:
            port.say(host, *(f"+ {name}" for name in sorted(fresh)))
            came = {n for n in silent if n in fresh}  # the very names of the list: 100,000 are not kept twice
            silent = tuple(n for n in silent if n not in came)
            count.seen |= came
            count.seen |= fresh
        arrived = expected - len(silent) if expected else len(count.seen)
        port.progress(arrived, expected or need, _words(arrived, expected, silent), silent)
        if arrived < need and count.more:
            continue
        if arrived >= need or port.clock.mono() + work.every > until:
            return _result(host, arrived, need, expected, silent, said)
        await port.sleep(work.every)


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
    return Count(notes["inode"], notes["offset"], notes["mark"], set())


def _take(said: Said, count: Count, pattern: re.Pattern[str], group: str) -> set[str]:
    """Return the new names in what one look brought, and note where the next one begins."""
    head, _, body = said.stdout.partition(b"\n")
    words = head.decode("ascii", "replace").split()
    count.more = False
    if said.exit != 0 or len(words) != 4:
        return set()
    count.inode, count.offset, count.mark = words[:3]
    count.more = words[3] == "1"
    found = set()
    try:
        with bounded(BUDGET):
            for line in body.decode("utf-8", "replace").splitlines():
                match = pattern.search(line)
                if match:
                    found.add(match.group(group))
    except SlowPatternError:
        raise trouble("regex-slow", "the meter's pattern takes too long on these lines", "make it simpler") from None
    return found - count.seen


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
