"""Six stories, told to the installed command on a plain terminal: a drill, an undo, a retry, an emergency, a crash, a refusal."""

from __future__ import annotations

import getpass
import resource
import shutil
import signal
from pathlib import Path

import pytest
from tests.stories.terminal import BOOKS, Terminal, run

ADDRESS, OLD = "10.77.2.10", "10.77.1.10"


def drill(home: Path, *words: str) -> Terminal:
    """Return a console that stands before its first stage."""
    console = Terminal(home, "drill", str(BOOKS / "small.toml"), "--plain", "--level", "none", *words)
    console.expect("enter: Start stage 1 Checks")
    return console


def go(console: Terminal, *stages: str) -> None:
    """Press enter for each stage and wait for what is proposed after it."""
    for after in stages:
        console.type("")
        console.expect(after)


def to_the_gate(console: Terminal) -> None:
    go(console, "Start stage 2", "Start stage 3", "Start stage 4", f"Type {ADDRESS} to go on")


def clean(console: Terminal) -> None:
    """No control sequence of anybody's reaches the terminal in plain mode."""
    assert b"\x1b" not in console.heard
    assert b"\x9b" not in console.heard.replace(b"\xe2\x9c", b"")
    assert b"Traceback" not in console.heard


def test_a_clean_drill(tmp_path: Path) -> None:
    with drill(tmp_path) as console:
        console.ctl("exec", "two", "echo here > /srv/only-dr")
        to_the_gate(console)
        console.type(ADDRESS)
        console.expect("done 5.1")
        go(console, "everything is done")
        assert not Path("/srv/mark").exists()  # what a step writes is on its host, and nowhere else
        assert console.sh("two", "cat /srv/mark /srv/data/serial") == "two\n0B\n"
        assert console.sh("one", "cat /srv/mark; ls /srv") == "one\ndata\nmark\n"
        console.type("leave")
        assert console.end() == 0
        console.expect("DONE small")
        clean(console)
        status = run(tmp_path, "status")
        assert b"Z: done. Clients: moved. Its simulated estate is taken down. " in status.stdout
        assert run(tmp_path, "audit").returncode == 0
        assert b"done" in run(tmp_path, "runs").stdout
        assert not console.estates()  # a drill that is done leaves nothing behind


def test_an_undo(tmp_path: Path) -> None:
    with drill(tmp_path) as console:
        to_the_gate(console)
        console.type(ADDRESS)
        console.expect("Start stage 6")
        console.type("undo")
        console.expect(f"this puts {OLD} back. Type it")
        console.type("10.9.9.9")
        console.expect("refused")
        console.type("undo switch")
        console.expect(f"this puts {OLD} back. Type it")
        console.type(OLD)
        console.expect("undone 5.1")
        console.expect("Start stage 5")
        console.type("undo start")
        console.expect("undone 2.1")
        console.expect("enter: ")
        assert console.sh("two", "cat /srv/data/serial; ls /srv") == "0A\ndata\n"
        console.type("leave")
        assert console.end() == 4
        clean(console)


def test_a_failure_and_a_retry(tmp_path: Path) -> None:
    with drill(tmp_path) as console:
        console.sh("two", "touch /srv/bad")
        (estate,) = console.estates()
        book = str(BOOKS / "small.toml")
        for words in (["check", book, "--estate", str(estate / "estate.toml")],):
            refused = run(tmp_path, *words)
            assert refused.returncode == 6, refused.stderr
            assert b"simulated estate" in refused.stderr
        go(console, "Start stage 2", "Start stage 3", "Start stage 4", "What now?")
        console.type("menu")
        console.expect("Retry 4.1")
        console.type("go")
        console.expect("refused: 4.1 Wait for the service failed")
        console.sh("two", "rm /srv/bad")
        console.type("retry")
        console.expect(f"Type {ADDRESS} to go on")
        assert console.sh("two", "cat /srv/ran") == "x\nx\n"
        console.type("leave")
        assert console.end() == 130
        assert b"leave" in console.heard
        console.expect("LEFT small")
        clean(console)
        assert run(tmp_path, "close", "--reason", "enough").returncode == 8
        assert not console.estates()


