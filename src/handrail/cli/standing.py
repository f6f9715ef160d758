"""What does not hold in a run that nobody watched, in a few lines: the step, what was seen, what it means, what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from handrail.base.safe import Safe, safe
from handrail.engine.results import Result, verdict
from handrail.engine.state import State, StepState
from handrail.engine.words import StepWord, Verdict
from handrail.session.view import Snapshot, meaning

PASSED: Final = (StepWord.PASSED, StepWord.SKIPPED)


def asked(state: State) -> Iterator[tuple[str, str, StepState]]:
    """Yield id, name and state of every step that the route needs."""
    return ((step.id, step.name, now) for step, now in state.walked() if state.needed(step))


def lines(shown: Snapshot, *, all_of_it: bool = False) -> Iterator[Safe]:
    """Yield a line for each step that does not hold, and one for what it means; or a line for every step."""
    for step, name, now in asked(shown.state):
        if now.word in PASSED:
            if all_of_it:
                yield safe(f"ok   {name}")
        elif now.word is StepWord.PENDING:
            if all_of_it:
                yield safe(f"?    {name}: not asked")
        else:
            yield safe(f"NOT  {name}: {seen(shown, now)}")
            says = means(shown, step, now)
            if says:
                yield safe(f"     {says}")


def seen(shown: Snapshot, now: StepState) -> str:
    """Return what the hosts of a step answered, as far as it does not hold."""
    told = [f"{shown.names.get(r.host, r.host)}: {r.sentence}" for r in _wrong(now)]
    return "; ".join(told) or now.detail or now.word.value


def means(shown: Snapshot, step: str, now: StepState) -> str:
    """Return what the runbook says that this means, and what to do next; nothing when it says nothing."""
    text = shown.texts.get(step)
    return meaning(text.wrong, _wrong(now)) if text else ""


def _wrong(now: StepState) -> list[Result]:
    last = now.attempt
    return [r for r in last.results.values() if verdict(r) is not Verdict.PASSED] if last else []
