"""DNS: a name switched and the switch verified; beside nsupdate and dig."""

from __future__ import annotations

import asyncio
import time
from itertools import count

from benchmarks.daemons import program
from benchmarks.measured import Part, Row, middle
from benchmarks.names import HERE, NAME, THERE, ZONE, named
from benchmarks.place import PEERS, Place
from benchmarks.rounds import interleaved
from benchmarks.spawned import must
from handrail.base.clock import SystemClock
from handrail.dns.provider import provider_for, settle
from handrail.dns.results import Applied, make_change
from handrail.dns.zone import make_zone

HOW = (
    "One real BIND on the loopback. Each turn moves a name from one address to the other: what stands there is read, the update is "
    "sent over TCP with TSIG and the old value as prerequisite, and address and serial are read back. Handrail is a console that "
    "runs already; the others are started, as a script does."
)


def measure(place: Place) -> Part:
    """Return what a switch takes."""
    gone = [name for name in ("named", "nsupdate", "dig") if program(name) is None]
    if gone:
        return Part("DNS", HOW, (), missing=(f"{', '.join(gone)} is not installed",))
    with named(place) as one:
        zone = make_zone(ZONE, [f"127.0.0.1:{one.port}"], key_file=one.key)
        provider = provider_for("rfc2136", zone, SystemClock(), {})
        turn = count()

        def ways() -> tuple[str, str]:
            return (HERE, THERE) if next(turn) % 2 == 0 else (THERE, HERE)

        async def ours() -> float:
            old, new = ways()
            begun = time.perf_counter()
            before = await provider.survey(NAME)
            assert before.value == (old,), before
            change = make_change(NAME, (old,), 60, (new,), 60)
            made = await provider.change(change)
            assert isinstance(made, Applied), made
            after = await settle(provider, change)
            assert after.agreed, after
            return time.perf_counter() - begun

        def theirs() -> float:
            script = str(PEERS / "dns" / "switch.sh")
            return must(["sh", script, str(one.key), "127.0.0.1", str(one.port), ZONE, NAME, *ways(), "60"]).wall

        with asyncio.Runner() as runner:
            taken = interleaved({"handrail": lambda: runner.run(ours()), "tools": theirs}, place.rounds(25))
    tools = middle(taken["tools"])
    row = Row("switch and verify", middle(taken["handrail"]), "s", "nsupdate + dig", tools, 0.25, "at most 0.25x")
    return Part("DNS", HOW, (row,))
