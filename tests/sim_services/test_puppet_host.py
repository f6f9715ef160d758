"""Settings, names, locks and the copy to the DR server: what the stand-ins do without a server's answer."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dns.name
import pytest
from tests.sim_services.hostbench import CA, SSL, TEMPLATE, Done, Estate, estate, until

from handrail_sim.nameserver import Nameserver, Setup

WEB = "web01.example.test"
sys.path[:0] = [str(TEMPLATE / "puppet/usr/local/lib"), str(TEMPLATE / "system/usr/local/lib")]


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Estate]:
    with estate(tmp_path, "web01", "db01", "app01") as made:
        yield made


def test_config_prints_one_value_bare_and_several_with_their_names(bed: Estate) -> None:
    dr = bed["dr"]
    assert dr.ok("puppet", "config", "print", "cadir", "--section", "server") == f"{dr.path(CA)}\n"
    assert dr.ok("puppet", "config", "print", "ssldir", "cadir", "--section=master") == (
        f"cadir = {dr.path(CA)}\nssldir = {dr.path(SSL)}\n"
    )
    assert dr.ok("puppet", "config", "print", "certname") == "puppet.example.test\n"
    assert bed["web01"].ok("puppet", "config", "print", "certname", "server", "--section", "agent") == (
        f"certname = {WEB}\nserver = puppet.example.test\n"
    )
    assert dr.ok("puppet", "--version").startswith("7.")


def test_the_ca_is_where_puppet_7_looks_for_it(bed: Estate) -> None:
    dr = bed["dr"]
    dr.path(f"{SSL}/ca").unlink()
    assert dr.ok("puppet", "config", "print", "cadir").strip() == str(dr.path(CA))
    dr.path(f"{SSL}/ca").mkdir()
    assert dr.ok("puppet", "config", "print", "cadir").strip() == str(dr.path(f"{SSL}/ca"))


def test_config_set_changes_one_line(bed: Estate) -> None:
    dr = bed["dr"]
    before = dr.path("/etc/puppetlabs/puppet/puppet.conf").read_text()
    dr.ok("puppet", "config", "set", "certname", "other.example.test", "--section", "main")
    after = dr.path("/etc/puppetlabs/puppet/puppet.conf").read_text()
    assert after == before.replace("certname = puppet.example.test", "certname = other.example.test", 1)
    dr.ok("puppet", "config", "set", "strict", "error", "--section", "brand-new")
    assert dr.path("/etc/puppetlabs/puppet/puppet.conf").read_text() == after + "[brand-new]\nstrict = error\n"


def test_the_older_copy_lacks_what_was_signed_since(bed: Estate) -> None:
    primary, dr = bed["primary"], bed["dr"]
    here, there = ({p.stem for p in host.path(f"{CA}/signed").glob("*.pem")} for host in (primary, dr))
    assert here - there == {"db01.example.test", "app01.example.test"}
    assert there < here
    serials = [int(host.path(f"{CA}/serial").read_text(), 16) for host in (primary, dr)]
    assert serials[0] == serials[1] + 2
    for file in ("ca_crt.pem", "ca_key.pem"):
        assert primary.path(f"{CA}/{file}").read_bytes() == dr.path(f"{CA}/{file}").read_bytes()


# ---------------------------------------------------------------------- the run lock


def _held(bed: Estate, text: str) -> Done:
    lock = bed["web01"].path("/opt/puppetlabs/puppet/cache/state/agent_catalog_run.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(text)
    return bed["web01"].run("puppet", "agent", "-t", "--waitforlock", "0")


def test_a_run_in_progress_is_not_disturbed(bed: Estate) -> None:
    done = _held(bed, "held by a person")
    assert done.code == 1
    assert "Run of Puppet configuration client already in progress; skipping" in done.out


def test_a_lock_left_by_a_dead_run_is_taken_over(bed: Estate) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert "already in progress" not in _held(bed, str(gone.pid)).out


def test_a_disabled_agent_says_so(bed: Estate) -> None:
    web = bed["web01"]
    web.ok("puppet", "agent", "--disable", "failover under way")
    done = web.run("puppet", "agent", "-t")
    assert done.code == 1
    assert "administratively disabled (Reason: 'failover under way')" in done.out
    web.ok("puppet", "agent", "--enable")
    assert "disabled" not in web.run("puppet", "agent", "-t").out


def test_the_daemon_checks_in_by_itself(bed: Estate) -> None:
    bed["primary"].ok("systemctl", "start", "puppetserver")
    conf = bed["web01"].path("/etc/puppetlabs/puppet/puppet.conf")
    conf.write_text(conf.read_text().replace("runinterval = 3", "runinterval = 0.2").replace("splaylimit = 1", ""))
    bed["web01"].ok("systemctl", "start", "puppet")
    until(lambda: bed["primary"].catalogs() == {WEB})
    seen = len(bed["primary"].access())
    until(lambda: len(bed["primary"].access()) > seen)
    bed["web01"].ok("systemctl", "stop", "puppet")
    assert bed["web01"].run("systemctl", "is-active", "puppet").code == 3


# ---------------------------------------------------------------------- names


async def test_names_come_from_the_estates_own_dns(bed: Estate, tmp_path: Path) -> None:
    zone = tmp_path / "zone"
    zone.write_text("@ 5 IN SOA ns1 h 1 5 1 60 5\n@ 5 IN NS ns1\nalias 5 IN CNAME puppet\npuppet 5 IN A 127.5.6.7\n")
    server = Nameserver(Setup(dns.name.from_text("example.test"), zone))
    await server.start("127.0.0.1", 0)
    web = bed["web01"]
    conf = web.path("/etc/handrail-sim/host.conf")
    conf.write_text(conf.read_text() + f"resolver = 127.0.0.1\ndnsport = {server.port}\n")
    web.path("/etc/hosts").write_text("127.0.0.1 localhost\n")
    try:
        for name in ("puppet.example.test", "alias.example.test"):
            found = await asyncio.to_thread(web.ok, "getent", "ahostsv4", name)
            assert found.split("\n")[0].split() == ["127.5.6.7", "STREAM", name]
        missing = await asyncio.to_thread(web.run, "getent", "hosts", "nobody.example.test")
        assert missing.code == 2
        done = await asyncio.to_thread(web.run, "puppet", "agent", "-t", "--server", "nobody.example.test")
        assert "getaddrinfo: Name or service not known" in done.err
        web.pin("puppet.example.test", "127.9.9.9")
        pinned = await asyncio.to_thread(web.ok, "getent", "hosts", "puppet.example.test")
        assert pinned.split() == ["127.9.9.9", "puppet.example.test"]
    finally:
        await server.close()


# ---------------------------------------------------------------------- the copy to the DR server


def _trees(bed: Estate) -> list[dict[str, bytes]]:
    found = []
    for role in ("primary", "dr"):
        folders = [bed[role].path(folder) for folder in (SSL, CA)]
        files = [(f, p) for f in folders for p in f.rglob("*") if p.is_file()]
        found.append({str(p.relative_to(f)): p.read_bytes() for f, p in files})
    return found


def test_a_copy_makes_both_alike_and_is_stamped(bed: Estate) -> None:
    bed["primary"].ok("systemctl", "start", "ssh")
    dr = bed["dr"]
    until(lambda: dr.run("puppet-ssl-sync", "--check").code == 0)
    assert "ca/serial" in dr.ok("puppet-ssl-sync", "--check").split()
    stamp = dr.path("/var/lib/puppet-ssl-sync.last").read_text()
    extra = dr.path(f"{CA}/signed/extra.pem")
    extra.write_text("x")
    assert "*deleting ca/signed/extra.pem" in dr.ok("puppet-ssl-sync", "--check")
    assert dr.ok("puppet-ssl-sync").startswith("sync ok: 7 written, 1 removed")
    here, there = _trees(bed)
    assert here == there
    assert dr.path("/var/lib/puppet-ssl-sync.last").read_text() > stamp
    assert dr.ok("puppet-ssl-sync", "--check") == ""
    assert dr.path(f"{CA}/ca_key.pem").stat().st_mode & 0o777 == 0o640


def test_a_held_copy_does_nothing(bed: Estate) -> None:
    before = _trees(bed)[1]
    bed["dr"].path("/etc/puppet-ssl-sync.hold").write_text("failover 7\n")
    assert bed["dr"].run("puppet-ssl-sync") == Done(75, "held: failover 7\n", "")
    bed["dr"].ok("systemctl", "start", "puppet-ssl-sync")  # the timer's service does not count that as a failure
    assert _trees(bed)[1] == before


def test_an_older_or_another_source_is_refused(bed: Estate) -> None:
    primary, dr = bed["primary"], bed["dr"]
    primary.ok("systemctl", "start", "ssh")
    until(lambda: dr.run("puppet-ssl-sync", "--check").code == 0)
    dr.path(f"{CA}/serial").write_text("1007")
    before = _trees(bed)[1]
    done = dr.run("puppet-ssl-sync")
    assert (done.code, "lies behind ours" in done.err) == (1, True)
    primary.path(f"{CA}/ca_crt.pem").write_bytes(primary.path(f"{SSL}/certs/puppet.example.test.pem").read_bytes())
    assert "another CA" in dr.run("puppet-ssl-sync").err
    primary.path(f"{CA}/inventory.txt").unlink()
    assert "has no ca/inventory.txt" in dr.run("puppet-ssl-sync").err
    assert _trees(bed)[1] == before


def test_a_source_that_is_down_is_an_error(bed: Estate) -> None:
    done = bed["dr"].run("puppet-ssl-sync")
    assert (done.code, "refused" in done.err) == (1, True)


def test_ssh_gives_one_key_from_one_place_one_thing(bed: Estate) -> None:
    primary, dr = bed["primary"], bed["dr"]
    primary.ok("systemctl", "start", "ssh")
    until(lambda: dr.run("puppet-ssl-sync", "--check").code == 0)
    allowed = primary.path("/root/.ssh/authorized_keys")
    line = allowed.read_text()
    allowed.write_text(line.replace(dr.address, "192.0.2.1"))
    assert "Permission denied" in dr.run("puppet-ssl-sync").err
    allowed.write_text(line.replace("ssh-ed25519 ", "ssh-ed25519 other"))
    assert "Permission denied" in dr.run("puppet-ssl-sync").err
    allowed.write_text(line)
    dr.path("/etc/puppet-ssl-sync.known_hosts").write_text(f"{primary.address} ssh-ed25519 another\n")
    assert "Host key verification failed" in dr.run("puppet-ssl-sync").err


# ---------------------------------------------------------------------- damage


@pytest.mark.parametrize("name", ["ca_key.pem", "ca_crl.pem"])
def test_every_flipped_bit_that_means_something_is_found(tmp_path: Path, name: str) -> None:
    """One bit of every byte: afterwards nothing loads, or OpenSSL finds the list's signature wrong."""
    from cryptography import x509

    authority = importlib.import_module("puppetsim.authority").Authority(tmp_path)
    authority.create("puppet.example.test")
    public, whole = authority.certificate().public_key(), (tmp_path / name).read_bytes()
    survivors = []
    for place in range(len(whole) - 1):
        bit = 1 << (place % 8)
        damaged = bytearray(whole)
        damaged[place] ^= bit
        (tmp_path / name).write_bytes(bytes(damaged))
        try:
            crl = x509.load_pem_x509_crl(authority.crl_for_tls())
        except ValueError:
            continue
        if crl.is_signature_valid(public):
            survivors.append(place)
    assert all(whole[place : place + 1] == b"\n" for place in survivors), survivors
