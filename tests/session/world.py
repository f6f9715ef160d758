"""A small real world for whole runs: SSH servers in this process (real shells, real files), a home, an estate, a session."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncssh
from tests.dns.records import Records
from tests.dns.server import Server as NameServer
from tests.dns.server import write_key
from tests.ssh.bench import members
from tests.ssh.server import Server

from handrail.engine import due as d
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.codec import decode_event
from handrail.engine.state import State, StepState
from handrail.engine.words import StepWord
from handrail.session.opening import Opening, open_run
from handrail.session.recorded import replayed
from handrail.session.resuming import resume_run
from handrail.session.session import Session
from handrail.session.view import Mode
from handrail.store.home import Home
from handrail.store.journal import read_journal
from handrail.store.run_folder import RunFolder

PATIENCE = 30.0

HEAD = """
format = 1
[runbook]
id = "small"
title = "A small one"
roles = { %s }
[routes.planned]
title = "Both answer"
[routes.emergency]
title = "The primary is lost"
lost = ["primary"]
"""


def runbook(stages: str, roles: str = 'primary = "one", dr = "one"', more: str = "") -> str:
    """Return the text of a runbook with these stages."""
    return HEAD % roles + more + stages


def step(table: str, *, stage: str = "s", verify: str = "", head: str = "") -> str:
    """Return one stage with one step `s/x`."""
    found = (
        f'[[stage]]\nid = "{stage}"\ntitle = "Stage {stage}"\n{head}\n[[stage.step]]\nid = "x"\ntitle = "X"\n{table}\n'
    )
    return found + (f"[[stage.step.verify]]\n{verify}\n" if verify else "")


def _written(path: Path) -> str:
    """Return what a file holds, nothing when it is not there yet: a job's folder is made file by file."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


@dataclass
class Machine:
    """One host: its SSH server, and the folder that stands for its disk."""

    name: str
    role: str
    server: Server
    root: Path
    work: Path
    key: asyncssh.SSHKey

    @property
    def jobs(self) -> list[str]:
        """Return the names of the job folders that lie here."""
        return sorted(p.name for p in self.work.glob("runs/*/*") if p.is_dir())

    def executed(self, text: str) -> int:
        """Return how many jobs were begun here whose command holds a text."""
        jobs = {p.parent for p in self.work.glob("runs/*/*/token")}
        return sum(text in _written(job / "cmd") + _written(job / "script") for job in jobs)


