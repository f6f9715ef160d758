"""The stand-in of openssl answers as openssl does to everything that a shipped runbook asks, on a CA with a past."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.runbooks.test_ca_scripts import RUNBOOKS, authority, script, sh, two
from tests.sim_services.hostbench import TEMPLATE

__all__ = ["authority", "two"]
FILES = {"x509": "ca_crt.pem", "pkey": "ca_key.pem", "crl": "ca_crl.pem"}
ASKED = (
    "x509 -noout -pubkey", "x509 -noout -subject", "x509 -noout -serial", "x509 -noout -enddate", "x509 -noout -checkend 86400",
    "x509 -noout -checkend 9999999999", "pkey -pubout", "crl -noout -issuer", "crl -noout -crlnumber", "crl -noout -nextupdate",
    "crl -noout -verify -CAfile {ca}/ca_crt.pem", "crl -noout -verify -CAfile {ca}/signed/old1.example.test.pem",
)  # fmt: skip


@pytest.fixture
def standin(tmp_path: Path) -> Path:
    """Return the folder that holds it, as it is laid on hosts of a machine without openssl."""
    shutil.copytree(TEMPLATE / "system/usr/local/lib/simhost", tmp_path / "root/usr/local/lib/simhost")
    folder = tmp_path / "root/usr/local/bin"
    folder.mkdir()
    text = (TEMPLATE / "maybe/openssl").read_text()
    (folder / "openssl").write_text(text.replace("@python@", sys.executable).replace("@root@", str(tmp_path / "root")))
    (folder / "openssl").chmod(0o755)
    return folder


def asked(program: str, ca: Path, words: str) -> tuple[int, str]:
    kind, *more = words.format(ca=ca).split()
    argv = [program, kind, "-in", str(ca / FILES[kind]), *more]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def listed(program: str, ca: Path) -> list[str]:
    """Return the lines of a list that runbooks read."""
    code, text = asked(program, ca, "crl -noout -text")
    assert code == 0
    return [line.strip() for line in text.splitlines() if re.match(r" *(Serial Number|Revocation Date): ", line)]


def test_it_answers_as_openssl_does(two: tuple[Path, Path], standin: Path) -> None:
    ca, program = two[1], str(standin / "openssl")
    apart = [(w, a, b) for w in ASKED if (a := asked("openssl", ca, w)) != (b := asked(program, ca, w))]
    assert not apart, "\n".join(map(repr, apart))
    assert listed("openssl", ca) == listed(program, ca) != []


def test_a_merge_with_it_is_whole_for_openssl(two: tuple[Path, Path], standin: Path, tmp_path: Path) -> None:
    own, ca = two
    work, path = tmp_path / "ca.merged", str(standin)
    table = [sh(script("puppet-failback", "merge/table"), own, ca, path=one) for one in ("", path)]
    assert table[0].stdout == table[1].stdout
    told = sh(script("puppet-failback", "merge/merge"), own, ca, 4096, work, path=path)
    assert told.returncode == 0, told.stdout + told.stderr
    verified = sh(script("puppet-failback", "merge/merge", "verify"), own, ca, f"{work}.copied")
    assert verified.returncode == 0, verified.stdout
    assert asked("openssl", ca, "crl -noout -verify -CAfile {ca}/ca_crt.pem")[0] == 0
    assert asked("openssl", ca, "crl -noout -crlnumber")[1].strip() == "crlNumber=0x02"


def test_nothing_else_is_asked_of_it() -> None:
    """A runbook that asks openssl for more has to be told to the stand-in, too."""
    told = "\n".join(path.read_text() for path in RUNBOOKS.glob("*.toml"))
    assert set(re.findall(r"openssl ([a-z0-9]+) -", told)) == {*FILES, "ca"}
    lines = re.findall(r"openssl (?:x509|pkey|crl) [^|;&)\n]*", told)
    flags = {flag for line in lines for flag in re.findall(r" (-[A-Za-z_]+)", line)}
    known = {word for words in ASKED for word in words.split() if word.startswith("-")}
    assert flags <= {*known, "-in", "-text", "-partial_chain"}
