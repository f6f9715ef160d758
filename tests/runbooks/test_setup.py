"""Setting a DR server up as a drill meets it: from nothing, back to the byte, and what it refuses."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import tomli
from tests.runbooks.bed import RUNBOOKS, Bed, bring_up, deviating, drive, is_done, stands_at, to_the_end

from handrail.engine.outcome import outcome
from handrail.engine.words import Outcome
from handrail.plain.auto import Auto
from handrail.session import simulator

UNITS = ("puppetserver", "puppet-ssl-sync.timer")


@pytest.fixture(params=["auto", "folders"])
async def bed(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bed]:
    """Return an estate whose DR server nobody has set up."""
    made = await bring_up(tmp_path / "home", request.param, clients=3, estate="puppet-setup-dr")
    try:
        yield made
    finally:
        await simulator.down(made.up.folder)


async def looks(bed: Bed) -> dict[str, str]:
    """Return everything that a set-up changes and its undo puts back, as text by name."""
    seen = {
        "dr": await bed.files("puppet-dr", "dr", "/etc", "/usr/local/sbin", "/var/lib"),
        "primary": await bed.files("puppet-primary", "primary", "/root"),
    }
    for unit in UNITS:
        seen[unit] = await bed.said("puppet-dr", f"systemctl is-enabled {unit}; systemctl is-active {unit}")
    return seen


async def test_from_nothing_to_a_standby_and_back_to_nothing(bed: Bed) -> None:
    before = await looks(bed)
    session = bed.open("puppet-setup-dr")
    state = await drive(session)
    assert is_done(state), state
    assert deviating(session) == []
    assert await bed.said("puppet-dr", "systemctl is-enabled puppetserver; systemctl is-active puppetserver") == (
        "enabled\nactive"
    )
    for name in ("ca_crt.pem", "ca_key.pem", "serial"):
        digests = [await bed.sh(h, f"sha256sum < {bed.fact(r, 'ca_dir')}/{name}") for h, r in _servers()]
        assert digests[0] == digests[1]
    kept = await bed.sh("puppet-dr", f"cat {bed.fact('dr', 'puppet_conf')}")
    assert "certname = puppet.example.test" in kept.partition("[server]")[0]

    walked = await to_the_end(session, Auto(then_undo=True))
    assert outcome(walked) is Outcome.UNDONE
    after = await looks(bed)
    for name, text in before.items():
        assert after[name] == text, name


@pytest.mark.parametrize("bed", ["auto"], indirect=True)
async def test_what_would_make_a_bad_standby_is_found_before_anything_changes(bed: Bed) -> None:
    ca, code = bed.fact("primary", "ca_dir"), bed.fact("primary", "code_dir")
    manifest = f"{code}/manifests/site.pp"
    found = await _with(bed, f"mv {ca}/inventory.txt {ca}/inventory.away", f"mv {ca}/inventory.away {ca}/inventory.txt")
    assert found[0] == "checks/source"
    assert "inventory.txt" in found[1] or "exit 4" in found[1]
    found = await _with(
        bed,
        f"cp -p {manifest} {manifest}.good; printf '%s\\n' '$role = $facts[\"fqdn\"]' '# only $fqdn in a comment' >> {manifest}",
        f"mv {manifest}.good {manifest}",
    )
    assert found[0] == "checks/code" or found[0] == "checks/facts"
    hold = bed.fact("dr", "sync_hold")
    await bed.sh("puppet-dr", f"echo serving > {hold}.serves")
    state = await to_the_end(bed.open("puppet-setup-dr"))
    assert stands_at(state)[0] == "checks/idle"
    assert not state.started
    await bed.sh("puppet-dr", f"rm {hold}.serves")


async def _with(bed: Bed, spoil: str, mend: str) -> tuple[str, str]:
    """Spoil the primary, walk until the run stands, mend it; return where and why."""
    await bed.sh("puppet-primary", spoil)
    state = await to_the_end(bed.open("puppet-setup-dr"))
    assert not state.started
    await bed.sh("puppet-primary", mend)
    return stands_at(state)


def _servers() -> tuple[tuple[str, str], ...]:
    return ("puppet-primary", "primary"), ("puppet-dr", "dr")


def test_what_is_laid_down_is_what_is_shipped() -> None:
    steps = [
        s for stage in tomli.loads((RUNBOOKS / "puppet-setup-dr.toml").read_text())["stage"] for s in stage["step"]
    ]
    laid = {step["args"][0].rpartition("/")[2]: step for step in steps if "stdin" in step}
    laid["puppet-ssl-sync"] = laid.pop("{{ dr.program }}")
    assert set(laid) == {path.name for path in (RUNBOOKS / "files").iterdir()}
    for name, step in laid.items():
        data = (RUNBOOKS / "files" / name).read_bytes()
        assert step["stdin"].encode() == data
        assert step["probe"]["done"]["match"] == f"^{hashlib.sha256(data).hexdigest()} "
