"""The whole estate, as a drill meets it: it comes up, the agents check in, and they follow one DNS update to the DR server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.query
import dns.update
import pytest
import tomli
from tests.sim_services.hostbench import TEMPLATE, until

from handrail_sim.dns_keys import parse_keys

FQDN = "puppet.example.test."


class Running:
    """An estate that is up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file: dict[str, Any] = tomli.loads((folder / "estate.toml").read_text())

    def ctl(self, *words: str) -> dict[str, Any]:
        done = sim("ctl", str(self.folder), *words)
        answer: dict[str, Any] = json.loads(done)
        assert answer["ok"], answer
        return answer

    def on(self, role: str, command: str) -> str:
        answer = self.ctl("exec", self.file["roles"][role]["name"], command)
        assert answer["rc"] == 0, answer
        return str(answer["out"])

    def said(self, role: str, command: str) -> str:
        """Return what a command prints, whatever its exit code; nothing while the host is down."""
        done = sim("ctl", str(self.folder), "exec", self.file["roles"][role]["name"], f"{command}; true", check=False)
        return str(json.loads(done).get("out", ""))

    def checked_in(self, role: str) -> set[str]:
        """Return the nodes that got a catalog at a server."""
        log = self.file["roles"][role]["vars"]["access_log"]
        lines = self.on(role, f"cat {log} 2>/dev/null || true").splitlines()
        return {line.split("/catalog/")[1].split("?")[0] for line in lines if "POST /puppet/v3/catalog/" in line}


def sim(*words: str, check: bool = True) -> str:
    command = [sys.executable, "-m", "handrail_sim", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["auto", "folders"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("sim") / "estate"
    home = tmp_path_factory.mktemp("home")
    where = ("--template", str(TEMPLATE / "estate.toml"), "--dir", str(folder), "--home", str(home))
    sim("up", *where, "--clients", "3", "--mode", request.param)
    try:
        yield Running(folder)
    finally:
        sim("down", str(folder))


def test_everything_is_where_the_estate_file_says(running: Running) -> None:
    roles = running.file["roles"]
    assert {"primary", "dr", "clients"} <= set(roles)
    assert [host["name"] for host in roles["clients"]["hosts"]] == ["web01", "web02", "web03"]
    for role in ("primary", "dr"):
        facts = roles[role]["vars"]
        assert running.on(role, "puppet config print ssldir").strip() == facts["ssl_dir"]
        assert running.on(role, "puppet config print cadir --section server").strip() == facts["ca_dir"]
        assert running.on(role, "systemctl is-active puppetserver") == "active\n"
        assert running.on(role, f"cat {facts['code_dir']}/REVISION")
    running.on("dr", f"test -e {roles['dr']['vars']['sign_hold']}")
    running.on("dr", f"test -s {roles['dr']['vars']['sync_stamp']}")
    assert running.on("dr", "systemctl is-active puppet-ssl-sync.timer") == "active\n"


def test_agents_check_in_and_follow_the_name(running: Running) -> None:
    nodes = {f"{name}.example.test" for name in ("web01", "web02", "web03")}
    until(lambda: running.checked_in("primary") == nodes, 40)
    assert running.checked_in("dr") == set()
    told = running.file["dns"]
    (key,) = parse_keys((running.folder / told["key_file"]).read_text()).values()
    here, there = (running.file["roles"][role]["address"] for role in ("primary", "dr"))
    message = dns.update.UpdateMessage(told["zone"], keyring=key)
    message.present(FQDN, "A", here)
    message.replace(FQDN, 5, "A", there)
    reply = dns.query.tcp(message, told["servers"][0].partition("=")[2], port=told["port"], timeout=10)
    assert reply.rcode().name == "NOERROR"
    until(lambda: running.checked_in("dr") == nodes, 40)


def test_a_masked_server_stays_down_over_a_power_cut(running: Running) -> None:
    running.on("primary", "systemctl mask --now puppetserver")
    name = running.file["roles"]["primary"]["name"]
    running.ctl("power", name, "off")
    running.ctl("power", name, "on")  # it does not wait for a port that stays closed
    until(lambda: "active\n" in running.said("primary", "systemctl is-active ssh").splitlines(keepends=True))
    assert running.said("primary", "systemctl is-active puppetserver") == "inactive\n"
    assert running.said("primary", "systemctl is-enabled puppetserver") == "masked\n"
