"""A home that a group shares: members of it, other users of this machine, watch, leave notes and take over; nobody else reads.

Only root can become somebody else. Without root nothing is proven here, and the reason is told; who owns what is then
only tested on made-up answers of stat(2), in tests/store/test_run_folder.py.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.session.as_member import GROUP, ROOT, USERS

pytestmark = pytest.mark.skipif(
    os.getuid() != 0, reason="only root can become another user: the shared home is unproven"
)

RUN = "20261123-0100-aaaaaa"
SCRIPT = str(Path(__file__).with_name("as_member.py"))
MAKE = f"""
from tests.cli_record.records import held, make_run
from handrail.store.home import Home
make_run(Home.locate().make(), {RUN!r}, tale=held)
"""
DRIVE = """
import asyncio, sys
from handrail.engine import messages as m
from handrail.session.resuming import resume_run
from handrail.store.home import Home
from handrail.store.run_folder import find_run

async def main() -> None:
    home = Home.locate()
    session = resume_run(home, find_run(home), "tried", *sys.argv[1:2])
    print("drives", session.core.state.driver, session.core.state.epoch, flush=True)
    snap = session.snapshot
    before = len(snap.state.notes)
    while snap.relief is None and not snap.trouble and len(snap.state.notes) == before:
        snap = await session.changed(snap.seq)
    print("saw", snap.relief.who if snap.relief else "", [n.text for n in snap.state.notes], snap.watchers, flush=True)
    line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    refused = session.submit(m.HandOver(note="all yours") if line.strip() == "hand" else m.Note("still here"))
    print("said", refused.reason if refused else "ok", flush=True)
    await session.close()

asyncio.run(main())
"""
ASK = """
from handrail.base.problems import Trouble
from handrail.session.resuming import resume_run
from handrail.session.takeover import Asking
from handrail.store.home import Home
from handrail.store.run_folder import find_run
home = Home.locate()
try:
    resume_run(home, find_run(home), "mine", "tom")
except Trouble as err:
    print(err.problems[0].message.rpartition("and ")[2])