def test_an_emergency(tmp_path: Path) -> None:
    with drill(tmp_path) as console:
        go(console, "Start stage 2", "Start stage 3")
        console.ctl("power", "one", "off")
        console.type("")
        console.expect("What now?")
        console.type("emergency")
        console.expect("what is lost, and how you know")
        console.type("the room is on fire")
        console.expect("EMERGENCY declared: the room is on fire")
        console.expect("owed: undo 2.1 Leave a mark on primary")
        console.expect("Start stage 4")
        go(console, f"Type {ADDRESS} to go on")
        console.type(ADDRESS)
        console.expect("Start stage 6")
        go(console, "everything is done")
        console.type("undo start")
        console.expect("Type it")
        console.type(OLD)
        console.expect("undo is at its target")
        assert console.sh("two", "ls /srv") == "data\n"
        console.type("leave")
        console.end()
        clean(console)
        assert b"OWED DRILL undo 2.1 Leave a mark on primary" in run(tmp_path, "--plain").stdout


def resumed(home: Path) -> Terminal:
    return Terminal(home, "resume", "--plain")


HOLD = "printf '#!/bin/sh\\ntouch /srv/at; while [ -e /srv/hold ]; do sleep 0.05; done; exec /bin/cp \"$@\"\\n' > /usr/local/bin/cp; chmod +x /usr/local/bin/cp; touch /srv/hold"


def test_a_crash_in_the_copy_and_in_a_long_command(tmp_path: Path) -> None:
    console = drill(tmp_path)
    try:
        go(console, "Start stage 2", "Start stage 3")
        console.sh("two", HOLD)
        console.type("")
        console.expect("now 3.1")
        while console.sh("two", "ls /srv/at 2>/dev/null") == "":
            pass
        console.kill()
        assert console.sh("two", "cat /srv/data/serial") == "0A\n"
        console.sh("two", "rm /srv/hold")
        with resumed(tmp_path) as second:
            second.expect("Start stage 4")
            assert second.sh("two", "cat /srv/data/serial") == "0B\n"
            second.sh("two", "touch /srv/wait")
            second.type("")
            second.expect("now 4.1")
            while second.sh("two", "ls /srv/ran 2>/dev/null") == "":
                pass
            second.kill()
            with resumed(tmp_path) as third:
                third.expect("now 4.1", "resumed", "You are")
                third.sh("two", "rm /srv/wait")
                third.expect("Start stage 5")
                assert third.sh("two", "cat /srv/ran") == "x\n"
                third.type("undo start")
                third.expect("undone 2.1")
                assert third.sh("two", "cat /srv/data/serial; ls /srv") == "0A\nat\ndata\n"
                third.type("leave")
                assert third.end() == 4
                for one in (console, second, third):
                    clean(one)
                assert run(tmp_path, "audit").returncode == 0
    finally:
        console.__exit__()


def test_refusals(tmp_path: Path) -> None:
    with drill(tmp_path) as console:
        console.type("go clients")
        console.expect("refused: ")
        console.expect("waits for")
        console.type("undo")
        console.expect("refused: there is nothing to undo")
        console.type("nonsense \x01")
        console.expect("there is no command")
        console.press(b"\x03")
        console.expect("pause, stop, undo or leave?")
        console.press(b"\xff\xfe status\n")
        console.expect("there is no command")
        console.type("status")
        console.expect("Clients: not moved. Nothing stands changed.")
        to_the_gate(console)
        console.type("yes")
        console.expect(f"refused: 'yes' is not {ADDRESS}: nothing was sent")
        console.type(OLD)
        console.expect(f"is not {ADDRESS}")
        console.type("no")
        console.expect("enter: ")
        second = run(tmp_path, "resume", "--plain")
        assert second.returncode == 6
        assert b"the run is driven by" in second.stderr
        taken_over(console, tmp_path)
        clean(console)


