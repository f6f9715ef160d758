"""Watching line by line: what changes in a run that somebody else drives."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Final

from handrail.plain import words
from handrail.session.cards import RunCard
from handrail.session.desk import Desk
from handrail.session.exits import exit_of
from handrail.session.parting import parting
from handrail.store.lock import holder_of

LOOK: Final = 1.0  # seconds after which it is asked again whether anybody still drives


async def watch_plain(desk: Desk, card: RunCard) -> int:
    """Print what changes until the run is held, closed, or nobody drives it any more."""
    watching = await desk.watch(card)
    before, seq, damage = None, 0, watching.snapshot.damage
    try:
        for line in words.opening(watching.snapshot):
            sys.stdout.write(f"{line}\n")
        while True:
            driven = holder_of(card.folder) is not None  # asked first: what it wrote before it went is shown below
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await watching.changed(seq)
            shown = watching.snapshot
            for line in words.changes(before, shown):
                sys.stdout.write(f"{shown.wall:%H:%M:%SZ} {line}\n")
            if shown.damage != damage:
                sys.stdout.writelines(f"{line}\n" for line in words.damage(shown))
                damage = shown.damage
            sys.stdout.flush()
            before, seq = shown.state, shown.seq
            if shown.state.held or shown.state.closed or not driven:
                sys.stdout.writelines(f"{line}\n" for line in parting(shown, watched=True))
                return int(exit_of(shown.state))
    finally:
        await watching.close()
