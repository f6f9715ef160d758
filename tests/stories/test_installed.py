"""The installed command without a run: what it imports, what it says of faults, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.stories.terminal import BOOKS, environment, run

ESTATE = """
format = 1
[estate]
name = "e"
class = "production"
known_hosts = "known_hosts"
[roles.primary]
host = "192.0.2.1"
address = "192.0.2.1"
user = "ops"
vars = { data = "/srv/data" }
[roles.dr]
host = "192.0.2.2"
address = "192.0.2.2"
user = "ops"
vars = { data = "/srv/data" }
[roles.clients]
user = "ops"
hosts = ["web01", "web02"]
[dns]
provider = "manual"
zone = "example.test"
servers = ["192.0.2.53"]
[vars]
fqdn = "svc.example.test"
"""

IMPORTED = """
import json, sys
sys.argv = ["handrail", *sys.argv[1:]]
from handrail.cli.main import main
try:
    main()
except SystemExit as end:
    code = end.code
print("MODULES", json.dumps([code or 0, sorted(sys.modules)]))
"""


def modules(home: Path, *words: str) -> tuple[int, list[str]]:
    """Return the exit code and what was imported."""
    argv = [sys.executable, "-c", IMPORTED, *words]
    done = subprocess.run(argv, capture_output=True, env=environment(home), check=True, text=True)
    code, found = json.loads(done.stdout.rpartition("MODULES ")[2])
    return code, found


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    path = tmp_path / "estate.toml"
    path.write_text(ESTATE)
    (tmp_path / "known_hosts").touch(mode=0o600)
    return path


@pytest.mark.parametrize(
    "words", [["--help"], ["lint", "BOOK"], ["plan", "BOOK", "--estate", "ESTATE"], ["explain", "order"]]
)
def test_what_needs_no_connection_loads_none(tmp_path: Path, estate: Path, words: list[str]) -> None:
    named = [{"BOOK": str(BOOKS / "small.toml"), "ESTATE": str(estate)}.get(w, w) for w in words]
    code, found = modules(tmp_path, *named)
    assert code in (0, 2)
    heavy = {m for m in found if m.partition(".")[0] in ("textual", "asyncssh", "dns", "cryptography")}
    assert not heavy, sorted(heavy)[:5]
    if words == ["--help"]:
        assert "pydantic" not in found


FIVE = """
format = 1
[runbook]
id = "five"
title = "Five faults"
roles = { dr = "one" }
[[stage]]
id = "a"
title = "A"
[[stage.step]]
id = "one"
titel = "misspelt"
on = "dr"
run = ["true"]
undo = "nothing"
[[stage.step]]
id = "two"
title = "Two"
on = "dr"
run = "not a list"
undo = { run = ["true"] }
[[stage.step]]
id = "three"
title = "Three"
on = "nobody"
run = ["true"]
undo = { run = ["true"] }
[[stage.step]]
id = "four"
title = "Four"
on = "dr"
run = ["echo", "{{ unknown }}"]
undo = { run = ["true"] }
[[stage.step]]
id = "five"
title = "Five"
on = "dr"
run = ["true"]
"""


def test_five_faults_are_five_located_problems(tmp_path: Path) -> None:
    path = tmp_path / "five.toml"
    path.write_text(FIVE)
    done = run(tmp_path, "lint", str(path))
    assert done.returncode == 2
    text = (done.stdout + done.stderr).decode()
    located = [line for line in text.splitlines() if line.startswith(f"{path}:")]
    assert len({line.split(":")[1] for line in located}) >= 5, text
    for what in ("titel", "title", "nobody", "unknown", "undo"):
        assert what in text, what
    for words in (["drill", str(path)], ["drill", str(path), "--auto"]):
        again = run(tmp_path, *words)
        assert again.returncode == 2, (again.stdout, again.stderr)
        assert b"Traceback" not in again.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 2),
        (["drill", "no-such-book"], 2),
        (["resume"], 2),
        (["status"], 2),
        (["undo"], 2),
        (["close", "--reason", "x"], 2),
        (["watch"], 2),
        (["note", "x"], 2),
        (["report"], 2),
        (["audit"], 2),
        (["resume", "../../etc"], 2),
        (["status", "\x1b]0;x\x07"], 2),
        (["lint", "\x1b[2J.toml"], 2),
        (["drill", "--route", "nowhere", "BOOK"], 2),
        (["run", "BOOK", "--estate", "/nonexistent"], 2),
        (["check", "BOOK", "--estate", "/dev/null"], 2),
    ],
)
def test_a_fault_is_a_sentence_and_exit_2(tmp_path: Path, words: list[str], code: int) -> None:
    done = run(tmp_path, *[w.replace("BOOK", str(BOOKS / "small.toml")) for w in words])
    said = done.stdout + done.stderr
    assert done.returncode == code, said.decode(errors="replace")
    assert b"Traceback" not in said
    assert b"\x1b" not in said
    assert said.strip()
    assert not list((tmp_path / "handrail" / "estates").glob("*/estate.toml"))  # nothing is left running


@pytest.mark.parametrize("home", ["/proc/nowhere", "/dev/null", "FILE"])
def test_a_home_that_cannot_be_used_is_a_sentence(tmp_path: Path, home: str) -> None:
    (tmp_path / "file").touch()
    place = str(tmp_path / "file") if home == "FILE" else home
    done = run(tmp_path, "status", HANDRAIL_HOME=place)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip()


def test_live_without_a_person_is_refused_with_nothing_sent(tmp_path: Path, estate: Path) -> None:
    done = run(tmp_path, "run", str(BOOKS / "small.toml"), "--estate", str(estate))
    assert done.returncode == 6, done.stderr
    assert b"without a terminal" in done.stderr
    assert not (tmp_path / "handrail" / "runs").exists() or not list((tmp_path / "handrail" / "runs").iterdir())


def test_auto_drills_to_the_end_and_writes_events_as_json(tmp_path: Path) -> None:
    done = run(tmp_path, "drill", str(BOOKS / "small.toml"), "--auto", "--json", "--undo")
    assert done.returncode == 4, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "run_opened"
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert {e["event"] for e in events} >= {"attempt_started", "attempt_ended", "step_undone"}