@dataclass
class World:
    """Hosts, home and estate; it opens runs."""

    place: Path
    machines: dict[str, Machine] = field(default_factory=dict)
    names: NameServer | None = None
    second: NameServer | None = None
    user: Path = Path()
    drives: list[Drive] = field(default_factory=list)

    @property
    def home(self) -> Home:
        return Home(self.place / "home")

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    async def add(self, name: str, role: str) -> None:
        """Start a host."""
        root, key = self.place / name / "root", asyncssh.generate_private_key("ssh-ed25519")
        root.mkdir(parents=True)
        path = f"{root}/bin:{os.environ['PATH']}"  # what a test puts there stands before everything, whenever a shell began
        env = {"HOME": str(root), "PATH": path, "LANG": "C.UTF-8"}
        server = Server(root, key, self.place / "authorized", env)
        await server.start()
        self.machines[name] = Machine(name, role, server, root, self.place / name / "work", key)

    async def off(self, name: str) -> None:
        """Take a host off the network; its jobs go on."""
        await self[name].server.stop()

    async def on(self, name: str, *, key: asyncssh.SSHKey | None = None) -> None:
        """Bring a host back at its address, perhaps with another key."""
        if key:
            self[name].server.key = key
        await self[name].server.start()

    def reboot(self, name: str) -> None:
        """End every job on a host, as a reboot or the OOM killer does: no exit status is written."""
        for pid_file in self[name].work.glob("runs/*/*/pid"):
            for each in members(int(pid_file.read_text().split()[0])):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)

    def pin(self, *, forget: bool = False) -> None:
        """Write known_hosts; the keys count as simulated ones, so that a DRILL may touch them."""
        lines, known = "", ""
        for one in self.machines.values():
            public = one.key.export_public_key().decode().split()[:2]
            lines += f"{one.name} {' '.join(public)}\n"
            known += f"{public[1]}\n"
        (self.place / "known_hosts").write_text(lines)
        (self.place / "known_hosts").chmod(0o600)
        self.home.make().sim_host_keys.write_text("" if forget else known)

    def estate(self, more: str = "", facts: Mapping[str, str] | None = None) -> Path:
        """Write the estate file and return its path."""
        text = 'format = 1\n[estate]\nname = "small"\nclass = "staging"\nknown_hosts = "known_hosts"\n'
        text += "".join(f"[roles.{one.role}]\n{self._host(one, '', facts)}" for one in self._ones())
        many = [one for one in self.machines.values() if one.role == "clients"]
        if many:
            hosts = ",\n".join("{ " + self._host(one, ", ", None) + " }" for one in many)
            text += f'[roles.clients]\nuser = "ops"\nidentity = "{self.user}"\nhosts = [\n{hosts}]\n'
        if self.names:
            servers = [s for s in (self.names, self.second) if s]
            listed = ", ".join(f'"{s.at.address}:{s.at.port}"' for s in servers)
            text += (
                f'[dns]\nprovider = "rfc2136"\nzone = "example.test"\nservers = [{listed}]\nkey_file = "switch.key"\n'
            )
        path = self.place / "estate.toml"
        path.write_text(text + more)
        return path

    def _ones(self) -> list[Machine]:
        return [one for one in self.machines.values() if one.role != "clients"]

    def _host(self, one: Machine, end: str, facts: Mapping[str, str] | None) -> str:
        addresses = {"primary": "10.0.0.10", "dr": "10.0.0.20"}
        pairs = {
            "name": f'"{one.name}"',
            "host": '"127.0.0.1"',
            "port": str(one.server.port),
            "host_key_alias": f'"{one.name}"',
            "work_dir": f'"{one.work}"',
            "address": f'"{addresses.get(one.name, "10.0.0.99")}"',
        }
        if one.role != "clients":
            pairs |= {"user": '"ops"', "identity": f'"{self.user}"'}
            known = {"root": str(one.root), **(facts or {})}
            pairs["vars"] = "{ " + ", ".join(f'{k} = "{v}"' for k, v in known.items()) + " }"
        return (end or "\n").join(f"{k} = {v}" for k, v in pairs.items()) + ("" if end else "\n")

    def open(self, text: str, mode: Mode = Mode.DRILL, estate: str = "", **more: Any) -> Drive:
        """Open a run of a runbook."""
        path = self.place / "runbook.toml"
        path.write_text(text)
        session = open_run(self.home.make(), Opening(path, self.estate(estate), mode, **more))
        drive = Drive(self, session)
        self.drives.append(drive)
        return drive

    def resume(self, run: str, reason: str = "", typed: str = "") -> Drive:
        """Drive a run again."""
        drive = Drive(self, resume_run(self.home, RunFolder.open(self.home, run), reason, typed))
        drive.asked = drive.stages()
        self.drives.append(drive)
        return drive


def at_rest(state: State) -> bool:
    """Tell whether nothing moves until somebody asks for something."""
    if order.asking(state):
        return True
    for act in d.due(state):
        if isinstance(act, d.Watch) or (isinstance(act, d.WatchGate) and state.step(act.step).gate is not None):
            continue
        if isinstance(act, d.Recall | d.TakeClaim | d.Ask | d.DoOwed | d.Perform | d.Prepare | d.WatchGate):
            return False
    return True


