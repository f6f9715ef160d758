"""The simulated estate: how long until its hosts are up, and what an SSH connection to it takes."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from benchmarks.measured import Part, Row, middle
from benchmarks.place import PYTHON, Place
from benchmarks.rounds import interleaved
from benchmarks.spawned import held, must
from handrail.runbook.estate import read_estate
from handrail.session.core import target_of
from handrail.ssh.links import Links

HOW = (
    "The estate is brought up as a drill does it, by a program of its own, timed from the start of that program to its answer, when "
    "every host runs and every SSH door is open. Hosts without services: what a runbook's own stand-ins take comes on top."
)
TEMPLATE = """format = 1
[estate]
name = "bench"
class = "staging"
[roles.one]
name = "one"
address = "10.77.1.10"
user = "root"
[roles.one.sim]
[roles.many]
user = "root"
hosts = [{ name = "many1", address = "10.77.1.11" }]
[roles.many.sim]
count = 1
"""


def measure(place: Place) -> Part:
    """Return what an estate takes."""
    template = place.file("template.toml", TEMPLATE)
    few, many = 10, place.size(100, 12)
    taken = interleaved(
        {"few": lambda: _up(place, template, few)[0], "many": lambda: _up(place, template, many)[0]}, place.rounds(5)
    )
    number = place.size(100, 5)
    each = _connections(place, template, number)
    return Part(
        "Simulated estate",
        HOW,
        (
            Row(f"{few} hosts up", middle(taken["few"]), "s", most=0.5, target="at most 0.5 s"),
            Row(f"{many} hosts up", middle(taken["many"]), "s", most=1.5, target="at most 1.5 s"),
            Row(f"memory for each of {number} connections", each, "KiB", most=60, target="at most 60 KiB"),
        ),
    )


def _sim(place: Place, *words: str) -> tuple[float, dict[str, Any]]:
    used = must([PYTHON, "-m", "handrail_sim", *words], env=place.env(), cwd=place.folder)
    found: dict[str, Any] = json.loads(used.output.strip().splitlines()[-1])
    return used.wall, found


def _up(place: Place, template: Path, hosts: int) -> tuple[float, Path]:
    """Bring an estate up, and down again; return how long up took."""
    folder = place.folder / "estate"
    wall, said = _brought_up(place, template, hosts, folder)
    _take_down(place, folder)
    if not said["ready"]:
        raise RuntimeError(f"the estate did not come up: {said}")
    return wall, folder


def _brought_up(place: Place, template: Path, hosts: int, folder: Path) -> tuple[float, dict[str, Any]]:
    words = ["up", "--template", str(template), "--dir", str(folder), "--home", str(place.folder / "home")]
    return _sim(place, *words, "--clients", str(hosts - 1))


def _take_down(place: Place, folder: Path) -> None:
    _sim(place, "down", str(folder))
    shutil.rmtree(folder, ignore_errors=True)


def _connections(place: Place, template: Path, number: int) -> float:
    """Return the KiB that the estate holds more for each connection that is open."""
    folder = place.folder / "estate"
    _, said = _brought_up(place, template, 2, folder)
    pid = int((folder / "pid").read_text().split()[0])
    estate = read_estate(Path(said["estate"]), ask=False)
    where = target_of(estate, estate.host("one"))

    async def opened() -> float:
        warm, crowd = Links(), [Links() for _ in range(number)]
        await warm.connection(where)
        before = held(pid)
        for links in crowd:
            await links.connection(where)
        after = held(pid)
        for links in (warm, *crowd):
            await links.close()
        return (after - before) / number

    try:
        return asyncio.run(opened())
    finally:
        _take_down(place, folder)
