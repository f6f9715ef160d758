"""One host: connecting and the first command, then every further one, with the job wrapper on; beside ssh and its ControlMaster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import count

from benchmarks.console import Living, job, target
from benchmarks.daemons import Sshd, program, sshd
from benchmarks.measured import Part, Row, middle
from benchmarks.place import Place
from benchmarks.rounds import interleaved
from benchmarks.spawned import must
from handrail.ssh.links import Links

HOW = (
    "One real sshd on the loopback. Handrail is a console that runs already; `ssh` is started for each command, as a script does. "
    "Handrail's figures have everything in them that a step has: the pinned key, the run's folder on the host, the job that outlives "
    "a lost link, its output by offset, its exit status written last."
)


def measure(place: Place) -> Part:
    """Return what a command takes."""
    if program("sshd") is None or program("ssh") is None:
        return Part("One host", HOW, (), missing=("OpenSSH is not installed",))
    with sshd(place) as one:
        first = _first(place, one)
        later = _later(place, one)
    ssh, shared = middle(first["ssh"]), middle(later["ssh"])
    return Part(
        "One host",
        HOW,
        (
            Row("connect + first command", middle(first["handrail"]), "s", "`ssh`", ssh, 0.45, "at most 0.45x"),
            Row("of it, connecting", middle(first["connect"]), "s", "`ssh`", ssh),
            Row("a later command", middle(later["handrail"]), "s", "`ssh`, ControlMaster", shared, 0.6, "at most 0.6x"),
            Row("a bare channel, no job", middle(later["bare"]), "s", "`ssh`, ControlMaster", shared),
        ),
    )


def _first(place: Place, one: Sshd) -> dict[str, list[float]]:
    words = ["ssh", "-F", str(one.config(place)), "-o", "ControlPath=none", "127.0.0.1", "true"]
    number = count()

    async def ours(*, run: bool) -> float:
        links, begun = Links(), time.perf_counter()
        where = target(one)
        await links.connection(where)
        if run:
            await job(links, where, f"first{next(number)}")
        taken = time.perf_counter() - begun
        await links.close()
        return taken

    with asyncio.Runner() as runner:
        return interleaved(
            {
                "ssh": lambda: must(words).wall,
                "handrail": lambda: runner.run(ours(run=True)),
                "connect": lambda: runner.run(ours(run=False)),
            },
            place.rounds(25),
        )


def _later(place: Place, one: Sshd) -> dict[str, list[float]]:
    config = str(one.config(place))
    must(["ssh", "-F", config, "-o", "ControlMaster=yes", "-o", "ControlPersist=yes", "-fN", "127.0.0.1"])
    where, number = target(one), count()

    async def made() -> Links:
        return Links()

    async def bare() -> None:
        connection = await links.connection(where)
        done = await connection.run("true", encoding=None)
        assert done.exit_status == 0

    with Living() as runner:
        links = runner.run(made())
        runner.run(job(links, where, "warm"))

        def timed(work: Callable[[], object]) -> Callable[[], float]:
            def once() -> float:
                begun = time.perf_counter()
                work()
                return time.perf_counter() - begun

            return once

        contenders = {
            "ssh": timed(lambda: must(["ssh", "-F", config, "127.0.0.1", "true"])),
            "handrail": timed(lambda: runner.run(job(links, where, f"later{next(number)}"))),
            "bare": timed(lambda: runner.run(bare())),
        }
        try:
            return interleaved(contenders, place.rounds(100), warm=3)
        finally:
            runner.run(links.close())
            must(["ssh", "-F", config, "-O", "exit", "127.0.0.1"])
