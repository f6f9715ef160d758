"""What a host is: its files, its network, its power, its disk."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from pathlib import Path

import pytest
from tests.sim_machines.bed import Sim, finish, start

from handrail.runbook.estate import read_estate


def test_the_generated_estate_is_a_plain_valid_one(sim: Sim) -> None:
    estate = read_estate(sim.folder / "estate.toml")
    assert not estate.simulated
    assert [h.key for h in estate.every_host()] == ["primary", "dr", "web01", "node01"]
    primary = estate.host("primary")
    root = "" if sim.answer["mode"] == "namespaces" else str(sim.folder / "hosts" / "alpha")
    assert primary.vars == {"data_dir": f"{root}/srv/data", "port": "8140"}
    assert primary.work_dir == f"{root}/var/tmp/handrail"
    assert primary.host_key_alias == primary.name == "alpha"
    assert estate.dns is not None
    assert (estate.dns.servers, estate.dns.port) == ((f"ns1={sim.door('ns1', 'ssh')[0]}",), sim.estate["dns"]["port"])
    assert estate.dns.key_file == sim.folder / "dr-switch.key"


def test_private_files_are_private_and_every_key_is_remembered(sim: Sim) -> None:
    for name in ("id_ed25519", "dr-switch.key", "control.sock"):
        assert (sim.folder / name).stat().st_mode & 0o077 == 0
    assert (sim.home / "sim-host-keys").stat().st_mode & 0o777 == 0o600
    remembered = set((sim.home / "sim-host-keys").read_text().split())
    pinned = {line.split()[2] for line in (sim.folder / "known_hosts").read_text().splitlines()}
    assert len(pinned) == 5
    assert pinned <= remembered


def test_files_are_laid_with_their_tokens(sim: Sim) -> None:
    folder = sim.answer["mode"] == "folders"
    alpha = sim.host("alpha")["doors"]["ssh"][0] if folder else "10.77.1.10"
    root = str(sim.folder / "hosts" / "beta") if folder else ""
    facts = sim.sh("beta", "cat $HANDRAIL_SIM_ROOT/etc/estate-facts")
    assert facts == f"name=beta primary={alpha} root={root} mail=ops@example@ unknown=@nothing@\n"
    assert sim.sh("alpha", "$HANDRAIL_SIM_ROOT/bin/tool") == "tool of alpha\n"
    assert sim.sh("web01", "cat $HANDRAIL_SIM_ROOT/srv/born").startswith("web01 clients ")
    assert not (sim.folder / "prepared").exists()


def test_sudo_and_hostname_are_the_hosts_own(sim: Sim) -> None:
    assert (
        sim.sh("alpha", "hostname; sudo -n -u root -- hostname; X=1 sudo -n A=2 sh -c 'echo $A'") == "alpha\nalpha\n2\n"
    )


def test_services_are_up_and_reachable_through_doors(sim: Sim) -> None:
    assert "warnings" not in sim.answer
    inside = sim.sh(
        "alpha", "cat </dev/tcp/" + ("10.77.1.10" if sim.answer["mode"] == "namespaces" else _outside(sim)) + "/8140"
    )
    assert inside.startswith("alpha hears ")
    with socket.create_connection((_outside(sim), 8140)) as outside:
        assert outside.makefile().readline().startswith("alpha hears ")


def _outside(sim: Sim) -> str:
    return sim.door("alpha", "ssh")[0]


def test_dns_answers_at_one_port_for_udp_and_tcp(sim: Sim) -> None:
    where = (sim.estate["dns"]["servers"][0].partition("=")[2], sim.estate["dns"]["port"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(10)
        udp.connect(where)
        for word in (b"one", b"two"):
            udp.send(word)
            assert udp.recv(100) == b"ns1 hears " + word
    with socket.create_connection(where) as tcp:
        assert tcp.makefile().readline().startswith("ns1 hears ")


def test_hosts_see_each_others_own_addresses(spaces: Sim) -> None:
    heard = spaces.sh("web01", "cat </dev/tcp/10.77.1.10/8140")
    assert heard == "alpha hears 10.77.1.21\n"


def test_a_host_has_its_own_pids_mounts_names_and_no_way_out(spaces: Sim) -> None:
    assert (
        spaces.sh("beta", "echo $$ < /dev/null; cat /proc/1/environ; ls /proc | grep -c '^[0-9]'").split()[0].isdigit()
    )
    assert spaces.sh("beta", "id -u; cat /etc/hostname; grep -c . /etc/resolv.conf || true").split()[:2] == [
        "0",
        "beta",
    ]
    outside = spaces.ctl("exec", "beta", "cat </dev/tcp/192.0.2.1/80")
    assert "unreachable" in outside["err"]
    assert spaces.ctl("exec", "beta", "echo 1 > /proc/sys/kernel/panic")["rc"] == 1
    assert spaces.ctl("exec", "beta", f"ls {Path.home()}/.ssh {spaces.folder}")["rc"] != 0
    assert spaces.ctl("exec", "beta", "touch /usr/local/bin/mine && rm /usr/local/bin/mine")["rc"] == 0


def test_a_host_can_be_wrecked_alone(spaces: Sim) -> None:
    before = sorted(p.name for p in Path("/usr/bin").iterdir())
    spaces.ctl("exec", "node01", "rm -rf /usr/bin /usr/sbin /etc /root 2>/dev/null")
    assert sorted(p.name for p in Path("/usr/bin").iterdir()) == before
    assert spaces.ctl("exec", "node01", "echo still")["rc"] != 0
    assert spaces.sh("web01", "ls /usr/bin | wc -l").strip() != "0"


def test_power_off_refuses_and_power_on_keeps_the_disk(sim: Sim) -> None:
    sim.sh("alpha", "echo kept > $HANDRAIL_SIM_ROOT/srv/kept; (setsid sleep 1000 >/dev/null 2>&1 &)")
    boot = "cat /proc/sys/kernel/random/boot_id"
    before = sim.sh("alpha", boot)
    assert sim.ctl("power", "alpha", "off")["ok"]
    assert not sim.ctl("exec", "alpha", "true")["ok"]
    with pytest.raises(ConnectionRefusedError), socket.create_connection((_outside(sim), 2222)):
        pass
    assert _sleepers(sim, "alpha") == 0
    on = sim.ctl("power", "alpha", "on")
    assert on["warnings"] == []
    assert sim.sh("alpha", "cat $HANDRAIL_SIM_ROOT/srv/kept") == "kept\n"
    with socket.create_connection((_outside(sim), 8140)) as service:
        assert service.makefile().readline().startswith("alpha hears ")
    if sim.answer["mode"] == "namespaces":
        assert sim.sh("alpha", boot) != before


def _sleepers(sim: Sim, host: str) -> int:
    """Return how many processes carry the host's folder (plain folders), as the machine sees it."""
    mark = f"HANDRAIL_SIM_ROOT={sim.folder / 'hosts' / host}".encode()
    found = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found += mark in (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
    return found


async def test_a_host_that_dies_ends_what_ran_on_it(sim: Sim) -> None:
    async with await sim.connect("beta") as connection:
        process = await connection.create_process("echo ready; sleep 1000", encoding=None)
        assert await process.stdout.readline() == b"ready\n"
        await asyncio.to_thread(sim.ctl, "power", "beta", "off")
        assert (await process.wait()).exit_status is None
    assert (await asyncio.to_thread(sim.ctl, "power", "beta", "on"))["ok"]


def test_a_full_disk_is_full_on_one_host_only(spaces: Sim) -> None:
    write = "head -c 100000 /dev/zero > /var/tmp/more"
    assert spaces.ctl("fill", "beta")["full"]
    assert "No space left" in spaces.ctl("exec", "beta", write)["err"]
    assert spaces.ctl("exec", "web01", write)["rc"] == 0
    assert spaces.ctl("fill", "beta", "off")["full"] is False
    assert spaces.ctl("exec", "beta", write)["rc"] == 0


def test_a_plain_folder_cannot_be_filled(folders: Sim) -> None:
    assert "would fill this machine's disk" in folders.ctl("fill", "beta")["problem"]


def test_words_that_mean_nothing_are_explained(sim: Sim) -> None:
    assert "one of" in sim.ctl("fly", "beta")["problem"]
    assert "no host 'gamma'" in sim.ctl("power", "gamma", "off")["problem"]
    assert "not one of on, off" in sim.ctl("power", "beta", "maybe")["problem"]
    assert "write it as" in sim.ctl("link", "beta")["problem"]
    assert "not the name of a service" in sim.ctl("stop-service", "beta", "a;b")["problem"]


def test_stop_service_asks_the_hosts_systemctl(spaces: Sim) -> None:
    stand_in = (
        "printf '#!/bin/sh\\necho asked: \"$@\"\\n' > /usr/local/sbin/systemctl; chmod +x /usr/local/sbin/systemctl"
    )
    spaces.sh("web01", stand_in)
    assert spaces.ctl("stop-service", "web01", "svc.timer")["out"] == "asked: stop svc.timer\n"


def test_an_estate_has_as_many_clients_as_asked() -> None:
    sim = start("namespaces", "--clients", "4")
    try:
        hosts = sim.estate["roles"]["clients"]["hosts"]
        assert [h["name"] for h in hosts] == ["web01", "node01", "node02", "node03"]
        assert {h["site"] for h in hosts} == {"a", "b"}
        assert len({h["host"] for h in hosts}) == 4
    finally:
        finish(sim)


def test_nothing_of_the_machine_is_mounted_or_left(spaces: Sim) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(spaces.folder) not in mounts
    assert "userxattr" not in mounts
    names = subprocess.run(["cat", "/proc/net/dev"], capture_output=True, check=True).stdout
    assert b"v1." not in names
    assert os.uname().nodename not in ("alpha", "beta")
