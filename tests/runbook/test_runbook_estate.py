"""Estates: hosts from everywhere, files that are not to be trusted, and every problem at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.runbook.conftest import lay
from tests.runbook.texts import ESTATE, changed, line_of

from handrail.base.problems import Problem, Trouble
from handrail.runbook.estate import Estate, read_estate
from handrail.runbook.estate_model import split_port
from handrail.runbook.lint import lint_file

CLIENTS = 'hosts = ["web01", "web02:2222", { name = "db01", host = "192.0.2.31", site = "lhr", vars = { x = true } }]'
TEMPLATE = Path(__file__).parents[2] / "runbooks" / "sim" / "puppet" / "estate.toml"


def troubles(folder: Path, *changes: tuple[str, str]) -> tuple[Problem, ...]:
    with pytest.raises(Trouble) as raised:
        read_estate(lay(folder, changed(ESTATE, *changes)))
    return raised.value.problems


def test_a_role_of_one(estate: Estate, tmp_path: Path) -> None:
    (primary,) = estate.hosts("primary")
    assert (primary.key, primary.name, primary.host, primary.port) == ("primary", "puppet1", "192.0.2.10", None)
    assert (primary.user, primary.become, primary.site) == ("ops", "sudo", "ams")
    assert primary.identity == tmp_path / "id_ed25519"
    assert primary.address == "198.51.100.10"
    assert primary.vars == {"ssl_dir": "/etc/ssl-p", "late_certs": "2"}
    assert primary.work_dir == "/var/tmp/handrail"
    (dr,) = estate.hosts("dr")
    assert (dr.key, dr.name, dr.address) == ("dr", "puppet-dr", "192.0.2.11")


def test_a_role_of_many(estate: Estate) -> None:
    web1, web2, db = estate.hosts("clients")
    assert [host.key for host in (web1, web2, db)] == ["web01", "web02", "db01"]
    assert [host.port for host in (web1, web2, db)] == [None, 2222, None]
    assert [host.site for host in (web1, web2, db)] == ["ams", "ams", "lhr"]
    assert {host.user for host in (web1, web2, db)} == {"root"}
    assert (web1.host, db.host, db.vars) == ("web01", "192.0.2.31", {"x": "true"})
    assert estate.host("db01") is db
    with pytest.raises(KeyError):
        estate.host("db02")
    assert estate.hosts("nobody") == ()


def test_the_rest_of_an_estate(estate: Estate, tmp_path: Path) -> None:
    assert (estate.name, estate.class_, estate.simulated) == ("production", "production", False)
    assert estate.known_hosts == tmp_path / "known_hosts"
    assert estate.dns is not None
    assert (estate.dns.provider, estate.dns.port, estate.dns.key_file) == ("rfc2136", 53, tmp_path / "dr-switch.key")
    assert estate.dns.servers == ("192.0.2.53", "192.0.2.54")
    assert estate.vars == {"fqdn": "puppet.example.test"}
    assert estate.warnings == ()
    assert len(estate.digest) == 64


def test_hosts_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "hosts.txt").write_text("# all\nweb01\n\nweb02:2222  # the new one\n[2001:db8::1]:22\n")
    estate = read_estate(lay(tmp_path, changed(ESTATE, (CLIENTS, 'hosts = { file = "hosts.txt" }'))))
    assert [(h.name, h.port) for h in estate.hosts("clients")] == [
        ("web01", None),
        ("web02", 2222),
        ("2001:db8::1", 22),
    ]


def test_a_bad_line_in_a_file_of_hosts(tmp_path: Path) -> None:
    (tmp_path / "hosts.txt").write_text("web01\n-oProxyCommand=x\nweb 3\n")
    found = troubles(tmp_path, (CLIENTS, 'hosts = { file = "hosts.txt" }'))
    assert [problem.code for problem in found] == ["host-name", "host-name"]
    assert "hosts.txt:2:1" in found[0].message


def test_hosts_from_a_program(tmp_path: Path) -> None:
    program = json.dumps([sys.executable, "-c", "print('web01\\nweb02:2200')"])
    path = lay(tmp_path, changed(ESTATE, (CLIENTS, f"hosts = {{ command = {program} }}")))
    assert [host.name for host in read_estate(path).hosts("clients")] == ["web01", "web02"]
    assert read_estate(path, ask=False).hosts("clients") == ()
    assert lint_file(path) == ()


def test_a_program_that_fails(tmp_path: Path) -> None:
    program = json.dumps([sys.executable, "-c", "import sys; sys.exit('no \\x1b[31minventory')"])
    found = troubles(tmp_path, (CLIENTS, f"hosts = {{ command = {program} }}"))
    assert [problem.code for problem in found] == ["hosts-command"]
    assert found[0].message.endswith("ended with 1: no inventory")
    assert [p.code for p in troubles(tmp_path, (CLIENTS, 'hosts = { command = ["./none"] }'))] == ["hosts-command"]


def test_hosts_from_ansible(tmp_path: Path) -> None:
    inventory = {
        "_meta": {
            "hostvars": {"web01": {"ansible_host": "192.0.2.21", "ansible_port": 2222, "ansible_user": "deploy"}}
        },
        "all": {"children": ["clients", "ungrouped"]},
        "clients": {"children": ["web"], "hosts": ["db01"]},
        "web": {"hosts": ["web01", "web02"], "children": ["clients"]},
        "ungrouped": {"hosts": ["lone"]},
    }
    (tmp_path / "inventory.json").write_text(json.dumps(inventory))

    def hosts(written: str) -> list[tuple[Any, ...]]:
        estate = read_estate(lay(tmp_path, changed(ESTATE, (CLIENTS, f"hosts = {written}"))))
        return [(host.name, host.host, host.port, host.user) for host in estate.hosts("clients")]

    assert hosts('{ ansible = "inventory.json" }') == [
        ("db01", "db01", None, "root"),
        ("web01", "192.0.2.21", 2222, "deploy"),
        ("web02", "web02", None, "root"),
    ]
    assert [name for name, *_ in hosts('{ ansible = "inventory.json", group = "ungrouped" }')] == ["lone"]
    found = troubles(tmp_path, (CLIENTS, 'hosts = { ansible = "inventory.json", group = "nope" }'))
    assert [problem.code for problem in found] == ["ansible"]
    for broken in ("[]", "{", '{"clients": {"hosts": 3}}', '{"clients": {"hosts": ["-x"]}}', "[" * 100_000):
        (tmp_path / "inventory.json").write_text(broken)
        assert [p.code for p in troubles(tmp_path, (CLIENTS, 'hosts = { ansible = "inventory.json" }'))] == ["ansible"]


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("web01", "web01", None),
        ("web01:22", "web01", 22),
        ("2001:db8::1", "2001:db8::1", None),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("[2001:db8::1]:2222", "2001:db8::1", 2222),
    ],
)
def test_a_host_and_its_port(text: str, host: str, port: int | None) -> None:
    assert split_port(text) == (host, port)


CASES: list[tuple[str, tuple[str, str], str]] = [
    ("role-hosts", ('host = "192.0.2.11"\n', ""), "[roles.dr]"),
    ("role-hosts", ('host = "192.0.2.11"', 'host = "192.0.2.11"\nhosts = ["x"]'), "[roles.dr]"),
    ("host-twice", ('"web02:2222"', '"web01:2222"'), '"web01:2222"'),
    ("host-twice", ('"web02:2222"', '"dr"'), '"dr"'),
    ("host-name", ('"web02:2222"', '"web02:ssh"'), "web02:ssh"),
    ("host-name", ('host = "192.0.2.11"', 'host = "-oProxyCommand=x"'), "Proxy"),
    ("known-hosts", ('known_hosts = "known_hosts"\n', ""), "[estate]"),
    ("path-leaves", ('identity = "id_ed25519"', 'identity = "../../etc/shadow"'), "shadow"),
    ("path-leaves", ('known_hosts = "known_hosts"', 'known_hosts = "a/../../x"'), "a/../../x"),
    ("dns-servers", ('servers = ["192.0.2.53", "192.0.2.54"]', "servers = []"), "[dns]"),
    ("dns-key", ('key_file = "dr-switch.key"\n', ""), "[dns]"),
    ("dns-command", ('provider = "rfc2136"', 'provider = "command"'), "[dns]"),
    ("not-a-choice", ('provider = "rfc2136"', 'provider = "route53"'), "route53"),
    ("not-a-choice", ('become = "sudo"', 'become = "doas"'), "doas"),
    ("unknown-key", ('user = "ops"', 'usr = "ops"'), "usr"),
    ("port", ('user = "ops"', "port = 0"), "port = 0"),
    ("value", ("late_certs = 2", "late_certs = [2]"), "late_certs"),
    ("name", ("late_certs = 2", "Late = 2"), "Late"),
    ("file-missing", (CLIENTS, 'hosts = { file = "none.txt" }'), "none.txt"),
    ("sim-door", ("[dns]", '[roles.dr.sim]\nready = ["8140"]\n[dns]'), '"8140"'),
]


@pytest.mark.parametrize(("code", "change", "needle"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)])
def test_a_problem_and_its_place(code: str, change: tuple[str, str], needle: str, tmp_path: Path) -> None:
    found = [problem for problem in troubles(tmp_path, change) if problem.code == code]
    assert found
    assert found[0].where is not None
    assert found[0].where.line == line_of(changed(ESTATE, change), needle)


def test_everything_wrong_with_an_estate_is_told_at_once(tmp_path: Path) -> None:
    found = troubles(tmp_path, *(CASES[n][1] for n in (0, 2, 6, 10, 14)))
    assert {problem.code for problem in found} == {"role-hosts", "host-twice", "known-hosts", "dns-key", "unknown-key"}


def test_keys_that_others_may_read_are_refused(tmp_path: Path) -> None:
    path = lay(tmp_path, ESTATE)
    (tmp_path / "id_ed25519").chmod(0o644)
    (tmp_path / "dr-switch.key").chmod(0o640)
    (tmp_path / "known_hosts").chmod(0o666)
    assert [(p.code, p.where and p.where.line) for p in lint_file(path)] == [
        ("file-writable", line_of(ESTATE, 'known_hosts = "')),
        ("file-private", line_of(ESTATE, "id_ed25519")),
        ("file-private", line_of(ESTATE, "dr-switch.key")),
    ]


def test_keys_that_are_links_or_pipes_are_refused(tmp_path: Path) -> None:
    path = lay(tmp_path, ESTATE)
    (tmp_path / "id_ed25519").rename(tmp_path / "real")
    (tmp_path / "id_ed25519").symlink_to(tmp_path / "real")
    assert [problem.code for problem in lint_file(path)] == ["file-link"]


def test_a_key_that_is_not_here_is_a_warning(tmp_path: Path) -> None:
    path = lay(tmp_path, ESTATE)
    (tmp_path / "dr-switch.key").unlink()
    (tmp_path / "known_hosts").unlink()
    assert [(problem.code, problem.severity) for problem in read_estate(path).warnings] == [("file-missing", "warning")]


def test_the_template_of_the_simulated_estate_is_an_estate() -> None:
    assert lint_file(TEMPLATE) == ()
    estate = read_estate(TEMPLATE)
    assert estate.simulated
    assert estate.hosts("primary")[0].host == estate.hosts("primary")[0].address
    assert estate.sim is not None
    assert {host.name for host in estate.sim.hosts} >= {"ns1", "ns2"}


def test_home_is_where_a_tilde_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    text = changed(ESTATE, ('known_hosts = "known_hosts"', 'known_hosts = "known_hosts"\nssh_config = "~/.ssh/config"'))
    assert read_estate(lay(tmp_path, text)).ssh_config == tmp_path / "me" / ".ssh" / "config"


def test_hosts_from_a_program_that_prints_an_ansible_inventory(tmp_path: Path) -> None:
    inventory = {
        "_meta": {"hostvars": {"web01": {"ansible_ssh_host": "192.0.2.21", "ansible_ssh_private_key_file": "id_web"}}},
        "web": {"hosts": ["web01"]},
        "all": {"children": ["web"]},
    }
    (tmp_path / "inventory.json").write_text(json.dumps(inventory))
    written = 'hosts = { command = ["cat", "inventory.json"], group = "web" }'
    estate = read_estate(lay(tmp_path, changed(ESTATE, (CLIENTS, written))))
    (host,) = estate.hosts("clients")
    assert (host.name, host.host, host.identity) == ("web01", "192.0.2.21", tmp_path / "id_web")
    assert estate.found["clients"] == [{"name": "web01", "host": "192.0.2.21", "identity": "id_web"}]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("{ }", "hosts-from"),
        ('{ file = "a", command = ["b"] }', "hosts-from"),
        ('{ command = ["true"] }', "hosts-none"),
        ('{ command = ["seq", "-f", "h%.0f", "5001"] }', "hosts-many"),
        ('{ command = ["yes"] }', "hosts-command"),
    ],
)
def test_hosts_from_elsewhere_have_limits(tmp_path: Path, written: str, code: str) -> None:
    assert [p.code for p in troubles(tmp_path, (CLIENTS, f"hosts = {written}"))] == [code]
