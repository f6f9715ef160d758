"""The life of an estate: it survives its console, can be listed, ends without a trace, also when it is killed."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.sim_machines.bed import PROGRAM, TINY, Sim, environment, finish, run, start

from handrail_sim import registry
from handrail_sim.leftovers import marked, start_time


def pids(sim: Sim) -> list[int]:
    """Return the estate's own process, the zygote and the pid 1 of every host, as the machine numbers them."""
    status = sim.ctl("status")
    return [status["pid"], *(p for p in (status["zygote"], *(h["pid"] for h in status["hosts"])) if p)]


def wait_gone(processes: list[int], within: float = 20) -> list[int]:
    """Wait for the ends of processes; return those still there after so many seconds."""
    open_ = {}
    for pid in processes:
        try:
            open_[os.pidfd_open(pid)] = pid
        except ProcessLookupError:
            continue
    end = time.monotonic() + within
    while open_ and time.monotonic() < end:
        for fd in select.select(list(open_), [], [], end - time.monotonic())[0]:
            os.close(fd)
            del open_[fd]
    return list(open_.values())


def test_down_leaves_no_process_and_no_key() -> None:
    sim = start("namespaces")
    there = pids(sim)
    assert len(there) == 7
    sim.sh("alpha", "(trap '' TERM HUP; setsid sleep 1000 >/dev/null 2>&1 &)")
    answer = run("down", sim.folder)
    assert answer["was_alive"] is True
    assert wait_gone(there) == []
    assert sorted(p.name for p in sim.folder.iterdir()) == ["estate.log", "estate.toml", "known_hosts"]
    again = run("up", "--template", TINY, "--dir", sim.folder, "--home", sim.home, "--mode", "namespaces")
    assert again["ready"], again
    finish(sim)


@pytest.mark.parametrize("mode", ["namespaces", "folders"])
def test_a_killed_estate_leaves_nothing_running_after_ls(mode: str) -> None:
    sim = start(mode)
    there = pids(sim)
    sim.sh("beta", "(setsid setsid sleep 1000 >/dev/null 2>&1 &)")
    os.kill(there[0], signal.SIGKILL)
    assert wait_gone(there) == []
    listed = subprocess.run([*PROGRAM, "ls", "--root", str(sim.folder.parent)], capture_output=True, check=True)
    (line,) = [json.loads(x) for x in listed.stdout.splitlines()]
    assert (line["alive"], line["name"], line["mode"]) == (False, "tiny", mode)
    assert (line["ended"] > 0) == (mode == "folders")
    assert marked(sim.folder / "hosts") == []
    answer = run("down", sim.folder)
    assert (answer["was_alive"], answer["ended"]) == (False, 0)
    finish(sim)


def test_a_living_estate_is_listed_and_left_alone(sim: Sim) -> None:
    listed = subprocess.run([*PROGRAM, "ls", "--root", str(sim.folder.parent)], capture_output=True, check=True)
    (line,) = [json.loads(x) for x in listed.stdout.splitlines()]
    assert (line["dir"], line["alive"], line["mode"]) == (str(sim.folder), True, sim.answer["mode"])
    assert line["pid"] == int((sim.folder / "pid").read_text()) == sim.ctl("status")["pid"]
    assert sim.sh("alpha", "echo there") == "there\n"


def test_an_estate_survives_the_console_that_started_it(sim: Sim) -> None:
    pid = sim.ctl("status")["pid"]
    assert os.getsid(pid) == pid != os.getsid(0)
    parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    assert int(parent) != os.getpid()


def test_a_folder_holds_one_estate_only(sim: Sim) -> None:
    answer = run("up", "--template", TINY, "--dir", sim.folder, "--home", sim.home)
    assert answer["ready"] is False
    assert "already runs" in answer["problem"]
    assert sim.sh("alpha", "echo there") == "there\n"


def test_the_end_of_the_zygote_is_the_end_of_the_estate() -> None:
    sim = start("namespaces")
    there = pids(sim)
    os.kill(there[1], signal.SIGKILL)
    assert wait_gone(there) == []
    assert not registry.lives(sim.folder)
    assert "the zygote ended" in (sim.folder / "estate.log").read_text()
    finish(sim)


