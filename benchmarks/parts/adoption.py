"""The adoption meter: what it costs to know who has checked in, as the fleet grows."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.curve import curve
from benchmarks.daemons import Sshd, program, sshd
from benchmarks.measured import Part, Row, Table, figure
from benchmarks.place import HERE, PYTHON, Place
from benchmarks.programs.agents import name
from benchmarks.runbooks import HEAD, estate

INTERVAL = 1800.0  # seconds in which every agent checks in once
LOOKS = 5.0
PICTURE = "adoption.svg"
HOW = (
    "A meter step of a run, on a real sshd, follows an access log that grows as agents write it: 25 requests of 200 bytes for each "
    "check-in, everybody once in half an hour, so 56 check-ins a second for 100,000. It looks every 5 s, as it does when "
    "nothing else is said. Processor and bytes are the console's, between the first look and the last; then everybody else checks in "
    "at once, and the step has to pass."
)
STEP = """
[vars.fleet]
type = "text"
help = "Who is expected"
[[stage]]
id = "clients"
title = "Clients"
reads = true
[[stage.step]]
id = "adoption"
title = "Agents check in"
on = "one"
within = "10m"
every = "{every}"
[stage.step.meter]
file = "{file}"
contains = "/puppet/v3/catalog/"
match = '"(?:POST|GET) /puppet/v3/catalog/(?P<node>[^?/ ]+)\\?[^"]*" 200'
distinct = "node"
names = "{{{{ fleet }}}}"
need = "all"
"""


@dataclass(frozen=True)
class Fleet:
    """One size of fleet, measured: a share of one core, bytes a second, bytes of memory in all."""

    agents: int
    rate: float
    cpu: float
    wire: float
    log: float
    memory: float
    caught_up: float


def measure(place: Place) -> Part:
    """Return what the meter takes."""
    if program("sshd") is None:
        return Part("Adoption", HOW, (), missing=("OpenSSH is not installed",))
    sizes = (200, 400) if place.quick else (10, 1000, 10_000, 100_000)
    with sshd(place) as one:
        fleets = [_fleet(place, one, size, 10.0 if place.quick else size / INTERVAL) for size in sizes]
        fast = fleets[-1] if place.quick else _fleet(place, one, sizes[-1], 10 * sizes[-1] / INTERVAL)
    small, large = fleets[0], fleets[-1]
    if not place.quick:
        points = [(float(f.agents), f.cpu * 100) for f in fleets]
        text = curve("Console, processor time of one core (%)", "agents, each checking in every half hour", points)
        (HERE / PICTURE).write_text(text, encoding="utf-8")
    each = max(0.0, large.memory - small.memory) * 1024 / large.agents
    what = f"{large.agents:,} agents"
    columns = ("agents", "check-ins/s", "processor", "wire", "log", "memory", "all at once")
    return Part(
        "Adoption",
        HOW,
        (
            Row(f"{what}, processor of one core", large.cpu * 100, "%", most=2, target="at most 2 %"),
            Row("the same at 10x the rate", fast.cpu * 100, "%"),
            Row(f"{what}, bytes over the wire", large.wire, "B", "the log", large.log, 0.1, "at most 0.1x"),
            Row(f"{what}, memory for each", each, "B", most=300, target="at most 300 B"),
        ),
        (Table("As the fleet grows:", columns, tuple(_told(one) for one in fleets)),),
        () if place.quick else (PICTURE,),
    )


def _told(one: Fleet) -> tuple[str, ...]:
    return (
        f"{one.agents:,}", f"{one.rate:.2f}", figure(one.cpu * 100, "%"), f"{one.wire / 1024:.1f} KiB/s",
        f"{one.log / 1024:.1f} KiB/s", figure(one.memory / 1024, "MiB"), figure(one.caught_up, "s"),
    )  # fmt: skip


def _fleet(place: Place, one: Sshd, agents: int, rate: float) -> Fleet:
    """Measure one size at one rate: four looks long."""
    seconds = 1.5 if place.quick else 4 * LOOKS
    home = place.folder / f"home-{agents}-{rate:.0f}"
    log = place.file(f"access-{agents}-{rate:.0f}.log", "")
    fleet = place.file(f"fleet-{agents}", " ".join(map(name, range(agents))))
    book = place.file(
        f"meter-{agents}.toml", HEAD.format() + STEP.format(file=log, every="1s" if place.quick else "5s")
    )
    where = place.file(
        "estate.toml", estate(one.known_hosts, {"one": ("127.0.0.1", one.port)}, identity=one.key, user=one.user)
    )
    env = {**os.environ, "HANDRAIL_HOME": str(home), "PYTHONPATH": str(HERE.parent)}
    argv = [PYTHON, "-m", "benchmarks.programs.console_run", str(book), str(where), f"fleet=@{fleet}"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as console:
        _until_looking(console)
        with _agents(log, agents, rate, seconds + 3) as crowd:
            first, begun, size = _ask(console), time.monotonic(), log.stat().st_size
            time.sleep(seconds)
            last, passed, grown = _ask(console), time.monotonic() - begun, log.stat().st_size - size
            since = time.monotonic()
            crowd.communicate("now\n")
        end = json.loads(console.communicate()[0].splitlines()[-1])
        caught_up = time.monotonic() - since
    if console.returncode:
        raise RuntimeError(f"the run of {agents} agents was not done")
    cpu, wire = last["cpu"] - first["cpu"], last["wire"] - first["wire"]
    return Fleet(agents, rate, cpu / passed, wire / passed, grown / passed, end["memory"], caught_up)


def _agents(log: Path, agents: int, rate: float, seconds: float) -> subprocess.Popen[str]:
    argv = [PYTHON, str(HERE / "programs" / "agents.py"), str(log), str(agents), str(rate), str(seconds)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _ask(console: subprocess.Popen[str]) -> dict[str, Any]:
    assert console.stdin is not None
    assert console.stdout is not None
    console.stdin.write("now\n")
    console.stdin.flush()
    said: dict[str, Any] = json.loads(console.stdout.readline())
    return said


def _until_looking(console: subprocess.Popen[str]) -> None:
    """Return once the meter has looked for the first time."""
    limit = time.monotonic() + 60
    while "clients/adoption" not in _ask(console)["done"]:
        if time.monotonic() > limit:
            raise TimeoutError("the meter does not begin")
        time.sleep(0.1)
