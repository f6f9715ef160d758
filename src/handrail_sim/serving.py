"""One life of an estate in a loop: up, control socket, until somebody ends it; then everything down again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handrail_sim import registry
from handrail_sim.asking import SOCKET
from handrail_sim.control import Control
from handrail_sim.estate import Estate
from handrail_sim.plan import Placed, Wanted
from handrail_sim.prepare import Preparing
from handrail_sim.switch import Switch
from handrail_sim.zygotes import Zygote

log = logging.getLogger("handrail_sim")


async def serve(
    wanted: Wanted, placed: Placed, zygote: Zygote | None, preparing: Preparing, ready: Callable[[dict[str, Any]], None]
) -> None:
    """Run the estate until it is asked to end; raise `Refused` or `Trouble` when it cannot come up."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    log.info("starting %s", wanted.template)
    mode = placed.mode
    estate = Estate(wanted.plan, wanted, placed, Switch(wanted.plan.rtt), zygote, preparing)
    control = Control(estate)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, control.stop.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: None)
    try:
        registry.write_state(wanted.folder, {"name": wanted.plan.name, "mode": mode})
        await estate.up()
        await control.open(wanted.folder)
        ready(_answer(wanted.folder, mode, estate))
        log.info("up: %s hosts in %s", len(estate.stations), mode)
        await _until_end(control, zygote)
    finally:
        control.close()
        await estate.down()
        with contextlib.suppress(OSError):
            (wanted.folder / SOCKET).unlink()
        log.info("down")


def _answer(folder: Path, mode: str, estate: Estate) -> dict[str, Any]:
    found: dict[str, Any] = {"dir": str(folder), "estate": str(folder / "estate.toml"), "mode": mode}
    return {**found, "warnings": estate.warnings} if estate.warnings else found


async def _until_end(control: Control, zygote: Zygote | None) -> None:
    """Wait for the word to end, or for the zygote's death, after which no host can boot."""
    waits = [asyncio.ensure_future(control.stop.wait())]
    if zygote:
        waits.append(asyncio.ensure_future(zygote.gone.wait()))
    _done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    if zygote and zygote.gone.is_set():
        log.error("the zygote ended: everything goes down")