def taken_over(console: Terminal, place: Path) -> None:
    """Bob asks for the run: he is declined, then it is handed over, and he goes on where it stands."""
    with Terminal(place, "resume", "--plain", "--note", "your link is bad", HANDRAIL_OPERATOR="bob") as bob:
        bob.expect("console   alive", "undo      nothing to undo")
        console.expect("ASKED FOR THIS RUN by bob on ")
        console.expect('"your link is bad"')
        console.type("decline two more minutes")
        bob.expect("goes on driving: two more minutes")
        assert bob.end() == 6
        with Terminal(place, "resume", "--plain", HANDRAIL_OPERATOR="bob") as again:
            again.expect("s to answer")
            console.expect("ASKED FOR THIS RUN")
            console.type("handover it stands at the gate")
            assert console.end() == 130
            console.expect("was handed over to bob, at stage 5 of 6")
            console.expect("Look on: handrail watch")
            again.expect("has let go of it")
            again.expect(f"Last note, by {getpass.getuser()}: to bob, who takes over: it stands at the gate")
            again.expect("Start stage 5")
            again.type("leave")
            assert again.end() == 130
            again.expect("Stays changed: 4.1 ")
            again.expect("Its folder: ")


def test_a_long_output_is_cut_and_says_so(tmp_path: Path) -> None:
    books = tmp_path / "books"
    shutil.copytree(BOOKS, books)
    text = (books / "small.toml").read_text()
    (books / "small.toml").write_text(text.replace("hostname > /srv/mark; echo marked", "seq 1 3000"))
    with Terminal(tmp_path / "h", "drill", str(books / "small.toml"), "--plain", "--level", "none") as console:
        console.expect("Start stage 1")
        go(console, "Start stage 2", "Start stage 3")
        console.type("log mark")
        console.expect("bytes)")
        assert b"more lines are not shown" in console.heard or console.heard.count(b": 3000\r\n") == 2
        console.type("leave")
        console.end()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_holds_the_run(tmp_path: Path, sig: signal.Signals) -> None:
    with drill(tmp_path) as console:
        go(console, "Start stage 2", "Start stage 3", "Start stage 4")
        console.sh("two", "touch /srv/wait")
        console.type("")
        console.expect("now 4.1")
        while console.sh("two", "ls /srv/ran 2>/dev/null") == "":
            pass
        console.process.send_signal(sig)
        assert console.end() == 130
        assert console.events("held")
        assert b"HELD" in run(tmp_path, "--plain").stdout
        with resumed(tmp_path) as second:
            second.sh("two", "rm /srv/wait")
            second.expect("Start stage 5")
            assert second.sh("two", "cat /srv/ran") == "x\n"


def test_a_full_disk_under_the_record(tmp_path: Path) -> None:
    """The journal cannot grow any more: the run stops with a sentence, and goes on once there is room."""
    with drill(tmp_path) as console:
        go(console, "Start stage 2")
        size = (console.run_folder() / "journal.jsonl").stat().st_size
        resource.prlimit(console.process.pid, resource.RLIMIT_FSIZE, (size + 600, size + 600))
        console.type("")
        console.expect("STOPPED: ")
        assert console.end() != 0
        clean(console)
        with resumed(tmp_path) as second:
            second.expect("Start stage 2", "Start stage 3", "What now?")
            second.type("leave")
            assert second.end() in (1, 7, 130)
            assert run(tmp_path, "audit").returncode == 0


def test_a_held_run_is_undone_from_the_command_line(tmp_path: Path) -> None:
    with drill(tmp_path) as console:
        to_the_gate(console)
        console.type(ADDRESS)
        console.expect("Start stage 6")
        console.type("leave")
        assert console.end() == 130
        noted = run(tmp_path, "note", "seen from outside")
        assert noted.returncode == 0, noted.stderr
        unsaid = run(tmp_path, "undo")
        assert unsaid.returncode == 6, unsaid.stderr
        assert OLD.encode() in unsaid.stderr
        wrong = run(tmp_path, "undo", "--confirm", "10.9.9.9")
        assert wrong.returncode not in (0, 4), wrong.stdout
        assert console.sh("two", "cat /srv/data/serial") == "0B\n"
        done = run(tmp_path, "undo", "--confirm", OLD)
        assert done.returncode == 4, (done.stdout, done.stderr)
        assert not console.estates()
        assert b"seen from outside" in run(tmp_path, "report").stdout
