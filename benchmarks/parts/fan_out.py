"""Many hosts: one trivial command on 50, 200 and 1,000 of them; beside Ansible, ClusterShell, parallel-ssh and xargs with ssh."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

from benchmarks.daemons import Sshd, program, sshd
from benchmarks.measured import Part, Row, Table, figure, middle
from benchmarks.place import HERE, PEERS, PYTHON, Place, peers
from benchmarks.spawned import Usage, run
from benchmarks.terminal import run_shown

AT_ONCE = 64
SCREEN = "Handrail, on its screen"
BOOK = f"""format = 1
[runbook]
id = "many"
title = "Many hosts"
summary = "One trivial command on each"
owner = "benchmarks"
roles = {{ hosts = "many" }}
[routes.planned]
title = "The only one"
[[stage]]
id = "all"
title = "All of them"
[[stage.step]]
id = "true"
title = "Nothing"
on = "hosts"
reads = true
at_once = {AT_ONCE}
run = ["true"]
"""
HOW = (
    "One sshd, as many loopback addresses as hosts, 64 at once for everybody. Each program is started, connects to every host, runs "
    "`true` there and ends. Handrail opens its run on each host and starts a job there, which outlives the link. "
    "On its screen it is the whole program instead: it makes sure first that it reaches every host, which is a job more on each, and "
    "journals, stores and shows what they say. "
    "Processor time is the client's, with what it starts; sshd's is nobody's. Memory is the most at once, of all its processes."
)
Ways = dict[str, list[str]]


def measure(place: Place) -> Part:
    """Return what many hosts take."""
    if program("sshd") is None:
        return Part("Many hosts", HOW, (), missing=("OpenSSH is not installed",))
    rows: list[Row] = []
    told: list[tuple[str, ...]] = []
    with sshd(place, everywhere=True) as one:
        for hosts, rounds in ((50, 3), (200, 3), (1000, 1)):
            number = place.size(hosts, 3)
            used = _used(place, one, number, place.rounds(rounds), all_of_them=hosts < 1000)
            told += list(_told(number, used))
            rows += list(_rows(hosts, number, used))
            if place.quick:
                break
    columns = ("hosts", "program", "wall", "processor", "memory")
    gone = () if (peers() / "clush").exists() else ("the peers of PyPI are not installed: make bench installs them",)
    return Part("Many hosts", HOW, tuple(rows), (Table("All of them:", columns, tuple(told)),), missing=gone)


def addresses(number: int) -> list[str]:
    """Return that many addresses of the loopback."""
    return [f"127.{1 + n // 60000}.{n // 250 % 240}.{n % 250 + 1}" for n in range(number)]


def _ways(place: Place, one: Sshd, hosts: list[str], *, all_of_them: bool) -> Iterator[tuple[str, list[str]]]:
    config, there = str(one.config(place)), peers()
    yield (
        "Handrail",
        [PYTHON, "-m", "benchmarks.programs.fan_out", str(one.folder), str(one.port), str(AT_ONCE), *hosts],
    )
    book, estate = place.file("book.toml", BOOK), place.file("estate.toml", _estate(one, hosts))
    yield SCREEN, [PYTHON, "-m", "benchmarks.programs.screen_run", str(book), str(estate)]
    nodes, options = ",".join(hosts), f"-F {config} -o ControlPath=none"
    if (there / "clush").exists():
        yield "clush", [str(there / "clush"), "-S", "-f", str(AT_ONCE), "-o", options, "-w", nodes, "true"]
        fan = str(PEERS / "parallel_ssh" / "fan_out.py")
        yield (
            "parallel-ssh",
            [str(there / "python"), fan, one.user, str(one.key), str(one.port), str(AT_ONCE), *hosts],
        )
    if (there / "ansible").exists() and all_of_them:
        inventory = place.file("hosts.ini", "[all]\n" + "\n".join(hosts) + "\n")
        yield "ansible", [str(there / "ansible"), "-i", str(inventory), "all", "-m", "raw", "-a", "true"]
    words = f'printf "%s\\n" {" ".join(hosts)} | xargs -P {AT_ONCE} -I{{}} ssh {options} {{}} true'
    yield "xargs -P ssh", ["sh", "-c", words]


def _estate(one: Sshd, hosts: list[str]) -> str:
    head = f'format = 1\n[estate]\nname = "many"\nclass = "production"\nknown_hosts = "{one.known_hosts}"\n'
    reach = f'port = {one.port}\nuser = "{one.user}"\nidentity = "{one.key}"\nhost_key_alias = "bench"\n'
    each = (
        f'[[roles.hosts.hosts]]\nname = "host{number}"\nhost = "{host}"\nwork_dir = "{one.folder}/work-{number}"\n{reach}'
        for number, host in enumerate(hosts)
    )
    return head + "".join(each)


def _used(place: Place, one: Sshd, number: int, rounds: int, *, all_of_them: bool) -> dict[str, list[Usage]]:
    hosts = addresses(number)
    env = {
        **place.env(),
        "PYTHONPATH": str(HERE.parent),
        "ANSIBLE_CONFIG": str(PEERS / "ansible" / "ansible.cfg"),
        "ANSIBLE_SSH_COMMON_ARGS": f"-F {one.config(place)}",
        "ANSIBLE_HOME": str(place.folder / "ansible"),
        "CLUSTERSHELL_CFGDIR": str(PEERS / "clustershell"),
    }
    ways = dict(_ways(place, one, hosts, all_of_them=all_of_them))
    used: dict[str, list[Usage]] = {name: [] for name in ways}
    for turn in range(rounds):
        names = list(ways)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            for work in one.folder.glob("work-*"):
                shutil.rmtree(work)
            shown = name == SCREEN
            done = run_shown(ways[name], env=env) if shown else run(ways[name], env=env, cwd=place.folder, memory=True)
            if done.code:
                raise RuntimeError(f"{name} ended with {done.code}: {done.output[-1500:]}")
            used[name].append(done)
    return used


def _of(used: dict[str, list[Usage]], name: str, what: Callable[[Usage], float]) -> float | None:
    return middle([what(one) for one in used[name]]) if name in used else None


def _rows(hosts: int, number: int, used: dict[str, list[Usage]]) -> Iterator[Row]:
    def cpu(one: Usage) -> float:
        return one.cpu

    def wall(one: Usage) -> float:
        return one.wall

    figures = {200: (("parallel-ssh", cpu, 1.5), ("clush", cpu, 0.4)), 1000: (("clush", wall, 0.7),)}
    for name, what, most in figures.get(hosts, (("clush", wall, 0.0),)):
        ours, theirs = _of(used, "Handrail", what), _of(used, name, what)
        word = "processor" if what is cpu else "wall"
        if ours is not None and theirs is not None:
            yield Row(
                f"{number:,} hosts, {word}", ours, "s", name, theirs, most or None, f"at most {most:g}x" if most else ""
            )


def _told(number: int, used: dict[str, list[Usage]]) -> Iterator[tuple[str, ...]]:
    for name in used:
        wall, cpu = _of(used, name, lambda u: u.wall), _of(used, name, lambda u: u.cpu)
        memory = _of(used, name, lambda u: u.memory / 1024)
        assert wall is not None
        assert cpu is not None
        assert memory is not None
        yield f"{number:,}", name, figure(wall, "s"), figure(cpu, "s"), figure(memory, "MiB")
