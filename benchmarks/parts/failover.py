"""The failover itself: the same fourteen steps on the same five sshds and BIND, beside Ansible; near, and 40 ms away."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.daemons import Sshd, far, program, sshd
from benchmarks.measured import Part, Row, Table, figure, middle
from benchmarks.names import HERE as PRIMARY
from benchmarks.names import NAME, THERE, ZONE, Named, named
from benchmarks.place import HERE, PEERS, PYTHON, Place, peers
from benchmarks.spawned import Usage, must, run
from benchmarks.terminal import OnTerminal, run_shown

AWAY = 40.0  # milliseconds of round trip
HOSTS = ("primary", "dr", "client1", "client2", "client3")
STAMP = re.compile(rb"(?<!\d)1\d{18}(?!\d)")
HOW = (
    "Five sshds and a BIND of their own. Handrail runs `failover.toml` on the full screen, on a pseudo terminal, from the start of "
    "the program to its end; confirmations are typed by the program at once. Besides the fourteen steps it proves that it can reach "
    "every host and change the name, claims the estate, probes each change before and rechecks the gate. Ansible runs "
    "`peers/ansible/failover.yml` with pipelining, 64 forks and ControlPersist, from cold. No step waits for a fixed time, so all of "
    "the wall time is theirs."
)


@dataclass(frozen=True)
class Scene:
    """Where the failover happens: each host's sshd, the port at which it is reached, the name server."""

    hosts: dict[str, Sshd]
    ports: dict[str, int]
    dns: Named

    def root(self, host: str) -> Path:
        """Return the folder that stands for a host's state."""
        return self.hosts[host].folder / "root"

    def reset(self) -> None:
        """Put everything back to before the failover."""
        for host in HOSTS:
            shutil.rmtree(self.root(host), ignore_errors=True)
            self.root(host).mkdir()
            (self.root(host) / "serial").write_text("42\n")
            (self.root(host) / "ready").touch()
            (self.root(host) / "server").write_text(f"{PRIMARY}\n")
        (self.root("primary") / "serving").touch()
        text = f"server 127.0.0.1 {self.dns.port}\nzone {ZONE}\nupdate delete {NAME} A\nupdate add {NAME} 60 A {PRIMARY}\nsend\n"
        (self.dns.key.parent / "reset").write_text(text)
        must(["nsupdate", "-v", "-k", str(self.dns.key), str(self.dns.key.parent / "reset")])

    def done(self) -> bool:
        """Tell whether the failover is where it should be."""
        at = [(self.root(f"client{n}") / "server").read_text().strip() for n in (1, 2, 3)]
        return at == [THERE] * 3 and (self.root("dr") / "serving").exists() and not (self.root("dr") / "hold").exists()


def measure(place: Place) -> Part:
    """Return what a failover takes."""
    gone = [name for name in ("sshd", "named", "nsupdate", "dig") if program(name) is None]
    if gone:
        return Part("The failover", HOW, (), missing=(f"{', '.join(gone)} is not installed",))
    rows: list[Row] = []
    told: list[tuple[str, ...]] = []
    for away, wall, rounds in ((0.0, 0.15, 3), (AWAY, 0.3, 2)):
        with _scene(place, away) as scene:
            used = _used(place, scene, place.rounds(rounds))
            rows += list(_rows(away, wall, used))
            told += list(_told(away, used))
            first = [s * 1000 for s in _first_lines(place, scene, place.size(12, 2))]
        most = away / 2 + 50
        target = f"at most {most:.0f} ms"
        rows.append(
            Row(f"a remote line's way to the screen, {_far(away)}", middle(first), "ms", most=most, target=target)
        )
        if place.quick:
            break
    missing = () if _ansible().exists() else ("ansible-core is not installed: make bench installs it",)
    table = Table("All of it:", ("where", "program", "wall", "processor", "memory"), tuple(told))
    return Part("The failover", HOW, tuple(rows), (table,), missing=missing)


