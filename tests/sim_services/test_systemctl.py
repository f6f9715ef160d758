"""The systemctl stand-in: its words and exit codes, checked against a model over a long random walk, and power cuts."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sim_services.hostbench import Done, Host, estate, until

UNIT = """[Unit]
Description=A test service
[Service]
Type={kind}
ExecStart={command}
{more}
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with estate(tmp_path, "web01") as bed:
        web = bed["web01"]
        web.path("/etc/systemd/system/multi-user.target.wants/puppet.service").unlink()
        add(web, "nap.service", "simple", "/bin/sleep 600")
        yield web


def add(host: Host, name: str, kind: str, command: str, more: str = "") -> None:
    file = host.path(f"/usr/local/lib/systemd/system/{name}")
    file.write_text(UNIT.format(kind=kind, command=command, more=more))


def pid_of(host: Host, unit: str) -> int:
    return int(host.ok("systemctl", "show", "-p", "MainPID", "--value", unit))


def test_it_starts_once_and_stops(host: Host) -> None:
    assert host.run("systemctl", "is-active", "nap") == Done(3, "inactive\n", "")
    host.ok("systemctl", "start", "nap.service")
    first = pid_of(host, "nap")
    host.ok("systemctl", "start", "nap")
    assert pid_of(host, "nap") == first
    assert os.getsid(first) == first
    assert host.run("systemctl", "is-active", "nap") == Done(0, "active\n", "")
    assert "Main PID" in host.ok("systemctl", "status", "nap")
    host.ok("systemctl", "restart", "nap")
    assert pid_of(host, "nap") != first
    host.ok("systemctl", "stop", "nap")
    assert host.run("systemctl", "is-active", "-q", "nap") == Done(3, "", "")
    assert host.run("systemctl", "status", "nap").code == 3


def test_what_there_is_not(host: Host) -> None:
    assert host.run("systemctl", "start", "nothing") == Done(
        5, "", "Failed to start nothing.service: Unit nothing.service not found.\n"
    )
    assert host.run("systemctl", "is-active", "nothing").code == 4
    assert host.run("systemctl", "is-enabled", "nothing").code == 1
    assert host.run("systemctl", "frobnicate").code == 1


def test_masked_means_no_start_by_hand_nor_at_boot(host: Host) -> None:
    host.ok("systemctl", "enable", "--now", "nap")
    host.ok("systemctl", "mask", "--now", "nap")
    assert host.run("systemctl", "is-active", "nap").code == 3
    assert host.run("systemctl", "is-enabled", "nap") == Done(1, "masked\n", "")
    assert host.run("systemctl", "start", "nap") == Done(
        1, "", "Failed to start nap.service: Unit nap.service is masked.\n"
    )
    assert host.run("systemctl", "restart", "nap").code == 1
    host.ok("systemctl", "default")
    assert host.run("systemctl", "is-active", "nap").code == 3
    host.ok("systemctl", "unmask", "nap")
    assert host.ok("systemctl", "is-enabled", "nap") == "enabled\n"
    host.ok("systemctl", "default")
    assert host.run("systemctl", "is-active", "nap").code == 0


def test_after_a_power_cut_an_old_note_deceives_nobody(host: Host) -> None:
    host.ok("systemctl", "enable", "--now", "nap")
    pid = pid_of(host, "nap")
    os.kill(pid, signal.SIGKILL)
    until(lambda: host.run("systemctl", "is-active", "nap").code == 3)
    note = host.path("/run/handrail-sim/units/nap.service.json")
    note.write_text(note.read_text().replace(f'"pid": {pid}', f'"pid": {os.getpid()}'))  # the number was given away
    assert host.run("systemctl", "is-active", "nap").code == 3
    host.ok("systemctl", "stop", "nap")
    host.ok("systemctl", "default")
    assert host.run("systemctl", "is-active", "nap").code == 0


def test_a_oneshot_that_fails_is_failed_and_its_known_codes_are_not(host: Host) -> None:
    add(host, "job.service", "oneshot", "/bin/sh -c 'exit 7'")
    assert host.run("systemctl", "start", "job").code == 1
    assert host.run("systemctl", "is-failed", "job") == Done(0, "failed\n", "")
    host.ok("systemctl", "reset-failed", "job")
    assert host.run("systemctl", "is-failed", "job").code == 1
    add(host, "job.service", "oneshot", "/bin/sh -c 'exit 7'", "SuccessExitStatus=7 75")
    host.ok("systemctl", "start", "job")
    assert host.run("systemctl", "is-active", "job").out == "inactive\n"


def test_a_program_that_is_not_there_fails_to_start(host: Host) -> None:
    add(host, "gone.service", "simple", "/no/such/program")
    assert host.run("systemctl", "start", "gone").code == 1
    assert host.run("systemctl", "is-failed", "gone").code == 0


def test_signals_reach_the_process(host: Host) -> None:
    told = host.path("/told")
    add(host, "ear.service", "simple", f"/bin/sh -c 'trap \"echo x >> {told}\" HUP USR1; while :; do sleep 0.02; done'")
    host.ok("systemctl", "start", "ear")

    def heard(times: int, *words: str) -> bool:
        host.ok("systemctl", *words, "ear")
        return told.exists() and len(told.read_text().split()) >= times

    until(lambda: heard(1, "reload"))
    until(lambda: heard(2, "kill", "-s", "USR1"))
    assert host.run("systemctl", "reload", "nap").code == 1


def test_a_timer_starts_its_service_again_and_again(host: Host) -> None:
    ticks = host.path("/ticks")
    add(host, "tick.service", "oneshot", f"/bin/sh -c 'echo x >> {ticks}'")
    timer = host.path("/usr/local/lib/systemd/system/tick.timer")
    timer.write_text("[Timer]\nOnUnitActiveSec=100ms\n[Install]\nWantedBy=timers.target\n")
    host.ok("systemctl", "enable", "--now", "tick.timer")
    assert "tick.timer" in host.ok("systemctl", "list-timers")
    until(lambda: ticks.exists() and len(ticks.read_text().split()) >= 2)
    host.ok("systemctl", "stop", "tick.timer")
    assert host.run("systemctl", "is-active", "tick.timer") == Done(3, "inactive\n", "")


@pytest.mark.parametrize("seed", range(2))
def test_a_random_walk_agrees_with_the_model(host: Host, seed: int) -> None:
    chance = random.Random(seed)
    running = enabled = masked = False
    for _ in range(16):
        verb = chance.choice(
            ["start", "stop", "restart", "enable", "disable", "mask", "unmask", "mask --now", "enable --now", "default"]
        )
        words = verb.split()
        code = host.run("systemctl", *words, *(() if verb == "default" else ("nap",))).code
        match verb:
            case "start" | "restart":
                assert code == (1 if masked else 0)
                running = running or not masked
            case "stop":
                running = False
            case "enable" | "enable --now":
                assert code == (1 if masked else 0)
                enabled = enabled or not masked
                running = running or (verb == "enable --now" and not masked)
            case "disable":
                enabled = False
            case "unmask":
                masked = False
            case "default":
                running = running or (enabled and not masked)
            case _:
                masked, running = True, running and verb == "mask"
        shown = "masked" if masked else "enabled" if enabled else "disabled"
        said = host.ok("systemctl", "show", "-p", "ActiveState,UnitFileState", "--value", "nap").split()
        assert said == ["active" if running else "inactive", shown], verb


def test_it_is_met_by_its_absolute_path_too(host: Host) -> None:
    assert host.run(str(host.path("/usr/bin/systemctl")), "is-active", "nap").code == 3
