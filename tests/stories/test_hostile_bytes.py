"""What a host says may be anything: no byte of it acts on the terminal, and the spool holds all of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.stories.terminal import BOOKS, Terminal

HOSTILE = (
    rb"\033]52;c;ZXZpbA==\007|\033]0;owned\033\\|\033[2J\033[H|\033[?1049l|\033c|\033[6n|\302\233 2J|\233 31m|\220q\234"
    rb"|[/bold][@click=app.quit]x[/]|\377\376|\000|\r\boverwritten|\342\200\256gnp.exe|\357\273\277|\033"
)
BYTES = (
    b"\x1b]52;c;ZXZpbA==\x07|\x1b]0;owned\x1b\\|\x1b[2J\x1b[H|\x1b[?1049l|\x1bc|\x1b[6n|\xc2\x9b 2J|\x9b 31m|\x90q\x9c"
    b"|[/bold][@click=app.quit]x[/]|\xff\xfe|\x00|\r\x08overwritten|\xe2\x80\xaegnp.exe|\xef\xbb\xbf|\x1b"
)
STEP = """
[[stage]]
id = "loud"
title = "Loud %(title)s"

[[stage.step]]
id = "noise"
title = "Noise %(title)s"
on = "dr"
script = '''printf '%(printf)s\\n'; printf '%(printf)s\\n' >&2; head -c %(size)d /dev/zero | tr '\\0' a; echo; exit %(code)d'''
undo = { run = ["true"] }
"""
SIZE = 50_000_000


def allowed(heard: bytes) -> None:
    """Only text, line ends and what the kernel echoes may have come."""
    text = heard.decode("utf-8")  # invalid UTF-8 would stop here
    bad = {c for c in text if (ord(c) < 32 and c not in "\r\n") or 127 <= ord(c) < 160 or c in "\u202e\ufeff"}
    assert not bad, bad


def spooled(console: Terminal, name: str) -> bytes:
    (path,) = (console.run_folder() / "out").glob(f"{name}*.log")
    return path.read_bytes()


def test_nothing_that_a_host_prints_acts_on_the_terminal(tmp_path: Path) -> None:
    books = tmp_path / "books"
    shutil.copytree(BOOKS, books)
    title = "[/bold][@click=app.quit]"
    values = {"title": title, "printf": HOSTILE.decode(), "size": SIZE, "code": 3}
    text = (BOOKS / "small.toml").read_text().partition('[[stage]]\nid = "copy"')[0]
    (books / "small.toml").write_text(text + STEP % values)
    with Terminal(tmp_path / "h", "drill", str(books / "small.toml"), "--plain", "--level", "none") as console:
        console.expect("Start stage 1")
        console.type("")
        console.expect("Start stage 2")
        console.type("")
        console.expect("Start stage 3")
        console.type("")
        console.expect("What now?")
        console.type("leave")
        console.end()
        allowed(console.heard)
        assert b"[@click=app.quit]" in console.heard  # shown as what it is
        assert len(console.heard) < 200_000  # a line of 50 MB is shown cut
        stored = spooled(console, "loud+noise")
        assert stored.count(BYTES + b"\n") == 2
        assert stored.count(b"a") == SIZE + 2 * BYTES.count(b"a")  # what came on stderr may stand in its middle
        for note in console.run_folder().glob("*.txt"):
            assert b"\x1b" not in note.read_bytes()


def test_a_terminal_that_knows_only_ascii_gets_no_traceback(tmp_path: Path) -> None:
    with Terminal(
        tmp_path,
        "drill",
        str(BOOKS / "small.toml"),
        "--plain",
        "--level",
        "none",
        LC_ALL="C",
        PYTHONIOENCODING="ascii:strict",
    ) as console:
        for after in ("Start stage 1", "Start stage 2", "Start stage 3", "Start stage 4"):
            console.expect(after)
            console.type("")
        console.expect("Type 10.77.2.10 to go on")
        assert b"Traceback" not in console.heard
        assert b"Error" not in console.heard