def _far(away: float) -> str:
    return f"{away:.0f} ms away" if away else "near"


def _ansible() -> Path:
    return peers() / "ansible-playbook"


@contextmanager
def _scene(place: Place, away: float) -> Iterator[Scene]:
    with ExitStack() as stack:
        hosts = {host: stack.enter_context(sshd(place)) for host in HOSTS}
        ports = {host: one.port for host, one in hosts.items()}
        if away:
            near = list(ports.values())
            ports = dict(zip(HOSTS, stack.enter_context(far(place, near, away)), strict=True))
        yield Scene(hosts, ports, stack.enter_context(named(place)))


def _used(place: Place, scene: Scene, rounds: int) -> dict[str, list[Usage]]:
    used: dict[str, list[Usage]] = {"Handrail": []}
    for turn in range(rounds):
        scene.reset()
        used["Handrail"].append(_ours(place, scene, f"{scene.dns.port}-{turn}"))
        if _ansible().exists():
            scene.reset()
            used.setdefault("Ansible", []).append(_theirs(place, scene))
    return used


def _rows(away: float, most: float, used: dict[str, list[Usage]]) -> Iterator[Row]:
    ours, theirs = used["Handrail"], used.get("Ansible")
    where = _far(away)
    wall, cpu = middle([u.wall for u in ours]), middle([u.cpu for u in ours])
    if theirs is None:
        yield Row(f"fourteen steps, {where}", wall, "s")
        return
    beside = middle([u.wall for u in theirs]), middle([u.cpu for u in theirs])
    yield Row(f"fourteen steps, {where}", wall, "s", "Ansible", beside[0], most, f"at most {most:g}x")
    yield Row(f"processor, {where}, screen included", cpu, "s", "Ansible", beside[1], 0.4, "at most 0.4x")


def _told(away: float, used: dict[str, list[Usage]]) -> Iterator[tuple[str, ...]]:
    for name, each in used.items():
        wall, cpu, memory = (middle([getattr(u, what) for u in each]) for what in ("wall", "cpu", "memory"))
        yield _far(away), name, figure(wall, "s"), figure(cpu, "s"), figure(memory / 1024, "MiB")


# ---------------------------------------------------------------- Handrail


def _estate(place: Place, scene: Scene) -> Path:
    """Write the estate file; every host has keys of its own."""
    pins = place.folder / f"pins-{scene.dns.port}"
    known = "".join(f"{host} {(one.folder / 'host.pub').read_text()}" for host, one in scene.hosts.items())
    pins.write_text(known)
    pins.chmod(0o600)

    def reach(host: str) -> str:
        one = scene.hosts[host]
        return (
            f'host = "127.0.0.1"\nport = {scene.ports[host]}\nuser = "{one.user}"\nidentity = "{one.key}"\n'
            f'host_key_alias = "{host}"\nwork_dir = "{one.folder}/work"\nvars = {{ root = "{scene.root(host)}" }}\n'
        )

    text = f'format = 1\n[estate]\nname = "bench"\nclass = "production"\nknown_hosts = "{pins}"\n'
    text += f'[roles.primary]\naddress = "{PRIMARY}"\n{reach("primary")}[roles.dr]\naddress = "{THERE}"\n{reach("dr")}'
    for host in HOSTS[2:]:
        text += f'[[roles.clients.hosts]]\nname = "{host}"\n{reach(host)}'
    text += f'[dns]\nprovider = "rfc2136"\nzone = "{ZONE}"\nservers = ["127.0.0.1"]\nport = {scene.dns.port}\n'
    return place.file(f"estate-{scene.dns.port}.toml", f'{text}key_file = "{scene.dns.key}"\n')


