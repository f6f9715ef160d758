"""Templates: what they come to, and what is refused in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sim_machines.bed import TINY

from handrail.base.problems import Trouble
from handrail_sim.plan import DoorPlan
from handrail_sim.template import read_template

HEAD = 'format = 1\n[estate]\nname = "x"\n'
ONE = '[roles.one]\nname = "one"\naddress = "10.77.1.1"\n'


def problem(tmp_path: Path, text: str, clients: int | None = None) -> str:
    """Return what is said of a template."""
    file = tmp_path / "estate.toml"
    file.write_text(text)
    with pytest.raises(Trouble) as caught:
        read_template(file, clients)
    assert str(file) in str(caught.value)
    return str(caught.value)


def test_a_template_becomes_a_plan() -> None:
    plan = read_template(TINY)
    assert [(h.name, h.role, h.site) for h in plan.hosts] == [
        ("ns1", "", "c"), ("alpha", "primary", "a"), ("beta", "dr", "b"), ("web01", "clients", "a"),
        ("node01", "clients", "b"),
    ]  # fmt: skip
    alpha = plan.host("alpha")
    assert alpha is not None
    assert (alpha.files, alpha.ready, alpha.doors) == (("common", "primary"), (8140,), (DoorPlan("tcp", 8140),))
    assert plan.dns.servers == ("ns1",)
    assert "servers" not in plan.dns.table
    assert plan.roles["clients"] == {}


@pytest.mark.parametrize("wanted", [1, 2, 7, 250])
def test_clients_are_as_many_as_asked_and_all_different(wanted: int) -> None:
    hosts = [h for h in read_template(TINY, wanted).hosts if h.role == "clients"]
    assert len(hosts) == len({h.name for h in hosts}) == len({h.address for h in hosts}) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "cannot be read"),
        (HEAD, "no host"),
        (HEAD + "[sim]\nfoo = 1\n" + ONE, "unknown keys: foo"),
        (HEAD + ONE + "[roles.one.sim]\nstarts = []\n", "unknown keys: starts"),
        (HEAD + ONE.replace("10.77.1.1", "192.0.2.1"), "no address in 10.77.0.0/16"),
        (HEAD + ONE.replace("10.77.1.1", "10.77.1"), "no address in 10.77.0.0/16"),
        (HEAD + ONE.replace('name = "one"', 'name = "../x"'), "is not a host name"),
        (HEAD + ONE + ONE.replace("roles.one", "roles.two"), "two hosts have the name one"),
        (HEAD + ONE + ONE.replace("one", "two"), "two hosts have the address 10.77.1.1"),
        (HEAD + ONE + '[roles.one.sim]\nready = ["udp:53"]\n', "tcp ports only"),
        (HEAD + ONE + '[roles.one.sim]\ndoors = ["tcp"]\n', "is not a port"),
        (HEAD + ONE + '[roles.one.sim]\ndoors = ["icmp:5"]\n', "neither tcp nor udp"),
        (HEAD + ONE + '[roles.one.sim]\nstart = "x"\n', "list of texts"),
        (HEAD + ONE + '[dns]\nzone = "z"\nservers = ["ns9"]\n', "names no simulated host: ns9"),
        (HEAD + ONE + "[roles.many]\nhosts = []\n", "list at least one"),
        (HEAD + 'roles = 1\n', "must be a table"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    if text.endswith("roles = 1\n"):
        text = 'roles = 1\nformat = 1\n[estate]\nname = "x"\n'
    assert said in problem(tmp_path, text)


def test_too_many_clients_are_refused(tmp_path: Path) -> None:
    assert "250 is the most" in problem(tmp_path, TINY.read_text(), 251)
