"""Which action does which work. The one table of the seven."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from handrail.actions import commands, meter, names, pause, person, questions, sync
from handrail.actions.port import Port
from handrail.actions.work import Work
from handrail.engine.results import Result
from handrail.engine.words import Answer, ResultKind

ACTIONS: Final[Mapping[str, Callable[[Work, Port], Awaitable[None]]]] = {
    "run": commands.perform,
    "script": commands.perform,
    "sync": sync.perform,
    "dns": names.perform,
    "meter": meter.perform,
    "wait": pause.perform,
    "manual": person.perform,
}
PROBED: Final = frozenset({"sync", "dns"})  # actions that can be probed without a probe in the runbook


async def perform(work: Work, port: Port) -> None:
    """Do one attempt, and report every host's answer through the port."""
    await (_asked if work.asks and work.kind in PROBED else ACTIONS[work.kind])(work, port)


async def _asked(work: Work, port: Port) -> None:
    """Tell by what stands how a copy or a switch ended: it is no single job that could be asked, and nothing may be sent."""
    answer, seen = await probe(work, port)
    known = ResultKind.LOST if answer is Answer.DONT_KNOW else ResultKind.EXITED
    code = None if answer is Answer.DONT_KNOW else int(answer is not work.wanted)
    for host in work.hosts:
        port.ended(await commands.verified(work, Result(host, known, sent=True, exit=code, detail=seen), port))


async def probe(work: Work, port: Port) -> tuple[Answer, str]:
    """Ask whether a change is in place: by the runbook's probe, else by the action's own knowledge."""
    if work.probe is not None:
        return await questions.probe(work.probe, port, "probe")
    return await (sync.probe if work.kind == "sync" else names.probe)(work, port)
