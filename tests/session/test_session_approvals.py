"""Approvals: a runbook that wants the word of others runs LIVE only with it; what is forged, old or of something else counts nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import asyncssh
import pytest
from click.testing import CliRunner, Result
from tests.session.world import World, runbook, step

from handrail.base.problems import Trouble
from handrail.cli.main import cli
from handrail.session.opening import Opening, open_run
from handrail.session.session import Session
from handrail.session.view import Mode
from handrail.ssh.signing import is_signed

UNDO = 'undo = { run = ["true"] }'
VARS = '[vars.fqdn]\ntype = "fqdn"\n'
TEXT = runbook(step('on = "dr"\nrun = ["true"]\n' + UNDO), more=VARS).replace(
    'title = "A small one"', 'title = "A small one"\napprovals = 1'
)


class Office:
    """Ana, who approves, and Ben, who operates; both share a home."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.monkeypatch = world, monkeypatch
        world.pin(forget=True)
        self.path = world.place / "runbook.toml"
        self.path.write_text(TEXT)
        self.estate = world.estate('[vars]\nfqdn = "svc.example.test"\n')
        known = 'known_hosts = "known_hosts"\n'
        self.estate.write_text(self.estate.read_text().replace(known, f'{known}allowed_signers = "signers"\n'))
        self.keys = {name: self._key(name) for name in ("ana", "ben", "eve")}
        self.signers("ana", "ben")
        monkeypatch.setenv("HANDRAIL_HOME", str(world.home.make().path))

    def _key(self, name: str) -> Path:
        key, path = asyncssh.generate_private_key("ssh-ed25519"), self.world.place / f"{name}.key"
        key.write_private_key(path)
        path.chmod(0o600)
        key.write_public_key(path.with_suffix(".pub"))
        return path

    def signers(self, *names: str) -> None:
        """Say whose approval counts."""
        lines = (f"{n} {self.keys[n].with_suffix('.pub').read_text()}" for n in names)
        path = self.world.place / "signers"
        path.write_text("".join(lines))
        path.chmod(0o600)

    def approve(self, name: str, *more: str, key: str = "") -> Result:
        """Let somebody approve."""
        words = ["approve", str(self.path), "--estate", str(self.estate), "--as", name, "--yes"]
        words += ["--key", str(self.keys[key or name]), *more]
        return CliRunner().invoke(cli, words)

    def run(self, by: str = "ben", route: str = "planned") -> Session:
        """Open the run as an operator."""
        self.monkeypatch.setenv("HANDRAIL_OPERATOR", by)
        told = Opening(self.path, self.estate, Mode.LIVE, route=route, reason="never drilled")
        return open_run(self.world.home, told)

    def signed(self) -> Path:
        """Return the last approval."""
        return max((self.world.home.path / "approvals").glob("*.json"))


@pytest.fixture
def office(world: World, monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(world, monkeypatch)


async def test_without_the_word_of_another_nothing_is_opened(office: Office) -> None:
    with pytest.raises(Trouble, match="0 of 1") as refused:
        office.run()
    assert "handrail approve small" in refused.value.problems[0].hint
    assert office.approve("ben").exit_code == 0
    with pytest.raises(Trouble, match="0 of 1"):  # one's own word
        office.run("ben")
    assert list(office.world.home.runs.iterdir()) == []


async def test_with_it_the_run_opens_and_says_who(office: Office) -> None:
    assert office.approve("ana").exit_code == 0
    session = office.run()
    opened = session.core.state.opened
    assert opened is not None
    assert opened.approved[0].startswith("ana, until ")
    await session.close()


async def test_a_drill_needs_none(office: Office) -> None:
    office.world.pin()
    told = Opening(office.path, office.estate, Mode.DRILL)
    await open_run(office.world.home, told).close()


@pytest.mark.parametrize("change", ["runbook", "estate", "route", "value", "time", "text", "signature", "namespace"])
async def test_of_anything_else_it_counts_nothing(office: Office, change: str) -> None:
    done = office.approve("ana", *(["--for", "1s"] if change == "time" else []))
    assert done.exit_code == 0, done.output
    path, route = office.signed(), "planned"
    match change:
        case "runbook":
            office.path.write_text(TEXT + "\n")
        case "estate":
            office.estate.write_text(office.estate.read_text() + "\n")
        case "route":
            route = "emergency"
        case "value":
            office.estate.write_text(office.estate.read_text().replace("svc.example", "other.example"))
        case "time":
            said = json.loads(path.read_text())
            assert said["until"]
            path.write_text(path.read_text().replace(said["until"], "2020-01-01T00:00:00.000Z"))
        case "text":
            path.write_text(path.read_text().replace('"ana"', '"eve"'))
        case "signature":
            path.with_suffix(".json.sig").write_text(
                "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n"
            )
        case "namespace":
            from handrail.ssh.signing import read_key

            other = read_key(office.keys["ana"]).sign(path.read_bytes(), "file")
            path.with_suffix(".json.sig").write_bytes(other)
    with pytest.raises(Trouble, match="0 of 1"):
        office.run(route=route)


async def test_a_strangers_or_borrowed_name_counts_nothing(office: Office) -> None:
    done = office.approve("eve")
    assert done.exit_code != 0
    assert "eve ssh-ed25519" in str(done.exception) + done.output
    assert office.approve("ana", key="eve").exit_code != 0
    with pytest.raises(Trouble, match="0 of 1"):
        office.run()


async def test_an_estate_that_names_no_signers_says_what_to_write(office: Office) -> None:
    office.estate.write_text(office.estate.read_text().replace('allowed_signers = "signers"\n', ""))
    done = office.approve("ana")
    assert done.exit_code != 0
    assert "allowed_signers" in str(done.exception) + done.output


@pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed: no independent witness here"
)
async def test_ssh_keygen_agrees_both_ways(office: Office) -> None:
    assert office.approve("ana").exit_code == 0
    path, signers = office.signed(), office.world.place / "signers"
    verify = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "ana", "-n", "handrail-approval"]
    done = subprocess.run(
        [*verify, "-s", str(path.with_suffix(".json.sig"))], input=path.read_bytes(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    made = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-f", str(office.keys["ana"]), "-n", "handrail-approval"],
        input=b"text",
        capture_output=True,
        check=True,
    )
    assert is_signed(b"text", made.stdout, "ana", "handrail-approval", signers.read_bytes())
    assert not is_signed(b"text", made.stdout, "ben", "handrail-approval", signers.read_bytes())
    assert not is_signed(b"texT", made.stdout, "ana", "handrail-approval", signers.read_bytes())
