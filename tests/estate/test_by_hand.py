"""The planned failover as an operator walks it: LIVE, line by line, on real OpenSSH, BIND, sudo; and all the way back."""

from __future__ import annotations

from pathlib import Path

from tests.estate.driving import REASON
from tests.estate.estate import Estate, apart
from tests.stories.terminal import Terminal, run

OLD, NEW = "10.77.1.10", "10.77.2.10"
SLOW = 120.0  # seconds: agents run, caches empty


def test_there_and_back_by_hand(desk: Estate, tmp_path: Path) -> None:
    before = desk.looks()
    words = ("run", "puppet-failover", "--estate", str(desk.file), "--reason", REASON, "--plain")
    with Terminal(tmp_path, *words) as console:
        console.expect("Type the estate's name to start")
        console.type("real")
        typed = _walk(console)
        assert typed == ["", "", NEW, ""]  # checks, hold and copy; the address; verification: nothing else
        served = {name: desk[name].said("puppet agent -t") for name in ("web01", "db01")}
        assert all(f"ip={NEW}" in text for text in served.values()), served
        there = desk.looks()
        assert {text.split()[4] for name, text in there.items() if name.endswith("says")} == {NEW}
        assert there["primary puppetserver"] == "masked\ninactive"
        assert there["primary ca_dir"] != before["dr ca_dir"]  # there was something to copy

        console.type("undo start")
        console.expect(f"this puts {OLD} back. Type it")
        console.type(OLD)
        console.expect("undo is at its target", seconds=SLOW)
        console.type("leave")
        assert console.end() == 4
        assert b"UNDONE puppet-failover" in console.heard
        assert b"\x1b" not in console.heard
    assert apart(before, desk.looks()) == ""
    assert run(tmp_path, "audit").returncode == 0


def _walk(console: Terminal) -> list[str]:
    """Answer what is asked until everything is done; return what was typed."""
    typed: list[str] = []
    while True:
        asked = console.expect(
            "enter: Start stage", f"Type {NEW} to go on", "everything is done", "What now?", seconds=SLOW
        )
        assert asked != "What now?", console.tail()
        if asked == "everything is done":
            return typed
        typed.append(NEW if asked.startswith("Type") else "")
        console.type(typed[-1])
