"""What the runbooks do to a CA, run on two CAs in folders: the table, the merge, and signing with the command of each version."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
CLI = """#!/bin/sh
echo "{name} $*"
"""


def script(runbook: str, step: str, part: str = "") -> str:
    """Return a step's script, or that of its undo or first verify."""
    found: dict[str, Any] = next(
        one
        for stage in tomli.loads((RUNBOOKS / f"{runbook}.toml").read_text())["stage"]
        for one in stage["step"]
        if f"{stage['id']}/{one['id']}" == step
    )
    if part == "verify":
        return str(found["verify"][0]["script"])
    return str((found[part] if part else found)["script"])


def sh(text: str, *args: object, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run a script as the job wrapper does."""
    env = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"], "LC_ALL": "C"}
    argv = ["sh", "-s", *map(str, args)]
    return subprocess.run(argv, input=text, capture_output=True, text=True, env=env, timeout=60, check=False)


@pytest.fixture
def authority() -> Iterator[Any]:
    """Return the class of the simulated CA."""
    folders = [str(RUNBOOKS / "sim/puppet" / one / "usr/local/lib") for one in ("puppet", "system")]
    sys.path[:0] = folders
    try:
        yield importlib.import_module("puppetsim.authority")
    finally:
        for folder in folders:
            sys.path.remove(folder)


@pytest.fixture
def two(tmp_path: Path, authority: Any) -> tuple[Path, Path]:
    """Return the primary's CA and the DR's: copied once, then both signed and revoked, without a margin."""
    own, dr = tmp_path / "own", tmp_path / "ca"
    first = authority.Authority(own)
    first.create("puppet.example.test")
    for name in ("old1", "old2"):
        first.sign(f"{name}.example.test", authority.new_key().public_key())
    shutil.copytree(own, dr)
    second = authority.Authority(dr)
    first.sign("late1.example.test", authority.new_key().public_key())
    first.revoke([first.serial_of("old1.example.test")])
    second.sign("late2.example.test", authority.new_key().public_key())
    second.sign("late3.example.test", authority.new_key().public_key())
    second.revoke([second.serial_of("old2.example.test")])
    return own, dr


def test_the_table_names_what_each_side_did_and_the_collision(two: tuple[Path, Path]) -> None:
    own, dr = two
    told = sh(script("puppet-failback", "merge/table"), own, dr)
    assert told.returncode == 0, told.stderr
    rows = {line[:26].strip(): line[26:].strip() for line in told.stdout.splitlines()}
    assert rows["signed only on primary"].endswith("late1.example.test")
    assert "late2.example.test" in rows["signed only on DR"]
    assert "late3.example.test" in rows["signed only on DR"]
    assert rows["revoked only on primary"].endswith("old1.example.test")
    assert rows["revoked only on DR"].endswith("old2.example.test")
    assert rows["one number, two names"].endswith("late1.example.test late2.example.test")
    assert "only on the primary: 1 signed, 1 revoked" in told.stdout
    assert "collisions: 1" in told.stdout


def test_a_kept_ca_that_is_gone_is_said_and_not_taken_for_an_empty_one(two: tuple[Path, Path], tmp_path: Path) -> None:
    own, dr = two
    for gone in ("inventory.txt", "ca_crl.pem"):
        (own / gone).rename(tmp_path / "away")
        told = sh(script("puppet-failback", "merge/table"), own, dr)
        assert (told.returncode, told.stdout) == (2, f"cannot be read: {own / gone}\n")
        told = sh(script("puppet-failback", "merge/merge", "verify"), own, dr, dr)
        assert (told.returncode, told.stdout) == (7, f"cannot be read: {own}\n")
        (tmp_path / "away").rename(own / gone)


def test_nothing_is_kept_inside_ssl_where_a_copy_would_replace_it() -> None:
    """Up to Puppet 6 the CA lies inside ssl/: what lies beside the CA is copied with ssl/, and lost in its exchange."""
    for path in RUNBOOKS.glob("*.toml"):
        assert "ca_dir }}." not in path.read_text(), path.name


def test_the_merge_loses_nothing_and_its_undo_puts_back(two: tuple[Path, Path], tmp_path: Path) -> None:
    own, ca = two
    work = tmp_path / "ca.merged"
    before = {path.name: path.read_bytes() for path in ca.rglob("*.*") if path.is_file()}
    told = sh(script("puppet-failback", "merge/merge"), own, ca, 4096, work)
    assert told.returncode == 0, told.stdout + told.stderr
    names = [line.rsplit("=", 1)[1] for line in (ca / "inventory.txt").read_text().splitlines()]
    assert {f"late{n}.example.test" for n in (1, 2, 3)} <= set(names)
    assert (ca / "signed/late1.example.test.pem").read_bytes() == (own / "signed/late1.example.test.pem").read_bytes()
    listed = subprocess.run(
        ["openssl", "crl", "-in", str(ca / "ca_crl.pem"), "-noout", "-text"], capture_output=True, text=True, check=True
    ).stdout
    assert listed.count("Serial Number") == 2
    numbers = [int((side / "serial").read_text(), 16) for side in (own, Path(f"{work}.copied"), ca)]
    assert numbers[2] == max(numbers[:2]) + 4096
    verified = sh(script("puppet-failback", "merge/merge", "verify"), own, ca, f"{work}.copied")
    assert verified.returncode == 0, verified.stdout
    assert sh(script("puppet-failback", "merge/merge", "probe"), work).stdout.strip() == "merged"

    for _ in range(2):
        assert sh(script("puppet-failback", "merge/merge", "undo"), ca, work).returncode == 0
    assert {path.name: path.read_bytes() for path in ca.rglob("*.*") if path.is_file()} == before
    assert sh(script("puppet-failback", "merge/merge", "probe"), work).stdout.strip() == "as copied"


@pytest.mark.parametrize(
    ("cli", "sign", "clean", "revoke"),
    [
        ("puppet cert", "puppet cert sign NODE", "puppet cert clean NODE", "puppet cert revoke old1.example.test"),
        (
            "puppetserver ca",
            "puppetserver ca sign --certname NODE",
            "puppetserver ca clean --certname NODE",
            "puppetserver ca revoke --certname old1.example.test",
        ),
    ],
)
def test_each_version_is_spoken_to_with_its_own_command(
    two: tuple[Path, Path], tmp_path: Path, cli: str, sign: str, clean: str, revoke: str
) -> None:
    """Puppet 4 and 5 sign by `puppet cert`, 6 and later by `puppetserver ca`: as their manual pages have it."""
    _, ca = two
    (tmp_path / "bin").mkdir()
    for name in ("puppet", "puppetserver"):
        (tmp_path / "bin" / name).write_text(CLI.format(name=name))
        (tmp_path / "bin" / name).chmod(0o755)
    node = "new.example.test"
    (ca / "requests").mkdir(exist_ok=True)
    shutil.copy(ca / "ca_crt.pem", ca / "requests" / f"{node}.pem")
    path, late = str(tmp_path / "bin"), "puppet-late-certs"
    asked = sh(script(late, "checks/request"), ca, node).stdout.removeprefix("fingerprint ").strip()
    assert len(asked) == 95
    assert sh(script(late, "sign/sign"), ca, node, "AA:BB", cli, path=path).returncode == 5, "another request"
    told = sh(script(late, "sign/sign"), ca, node, asked, cli, path=path)
    assert (told.returncode, told.stdout.strip()) == (0, sign.replace("NODE", node))
    (ca / "signed" / f"{node}.pem").write_text("x")
    told = sh(script(late, "sign/sign", "undo"), ca, node, cli, path=path)
    assert (told.returncode, told.stdout.strip()) == (0, clean.replace("NODE", node))
    told = sh(script(late, "sign/revoke"), ca, "old1.example.test unknown.example.test", cli, path=path)
    assert told.stdout.splitlines() == [revoke, "unknown here: unknown.example.test"]
    assert told.returncode == 4, "what nobody here has a record of is named"
    asked = sh(script(late, "sign/revoke", "probe"), ca, "old2.example.test").stdout.strip()
    assert asked == "none of them"
    assert sh(script(late, "sign/revoke", "probe"), ca, "old1.example.test").stdout.strip() == "old1.example.test"
