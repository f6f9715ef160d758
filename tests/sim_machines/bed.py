"""A small estate to test with, started as the program that it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import tomli

TINY = Path(__file__).parent / "tiny" / "estate.toml"
PROGRAM = [sys.executable, "-m", "handrail_sim"]


def run(*words: str | Path, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run one command of the program and return its one JSON line."""
    done = subprocess.run([*PROGRAM, *map(str, words)], capture_output=True, timeout=60, check=False, env=env)
    assert done.stdout.count(b"\n") == 1, (done.stdout, done.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode == 0) == answer.get("ready", answer.get("ok")), answer
    return answer


@dataclass(frozen=True)
class Sim:
    """An estate that is up."""

    folder: Path
    home: Path
    answer: dict[str, Any]

    @property
    def estate(self) -> dict[str, Any]:
        """Return the generated estate file."""
        return tomli.loads((self.folder / "estate.toml").read_text())

    def ctl(self, *words: str) -> dict[str, Any]:
        """Ask the control socket."""
        return run("ctl", self.folder, *words)

    def sh(self, host: str, command: str) -> str:
        """Run a command on a host and return its output."""
        answer = self.ctl("exec", host, command)
        assert answer["ok"], answer
        assert answer["rc"] == 0, answer
        return str(answer["out"])

    def host(self, name: str) -> dict[str, Any]:
        """Return a host's state."""
        return next(h for h in self.ctl("hosts")["hosts"] if h["name"] == name)

    def door(self, host: str, name: str) -> tuple[str, int]:
        """Return where a door is outside."""
        address, port = self.host(host)["doors"][name]
        return address, port

    async def connect(self, host: str, **options: Any) -> asyncssh.SSHClientConnection:
        """Return an SSH connection to a host, whose key is checked."""
        address, port = self.door(host, "ssh")
        known = {"known_hosts": str(self.folder / "known_hosts"), "host_key_alias": host} | options
        keys = [str(self.folder / "id_ed25519")]
        return await asyncssh.connect(address, port, username="anybody", client_keys=keys, agent_path=None, **known)


def start(mode: str, *words: str) -> Sim:
    """Bring up a tiny estate in a folder of its own."""
    place = Path(tempfile.mkdtemp(prefix="handrail-sim-"))
    folder, home = place / "estate", place / "home"
    answer = run("up", "--template", TINY, "--dir", folder, "--home", home, "--mode", mode, *words)
    assert answer["ready"], answer
    return Sim(folder, home, answer)


def finish(sim: Sim) -> None:
    """Take an estate down and forget it."""
    run("down", sim.folder)
    shutil.rmtree(sim.folder.parent)


def environment(**more: str | Path) -> dict[str, str]:
    """Return this environment with more."""
    return {**os.environ, **{k: str(v) for k, v in more.items()}}
