"""Agents that check in: `agents.py FILE FLEET RATE SECONDS` appends to an access log as a server writes it.

RATE check-ins a second, in a fixed order, 25 requests each, of which one is the catalog; then, with a line on stdin, the catalog of
everybody at once.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TextIO

REQUESTS = 25
LINE = (
    '10.{a}.{b}.{c} - - [23/Nov/2026:05:12:{second:02d} +0000] "GET /puppet/v3/file_metadata/modules/profile/{n}?links=manage&'
    'environment=production HTTP/1.1" 200 421 "-" "Puppet/7.23.0 Ruby/3.1.2-p20 (x86_64-linux-gnu)" 4 0 6\n'
)
CATALOG = (
    '10.{a}.{b}.{c} - - [23/Nov/2026:05:12:{second:02d} +0000] "POST /puppet/v3/catalog/{name}?environment=production HTTP/1.1" '
    '200 61234 "-" "Puppet/7.23.0 Ruby/3.1.2-p20 (x86_64-linux-gnu)" 812 0 815\n'
)


def name(number: int) -> str:
    """Return the name of an agent."""
    return f"node{number:06d}.example.test"


def main(path: Path, fleet: int, rate: float, seconds: float) -> None:
    """Write at that rate, every tenth of a second, then wait to be told to write all."""
    begun, done = time.monotonic(), 0
    with path.open("a", encoding="ascii") as log:
        while (passed := time.monotonic() - begun) < seconds:
            while done < passed * rate:
                _check_in(log, done % fleet)
                done += 1
            log.flush()
            time.sleep(0.1)
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()
        if sys.stdin.readline():
            for number in range(fleet):
                log.write(_line(CATALOG, number, 0))


def _check_in(log: TextIO, number: int) -> None:
    log.writelines(_line(LINE, number, request) for request in range(REQUESTS - 1))
    log.write(_line(CATALOG, number, 0))


def _line(form: str, number: int, request: int) -> str:
    return form.format(
        a=number >> 16, b=number >> 8 & 255, c=number & 255, second=request % 60, n=f"{request:03d}", name=name(number)
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4]))