def test_an_estate_that_hangs_is_taken_down_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = start("namespaces")
    there = pids(sim)
    os.kill(there[0], signal.SIGSTOP)
    monkeypatch.setattr(registry, "_END_WITHIN", 0.2)
    assert registry.take_down(sim.folder)["was_alive"] is True
    assert wait_gone(there) == []
    finish(sim)


def test_sigterm_ends_it_tidily() -> None:
    sim = start("folders")
    pid = sim.ctl("status")["pid"]
    os.kill(pid, signal.SIGTERM)
    assert wait_gone([pid]) == []
    assert marked(sim.folder / "hosts") == []
    assert not (sim.folder / "hosts").exists()
    finish(sim)


def test_what_cannot_come_up_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    template = tmp_path / "estate.toml"
    text = TINY.read_text().replace('prepare = "prepare.py"', 'prepare = "broken.py"')
    template.write_text(text)
    (tmp_path / "broken.py").write_text("raise SystemExit('no CA today')")
    (tmp_path / "files").symlink_to(TINY.parent / "files")
    answer = run("up", "--template", template, "--dir", tmp_path / "e", "--home", tmp_path / "home")
    assert answer["ready"] is False
    assert "broken.py ended with 1: no CA today" in answer["problem"]
    assert not registry.lives(tmp_path / "e")
    assert not (tmp_path / "e" / "id_ed25519").exists()


def test_a_service_that_is_never_ready_is_a_warning(tmp_path: Path) -> None:
    template = tmp_path / "estate.toml"
    template.write_text(
        'format = 1\n[estate]\nname = "slow"\n[sim]\nready_within = "300ms"\n[roles.one]\naddress = "10.77.1.1"\nname = "slow"\n'
        '[roles.one.sim]\nready = ["tcp:9"]\n'
    )
    answer = run(
        "up", "--template", template, "--dir", tmp_path / "e", "--home", tmp_path / "home", "--mode", "folders"
    )
    assert answer["warnings"] == ["slow: tcp:9 does not accept after 0.3 s"]
    run("down", tmp_path / "e")


def test_a_long_path_still_has_a_control_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    up = run("up", "--template", TINY, "--dir", folder, "--home", tmp_path / "home", "--mode", "folders")
    assert up["ready"]
    assert run("ctl", folder, "hosts")["ok"]
    run("down", folder)


def test_asking_where_nobody_is(tmp_path: Path) -> None:
    assert "does not answer" in run("ctl", tmp_path, "hosts")["problem"]
    assert "no folder" in run("down", tmp_path / "none")["problem"]


def test_home_is_found_in_the_environment(tmp_path: Path) -> None:
    env = environment(HANDRAIL_HOME=tmp_path / "home")
    up = run("up", "--template", TINY, "--dir", tmp_path / "home/estates/e", "--mode", "folders", env=env)
    assert up["ready"]
    assert (tmp_path / "home/sim-host-keys").read_text().count("\n") == 5
    listed = subprocess.run([*PROGRAM, "ls"], capture_output=True, check=True, env=env)
    assert json.loads(listed.stdout)["alive"] is True
    run("down", tmp_path / "home/estates/e")


def test_the_small_commands_load_nothing_heavy() -> None:
    code = (
        "import sys, handrail_sim.cli as c, handrail_sim.asking, handrail_sim.registry, handrail_sim.daemon;"
        "c._parser(); print([m for m in ('asyncssh', 'dns', 'cryptography', 'textual', 'pydantic', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_start_time_tells_processes_apart() -> None:
    child = subprocess.Popen(["sleep", "1000"])
    assert start_time(child.pid).isdigit()
    child.kill()
    child.wait()
    assert start_time(child.pid) == ""


def test_an_asker_that_talks_nonsense_is_answered(sim: Sim) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(sim.folder / "control.sock"))
        sock.sendall(b"[]\n{\n")
        lines = sock.makefile()
        for _ in range(2):
            assert json.loads(lines.readline())["ok"] is False
