"""systemd itself as first process: the shipped units, and whether the stand-in of `systemctl` answers as it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.estate.estate import RUNBOOKS, until
from tests.estate.parts import need
from tests.estate.pid1 import Booted, booted, missing
from tests.sim_services.hostbench import Host, estate
from tests.stories.terminal import run

UNITS = "/etc/systemd/system"
NAP = "[Unit]\nDescription=A test service\n[Service]\nExecStart=/bin/sleep 600\nExecReload=/bin/true\nUser=root\n[Install]\nWantedBy=multi-user.target\n"
SLOW = "[Service]\nType=forking\nPIDFile=/run/slow.pid\nExecStart=/slow\nExecReload=/bin/true\n"
COMES_UP = "#!/bin/sh\nsleep 2\nsleep 600 > /dev/null 2>&1 &\necho $! > %s/run/slow.pid\n"
WHILE_IT_COMES_UP = "systemctl {verb} slow & sleep 0.7; systemctl is-active slow; systemctl reload slow; echo $?; systemctl is-active slow; wait"
DOCS = Path(__file__).parents[2] / "docs"
CONSOLE = '#!/bin/sh\necho "$(id -un) $HANDRAIL_HOME $*" >> /var/lib/handrail/ran\nexit $(cat /code)\n'
TIMER, SERVICE = "puppet-ssl-sync.timer", "puppet-ssl-sync.service"
# What the shipped runbooks ask of systemctl, in the order in which a service's life goes.
ASKED = (
    "is-enabled nap", "is-active nap", "show -p LoadState nap.service", "show -p User nap.service", "enable --now nap",
    "is-enabled nap", "is-active nap", "mask --now nap", "is-enabled nap", "is-active nap", "show -p LoadState nap.service",
    "start nap", "unmask nap", "is-enabled nap", "start nap", "is-active nap", "disable --now nap", "is-enabled nap",
    "is-active nap", "show -p LoadState none.service", "is-enabled none", "start none",
    "try-restart nap", "is-active nap", "reload nap",
)  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Booted]:
    need("namespaces")
    if why := missing():
        pytest.skip(f"no systemd can be booted here: {why}")
    disk = tmp_path / "disk"
    disk.mkdir()
    with booted(disk) as made:
        yield made


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[Host]:
    with estate(tmp_path / "sim", "web01") as bed:
        yield bed["web01"]


def test_the_stand_in_answers_as_systemd_does(machine: Booted, stand_in: Host) -> None:
    machine.put("/usr/local/lib/systemd/system/nap.service", NAP)
    machine.sh("systemctl daemon-reload")
    stand_in.path("/usr/local/lib/systemd/system/nap.service").write_text(NAP)
    apart = []
    for words in ASKED:
        real, played = machine.run("systemctl", *words.split()), stand_in.run("systemctl", *words.split())
        reads = words.startswith(("is-", "show")) and words != "is-enabled none"
        if (real.code, real.out if reads else "") != (played.code, played.out if reads else ""):
            apart.append((words, real, played))
    assert not apart, "\n".join(map(repr, apart))


@pytest.mark.parametrize("verb", ["start", "restart"])
def test_a_reload_waits_for_a_service_that_comes_up(machine: Booted, stand_in: Host, verb: str) -> None:
    machine.put("/slow", COMES_UP % "", 0o755)
    machine.put("/usr/local/lib/systemd/system/slow.service", SLOW)
    machine.sh("systemctl daemon-reload")
    stand_in.path("/slow").write_text(COMES_UP % stand_in.path("/"))
    stand_in.path("/slow").chmod(0o755)
    stand_in.path("/usr/local/lib/systemd/system/slow.service").write_text(SLOW)
    asked = ("/bin/sh", "-c", WHILE_IT_COMES_UP.format(verb=verb))
    assert [machine.run(*asked).out, stand_in.run(*asked).out] == ["activating\n0\nactive\n"] * 2


def test_the_shipped_units_copy_hold_and_fail_as_the_guide_says(machine: Booted) -> None:
    for name in (TIMER, SERVICE):
        machine.put(f"{UNITS}/{name}", (RUNBOOKS / "files" / name).read_text())
    machine.put("/usr/local/sbin/puppet-ssl-sync", "#!/bin/sh\ndate >> /ran\nexit $(cat /code)\n", 0o755)
    machine.put("/code", "0")
    machine.sh(f"systemd-analyze verify {UNITS}/{TIMER} {UNITS}/{SERVICE}; systemctl daemon-reload")
    for code, active, ends in (("0", "inactive", 0), ("75", "inactive", 0), ("1", "failed", 1)):
        machine.put("/code", code)
        assert machine.run("systemctl", "start", SERVICE).code == ends, code
        assert machine.run("systemctl", "is-active", SERVICE).out.strip() == active, code
    machine.sh(f"systemctl reset-failed {SERVICE}; rm /ran; echo 0 > /code")

    machine.sh(f"systemctl enable --now {TIMER}")
    assert machine.sh(f"systemctl is-enabled {TIMER}; systemctl is-active {TIMER}") == "enabled\nactive\n"
    shown = machine.sh(f"systemctl show -p TimersMonotonic {TIMER}")
    assert "OnUnitActiveUSec=15min" in shown
    assert "OnBootUSec=2min" in shown
    machine.sh(f"systemctl stop {TIMER}")
    assert machine.run("systemctl", "is-active", TIMER).out == "inactive\n"
    # The same unit with its first delay made short: what elapses is the timer, what runs is the program.
    machine.put(f"{UNITS}/{TIMER}.d/soon.conf", "[Timer]\nOnBootSec=\nOnBootSec=1s\nAccuracySec=10ms\n")
    machine.sh(f"systemctl daemon-reload; systemctl start {TIMER}")
    until(lambda: machine.run("test", "-s", "/ran").code == 0, "the timer starts the copy")
    assert "15min" in machine.sh(f"systemctl list-timers --no-pager {TIMER}") or machine.sh("cat /ran")


def units(guide: str) -> dict[str, str]:
    """Return the units that a guide shows, by name."""
    text = (DOCS / guide).read_text()
    return dict(
        re.findall(
            r"^# /etc/systemd/system/(\S+)\n(.*?)(?=^# /etc/systemd/system/|^```)", text, re.MULTILINE | re.DOTALL
        )
    )


def test_the_units_in_the_guides_run_and_end_as_they_say(machine: Booted, tmp_path: Path) -> None:
    """Those of the bastion, with a stand-in for the program; their words are words that the program takes."""
    shown = units("puppet-readiness.md") | units("puppet-ssl-sync.md")
    assert len(shown) == 4
    for name, text in shown.items():
        machine.put(f"{UNITS}/{name}", text)
    machine.put("/usr/local/bin/handrail", CONSOLE, 0o755)
    machine.put("/code", "0")
    machine.sh("useradd --system --create-home --home-dir /var/lib/handrail handrail")
    machine.sh(f"cd {UNITS} && systemd-analyze verify {' '.join(shown)}; systemctl daemon-reload")
    ends = {"handrail-readiness": (0, 0, 0, 1), "handrail-puppet-ssl-sync": (0, 1, 1, 1)}
    for name, expected in ends.items():
        found = []
        for code in (0, 1, 3, 6):
            machine.put("/code", str(code))
            found.append(machine.run("systemctl", "start", f"{name}.service").code)
        assert tuple(found) == expected, name
        machine.put("/code", "0")
        machine.sh(f"systemctl reset-failed; systemctl enable --now {name}.timer; systemctl is-active {name}.timer")
    said = {line.split(" ", 2)[2] for line in machine.sh("cat /var/lib/handrail/ran").splitlines()}
    assert set(machine.sh("cut -d' ' -f1,2 /var/lib/handrail/ran").splitlines()) == {"handrail /var/lib/handrail"}
    assert len(said) == 3  # the check, the copy, and the pruning after it
    for words in said:
        asked = [word.replace("/var/lib/node_exporter", str(tmp_path)) for word in words.split()]
        assert b"No such" not in run(tmp_path, *asked).stderr
