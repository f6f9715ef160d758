"""The first afternoon on machines of one's own: init, trust, doctor, check; and a name that a person edits, there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.estate.driving import REASON
from tests.estate.estate import OPERATOR, Estate
from tests.stories.terminal import Terminal, run

OLD, NEW = "10.77.1.10", "10.77.2.10"
EDIT = "nsupdate -k /tmp/key <<E\nserver 10.77.3.53\nzone example.test\nupdate delete {name} A\nupdate add {name} 5 A {to}\nsend\nE"


def said(home: Path, *words: str) -> tuple[int, str]:
    done = run(home, *words)
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.fixture
def site(desk: Estate, tmp_path: Path) -> Path:
    """Return the folder that `init` wrote, filled in as it says."""
    folder = tmp_path / "site"
    answers = ("--primary", OLD, "--dr", NEW, "--fqdn", desk.fqdn, "--server", desk["ns1"].address, "--user", OPERATOR)
    code, text = said(tmp_path, "init", str(folder), *answers)
    assert (code, "next, in this order" in text) == (0, True), text
    estate = folder / "estate.toml"
    assert 'become = "sudo"' in estate.read_text()
    told = estate.read_text().replace(
        f'["{desk["ns1"].address}"]', f'["{desk["ns1"].address}", "{desk["ns2"].address}"]'
    )
    identity = f'user = "{OPERATOR}"\nidentity = "{desk.folder / "id_ed25519"}"'
    estate.write_text(told.replace(f'user = "{OPERATOR}"', identity))
    return folder


def test_from_nothing_to_a_first_check(desk: Estate, site: Path, tmp_path: Path) -> None:
    estate = str(site / "estate.toml")
    code, text = said(tmp_path, "doctor", "--estate", estate)
    assert code == 1
    assert "no host is trusted yet" in text
    assert "cannot open the key file" in text  # both at once, and the name was read all the same
    assert f"{desk.fqdn}: {OLD}" in text
    code, text = said(tmp_path, "check", str(site / "failover.toml"), "--estate", estate)
    assert (code, "no host is trusted yet" in text) == (3, True), text

    code, text = said(tmp_path, "trust", estate)
    assert code == 1
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in text
    own = [desk.role(role).sh("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key").split()[1] for role in ("primary", "dr")]
    assert all(one in text for one in own), text
    wrong = [word for one in own for word in ("--yes-i-compared", one[:-1] + "!")]
    assert said(tmp_path, "trust", estate, *wrong)[0] == 1
    assert said(tmp_path, "trust", estate, *(word for one in own for word in ("--yes-i-compared", one)))[0] == 0

    (site / "dr-switch.key").write_bytes((desk.folder / "dr-switch.key").read_bytes())
    (site / "dr-switch.key").chmod(0o600)
    code, text = said(tmp_path, "doctor", "--estate", estate)
    assert (code, "LOOK" in text) == (0, False), text
    code, text = said(tmp_path, "check", str(site / "failover.toml"), "--estate", estate)
    assert (code, text.endswith("READY\n")) == (0, True), text


def test_a_person_edits_the_name_and_the_console_sees_it(desk: Estate, site: Path, tmp_path: Path) -> None:
    before = desk.answers()
    (site / "known_hosts").write_bytes((desk.folder / "known_hosts").read_bytes())
    estate = site / "estate.toml"
    lines = estate.read_text().replace('provider = "rfc2136"', 'provider = "manual"').splitlines()
    estate.write_text("\n".join(line for line in lines if not line.startswith("key_file")) + "\n")
    desk.desk.put("/tmp/key", (desk.folder / "dr-switch.key").read_text(), 0o600)
    words = ("run", str(site / "failover.toml"), "--estate", str(estate), "--reason", REASON, "--plain")
    with Terminal(tmp_path, *words) as console:
        console.expect("Type the estate's name to start")
        console.type("production")
        console.expect("enter: Start stage 1")
        console.type("")
        while console.expect("enter: Start stage", f"Type {NEW} to go on") != f"Type {NEW} to go on":
            console.type("")
        assert b"manual: a person edits the zone example.test" in console.heard
        console.type(NEW)
        console.expect(f"it must be exactly {OLD} now")
        console.expect(f"then it is {NEW}, TTL 5 s")
        desk.desk.sh(EDIT.format(name=desk.fqdn, to=NEW))
        console.expect("2 of 2 servers agree", "What now?")
        while console.expect("enter: Start stage", "everything is done") != "everything is done":
            console.type("")
        assert {text.split()[4] for text in desk.answers().values()} == {NEW}
        console.type("undo start")
        console.expect(f"this puts {OLD} back. Type it")
        console.type(OLD)
        console.expect(f"then it is {OLD}, TTL 5 s")
        desk.desk.sh(EDIT.format(name=desk.fqdn, to=OLD))
        console.expect("undo is at its target")
        console.type("leave")
        assert console.end() == 4
    assert desk.answers() == before