Asking().ask(find_run(home), "my turn")
"""
PRESENT = """
from handrail.session import mailbox
from handrail.store.home import Home
from handrail.store.run_folder import find_run
mailbox.be_present(find_run(Home.locate()).path, "tom")
assert mailbox.present(find_run(Home.locate()).path) == ("tom",)
"""
SAY = """
import contextlib, io, json, sys
from handrail.cli.main import main
for words in json.loads(sys.argv[1]):
    said, err = io.StringIO(), io.StringIO()
    sys.argv = ["handrail", *words]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    print(json.dumps([code, said.getvalue(), err.getvalue()]))
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a home that the group shares, where an ordinary user can reach it."""
    place = Path(tempfile.mkdtemp(prefix="handrail-group-"))
    place.chmod(0o755)
    shared = place / "home"
    shared.mkdir()
    os.chown(shared, 0, GROUP)
    shared.chmod(0o2770)
    yield shared
    shutil.rmtree(place)


def a_run(home: Path) -> None:
    """Let maria begin a run and leave it; the estate's own files are root's, as an administrator lays them out."""
    code, _, err = done(home, "maria", MAKE)
    assert code == 0, err
    for path in (home / "estate").rglob("*"):
        os.chown(path, 0, 0)


def start(home: Path, who: str, code: str, *words: str) -> subprocess.Popen[str]:
    """Start a program as somebody."""
    env = {"PATH": "/usr/bin:/bin", "HANDRAIL_HOME": str(home), "PYTHONPATH": f"{ROOT}/src:{ROOT}", "LANG": "C.UTF-8"}
    argv = [sys.executable, SCRIPT, who, sys.executable, "-c", code, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=env)


def done(home: Path, who: str, code: str, *words: str) -> tuple[int, str, str]:
    """Run a program as somebody to its end; return exit code, what it said, and what it complained of."""
    process = start(home, who, code, *words)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def answer(process: subprocess.Popen[str], word: str) -> None:
    """Let a console that drives do something, and leave."""
    assert process.stdin
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    assert heard(process) == "said ok"
    process.wait(60)


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise AssertionError(process.communicate()[1])
    return line.strip()


def says(home: Path, who: str, *commands: list[str]) -> list[tuple[int, str, str]]:
    """Run commands of handrail as somebody, in one process; return what each came to."""
    code, out, err = done(home, who, SAY, json.dumps(commands))
    assert code == 0, err
    return [(int(c), str(o), str(e)) for c, o, e in map(json.loads, out.splitlines())]


def test_a_member_sees_notes_asks_and_takes_over_and_nobody_else_reads(home: Path) -> None:
    a_run(home)
    holder, second = start(home, "maria", DRIVE), None
    try:
        assert heard(holder) == "drives maria 2"
        listed, *rest, noted = says(
            home, "tom", ["runs", "--json"], ["status"], ["report"], ["audit"], ["note", "by tom"]
        )
        assert [(r["run"], r["driven"], r["holder"]) for r in json.loads(listed[1])] == [(RUN, True, "maria")]
        assert [code for code, _, _ in rest] == [0, 0, 0], rest
        assert (noted[0], "left for maria" in noted[1]) == (0, True), noted
        assert heard(holder) == "saw  ['by tom'] ()"
        answer(holder, "note")
        second = start(home, "tom", DRIVE)
        assert heard(second) == "drives tom 3"
        assert done(home, "maria", ASK)[1] == "they are asked first\n"
        assert heard(second) == "saw maria ['by tom', 'still here'] ()"
        answer(second, "hand")
        private(home)
        assert "FileNotFoundError" not in done(home, "tom", PRESENT)[2]
        for code, out, err in says(home, "eve", ["runs"], ["status"], ["note", "me too"], ["watch", "--plain"]):
            assert code != 0, (out, err)
            assert RUN not in out
        assert "PermissionError" in done(home, "eve", f"import os; os.listdir({str(home)!r})")[2]
    finally:
        for process in (holder, second):
            if process:
                process.kill()
                process.communicate()


def private(home: Path) -> None:
    """Hold every file and folder against the rule: the group's, its members may write, nobody else may do anything."""
    for path in (home, *home.rglob("*")):
        found = path.lstat()
        if path.is_relative_to(home / "estate"):
            continue  # the estate's own files are not of the record
        assert not found.st_mode & 0o007, f"{path} is open to all: {stat.filemode(found.st_mode)}"
        assert found.st_gid == GROUP, f"{path} belongs to group {found.st_gid}"
        need = 0o070 if stat.S_ISDIR(found.st_mode) else 0o060
        assert found.st_mode & need == need, f"{path} is not the group's: {stat.filemode(found.st_mode)}"


TRUST = """
import sys
from handrail.base.problems import Trouble
from handrail.store.journal import read_journal
from handrail.store.lock import acquire
from handrail.store.anchor import read_anchor
from handrail.store.home import Home
from handrail.store.run_folder import find_run
from handrail.base.clock import SystemClock
folder = find_run(Home.locate())
ways = {
    "journal.jsonl": lambda: read_journal(folder.journal),
    "lock": lambda: acquire(folder.path, "tom", SystemClock()),
    "head": lambda: read_anchor(folder.path),
    "runbook.toml": folder.runbook,
    "inputs.json": folder.inputs,
}
for name, way in ways.items():
    try:
        way()
        print(name, "was trusted")
    except Trouble as err:
        print(name, err.problems[0].code)
"""


def test_a_file_of_somebody_outside_the_group_is_refused(home: Path) -> None:
    a_run(home)
    names = ("journal.jsonl", "lock", "head", "runbook.toml", "inputs.json")
    for name in names:
        path = home / "runs" / RUN / name
        path.touch()
        os.chown(path, USERS["eve"], GROUP)
        path.chmod(0o660)
    assert done(home, "tom", TRUST)[1].splitlines() == [f"{name} untrusted-file" for name in names]


def test_drills_and_simulated_keys_of_one_member_are_in_no_other_members_way(home: Path) -> None:
    both = """
from pathlib import Path
from handrail.store.drills import Drill, add_drill, drills_of
from handrail.store.home import Home
from handrail_sim.keys import remember
home = Home.locate().make()
add_drill(home, Drill("d" * 64, "failover", "2026-11-23T03:10:00.000Z", "x", "done"))
remember(home.path, ["AAAA"])
print(len(drills_of(home)), len((home.path / "sim-host-keys").read_text().split()))
"""
    assert done(home, "maria", both)[1] == "1 1\n"
    code, out, err = done(home, "tom", both)
    assert (code, out) == (0, "2 2\n"), err
    private(home)
