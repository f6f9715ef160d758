"""Stand-ins for tools that a machine may lack: curl by its exit codes, ssh-keygen by its keys."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from tests.sim_services.hostbench import SSL, TEMPLATE, Done, Estate, Host, estate, lay

FQDN = "puppet.example.test"
WEB = "web01.example.test"


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with estate(tmp_path_factory.mktemp("curl"), "web01") as made:
        tree = tmp_path_factory.mktemp("maybe") / "usr/local/bin"
        shutil.copytree(TEMPLATE / "maybe", tree)
        web = made["web01"]
        lay(web, tree.parents[2], {"python": sys.executable, "root": str(web.root)})
        made["primary"].ok("systemctl", "start", "puppetserver")
        yield made


def curl(host: Host, *words: str) -> Done:
    return host.run(str(host.path("/usr/local/bin/curl")), *words)


def mutual(bed: Estate, *more: str, path: str = f"/puppet/v3/node/{WEB}?environment=production") -> Done:
    files = bed["web01"].path(SSL)
    return curl(
        bed["web01"],
        *("-sS", "-o", "/dev/null", "-w", "%{http_code}\\n", "--resolve", f"{FQDN}:8140:{bed['primary'].address}"),
        *("--cacert", f"{files}/certs/ca.pem", "--cert", f"{files}/certs/{WEB}.pem"),
        *("--key", f"{files}/private_keys/{WEB}.pem", *more, f"https://{FQDN}:8140{path}"),
    )


def test_mutual_tls(bed: Estate) -> None:
    assert mutual(bed) == Done(0, "200\n", "")
    assert mutual(bed, path="/puppet/v3/node/other").out == "403\n"


def test_a_plain_look_at_the_status(bed: Estate) -> None:
    url = f"https://{bed['primary'].address}:8140/status/v1/simple"
    assert curl(bed["web01"], "-sk", "-m3", url) == Done(0, "running", "")
    assert curl(bed["web01"], "-skI", url).out.startswith("HTTP/1.1 200 OK\r\n")
    assert curl(bed["web01"], "-skf", url + "/nothing").code == 22


def test_exit_codes_tell_causes_apart(bed: Estate, tmp_path: Path) -> None:
    web, address = bed["web01"], bed["primary"].address
    assert curl(web, "-s", "https://nobody.invalid:8140/").code == 6
    assert curl(web, "-s", f"https://{bed['dr'].address}:8140/").code == 7
    assert curl(web, "-s", f"https://{address}:8140/").code == 60  # not a CA this machine trusts
    assert curl(web, "-s", "--cacert", "/nothing", f"https://{address}:8140/").code == 77
    assert curl(web, "-sk", "--cert", "/nothing", f"https://{address}:8140/").code == 58
    assert curl(web, "-sk", "--frobnicate", f"https://{address}:8140/").code == 2
    assert "curl: (6)" in curl(web, "-sS", "https://nobody.invalid:8140/").err


def test_a_silent_server_runs_into_the_time_limit(bed: Estate) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
        assert curl(bed["web01"], "-sk", "--max-time", "0.2", url).code == 28


def test_a_client_the_server_refuses_gets_56(bed: Estate, tmp_path: Path) -> None:
    dr = bed["dr"]
    shutil.rmtree(dr.path("/etc/puppetlabs/puppetserver/ca"))
    dr.path("/etc/puppetlabs/puppetserver/ca").mkdir()
    dr.ok("systemctl", "start", "puppetserver")
    done = mutual(bed, "--resolve", f"{FQDN}:8140:{dr.address}")
    assert (done.code, done.out) == (56, "000\n")


def test_a_key_as_ssh_keygen_makes_it(bed: Estate, tmp_path: Path) -> None:
    keygen, file = str(bed["web01"].path("/usr/local/bin/ssh-keygen")), tmp_path / "copy.key"
    made = bed["web01"].run(keygen, "-q", "-t", "ed25519", "-N", "", "-C", "puppet-ssl-sync", "-f", str(file))
    assert made == Done(0, "", "")
    assert file.stat().st_mode & 0o777 == 0o600
    shown = asyncssh.read_private_key(str(file)).convert_to_public()
    assert shown == asyncssh.read_public_key(f"{file}.pub")
    assert Path(f"{file}.pub").read_text().endswith(" puppet-ssl-sync\n")
    assert bed["web01"].run(keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(file)).code == 1
    assert bed["web01"].run(keygen, "-A").code == 1
