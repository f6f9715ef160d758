"""What the guides tell people to write into their estate file is what the shipped runbooks ask of it: no more, and no less."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handrail.runbook.bind import bind
from handrail.runbook.estate import read_estate
from handrail.runbook.read import read_runbook

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (`\[roles\.[^|]+\]`) \| `(\w+)`: [^|]+ \| `([^`]+)` \|$", re.MULTILINE)
ESTATE = """\
format = 1
[estate]
name = "theirs"
class = "production"
known_hosts = "known_hosts"
{roles}
[roles.clients]
hosts = ["web01"]
[roles.nodes]
hosts = ["web02"]
[dns]
provider = "manual"
zone = "example.com"
servers = ["192.0.2.53"]
[vars]
fqdn = "puppet.example.com"
fleet = "web01.example.com"
"""


def as_told() -> dict[str, dict[str, str]]:
    """Return the facts of each role that the failover's guide asks for, with its examples."""
    told: dict[str, dict[str, str]] = {"primary": {}, "dr": {}}
    for where, name, example in ROW.findall((ROOT / "docs/puppet-failover.md").read_text()):
        for role in re.findall(r"roles\.(\w+)\.vars", where):
            told[role][name] = example
    return told


@pytest.mark.parametrize("runbook", sorted(path.stem for path in (ROOT / "runbooks").glob("puppet-*.toml")))
def test_what_the_guide_says_is_enough(runbook: str, tmp_path: Path) -> None:
    facts = as_told()
    assert facts == {"primary": {"sync_hold": "/etc/puppet-ssl-sync.hold"}, "dr": {**facts["primary"], **facts["dr"]}}
    lines = []
    for number, (role, told) in enumerate(facts.items(), 1):
        lines += [f'[roles.{role}]\nhost = "192.0.2.{number}"\naddress = "192.0.2.{number}"', f"[roles.{role}.vars]"]
        lines += [f'{name} = "{value}"' for name, value in told.items()]
    file = tmp_path / "estate.toml"
    file.write_text(ESTATE.format(roles="\n".join(lines)))
    bound = bind(read_runbook(ROOT / "runbooks" / f"{runbook}.toml"), read_estate(file))
    assert bound.unknown_facts == ()
