"""A long output: through job, redactor, spool and journal onto the screen, with keys pressed meanwhile; then looked through."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

from benchmarks.daemons import Sshd, program, sshd
from benchmarks.measured import Part, Row, middle, percentile
from benchmarks.place import HERE, PYTHON, Place
from benchmarks.rounds import interleaved, timed
from benchmarks.runbooks import HEAD, estate
from benchmarks.spawned import held, must
from benchmarks.terminal import OnTerminal
from handrail.base.clock import SystemClock
from handrail.store.spool import Spool
from handrail.store.spool_reader import SpoolReader
from handrail.tui.output import OutputView

HOW = (
    "A step prints a file of lines at a real sshd, on the full screen, on a real pseudo terminal of 80x24; a key is pressed every "
    "20 ms meanwhile. A key is handled when the page has done what it says and has painted. Beside it `ssh host cat` into a file, "
    "with the same cipher. Memory and finding are measured on the spool itself, with the view that the screen has, which has counted "
    "the lines when something is to be found."
)
STEP = """
[[stage]]
id = "s"
title = "Stream"
reads = true
[[stage.step]]
id = "stream"
title = "Much output"
on = "one"
timeout = "5m"
run = ["cat", "{file}"]
"""
LINE = (
    b"2026-11-23T05:12:41Z node%08d puppet-agent[4123]: (/Stage[main]/Profile::Base/File[/etc/motd]/ensure) created\n"
)
NEEDLE = b"this stands only once"


def measure(place: Place) -> Part:
    """Return what a long output takes."""
    big = place.folder / "big.log"
    lines(big, place.size(200 << 20, 1 << 20))
    rows: list[Row] = []
    missing: tuple[str, ...] = ("OpenSSH is not installed",)
    if program("sshd") is not None:
        missing = ()
        with sshd(place) as one:
            rows += _streamed(place, one, big)
    rows += _kept(place)
    rows += _found(place)
    return Part("Long output", HOW, tuple(rows), missing=missing)


def lines(path: Path, size: int, *, last: bytes = b"") -> None:
    """Write a log of about this size."""
    number, block = 0, 10_000
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(b"".join(LINE % n for n in range(number, number + block)))
            number += block
        file.write(last)


def _streamed(place: Place, one: Sshd, big: Path) -> list[Row]:
    book = place.file("stream.toml", HEAD.format() + STEP.format(file=big))
    where = place.file(
        "estate.toml", estate(one.known_hosts, {"one": ("127.0.0.1", one.port)}, identity=one.key, user=one.user)
    )
    keys: list[float] = []
    frames: list[float] = []
    there = place.folder / "copy.log"
    words = ["sh", "-c", f"ssh -F {one.config(place)} -o ControlPath=none 127.0.0.1 cat {big} > {there}"]
    turn = iter(range(100))

    def ours() -> float:
        seconds, pressed, painted = _on_screen(place, book, where, next(turn))
        keys.extend(pressed)
        frames.extend(painted)
        return seconds

    taken = interleaved({"ssh": lambda: must(words).wall, "handrail": ours}, place.rounds(3), warm=0)
    size = big.stat().st_size / 1e6
    ssh, streamed = middle(taken["ssh"]), middle(taken["handrail"])
    shown = [k * 1000 for k in keys]
    return [
        Row(f"{size:.0f} MB onto the screen", streamed, "s", "`ssh cat` into a file", ssh, 2, "at most 2x"),
        Row("keys meanwhile, p50", percentile(shown, 50), "ms", most=10, target="at most 10 ms"),
        Row("keys meanwhile, p95", percentile(shown, 95), "ms", most=50, target="at most 50 ms"),
        Row("keys meanwhile, p99", percentile(shown, 99), "ms", most=100, target="at most 100 ms"),
        Row("the longest frame", max(frames) * 1000, "ms", most=150, target="never over 150 ms"),
    ]


def _on_screen(place: Place, book: Path, where: Path, turn: int) -> tuple[float, list[float], list[float]]:
    """Walk the run on a terminal; return the step's seconds, and each key's and each frame's."""
    times = place.folder / f"keys-{turn}"
    home = place.folder / f"home-{turn}"
    env = {**os.environ, "HANDRAIL_HOME": str(home), "PYTHONPATH": str(HERE.parent)}
    argv = [PYTHON, "-m", "benchmarks.programs.screen_run", "--key-times", str(times), str(book), str(where)]
    pressed: list[float] = []
    with OnTerminal(argv, env) as one:
        over = threading.Event()

        def press() -> None:
            while not over.wait(0.02):
                pressed.append(time.perf_counter())
                one.press(b"\x1b[B" if len(pressed) % 2 else b"\x1b[A")

        one.until(b"Much output")
        thread = threading.Thread(target=press, daemon=True)
        thread.start()
        while one.alive():
            one.read(0.2)
            if home.exists() and _ended(home):
                over.set()
        over.set()
        thread.join()
    noted = [line.split() for line in times.read_text().splitlines()]
    handled = [float(word) for kind, word in noted if kind == "key"]
    begun, ended = _spoken(home)
    nexts = [bisect_left(handled, at) for at in pressed]  # a key that were lost would be counted until the next one
    waits = [handled[n] - at for at, n in zip(pressed, nexts, strict=True) if begun <= at <= ended and n < len(handled)]
    frames = [float(word) for kind, word in noted if kind == "frame"]
    return ended - begun, waits or [0.0], frames


