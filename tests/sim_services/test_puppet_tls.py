"""The Puppet stand-ins over real TLS: check-ins, and the ways in which a bad copy of a CA fails."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sim_services.hostbench import ACCESS, CA, SSL, Estate, Host, estate, until

FQDN = "puppet.example.test"
WEB = "web01.example.test"


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Estate]:
    with estate(tmp_path, "web01", "db01", "app01") as made:
        yield made


@pytest.fixture
def both(bed: Estate) -> Estate:
    bed.serve()
    return bed


def agent(host: Host) -> tuple[int, str]:
    done = host.run("puppet", "agent", "-t")
    return done.code, done.out + done.err


def test_an_agent_checks_in_and_says_who_served_it(both: Estate) -> None:
    code, said = agent(both["web01"])
    assert (code, both["primary"].catalogs(), both["dr"].catalogs()) == (2, {WEB}, set())
    assert f"served-by fqdn=puppet-primary.example.test ip={both['primary'].address}" in said
    assert agent(both["web01"])[0] == 2
    assert both["web01"].run("puppet", "agent", "-t", "--noop").code == 0
    line = both["primary"].access()[1]
    form = (
        rf"{re.escape(both['web01'].address)} - - \[\d\d/\w+/\d{{4}}:\d\d:\d\d:\d\d \+0000\] "
        r'"POST /puppet/v3/catalog/web01\.example\.test\?environment=production HTTP/1\.1" 200 \d+ "-" "Puppet/\S+ [^"]+" \d+ \d+ \d+'
    )
    assert re.fullmatch(form, line), line
    assert "PUT /puppet/v3/report/web01.example.test" in both["primary"].access()[2]
    assert "last_run: " in both["web01"].path("/opt/puppetlabs/puppet/public/last_run_summary.yaml").read_text()
    reports = both["primary"].path("/opt/puppetlabs/server/data/puppetserver/reports/" + WEB)
    assert list(reports.glob("*.yaml"))


def test_the_agents_follow_the_name(both: Estate) -> None:
    both.point("dr")
    assert agent(both["web01"])[0] == 2
    assert (both["primary"].catalogs(), both["dr"].catalogs()) == (set(), {WEB})


def test_a_late_certificate_works_at_the_dr_server_which_does_not_know_it(both: Estate) -> None:
    both.point("dr")
    assert agent(both["app01"])[0] == 2
    listed = both["dr"].ok("puppetserver", "ca", "list", "--all")
    assert WEB in listed
    assert "app01" not in listed


def _refused(bed: Estate, server: str) -> str:
    """Have a client try; return what OpenSSL said to the server."""
    before = bed[server].access()
    code, said = agent(bed["web01"])
    assert code == 1, said
    assert re.search(r"SSL_(read|connect).*(alert|eof|handshake)", said), said
    assert "Could not retrieve catalog; skipping run" in said
    assert bed[server].access() == before  # a refused client leaves no line
    return bed[server].tls_log()


def _flip(file: Path, where: float) -> None:
    """Change one character in the middle of a PEM body."""
    text = bytearray(file.read_bytes())
    start, end = text.index(b"\n") + 1, text.rindex(b"\n-----END")
    spot = start + int((end - start) * where)
    text[spot] = ord("A") if text[spot] != ord("A") else ord("B")
    file.write_bytes(bytes(text))


@pytest.mark.parametrize("where", [0.2, 0.4, 0.7])
def test_a_damaged_ca_key_is_found_by_openssl_in_the_handshake(both: Estate, where: float) -> None:
    assert agent(both["web01"])[0] == 2
    _flip(both["primary"].path(f"{CA}/ca_key.pem"), where)
    both["primary"].ok("systemctl", "reload", "puppetserver")
    assert "[SSL: " in _refused(both, "primary")


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_flipped_bit_in_the_crl_is_found_by_openssl(both: Estate, where: float) -> None:
    _flip(both["primary"].path(f"{CA}/ca_crl.pem"), where)
    both["primary"].ok("systemctl", "reload", "puppetserver")
    assert "[SSL: " in _refused(both, "primary")


def test_an_empty_ca_folder_makes_a_second_ca_that_refuses_everybody(bed: Estate) -> None:
    dr = bed["dr"]
    shutil.rmtree(dr.path(CA))
    dr.path(CA).mkdir()
    dr.ok("systemctl", "start", "puppetserver")
    assert "CA already initialized" not in dr.server_log()
    status = ("curl", "-sk", f"https://{dr.address}:8140/status/v1/simple")
    assert dr.ok(*status) == "running"
    bed.point("dr")
    assert "[SSL: " in _refused(bed, "dr")
    names = [p.path(f"{CA}/ca_crt.pem").read_bytes() for p in (dr, bed["primary"])]
    assert names[0] != names[1]


def test_half_a_ca_is_refused(bed: Estate) -> None:
    bed["dr"].path(f"{CA}/inventory.txt").unlink()
    done = bed["dr"].run("systemctl", "start", "puppetserver")
    assert (done.code, bed["dr"].run("systemctl", "is-active", "puppetserver").out) == (1, "failed\n")
    assert "Cannot initialize CA with partial state; need all files or none." in bed["dr"].server_log()


@pytest.mark.parametrize("file", [f"{CA}/ca_key.pem", f"{CA}/serial", f"{SSL}/private_keys/{FQDN}.pem"])
def test_files_it_may_not_read_are_refused(bed: Estate, file: str) -> None:
    bed["dr"].path(file).chmod(0)
    assert bed["dr"].run("systemctl", "start", "puppetserver").code == 1
    assert f"{bed['dr'].path(file)} (Permission denied)" in bed["dr"].server_log()


def test_a_dr_server_without_certname_shows_a_certificate_nobody_expects(bed: Estate) -> None:
    bed["dr"].ok("puppet", "config", "set", "certname", "puppet-dr.example.test", "--section", "main")
    serial = bed["dr"].path(f"{CA}/serial").read_text()
    bed["dr"].ok("systemctl", "start", "puppetserver")
    assert bed["dr"].path(f"{CA}/serial").read_text() != serial  # it used one up for itself
    bed.point("dr")
    code, said = agent(bed["web01"])
    assert code == 1
    assert "Server hostname 'puppet.example.test' did not match server certificate" in said


def test_two_cas_that_signed_apart_give_one_serial_twice(both: Estate) -> None:
    both.point("dr")
    both["dr"].path("/etc/puppetlabs/puppet/sign.hold").unlink()
    late = both["db01"]  # its certificate was made after the last copy, so the DR's next serial is the same
    assert agent(late)[0] == 2
    newcomer = both["web01"]
    newcomer.ok("puppet", "ssl", "clean")
    both["dr"].path(f"{CA}/signed/{WEB}.pem").unlink()
    assert agent(newcomer)[0] == 1
    both["dr"].ok("puppetserver", "ca", "sign", "--certname", WEB)
    assert agent(newcomer)[0] == 2
    both["dr"].ok("puppetserver", "ca", "clean", "--certname", WEB)
    assert agent(late)[0] == 1, "revocation goes by serial"


def test_a_revocation_is_seen_without_a_reload(both: Estate) -> None:
    assert agent(both["web01"])[0] == 2
    said = both["primary"].ok("puppetserver", "ca", "revoke", "--certname", WEB)
    assert said == f"Certificate for {WEB} has been revoked\n"
    assert "certificate" in _refused(both, "primary").lower()
    assert agent(both["db01"])[0] == 2


def test_an_exchanged_ca_folder_is_not_seen_until_a_reload(both: Estate) -> None:
    primary, dr = both["primary"], both["dr"]
    primary.ok("puppetserver", "ca", "revoke", "--certname", WEB)
    new = dr.path(CA).with_name("ca.new")
    shutil.copytree(primary.path(CA), new)
    dr.path(CA).rename(dr.path(CA).with_name("ca.old"))
    new.rename(dr.path(CA))
    both.point("dr")
    assert agent(both["web01"])[0] == 2, "it still goes by the old folder"
    dr.ok("systemctl", "reload", "puppetserver")
    _refused(both, "dr")


def test_a_reload_reads_puppet_conf_too(both: Estate) -> None:
    dr = both["dr"]
    both.point("dr")
    assert agent(both["web01"])[0] == 2
    new = dr.path(CA).with_name("ca-new")
    new.mkdir()
    dr.ok("puppet", "config", "set", "cadir", str(new), "--section", "server")
    assert agent(both["web01"])[0] != 1, "it still goes by what it has read"
    dr.ok("systemctl", "reload", "puppetserver")
    _refused(both, "dr")


def test_a_copied_crl_is_seen_without_a_reload(both: Estate) -> None:
    primary, dr = both["primary"], both["dr"]
    primary.ok("puppetserver", "ca", "revoke", "--certname", WEB)
    both.point("dr")
    shutil.copy(primary.path(f"{CA}/ca_crl.pem"), dr.path(f"{CA}/ca_crl.pem"))
    until(lambda: agent(both["web01"])[0] == 1)


def test_the_ca_command_acts_where_the_name_points(both: Estate) -> None:
    listed = both["dr"].ok("puppetserver", "ca", "list")
    assert "batch01.example.test" in listed  # waits on the primary only
    assert any("PuppetserverCaCli" in line and both["dr"].address in line for line in both["primary"].access())
    assert not both["dr"].access()
    assert both["dr"].ok("puppetserver", "ca", "sign", "--certname", "batch01.example.test").startswith("Successfully")
    assert not both["dr"].path(f"{CA}/signed/batch01.example.test.pem").exists()
    assert both["primary"].path(f"{CA}/signed/batch01.example.test.pem").exists()
    assert both["dr"].run("puppetserver", "ca", "sign", "--certname", "nobody.example.test").code == 1


def test_a_client_may_not_administer_nor_ask_for_another(both: Estate) -> None:
    web, address = both["web01"], both["primary"].address
    files = web.path(SSL)

    def ask(path: str, *more: str) -> str:
        return web.ok(
            *("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--resolve", f"{FQDN}:8140:{address}", *more),
            *("--cacert", f"{files}/certs/ca.pem", "--cert", f"{files}/certs/{WEB}.pem"),
            *("--key", f"{files}/private_keys/{WEB}.pem", f"https://{FQDN}:8140{path}"),
        )

    assert ask(f"/puppet/v3/node/{WEB}?environment=production") == "200"
    assert ask("/puppet/v3/node/db01.example.test?environment=production") == "403"
    assert ask("/puppet-ca/v1/certificate_statuses/any_key") == "403"
    assert ask("/puppet-ca/v1/certificate/..%2f..%2fca_key") == "400"
    assert ask("/nothing/here") == "404"


def test_a_first_certificate_waits_while_signing_is_held(both: Estate) -> None:
    both.point("dr")
    web, dr = both["web01"], both["dr"]
    web.ok("puppet", "ssl", "clean")
    dr.path(f"{CA}/signed/{WEB}.pem").unlink()
    code, said = agent(web)
    assert code == 1
    assert f"Certificate for {WEB} has not been signed yet" in said
    assert f"PUT /puppet-ca/v1/certificate_request/{WEB}" in dr.path(ACCESS).read_text()
    assert WEB in dr.ok("puppetserver", "ca", "list")
    dr.path("/etc/puppetlabs/puppet/sign.hold").unlink()
    dr.ok("puppetserver", "ca", "sign", "--certname", WEB)
    assert agent(web)[0] == 2
    own = web.ok("puppet", "agent", "--fingerprint").split()[1]
    assert own in dr.ok("puppetserver", "ca", "list", "--certname", WEB)


def test_without_a_server_the_run_fails_and_says_why(bed: Estate) -> None:
    code, said = agent(bed["web01"])
    assert code == 1
    assert (
        f'Failed to open TCP connection to {FQDN}:8140 (Connection refused - connect(2) for "{FQDN}" port 8140)' in said
    )
