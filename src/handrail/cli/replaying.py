"""The command that plays a run again: replay."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from handrail.cli.start import _desk

if TYPE_CHECKING:
    from handrail.session.desk import Desk
    from handrail.store.run_folder import RunFolder

SPEEDS: Final = {"1": 1.0, "2": 2.0, "4": 4.0, "8": 8.0, "16": 16.0, "32": 32.0, "max": 0.0}


@click.command()
@click.argument("run", default="")
@click.option("--plain", is_flag=True, help="Line by line, without the full screen.")
@click.option("--speed", type=click.Choice(list(SPEEDS)), help="How fast (1; line by line into a file or pipe: max).")
@click.option("--from", "begin", default="", metavar="STEP", help="Begin where this step was begun, such as 2.3.")
def replay(run: str, plain: bool, speed: str | None, begin: str) -> None:
    """Play RUN again (default: the last; or a bundle's file), on the same screen: read only, nothing is sent.

    space pauses, the arrows go by step and by 10 seconds, + and - change the speed, home and end go to both ends. Times in
    which nothing happened are shortened.
    """
    from handrail.session.bundles import opened
    from handrail.store.run_folder import find_run

    desk = _desk()
    if run and Path(run).is_file():
        with opened(Path(run)) as (folder, _):
            sys.exit(_play(desk, folder, plain, speed, begin))
    sys.exit(_play(desk, find_run(desk.store, run), plain, speed, begin))


def _play(desk: Desk, folder: RunFolder, plain: bool, speed: str | None, begin: str) -> int:
    from handrail.cli.front import full_screen
    from handrail.session.replaying import Replaying

    screen = full_screen(plain)
    waits = screen or sys.stdout.isatty()
    fast = SPEEDS[speed or ("1" if waits else "max")]
    if screen:
        from handrail.tui.drive import run_app

        async def make() -> Replaying:
            made = Replaying(folder, speed=fast)
            if begin:
                made.begin_at(begin)
            return made

        return run_app(desk, make)
    from handrail.cli.replayed import replay_plain

    return replay_plain(folder, fast, begin)