@dataclass
class Drive:
    """One console on a run."""

    world: World
    session: Session
    asked: int = 0  # how often somebody said go, or did not have to

    @property
    def state(self) -> State:
        return self.session.core.state

    @property
    def run(self) -> str:
        return self.session.core.run

    @property
    def folder(self) -> Path:
        return self.session.snapshot.info.folder

    def at(self, step_id: str = "s/x") -> StepState:
        return self.state.step(step_id)

    def word(self, step_id: str = "s/x") -> StepWord:
        return self.at(step_id).word

    async def until(self, holds: Callable[[State], bool], seconds: float = PATIENCE) -> None:
        """Wait for the state to be so; the bound only ends a test that has failed."""
        async with asyncio.timeout(seconds):
            await self.session.core.until(holds)

    async def rest(self) -> Drive:
        """Wait until the run stands."""
        await self.until(at_rest)
        return self

    def submit(self, intent: m.Intent) -> str:
        """Ask for something; return why not, or nothing."""
        refused = self.session.submit(intent)
        self.asked += isinstance(intent, m.Go) and refused is None
        return refused.reason if refused else ""

    async def ask(self, intent: m.Intent) -> Drive:
        """Ask for something that is granted, and wait until the run stands again."""
        why = self.submit(intent)
        assert why == "", why
        return await self.rest()

    async def go(self, times: int = 1) -> Drive:
        """Go on, that many times; where the run was led on to a stage by itself, nobody has to."""
        goal = self.asked + times
        while self.asked < goal:
            if self.stages() > self.asked:
                self.asked += 1
            else:
                await self.ask(m.Go())
        return self

    def stages(self) -> int:
        """Return how many stages have begun."""
        return len({s.stage for s, now in self.state.walked() if now.word is not StepWord.PENDING})

    async def go_all(self) -> Drive:
        """Go on until nothing more is granted."""
        while self.session.allowed() and self.submit(m.Go()) == "":
            await self.rest()
        return self

    async def undo(self, *typed: str, to: str = "") -> Drive:
        """Walk back."""
        return await self.ask(m.Undo(to, typed))

    async def leave(self) -> None:
        """Leave; the run is held."""
        self.submit(m.Leave("left"))
        await self.session.close()

    async def crash(self) -> None:
        """Vanish as a killed console does: nothing is written, nothing on a host is ended or given back."""
        session = self.session
        session._closing = True
        tasks = [*session._tasks.values(), *session._others]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await session.core.links.close()
        session._files.journal.close()
        session._files.lock.release()

    def hold_against_the_journal(self) -> None:
        """The oracle: the journal is whole, what it folds to is the state, and nothing was sent that it does not tell of."""
        if not self.folder.exists() or self.session.snapshot.trouble:
            return
        found = replayed(RunFolder.open(self.world.home, self.run))
        told = {
            a.step for a in (decode_event(r.event, r.body) for r in found.records) if isinstance(a, e.AttemptStarted)
        }
        for one in self.world.machines.values():
            for job in one.work.glob(f"runs/{self.run}/*/cmd"):
                step_id, _, part = job.parent.name.replace("+", "/").partition(".")
                assert step_id in told or not part.startswith("1."), f"{step_id} {part} was sent and not told"
        if not any(other.run == self.run for other in self.world.drives[self.world.drives.index(self) + 1 :]):
            assert replace(found.state, at=0.0) == replace(self.state, at=0.0)

    def events(self, name: str = "") -> list[Any]:
        """Return the journal's records, all or those of one name."""
        found = read_journal(self.folder / "journal.jsonl").records
        return [r for r in found if not name or r.event == name]

    def detail(self, step_id: str = "s/x") -> str:
        return self.at(step_id).detail

    def spooled(self, step_id: str = "s/x") -> bytes:
        """Return everything that a step's spools hold."""
        files = sorted((self.folder / "out").glob(f"{step_id.replace('/', '+')}.*.log"))
        return b"".join(p.read_bytes() for p in files)


@contextlib.asynccontextmanager
async def a_world(place: Path, *, clients: int = 0, dns: bool = False, second: bool = False) -> AsyncIterator[World]:
    """Yield a world, and take it down with whatever runs in it."""
    place.mkdir(parents=True, exist_ok=True)
    user = asyncssh.generate_private_key("ssh-ed25519")
    user.write_private_key(str(place / "user"))
    (place / "user").chmod(0o600)
    user.write_public_key(str(place / "authorized"))
    world = World(place, user=place / "user")
    async with contextlib.AsyncExitStack() as stack:
        for name in ("primary", "dr"):
            await world.add(name, name)
        for number in range(1, clients + 1):
            await world.add(f"c{number}", "clients")
        if dns:
            write_key(place / "switch.key")
            records = Records("puppet 60 A 10.0.0.10")
            world.names = await stack.enter_async_context(NameServer("ns1", records))
            if second:
                world.second = await stack.enter_async_context(NameServer("ns2", records))
        world.pin()
        try:
            yield world
            for drive in world.drives:
                drive.hold_against_the_journal()
        finally:
            for drive in world.drives:
                if not drive.session._closing:
                    await drive.crash()
            for one in world.machines.values():
                world.reboot(one.name)
                await one.server.end()