def _ours(place: Place, scene: Scene, turn: str, book: Path = HERE / "failover.toml") -> Usage:
    env = {**place.env(), "HANDRAIL_HOME": str(place.folder / f"home-{turn}"), "PYTHONPATH": str(HERE.parent)}
    argv = [PYTHON, "-m", "benchmarks.programs.screen_run", str(book), str(_estate(place, scene))]
    used = run_shown(argv, env=env)
    if not scene.done():
        raise RuntimeError(f"the failover is not done: {_why(place.folder / f'home-{turn}')}")
    return used


def _why(home: Path) -> str:
    journal = next(iter(home.glob("runs/*/journal.jsonl")), None)
    return journal.read_text()[-3000:] if journal else "no run was begun"


# ---------------------------------------------------------------- Ansible


def _theirs(place: Place, scene: Scene) -> Usage:
    lines = []
    groups = {"primary": HOSTS[:1], "dr": HOSTS[1:2], "clients": HOSTS[2:]}
    for group, hosts in groups.items():
        lines.append(f"[{group}]")
        for host in hosts:
            config = scene.hosts[host].config(place, port=scene.ports[host])
            lines.append(
                f"{host} ansible_host=127.0.0.1 ansible_port={scene.ports[host]} root={scene.root(host)} "
                f"ansible_python_interpreter=/usr/bin/python3 ansible_ssh_common_args='-F {config}'"
            )
    inventory = place.file(f"inventory-{scene.dns.port}", "\n".join(lines) + "\n")
    more = {"switch": str(PEERS / "dns" / "switch.sh"), "key": str(scene.dns.key), "dns_port": str(scene.dns.port)}
    env = {
        **os.environ,
        "ANSIBLE_CONFIG": str(PEERS / "ansible" / "ansible.cfg"),
        "ANSIBLE_HOME": str(place.folder / "ansible"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(place.folder / "cp"),
        "LC_ALL": "C.UTF-8",
    }
    book = str(PEERS / "ansible" / "failover.yml")
    argv = [str(_ansible()), "-i", str(inventory), "-e", json.dumps(more), book]
    done = run(argv, env=env, cwd=place.folder, memory=True)
    for host in HOSTS:  # the masters are ended, so that the next round connects anew as this one did
        words = ["ssh", "-F", str(scene.hosts[host].config(place, port=scene.ports[host])), "-O", "exit", "127.0.0.1"]
        run(words, cwd=place.folder)
    for path in (place.folder / "cp").glob("*"):
        run(["ssh", "-o", f"ControlPath={path}", "-O", "exit", "127.0.0.1"], cwd=place.folder)
    if done.code or not scene.done():
        raise RuntimeError(f"Ansible ended with {done.code}: {done.output[-3000:]}")
    return done


# ---------------------------------------------------------------- a line's way


def _first_lines(place: Place, scene: Scene, steps: int) -> list[float]:
    """Return how long the first line of each step took from being written at the host to the terminal."""
    step = (
        '[[stage.step]]\nid = "s{n}"\ntitle = "Says when {n}"\non = "dr"\n'
        'script = "date +%s%N; sleep 0.4"\nreads = true\n'
    )
    head = (HERE / "failover.toml").read_text().split("[[stage]]", 1)[0]
    text = (
        head + '[[stage]]\nid = "say"\ntitle = "Say"\nreads = true\n' + "".join(step.format(n=n) for n in range(steps))
    )
    book = place.file("say.toml", text)
    env = {
        **place.env(),
        "HANDRAIL_HOME": str(place.folder / f"home-say-{scene.dns.port}"),
        "PYTHONPATH": str(HERE.parent),
    }
    argv = [PYTHON, "-m", "benchmarks.programs.screen_run", str(book), str(_estate(place, scene))]
    seen: dict[int, float] = {}
    with OnTerminal(argv, env, (120, 40)) as one:
        limit, rest = time.perf_counter() + 60, b""
        while one.alive() and time.perf_counter() < limit:
            data = one.read(0.05)
            now = time.time_ns()
            rest = (rest + data)[-65536:]
            for found in STAMP.findall(rest):
                seen.setdefault(int(found), (now - int(found)) / 1e9)
    return list(seen.values())
