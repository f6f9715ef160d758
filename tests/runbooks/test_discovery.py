"""What each server is: the one step by which every Puppet runbook finds out, on the answers that each version gives.

Puppet 7 of Debian was asked itself; the vendor's 4, 5, 6, 7 and 8 and OpenVox 8 were read in `lib/puppet/defaults.rb` and
`lib/puppet/util/run_mode.rb` at their tags. The answers stand here as those versions give them.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli

from handrail.runbook.shipped import runbooks_in

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
VENDOR = ("/etc/puppetlabs/puppet", "/etc/puppetlabs/puppet/ssl", "/var/log/puppetlabs/puppet")
DEBIAN = ("/etc/puppet", "/var/lib/puppet/ssl", "/var/log/puppet")
NEW_CA, DEBIAN_CA = "/etc/puppetlabs/puppetserver/ca", "/etc/puppet/puppetserver/ca"
OLD_CA = "/etc/puppetlabs/puppet/ssl/ca"

PUPPET = """#!/bin/sh
# What `puppet {version}` answers, as far as it is asked here.
if [ "$1" = --version ]; then echo {version}; exit; fi
[ "$1 $2" = "config print" ] || exit 1
shift 2; keys=; section=main
while [ $# -gt 0 ]; do
  case $1 in --section) section=$2; shift ;; *) keys="$keys $1" ;; esac
  shift
done
certname=agents-own-name.example.test
if [ "$section" = {section} ]; then certname=puppet.example.test; fi
for key in $(printf '%s\\n' $keys | sort); do
  case $key in
    ssldir) echo "ssldir = {root}{ssldir}" ;;
    cadir) echo "cadir = {root}{asked}" ;;
    confdir) echo "confdir = {root}{confdir}" ;;
    codedir) echo "codedir = {root}/code" ;;
    environmentpath) echo "environmentpath = {environments}" ;;
    logdir) echo "logdir = {root}{logdir}" ;;
    user) echo "user = {user}" ;;
    certname) echo "certname = $certname" ;;
  esac
done
echo "Warning: something is deprecated" >&2
"""
SYSTEMCTL = """#!/bin/sh
# systemd 219 and later: `show` of a unit that is not there ends well, and says so.
[ "$1 $2" = "show -p" ] || exit 1
case "$3 $4" in
  "LoadState {unit}.service") echo LoadState={load} ;;
  LoadState*) echo LoadState=not-found ;;
  "User {unit}.service") echo User={unit_user} ;;
  User*) echo User= ;;
