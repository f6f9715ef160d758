"""manual: ask a person to do something, or to look; the answer is kept with its evidence."""

from __future__ import annotations

from typing import Final

from handrail.actions.commands import verified
from handrail.actions.port import Port
from handrail.actions.work import Work
from handrail.engine.results import Question, Result
from handrail.engine.words import ResultKind

PLACE: Final = "person"
PASS, FAIL, CANNOT = "pass", "fail", "cannot"


async def perform(work: Work, port: Port) -> None:
    """Ask, and take the first word of the answer as the verdict: pass, fail or cannot; the rest is evidence."""
    for host, step in work.hosts.items():
        manual = step.manual
        assert manual is not None
        names = (f"{PASS}: {manual.pass_}", f"{FAIL}: {manual.fail}", f"{CANNOT}: {manual.cannot}", manual.evidence)
        reply = await port.ask(Question(manual.ask, "", names))
        port.ended(await verified(work, _result(host, reply), port))


def _result(host: str, reply: str) -> Result:
    word, _, evidence = reply.strip().partition(" ")
    words = evidence.strip()
    if word == PASS:
        return Result(host, ResultKind.EXITED, sent=True, exit=0, detail=words)
    if word == CANNOT:
        return Result(host, ResultKind.NOT_POSSIBLE, sent=False, detail=words or "not possible now")
    if word == FAIL:
        return Result(host, ResultKind.EXITED, sent=True, exit=1, detail=words or "it did not work")
    return Result(host, ResultKind.REFUSED, sent=False, detail=f"the answer was {reply!r}, not pass, fail or cannot")
