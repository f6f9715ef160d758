"""A runbook on an estate: who is spoken to, what every name says, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.runbook.conftest import lay
from tests.runbook.texts import ESTATE, FULL, MINI, changed

from handrail.base.problems import Trouble
from handrail.runbook.bind import bind, picked
from handrail.runbook.checks import Undo
from handrail.runbook.estate import Estate, read_estate
from handrail.runbook.hosts import Host
from handrail.runbook.model import Runbook, Var, VarType
from handrail.runbook.read import parse_runbook
from handrail.runbook.resolved import resolve_part, resolve_step
from handrail.runbook.routes import guard_needed, needed_places, not_needed
from handrail.runbook.values import need_count
from handrail.runbook.variables import value_problem


def codes_of(trouble: pytest.ExceptionInfo[Trouble]) -> list[str]:
    return [problem.code for problem in trouble.value.problems]


def test_values_come_from_default_then_estate_then_set(full: Runbook, estate: Estate) -> None:
    binding = bind(full, estate)
    assert binding.values == {"fqdn": "puppet.example.test", "fleet": "web01 web02 db01"}
    assert binding.sources == {"fqdn": "estate", "fleet": "runbook"}
    binding = bind(full, estate, {"fqdn": "other.example.test"})
    assert (binding.values["fqdn"], binding.sources["fqdn"]) == ("other.example.test", "set")
    assert binding.missing == ()
    assert binding.unknown_facts == ()


def test_everything_that_does_not_fit_is_told_at_once(full: Runbook, tmp_path: Path) -> None:
    text = changed(ESTATE, ("[roles.dr]", "[roles.drr]"), ('hosts = ["web01", ', 'host = "web01" #'))
    estate = read_estate(lay(tmp_path, text))
    with pytest.raises(Trouble) as raised:
        bind(full, estate, {"fqdn": "a b", "fleat": "x"})
    assert sorted(codes_of(raised)) == ["role-missing", "role-shape", "unknown-setting", "var-type"]
    text = str(raised.value)
    assert "it has `drr`" in text
    assert "did you mean `fleet`?" in text


def test_a_role_of_one_is_not_written_as_many(full: Runbook, tmp_path: Path) -> None:
    text = changed(ESTATE, ('host = "192.0.2.11"', 'hosts = ["192.0.2.11"]'))
    with pytest.raises(Trouble, match="role-shape"):
        bind(full, read_estate(lay(tmp_path, text)))


def test_a_switch_needs_servers_and_hosts_that_stay_where_they_are(full: Runbook, tmp_path: Path) -> None:
    text = ESTATE[: ESTATE.index("[dns]")] + ESTATE[ESTATE.index("[vars]") :]
    text = changed(text, ('host = "192.0.2.11"', 'host = "Puppet.example.test."'))
    with pytest.raises(Trouble) as raised:
        bind(full, read_estate(lay(tmp_path, text)))
    assert codes_of(raised) == ["dns-missing", "host-moves"]
    moves = raised.value.problems[1]
    assert "the name that switch/dns switches" in moves.message
    assert "management name" in moves.hint
    assert moves.where is not None
    assert text.splitlines()[moves.where.line - 1].startswith('host = "Puppet.example.test."')


def test_a_name_that_is_switched_is_known_by_the_runbooks_default_and_in_lists(full: Runbook, tmp_path: Path) -> None:
    text = changed(ESTATE, ('hosts = ["web01", ', 'hosts = ["web01", "puppet.example.test:2222", '))
    fqdn = full.vars["fqdn"].model_copy(update={"default": "puppet.example.test"})
    named = full.model_copy(update={"vars": {**full.vars, "fqdn": fqdn}})
    text = changed(text, ('fqdn = "puppet.example.test"\n', ""))
    with pytest.raises(Trouble, match="host-moves") as raised:
        bind(named, read_estate(lay(tmp_path, text)))
    where = raised.value.problems[0].where
    assert where is not None
    assert text.splitlines()[where.line - 1][where.column - 1 :].startswith('"puppet.example.test:2222"')
    assert bind(full, read_estate(lay(tmp_path, text)), {"fqdn": "other.example.test"})


def test_a_resolved_undo_can_be_written_down_and_read_again(full: Runbook) -> None:
    text = changed(MINI, ('undo = { run = ["systemctl", "start", "x"] }', UNDO))
    undos = [place.step.undo for place in (*full.places, *parse_runbook(text.encode(), "x").places)]
    tables = [undo for undo in undos if isinstance(undo, Undo)]
    assert len(tables) == 3
    for undo in tables:
        assert Undo.model_validate_json(undo.model_dump_json(by_alias=True, exclude_defaults=True)) == undo


UNDO = """undo = { script = 'true "$1"', args = ["{{ name }}"], timeout = "1m30s", par = "250ms", expect = { exit = [0, 3] }, \
verify = [{ run = ["v"], within = "2h", every = "1s", need = "50%", expect = { match = '^x$', same = true } }] }""".replace(
    "\\\n", ""
)


def test_missing_values_can_be_answered_and_secrets_stay_apart(tmp_path: Path) -> None:
    runbook = parse_runbook(MINI.encode(), "x")
    text = '\n[dns]\nprovider = "manual"\nzone = "test"\nservers = ["ns"]\n'
    text += '[roles.a]\nhost = "h1"\n[roles.b]\nhost = "h2"\n[roles.many]\nhosts = ["m1"]\n'
    path = tmp_path / "e.toml"
    path.write_text(f'format = 1\n[estate]\nname = "e"\nknown_hosts = "k"\n{text}')
    binding = bind(runbook, read_estate(path))
    assert binding.missing == ("name", "token")
    with pytest.raises(Trouble, match="var-type") as raised:
        binding.answered({"name": "not a name", "token": "hunter2\n"})
    assert "hunter2" not in str(raised.value)
    binding = binding.answered({"name": "x.test", "token": "hunter2"})
    assert binding.missing == ()
    assert "hunter2" not in repr(binding)
    host = binding.estate.hosts("b")[0]
    assert "token" not in binding.names_for(host)
    hold = runbook.place("go/hold").step
    assert resolve_step(hold, binding.stdin_names(host)).stdin == "hunter2"


def test_facts_that_nobody_gives_are_named(full: Runbook, tmp_path: Path) -> None:
    estate = read_estate(
        lay(tmp_path, changed(ESTATE, ('access_log = "/log", ', ""), ('ssl_dir = "/etc/ssl-p", ', "")))
    )
    assert bind(full, estate).unknown_facts == ("primary.ssl_dir", "dr.access_log")


def test_names_as_they_stand_for_each_host(full: Runbook, estate: Estate) -> None:
    binding = bind(full, estate)
    base = binding.base_names()
    assert base["primary.address"] == "198.51.100.10"
    assert base["dr.name"] == "puppet-dr"
    assert base["clients.names"] == "web01 web02 db01"
    assert base["clients.count"] == "3"
    assert not any(name.startswith("here.") for name in base)
    captures = {"dr.ca_dir": "/ca", "primary.ca_dir": "/ca-p"}
    names = binding.names_for(estate.host("dr"), captures)
    assert (names["here.ca_dir"], names["here.ssl_dir"], names["primary.ca_dir"]) == ("/ca", "/etc/ssl-d", "/ca-p")
    names = binding.names_for(estate.host("db01"), captures)
    assert (names["here.host"], names["here.site"], names["here.x"]) == ("db01", "lhr", "true")
    assert "here.ca_dir" not in names


def test_a_step_is_resolved_for_its_host(full: Runbook, estate: Estate) -> None:
    binding = bind(full, estate)
    captures = {"dr.ca_dir": "/ca", "primary.ca_dir": "/ca-p"}
    copy = full.place("sync/copy").step
    assert copy.sync is not None
    here = [resolve_part(copy.sync, binding.names_for(estate.host(role), captures)).dirs for role in ("primary", "dr")]
    assert here == [("/etc/ssl-p", "/ca-p"), ("/etc/ssl-d", "/ca")]
    dns = resolve_step(full.place("switch/dns").step, binding.names_for(None))
    assert dns.title == "Point puppet.example.test at the DR server"
    assert dns.confirm == "192.0.2.11"
    assert dns.dns is not None
    assert (dns.dns.name, dns.dns.from_, dns.dns.to) == ("puppet.example.test", "198.51.100.10", "192.0.2.11")
    adoption = resolve_step(full.place("clients/adoption").step, binding.names_for(estate.host("dr")))
    assert adoption.meter is not None
    assert adoption.meter.expected() == ("web01", "web02", "db01")
    verify = resolve_part(copy.verify[0], binding.names_for(estate.host("dr"), captures))
    assert verify.run == ("cat", "/ca/serial")


def test_what_is_not_known_is_told_all_at_once(full: Runbook, estate: Estate) -> None:
    copy = full.place("sync/copy").step
    assert copy.sync is not None
    with pytest.raises(Trouble) as raised:
        resolve_part(copy.sync, {})
    assert codes_of(raised) == ["unknown-name", "unknown-name"]


def test_hosts_of_steps(full: Runbook, estate: Estate) -> None:
    binding = bind(full, estate)
    canaries = full.place("clients/canaries").step
    assert [host.key for host in binding.hosts_of(canaries)] == ["web01", "db01"]
    ca_dir = full.place("checks/ca-dir").step
    assert [host.key for host in binding.hosts_of(ca_dir)] == ["primary", "dr"]
    assert [host.key for host in binding.hosts_of(ca_dir, lost=("primary",))] == ["dr"]
    copy = full.place("sync/copy").step
    assert [host.key for host in binding.hosts_for(copy.verify[0], copy)] == ["primary", "dr"]
    hold = full.place("sync/hold").step
    assert hold.probe is not None
    assert [host.key for host in binding.hosts_for(hold.probe, hold)] == ["dr"]


@given(st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=9), st.integers(1, 10))
def test_a_pick_spreads_over_sites_in_estate_order(sites: list[str], count: int) -> None:
    hosts = [Host(key=str(n), role="r", name=str(n), host="h", site=site) for n, site in enumerate(sites)]
    chosen = picked(hosts, count)
    assert len(chosen) == min(count, len(hosts))
    assert [host.key for host in chosen] == sorted((host.key for host in chosen), key=int)
    per_site = {site: sum(1 for host in chosen if host.site == site) for site in sites}
    for site, number in per_site.items():
        fair = [other for other, n in per_site.items() if n > number + 1]
        assert not fair or number == sites.count(site)
        firsts = [host for host in hosts if host.site == site][:number]
        assert all(host in chosen for host in firsts)


def test_what_a_route_needs(full: Runbook) -> None:
    assert full.first_route == "planned"
    assert len(needed_places(full, "planned")) == len(full.places)
    left_out = {p.name for p in full.places} - {p.name for p in needed_places(full, "emergency")}
    assert left_out == {"sync/copy"}
    assert not_needed(full, full.place("sync/copy").step, "emergency") == "primary is lost"
    assert guard_needed(full, full.guards[0], "emergency")
    with pytest.raises(KeyError):
        not_needed(full, full.places[0].step, "nowhere")


def test_a_wait_for_a_switch_that_is_not_needed_is_not_needed_either() -> None:
    text = changed(MINI, ("dns = {", 'only = "planned"\ndns = {'))
    runbook = parse_runbook(text.encode(), "x", rules=False)
    caches = runbook.place("go/caches").step
    assert not_needed(runbook, runbook.place("go/dns").step, "emergency") == "only on the route planned"
    assert not_needed(runbook, caches, "emergency") == "go/dns is not needed"
    assert not_needed(runbook, caches, "planned") is None


def test_a_runbook_without_routes_has_one() -> None:
    text = FULL.read_text(encoding="utf-8").replace('lost = ["primary"]', "")
    text = text.replace("[routes.planned]\n", "").replace('title = "Both sites answer"\n', "")
    text = text.replace("[routes.emergency]\n", "").replace('title = "The primary is lost"\n', "")
    assert list(parse_runbook(text.encode(), "x").routes) == ["planned"]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            "fqdn",
            ["a.b", "puppet.example.test.", "_x.y-z.test"],
            ["a", "a..b", "-a.b", "a b.c", "192.0.2.1", "", "a." * 200],
        ),
        ("ip", ["192.0.2.1", "2001:db8::1"], ["192.0.2", "::1%eth0", "host", "010.0.0.1"]),
        ("path", ["/x"], ["x", "", "~/x"]),
        ("int", ["0", "-4"], ["x", "1.5", "", "9" * 40]),
        ("duration", ["90s", "1h30m"], ["90", "s"]),
        ("choice", ["x"], ["z", ""]),
        ("text", ["", "a b"], ["a\nb", "a\0"]),
    ],
)
def test_values_of_variables(kind: VarType, good: list[str], bad: list[str]) -> None:
    var = Var(type=kind, choices=("x", "y"))
    assert [value_problem(var, value) for value in good] == [None] * len(good)
    assert all(value_problem(var, value) for value in bad)


@pytest.mark.parametrize(
    ("need", "total", "count"),
    [("all", 7, 7), (2, 7, 2), ("95%", 40, 38), ("95%", 41, 39), ("50%", 3, 2), ("100%", 3, 3)],
)
def test_how_many_must_pass(need: str | int, total: int, count: int) -> None:
    assert need_count(need, total) == count
