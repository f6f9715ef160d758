"""The command that plays a run again: replay."""

from __future__ import annotations

import sys
from typing import Final

import click

from handrail.cli.start import _desk

SPEEDS: Final = {"1": 1.0, "2": 2.0, "4": 4.0, "8": 8.0, "16": 16.0, "32": 32.0, "max": 0.0}


@click.command()
@click.argument("run", default="")
@click.option("--plain", is_flag=True, help="Line by line, without the full screen.")
@click.option("--speed", type=click.Choice(list(SPEEDS)), help="How fast (1; line by line into a file or pipe: max).")
@click.option("--from", "begin", default="", metavar="STEP", help="Begin where this step was begun, such as 2.3.")
def replay(run: str, plain: bool, speed: str | None, begin: str) -> None:
    """Play RUN again (default: the last), on the same screen: read only, nothing is sent.

    space pauses, the arrows go by step and by 10 seconds, + and - change the speed, home and end go to both ends. Times in
    which nothing happened are shortened.
    """
    from handrail.cli.front import full_screen
    from handrail.session.replaying import Replaying
    from handrail.store.run_folder import find_run

    desk = _desk()
    folder = find_run(desk.store, run)
    screen = full_screen(plain)
    waits = screen or sys.stdout.isatty()
    fast = SPEEDS[speed or ("1" if waits else "max")]
    if screen:
        from handrail.tui.app import run_app

        async def make() -> Replaying:
            made = Replaying(folder, speed=fast)
            if begin:
                made.begin_at(begin)
            return made

        sys.exit(run_app(desk, make))
    from handrail.cli.replayed import replay_plain

    sys.exit(replay_plain(folder, fast, begin))