def _journal(home: Path) -> list[dict[str, object]]:
    found = next(iter(home.glob("runs/*/journal.jsonl")), None)
    return [json.loads(line) for line in found.read_bytes().splitlines()] if found else []


def _ended(home: Path) -> bool:
    """Tell whether the step has ended."""
    journal = next(iter(home.glob("runs/*/journal.jsonl")), None)
    lines = journal.read_bytes().splitlines() if journal else []
    return any(b'"event":"attempt_ended"' in line and b'"step":"s/stream"' in line for line in lines)


def _spoken(home: Path) -> tuple[float, float]:
    """Return when the step's attempt began and ended, on this process's performance counter."""
    began = ended = 0.0
    for record in _journal(home):
        body = record["body"]
        assert isinstance(body, dict)
        if body.get("step") == "s/stream" and record["event"] in ("attempt_started", "attempt_ended"):
            at = float(str(record["mono"]))
            began, ended = (at, ended) if record["event"] == "attempt_started" else (began, at)
    shift = time.perf_counter() - time.monotonic()
    return began + shift, ended + shift


def _spooled(folder: Path, name: str, size: int, last: bytes = b"", line: bytes = b"") -> Path:
    """Write a spool as a run does; return its log."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    clock = SystemClock()
    spool = Spool.open(folder, name, clock)
    number, written = 0, 0
    while written < size:
        made = b"".join((line or LINE) % n for n in range(number, number + 500))
        spool.write("out", made, clock.mono())
        number, written = number + 500, written + len(made)
    if last:
        spool.write("out", last, clock.mono())
    spool.close()
    return folder / name


def _kept(place: Place) -> list[Row]:
    """Return how much more memory a view takes that follows ten million lines to the end, and goes back to the first."""
    many = place.size(10_000_000, 10_000)
    log = _spooled(place.folder / "kept", "ten.log", many * 28, line=b"line %08d of ten million.\n\n")
    view = OutputView()
    before = held(os.getpid())
    view.turn_to(SpoolReader(log))
    while view.pull():
        view.rows(80, 20)
    view.to_first()
    view.rows(80, 20)
    more = max(0.0, held(os.getpid()) - before) / 1024
    count = view.count
    assert view.reader is not None
    view.reader.close()
    return [Row(f"memory for {count:,} lines", more, "MiB", most=30, target="at most 30 MiB more")]


def _found(place: Place) -> list[Row]:
    """Return how long finding takes what stands in the last line of a gigabyte."""
    log = _spooled(place.folder / "found", "giga.log", place.size((1 << 30) - (1 << 20), 1 << 20), NEEDLE + b"\n")

    view = OutputView()  # the page's: it follows the output, and has counted its lines
    view.turn_to(SpoolReader(log))
    while view.pull():
        pass

    def find() -> None:
        reader = SpoolReader(
            log
        )  # as the log page does it: a reader of its own, in a thread, which knows what the page's has seen
        assert view.reader is not None
        reader.learn(view.reader)
        reader.refresh()
        hit = reader.find(NEEDLE, 0, 1, ignore_case=True)
        reader.close()
        assert hit is not None

    def grep() -> Callable[[], object]:
        argv = ["grep", "-m1", NEEDLE.decode(), str(log)]
        return lambda: subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"})

    taken = interleaved({"grep": timed(grep()), "find": timed(find)}, place.rounds(5))
    view.close()
    size = log.stat().st_size / 2**30
    theirs, ours = middle(taken["grep"]), middle(taken["find"])
    rest = max(ours - 0.1, 1e-6)
    return [
        Row(f"find in {size:.2f} GiB, less 100 ms", rest, "s", "`grep -m1`", theirs, 0.5, "at most 0.5x", "last line"),
    ]
