"""Start: how long until there is an answer, and until there is a screen; beside Python itself and an empty Textual application."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measured import Part, Row, middle
from benchmarks.place import HANDRAIL, PEERS, PYTHON, Place
from benchmarks.rounds import interleaved
from benchmarks.runbooks import estate, long_runbook
from benchmarks.spawned import must
from benchmarks.terminal import OnTerminal
from handrail.session.opening import Opening, open_run
from handrail.session.view import Mode
from handrail.store.home import Home

NOBODY = ("127.0.0.1", 9)  # discard: nothing listens there, and nothing is sent either


def measure(place: Place) -> Part:
    """Return what starting takes."""
    book = place.file("long.toml", long_runbook(40))
    where = place.file("estate.toml", estate(place.file("known_hosts", ""), {"one": NOBODY}))
    answers = _answers(place, book, where)
    screens = _screens(place, book, where)
    many = place.size(1000, 50)
    keys = _keys(place, place.file("thousand.toml", long_runbook(many)), where, many)
    python, empty = middle(answers["python"]), middle(screens["empty"])
    return Part(
        "Start",
        "Programs are started and timed to their end; screens run on a real pseudo terminal of 80x24, timed from the "
        "start of the process to the first byte of a word on it. A first paint is a frame that says what is being done: it is "
        "written before the screen is imported, and takes no key yet. `complete` is when runbooks and runs are listed, and when the "
        "run's record has been verified and its steps stand there.",
        (
            Row("`--help`", middle(answers["help"]), "s", "`python -c pass`", python, 8, "at most 8x"),
            Row("`lint`, 40 steps", middle(answers["lint"]), "s", "`python -c pass`", python, 25, "at most 25x"),
            Row("`plan`, 40 steps", middle(answers["plan"]), "s", "`python -c pass`", python),
            Row("first paint, home", middle(screens["frame"]), "s", "empty Textual app", empty, 1.5, "at most 1.5x"),
            Row("home complete, every runbook read", middle(screens["home"]), "s", "empty Textual app", empty),
            Row("first paint, run", middle(screens["begun"]), "s", "empty Textual app", empty, 2, "at most 2x"),
            Row("run complete, its record verified", middle(screens["run"]), "s", "empty Textual app", empty),
            Row(f"{many:,} steps: run complete", middle(keys[0]), "s"),
            Row(f"{many:,} steps: a key to what it changes", middle(keys[1]), "s"),
        ),
    )


def _answers(place: Place, book: Path, where: Path) -> dict[str, list[float]]:
    def program(*words: str) -> Callable[[], float]:
        return lambda: must(words, env=place.env(), cwd=place.folder).wall

    contenders = {
        "python": program(PYTHON, "-c", "pass"),
        "help": program(HANDRAIL, "--help"),
        "lint": program(HANDRAIL, "lint", str(book)),
        "plan": program(HANDRAIL, "plan", str(book), "--estate", str(where)),
    }
    return interleaved(contenders, place.rounds(11))


def _screens(place: Place, book: Path, where: Path) -> dict[str, list[float]]:
    run = asyncio.run(held_run(place, book, where))
    contenders = {
        "empty": lambda: painted(place, [PYTHON, str(PEERS / "textual" / "empty.py")], b"ready"),
        "frame": lambda: painted(place, [HANDRAIL], b"Reading runbooks"),
        "home": lambda: painted(place, [HANDRAIL], b"Briefing"),
        "begun": lambda: painted(place, [HANDRAIL, "resume", run], b"Getting ready"),
        "run": lambda: painted(place, [HANDRAIL, "resume", run], b"Standing"),
    }
    return interleaved(contenders, place.rounds(7))


def painted(place: Place, argv: list[str], word: bytes) -> float:
    """Return the seconds from the start of a program to a word on its screen."""
    with OnTerminal(argv, place.env()) as one:
        return one.until(word) - one.begun


async def held_run(place: Place, book: Path, where: Path) -> str:
    """Return the id of a run that was begun and left at once."""
    session = open_run(Home(place.folder / "home"), Opening(book, where, Mode.LIVE))
    await session.close()
    return session.snapshot.info.run


def _keys(place: Place, book: Path, where: Path, steps: int) -> tuple[list[float], list[float]]:
    """Return, for a long runbook: the first paint, and how long a key takes to what it changes on the screen."""
    run, first, after = asyncio.run(held_run(place, book, where)), [], []
    for _ in range(place.rounds(3)):
        with OnTerminal([HANDRAIL, "resume", run], place.env()) as one:
            first.append(one.until(b"Standing") - one.begun)
            while one.read(0.5):
                pass
            for _ in range(place.size(12, 2)):
                begun = time.perf_counter()
                one.press(b"\x1b[B")
                while not one.read(2.0):
                    pass
                after.append(time.perf_counter() - begun)
                while one.read(0.2):
                    pass
    return first, after
