"""An estate of an ordinary user, and of one to whom the kernel allows no namespaces."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sim_machines.bed import PROGRAM, TINY, Sim, run
from tests.sim_machines.test_life import pids, wait_gone

UID = 54321  # nobody's on any machine; what runs under it is ours


def run_as(kind: str, *words: str | Path) -> dict[str, Any]:
    """Run one command of the program as somebody else and return its JSON line."""
    script = Path(__file__).with_name("as_user.py")
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    argv = [sys.executable, str(script), kind, str(UID), *PROGRAM, *map(str, words)]
    done = subprocess.run(argv, capture_output=True, env=env, timeout=60, check=False)
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a folder of the ordinary user's, which pytest's own would not let them reach."""
    folder = Path(tempfile.mkdtemp(prefix="handrail-user-"))
    template = folder / "tiny"
    shutil.copytree(TINY.parent, template, symlinks=True)
    for path in [folder, *folder.rglob("*")]:
        if os.getuid() == 0:
            os.chown(path, UID, UID, follow_symlinks=False)
    yield folder
    shutil.rmtree(folder)


def test_an_ordinary_user_has_namespaces_too(place: Path) -> None:
    folder = place / "e"
    answer = run_as("ordinary", "up", "--template", place / "tiny/estate.toml", "--dir", folder, "--home", place / "h",
                    "--mode", "namespaces")  # fmt: skip
    assert answer["ready"], answer
    sim = Sim(folder, place / "h", answer)
    there = pids(sim)
    uid = UID if os.getuid() == 0 else os.getuid()
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in there} == {uid}
    assert sim.sh("alpha", "cat /proc/self/uid_map").split() == ["0", str(uid), "1"]
    assert sim.sh("alpha", "id -un; hostname; cat /etc/estate-facts").split()[:2] == ["root", "alpha"]
    assert sim.sh("web01", "cat </dev/tcp/10.77.1.10/8140") == "alpha hears 10.77.1.21\n"
    key = ["-i", str(folder / "id_ed25519"), "-o", f"UserKnownHostsFile={folder / 'known_hosts'}"]
    address, port = sim.door("alpha", "ssh")
    done = subprocess.run(
        ["ssh", "-F", "none", *key, "-o", "HostKeyAlias=alpha", "-p", str(port), f"root@{address}", "cd /srv && pwd"],
        capture_output=True, check=False,
    ) if shutil.which("ssh") else subprocess.CompletedProcess([], 0, b"/srv\n")  # fmt: skip
    assert done.stdout == b"/srv\n", done.stderr
    assert sim.ctl("power", "alpha", "off")["ok"]
    assert sim.ctl("power", "alpha", "on")["ok"]
    assert sim.ctl("fill", "beta")["full"]
    assert run_as("ordinary", "down", folder)["ok"]
    assert wait_gone(there) == []


def test_an_ordinary_users_doctor_finds_one_id(place: Path) -> None:
    assert run_as("ordinary", "doctor") == {"ok": True, "mode": "namespaces", "ids": "one"}


def test_the_doctor_of_this_user() -> None:
    assert run("doctor")["mode"] == "namespaces"


def test_where_namespaces_are_refused_everything_falls_back(tmp_path: Path) -> None:
    words = ("up", "--template", TINY, "--dir", tmp_path / "e", "--home", tmp_path / "h")
    answer = run_as("confined", *words)
    assert (answer["ready"], answer["mode"]) == (True, "folders")
    assert answer["reason"].startswith("unshare user, mount, network: ENOSPC")
    sim = Sim(tmp_path / "e", tmp_path / "h", answer)
    assert sim.sh("alpha", "hostname") == "alpha\n"
    assert run("down", sim.folder)["was_alive"] is True


def test_namespaces_that_were_asked_for_and_refused_are_a_problem(tmp_path: Path) -> None:
    words = ("up", "--template", TINY, "--dir", tmp_path / "e", "--home", tmp_path / "h", "--mode", "namespaces")
    answer = run_as("confined", *words)
    assert answer["ready"] is False
    assert "unshare user, mount, network: ENOSPC" in answer["problem"]


def test_the_doctor_names_the_stage_that_is_refused() -> None:
    answer = run_as("confined", "doctor")
    assert (answer["mode"], answer["stage"], answer["errno"]) == ("folders", "unshare user, mount, network", "ENOSPC")
