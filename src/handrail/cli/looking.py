"""Watching line by line: what changes in a run that somebody else drives."""

from __future__ import annotations

import sys

from handrail.plain import words
from handrail.session.cards import RunCard
from handrail.session.desk import Desk
from handrail.session.exits import exit_of


async def watch_plain(desk: Desk, card: RunCard) -> int:
    """Print what changes until the run is held, closed or over."""
    watching = await desk.watch(card)
    before, seq = None, 0
    try:
        for line in words.opening(watching.snapshot):
            sys.stdout.write(f"{line}\n")
        while True:
            shown = await watching.changed(seq)
            for line in words.changes(before, shown):
                sys.stdout.write(f"{shown.wall:%H:%M:%SZ} {line}\n")
            sys.stdout.flush()
            before, seq = shown.state, shown.seq
            if shown.state.held or shown.state.closed:
                return int(exit_of(shown.state))
    finally:
        await watching.close()
