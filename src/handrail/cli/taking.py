"""Taking a run over line by line: its holder is asked first, and waited for; then name and reason are enough.

It may not take anything by itself: what it is not told on the command line or at the prompt, it leaves to the holder.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import click

from handrail.base.problems import trouble
from handrail.base.safe import Safe, safe
from handrail.session.standing import Reply, Stage, Standing, facts

if TYPE_CHECKING:
    from handrail.session.api import SessionApi
    from handrail.session.cards import RunCard
    from handrail.session.desk import Desk

LOOK: Final = 0.2  # seconds between two looks for an answer
SAID: Final = 5  # seconds between two lines of the countdown


async def take_up(
    desk: Desk, card: RunCard, note: str, reason: str, typed: str, secrets: Mapping[str, str]
) -> SessionApi:
    """Drive a run that somebody drives: ask, wait, then take it; raise `Trouble` when it is not to be had."""
    standing = desk.stand(card)
    for line in lines(standing):
        click.echo(line, err=True)
    if not standing.gone:
        desk.ask(card, note)
    try:
        return await _answered(desk, card, standing, reason, typed, secrets)
    finally:
        desk.withdraw(card)


async def _answered(
    desk: Desk, card: RunCard, standing: Standing, reason: str, typed: str, secrets: Mapping[str, str]
) -> SessionApi:
    reply = await _wait(desk, card, standing.holder)
    if reply.stage is Stage.FREE:
        click.echo(safe(f"{standing.holder} has let go of it"), err=True)
        return await desk.resume(card, reason, secrets=secrets)
    if reply.stage is Stage.DECLINED:
        hint = f"look on: handrail watch {card.run}"
        raise trouble("declined", f"{safe(standing.holder)} goes on driving: {reply.words}", hint)
    if not reply.may_take:
        raise trouble("not-asked", safe(reply.words or "the question does not stand any more"), "ask again")
    if not (typed and reason):
        reason, typed = _asked_here(card, standing, reason, typed)
    return await desk.resume(card, reason, typed, secrets)


async def _wait(desk: Desk, card: RunCard, holder: str) -> Reply:
    """Wait for an answer, and count down what is left."""
    said = ""
    while True:
        reply = desk.reply(card)
        if reply.may_take or reply.stage not in (Stage.WAITING, Stage.HANDING):
            return reply
        words = f"{holder} hands over once the running step has ended" if reply.stage is Stage.HANDING else ""
        step = -(-reply.left // SAID) * SAID
        words = words or f"{holder} is asked; {step:.0f} s to answer (ctrl+c takes the question back)"
        if words != said:
            said = words
            click.echo(safe(words), err=True)
        await asyncio.sleep(LOOK)


def _asked_here(card: RunCard, standing: Standing, reason: str, typed: str) -> tuple[str, str]:
    """Ask for reason and name at the terminal; without one, say how they are given."""
    holder = standing.holder
    if not sys.stdin.isatty():
        hint = f"handrail resume {card.run} --take-over-from {safe(holder)} --reason WHY"
        raise trouble("no-answer", f"{safe(holder)} does not answer", hint)
    click.echo(safe(f"{holder} does not answer. Their console can send nothing more once you take over."), err=True)
    reason = reason or click.prompt("Reason", err=True)
    return reason, typed or click.prompt(safe(f"Then type the name of who drives it ({holder})"), err=True)


def lines(standing: Standing) -> Iterator[Safe]:
    """Yield what one who takes over has to know, one fact a line."""
    snap = standing.snap
    emergency = " EMERGENCY" if snap.state.emergency else ""
    yield safe(f"{snap.info.mode.value}{emergency} {snap.info.estate} {snap.info.runbook}, run {snap.info.run}")
    yield safe(f"  driven    by {standing.holder} on {standing.host}")
    for label, words in facts(standing):
        yield safe(f"  {label:9} {words}")
