"""The program on the screen, from its first page to the shell's prompt: drives the application and says what is left to say.

It may not know what is shown: that is the application's.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from handrail.session.exits import Exit
from handrail.tui.app import DeskOrMaker, First, HandrailApp
from handrail.tui.keys import Keys
from handrail.tui.look import Look, wants_ascii
from handrail.tui.page import Page
from handrail.tui.terminal import last_words


def _place(fault: BaseException) -> str:
    """Return what failed, and where in the code: never a value, for it may be a secret."""
    frames = traceback.extract_tb(fault.__traceback__)[-3:]
    return type(fault).__name__ + "".join(f", {Path(f.filename).name}:{f.lineno} {f.name}" for f in frames)


async def drive(
    desk: DeskOrMaker,
    first: First = None,
    *,
    mode_hint: str = "",
    page: Callable[[], Page[None]] | None = None,
    beside: Callable[[HandrailApp], Coroutine[Any, Any, None]] | None = None,
    theme: str = "",
    ascii: bool | None = None,  # noqa: A002  the word of the command line
    keys: Mapping[str, str] | None = None,
) -> int:
    """Show the program until it is left, in the running loop; return the exit code (see `handrail.session.exits`).

    `beside` goes on beside the first run that is opened. Raise `Trouble` when `first` is a function that raised it: the
    terminal is right again by then.
    """
    look = Look(ascii=wants_ascii() if ascii is None else ascii)
    bound = Keys().remapped(keys) if keys else Keys()
    app = HandrailApp(desk, first, look=look, keys=bound, theme=theme, mode_hint=mode_hint, page=page, beside=beside)
    try:
        code = await app.run_async()
    finally:
        await app.close_session()
    if app.trouble is not None:
        raise app.trouble
    last_words(line for lines in app.said_at_parting.values() for line in lines)
    if app.fault is not None:
        sys.stderr.write(f"handrail: the screen failed ({_place(app.fault)}); the run is held: handrail resume\n")
        return 1
    return code if code is not None else Exit.LEFT


def run_app(
    desk: DeskOrMaker,
    first: First = None,
    *,
    mode_hint: str = "",
    page: Callable[[], Page[None]] | None = None,
    theme: str = "",
    ascii: bool | None = None,  # noqa: A002  the word of the command line
    keys: Mapping[str, str] | None = None,
) -> int:
    """Show the program until it is left; `first` may be an async function that opens the first session or briefing."""
    return asyncio.run(drive(desk, first, mode_hint=mode_hint, page=page, theme=theme, ascii=ascii, keys=keys))