esac
"""


@dataclass(frozen=True)
class Server:
    """A server as its packages lay it out: where Puppet says that the CA is, and where it really is."""

    version: str
    places: tuple[str, str, str] = VENDOR
    asked: str = NEW_CA
    real: str = ""
    section: str = "server"
    ca_cli: str = "puppetserver ca"
    unit: str = "puppetserver"
    load: str = "loaded"
    user: str = "puppet"
    unit_user: str = "puppet"
    environments: str = ""


SERVERS = {
    "vendor 4": Server("4.10.12", asked=OLD_CA, section="master", ca_cli="puppet cert"),
    "vendor 5": Server("5.5.22", asked=OLD_CA, section="master", ca_cli="puppet cert"),
    "debian 5": Server(
        "5.5.10",
        DEBIAN,
        "/var/lib/puppet/ssl/ca",
        section="master",
        ca_cli="puppet cert",
        unit="puppet-master",
        unit_user="",
    ),
    "vendor 6": Server("6.28.0", asked=OLD_CA, section="master"),
    "vendor 6, CA migrated": Server("6.28.0", section="master"),
    "vendor 7": Server("7.34.0"),
    "vendor 7, never migrated": Server("7.34.0", asked=OLD_CA),
    "vendor 7, cadir set to the link": Server("7.34.0", asked=OLD_CA, real=NEW_CA),
    "vendor 8": Server("8.10.0", environments="{root}/envs:/usr/share/more"),
    "vendor 8, masked": Server("8.10.0", load="masked"),
    "openvox 8": Server("8.19.2", unit_user="puppet"),
    "debian 7": Server("7.23.0", DEBIAN, DEBIAN_CA),
    "another user": Server("7.34.0", unit_user="pserver"),
}


def discovery() -> dict[str, Any]:
    """Return the step as a runbook has it."""
    return next(iter(_copies().values()))


def _copies() -> dict[str, dict[str, Any]]:
    """Return the step `look/paths` of every runbook that has one."""
    found = {}
    for name, path in runbooks_in(RUNBOOKS):
        for stage in tomli.loads(path.read_text())["stage"]:
            for step in stage["step"]:
                if f"{stage['id']}/{step['id']}" == "look/paths":
                    found[name] = step
    return found


def test_every_runbook_finds_out_in_the_same_way() -> None:
    copies = _copies()
    assert "puppet-failover" in copies
    step = discovery()
    shown = {"on": step["on"], "sample": ""}  # where it is asked, and what a newcomer is shown, may differ
    assert [name for name, copy in copies.items() if {**copy, **shown} != {**step, **shown}] == []


def _programs(folder: Path, server: Server) -> Path:
    """Write the two commands as that server has them, and its files; return the folder of the commands."""
    root, bin_ = folder / "root", folder / "bin"
    confdir, ssldir, logdir = server.places
    real = server.real or server.asked
    (root / real.lstrip("/")).mkdir(parents=True)
    (root / real.lstrip("/") / "serial").write_text("00A7")
    if server.real:
        (root / server.asked.lstrip("/")).parent.mkdir(parents=True)
        (root / server.asked.lstrip("/")).symlink_to(root / server.real.lstrip("/"))
    words = vars(server) | {"root": root, "confdir": confdir, "ssldir": ssldir, "logdir": logdir}
    words["environments"] = server.environments.format(root=root)
    bin_.mkdir()
    for name, text in (("puppet", PUPPET), ("systemctl", SYSTEMCTL)):
        (bin_ / name).write_text(text.format(**words))
        (bin_ / name).chmod(0o755)
    return bin_


def _ask(bin_: Path, others: str = os.defpath) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{bin_}:{others}", "HOME": "/nonexistent"}
    return subprocess.run(
        ["/bin/sh", "-c", discovery()["script"]], env=env, text=True, capture_output=True, check=False
    )


def _captured(said: str) -> dict[str, str]:
    """Return what the step captures, as Handrail does: the first group of the first line that matches."""
    made = {}
    for name, pattern in discovery()["capture"].items():
        lines = (re.search(pattern, line) for line in said.splitlines())
        made[name] = next((match[1] for match in lines if match), "")
    return made


@pytest.mark.parametrize("name", SERVERS)
def test_each_version_is_found_out(tmp_path: Path, name: str) -> None:
    server = SERVERS[name]
    answer = _ask(_programs(tmp_path, server))
    assert answer.returncode == 0, answer
    found, root = _captured(answer.stdout), tmp_path / "root"
    inside = (server.real or server.asked).startswith(
        server.places[1]
    )  # then nothing is kept beside it: ssl/ is copied
    assert "" not in found.values(), found
    assert found | {"began": ""} == {
        "version": server.version,
        "section": server.section,
        "certname": "puppet.example.test",
        "ssl_dir": f"{root}{server.places[1]}",
        "ca_dir": f"{root}{server.real or server.asked}",
        "ca_kept": f"{root}{server.places[1]}.ca" if inside else f"{root}{server.real or server.asked}",
        "ca_cli": server.ca_cli,
        "conf": f"{root}{server.places[0]}/puppet.conf",
        "code_dir": f"{root}/{'envs' if server.environments else 'code/environments'}/production",
        "log_dir": f"{root}{server.places[2]}server",
        "service": server.unit,
        "user": server.unit_user or server.user,
        "serial": "00A7",
        "began": "",
    }


def test_a_server_without_a_ca_says_so(tmp_path: Path) -> None:
    bin_ = _programs(tmp_path, SERVERS["vendor 7"])
    (tmp_path / "root" / NEW_CA.lstrip("/") / "serial").unlink()
    assert _captured(_ask(bin_).stdout)["serial"] == "none"


def test_what_cannot_be_served_is_refused_in_words(tmp_path: Path) -> None:
    cases = {
        5: Server("3.8.7", section="master"),
        7: Server("7.34.0", load="not-found"),
        8: Server("7.34.0", ("/home/oncall/.puppetlabs/etc/puppet", *VENDOR[1:])),
    }
    known = {entry["exit"]: entry for entry in discovery()["wrong"]}
    for number, (code, server) in enumerate(cases.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert _ask(_programs(folder, server)).returncode == code
        assert known[code]["means"]
        assert known[code]["next"]
    bin_ = tmp_path / "0" / "bin"
    (bin_ / "puppet").unlink()
    assert _ask(bin_, others="/nonexistent").returncode == 127
