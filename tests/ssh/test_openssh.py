"""The ways people reach their machines, on real OpenSSH: ssh_config, jump hosts, agent, certificates, passphrases, codes."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ssh.bench import RUN, Heard
from tests.ssh.openssh import (
    PASSWORD,
    Person,
    Smithy,
    Sshd,
    console,
    keygen,
    namespaces,
    pin_line,
    program,
    smithy,
)

from handrail.base.problems import Trouble
from handrail.ssh.config import ignored_options, way_to
from handrail.ssh.contact import first_contact, is_pinned, pin
from handrail.ssh.job import Command, Exited, JobEnd, JobKey, LinkBack, LinkLost, NotStarted, Permit, run_job
from handrail.ssh.links import Links
from handrail.ssh.target import Target


@pytest.fixture
def forge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Smithy]:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    yield from smithy()


@pytest.fixture
async def sshd(forge: Smithy) -> Sshd:
    return await forge.sshd()


@pytest.fixture
def known(sshd: Sshd, tmp_path: Path) -> Path:
    """A known_hosts that pins the one sshd."""
    (tmp_path / "known_hosts").write_text(pin_line(sshd, "one"))
    return tmp_path / "known_hosts"


async def run(links: Links, target: Target, script: str, part: str = "1.run") -> tuple[JobEnd, Heard]:
    heard = Heard()
    key, permit = JobKey(RUN, "stage/step", part), Permit("ann", RUN, 1, changes=False)
    command = Command(script=script)
    end = await run_job(links, target, key, command, permit, start="fresh", output=heard.take, news=heard.news.append)
    return end, heard


async def said(links: Links, target: Target, script: str = "echo here") -> bytes:
    """Return what a script prints there."""
    end, heard = await run(links, target, script)
    assert isinstance(end, Exited), end
    return bytes(heard.out)


async def fault(links: Links, target: Target) -> str:
    with pytest.raises(Trouble) as caught:
        await links.connection(target)
    return caught.value.problems[0].code


async def test_a_job_is_found_again_after_every_cut_and_ran_once(sshd: Sshd, known: Path) -> None:
    links, heard = console(), Heard()
    key, permit = JobKey(RUN, "stage/step", "1.run"), Permit("ann", RUN, 1, changes=True)
    gate = sshd.place / "gate"
    gate.mkdir()
    script = f"echo x >>{sshd.place}/count\nfor n in 1 2 3 4 5; do echo $n; while [ ! -e {gate}/$n ]; do sleep 0.02; done; done"
    job = asyncio.create_task(
        run_job(
            links,
            sshd.target(known),
            key,
            Command(script=script),
            permit,
            start="fresh",
            output=heard.take,
            news=heard.news.append,
        )
    )
    async with asyncio.timeout(60):
        for number in range(1, 6):
            while f"{number}\n".encode() not in heard.out:
                await asyncio.sleep(0.01)
            sshd.kill_sessions()
            (gate / str(number)).touch()
        end = await job
    await links.close()
    assert isinstance(end, Exited), end
    assert bytes(heard.out) == b"1\n2\n3\n4\n5\n"
    assert (sshd.place / "count").read_text() == "x\n"
    lost = [news for news in heard.news if isinstance(news, LinkLost)]
    assert lost
    assert len(lost) == len([news for news in heard.news if isinstance(news, LinkBack)])


async def test_an_ssh_config_with_include_match_and_identity(sshd: Sshd, known: Path, tmp_path: Path) -> None:
    more, config = tmp_path / "conf.d" / "ours", tmp_path / "config"
    more.parent.mkdir()
    more.write_text(f"Host nice\n  HostName 127.0.0.1\n  Port {sshd.port}\n")
    config.write_text(
        f"Include {tmp_path}/conf.d/*\nMatch host 127.0.0.1\n  User {sshd.user}\n"
        f"Host *\n  IdentityFile {tmp_path}/is-not-there\n  IdentityFile {sshd.place}/user\n  ForwardAgent yes\n  Ciphers aes256-ctr\n"
    )
    target = sshd.target(known, host="nice", port=0, user="", identity=None, ssh_config=config)
    links = console()
    assert await said(links, target) == b"here\n"
    await links.close()
    assert [line.split(" ")[1] for line in ignored_options(config)] == ["ForwardAgent", "Ciphers"]


async def test_through_two_jump_hosts_each_met_once(forge: Smithy, sshd: Sshd, tmp_path: Path) -> None:
    outer, inner = await forge.sshd("outer"), await forge.sshd("inner")
    config, known = tmp_path / "config", tmp_path / "known_hosts"
    config.write_text(
        f"Host outer\n  HostName 127.0.0.1\n  Port {outer.port}\n  IdentityFile {outer.place}/user\n"
        f"Host inner\n  HostName 127.0.0.1\n  Port {inner.port}\n  IdentityFile {inner.place}/user\n  ProxyJump outer\n"
        f"Host one two\n  HostName 127.0.0.1\n  Port {sshd.port}\n  ProxyJump inner\n  UserKnownHostsFile none\n"
    )
    made = sshd.target(known, port=0, host="one", host_key_alias="", ssh_config=config)
    one, two = made, replace(made, key="two", name="two", host="two", work_dir=str(sshd.place / "work2"))
    assert [hop.name for hop in way_to(one)] == ["outer", "inner"]
    for left, lines in (
        ("outer", ""),
        ("inner", pin_line(outer, "outer")),
        ("one", pin_line(outer, "outer") + pin_line(inner, "inner")),
    ):
        known.write_text(lines)
        links = console()
        with pytest.raises(Trouble, match=f"the host key of {left} is not in"):
            await links.connection(one)
        await links.close()
    known.write_text(pin_line(outer, "outer") + pin_line(inner, "inner") + pin_line(sshd, "one", "two"))
    links = console()
    assert list(await asyncio.gather(said(links, one), said(links, two))) == [b"here\n", b"here\n"]
    assert (
        outer.said().count("Accepted publickey") == 1 + 2
    )  # the two looks above that came past it, then once for both
    assert inner.said().count("Accepted publickey") == 1 + 1
    await links.close()


@pytest.mark.parametrize("name", ["Puppet.example.test.", "puppet"])
async def test_a_name_that_is_switched_is_nobodys_way(sshd: Sshd, known: Path, tmp_path: Path, name: str) -> None:
    config = tmp_path / "config"
    config.write_text(f"Host mine gate\n  HostName {name}\nHost behind\n  HostName 127.0.0.1\n  ProxyJump gate\n")
    links = console()
    links.moving = {"puppet.example.test": "switch/dns"}
    for host in ("mine", "behind"):
        target = sshd.target(known, key=host, host=host, ssh_config=config)
        with pytest.raises(Trouble, match="the name that switch/dns switches") as raised:
            await links.connection(target)
        assert raised.value.problems[0].code == "host-moves"
        end, _ = await run(links, target, "echo never")
        assert isinstance(end, NotStarted)  # and no further attempt is made: none could mend it
    await links.close()


async def test_a_circle_of_jump_hosts_is_said(sshd: Sshd, known: Path, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Host *\n  ProxyJump around\n")
    links = console()
    assert await fault(links, sshd.target(known, ssh_config=config)) == "ssh-config"
    await links.close()


async def test_trust_meets_the_jump_host_first(forge: Smithy, sshd: Sshd, tmp_path: Path) -> None:
    outer = await forge.sshd("outer")
    config, known = tmp_path / "config", tmp_path / "known_hosts"
    config.write_text(
        f"Host outer\n  HostName 127.0.0.1\n  Port {outer.port}\n  IdentityFile {outer.place}/user\n"
        f"Host one\n  HostName 127.0.0.1\n  Port {sshd.port}\n  ProxyJump outer\n"
    )
    target = sshd.target(known, port=0, host="one", host_key_alias="", ssh_config=config)
    links, met = console(), []
    for each in (*way_to(target), target):
        seen = await first_contact(links, each)
        assert seen is not None
        met.append((seen.name, seen.fingerprint))
        pin(seen)
        assert is_pinned(each)
    assert met == [("outer", outer.key.get_fingerprint()), ("one", sshd.key.get_fingerprint())]
    assert await said(links, target) == b"here\n"
    await links.close()


@pytest.mark.parametrize("by", ["environment", "config"])
async def test_the_agent_has_the_key(
    forge: Smithy, sshd: Sshd, known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    agent, config = forge.agent(sshd.place / "user"), tmp_path / "config"
    config.write_text(f"Host *\n  IdentityAgent {agent}\n" if by == "config" else "")
    if by == "environment":
        monkeypatch.setenv("SSH_AUTH_SOCK", agent)
    links = console()
    assert await said(links, sshd.target(known, identity=None, ssh_config=config)) == b"here\n"
    await links.close()


@pytest.fixture
def locked(sshd: Sshd) -> Path:
    """A user key with a passphrase."""
    path = keygen(sshd.place / "locked", passphrase="open sesame")
    (sshd.place / "authorized").write_bytes(path.with_suffix(".pub").read_bytes())
    return path


@pytest.mark.parametrize("half", [True, False], ids=["with .pub", "without .pub"])
async def test_a_passphrase_is_asked_once_with_a_second_chance(
    sshd: Sshd, known: Path, locked: Path, half: bool
) -> None:
    if not half:
        locked.with_suffix(".pub").unlink()
    person = Person(["wrong", "open sesame"])
    links = console(person)
    target = sshd.target(known, identity=locked)
    assert await said(links, target) == b"here\n"
    links.drop(target)
    await links.connection(target)
    await links.close()
    assert [(one.title, one.text, one.echo, one.wrong) for one in person.asked] == [
        (f"key {locked}", "Passphrase", False, ""),
        (f"key {locked}", "Passphrase", False, "that does not open it"),
    ]


async def test_a_passphrase_nobody_gives_is_said(sshd: Sshd, known: Path, locked: Path) -> None:
    for person in (None, Person([None])):
        links = console(person)
        assert await fault(links, sshd.target(known, identity=locked)) == "ssh-identity"
        await links.close()


async def test_a_locked_key_that_the_agent_holds_asks_nothing(
    forge: Smithy, sshd: Sshd, known: Path, locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", forge.agent(locked, passphrase="open sesame"))
    person = Person()
    links = console(person)
    assert await said(links, sshd.target(known, identity=locked)) == b"here\n"
    await links.close()
    assert person.asked == []


async def test_a_locked_key_of_the_ssh_config_is_asked_for_when_nothing_else_does(
    sshd: Sshd, known: Path, locked: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(f"Host *\n  IdentityFile {keygen(tmp_path / 'other')}\n  IdentityFile {locked}\n")
    person = Person(["open sesame"])
    links = console(person)
    assert await said(links, sshd.target(known, identity=None, ssh_config=config)) == b"here\n"
    await links.close()
    assert len(person.asked) == 1


@pytest.mark.parametrize("how", ["beside the key", "CertificateFile"])
async def test_a_user_certificate(sshd: Sshd, known: Path, tmp_path: Path, how: str) -> None:
    ca, user = keygen(tmp_path / "ca"), keygen(tmp_path / "me")
    subprocess.run(
        [program("ssh-keygen"), "-q", "-s", str(ca), "-I", "me", "-n", sshd.user, "-V", "+1h", f"{user}.pub"],
        check=True,
    )
    options = f"cert-authority {ca.with_suffix('.pub').read_text()}"
    (sshd.place / "authorized").write_text(options)
    links = console()
    if how == "beside the key":
        target = sshd.target(known, identity=user)
    else:
        moved = tmp_path / "elsewhere.pub"
        Path(f"{user}-cert.pub").rename(moved)
        (tmp_path / "config").write_text(f"Host *\n  IdentityFile {user}\n  CertificateFile {moved}\n")
        target = sshd.target(known, identity=None, ssh_config=tmp_path / "config")
    assert await said(links, target) == b"here\n"
    await links.close()


@pytest.mark.parametrize(("names", "code"), [("one", ""), ("two", "ssh-host-key-changed")])
async def test_a_host_certificate_of_a_pinned_authority(
    sshd: Sshd, known: Path, tmp_path: Path, names: str, code: str
) -> None:
    ca = keygen(tmp_path / "ca")
    words = ["-q", "-s", str(ca), "-I", "x", "-h", "-n", names, str(sshd.place / "host.pub")]
    subprocess.run([program("ssh-keygen"), *words], check=True)
    await sshd.reload(f"HostCertificate {sshd.place}/host-cert.pub\n")
    known.write_text(f"@cert-authority one {ca.with_suffix('.pub').read_text()}")
    links = console()
    if code:
        assert await fault(links, sshd.target(known)) == code
    else:
        assert await said(links, sshd.target(known)) == b"here\n"
    await links.close()


async def test_a_revoked_authority_and_a_revoked_key(sshd: Sshd, known: Path) -> None:
    known.write_text(pin_line(sshd, "one") + "@revoked " + pin_line(sshd, "*"))
    links = console()
    assert await fault(links, sshd.target(known)) == "ssh-host-key-revoked"
    await links.close()


async def test_a_second_factor_is_asked_with_the_hosts_name(forge: Smithy, tmp_path: Path) -> None:
    namespaces()
    more = "UsePAM yes\nKbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive:pam\n"
    sshd = await forge.sshd(more=more, inside=True)
    known = tmp_path / "known_hosts"
    known.write_text(pin_line(sshd, "one"))
    person = Person(["wrong", PASSWORD])
    links, target = console(person), sshd.target(known, work_dir=str(sshd.place / "home" / "work"))
    ends = await asyncio.gather(*(run(links, target, "id -un", f"{n}.run") for n in range(6)))
    await links.close()
    assert [bytes(heard.out) for _, heard in ends] == [b"oncall\n"] * 6
    assert [one.title for one in person.asked] == ["one asks oncall"] * 2
    assert "Password" in person.asked[0].text
    assert person.asked[1].wrong == "it did not accept what was said before"
    assert PASSWORD not in sshd.said()


async def test_a_second_factor_nobody_gives(forge: Smithy, tmp_path: Path) -> None:
    namespaces()
    more = "UsePAM yes\nKbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive:pam\n"
    sshd = await forge.sshd(more=more, inside=True)
    known = tmp_path / "known_hosts"
    known.write_text(pin_line(sshd, "one"))
    for person in (None, Person([None])):
        links = console(person)
        assert await fault(links, sshd.target(known)) == "ssh-auth"
        await links.close()


async def test_a_password_is_asked_for_where_the_host_wants_one(forge: Smithy, tmp_path: Path) -> None:
    namespaces()
    sshd = await forge.sshd(more="UsePAM yes\nKbdInteractiveAuthentication no\n", inside=True)
    with (sshd.place / "config").open("r+") as config:
        text = config.read().replace("PasswordAuthentication no", "PasswordAuthentication yes\nPubkeyAuthentication no")
        config.seek(0)
        config.write(text)
    await sshd.reload("")
    known = tmp_path / "known_hosts"
    known.write_text(pin_line(sshd, "one"))
    person = Person(["wrong", PASSWORD])
    links, target = console(person), sshd.target(known, work_dir=str(sshd.place / "home" / "work"))
    ends = await asyncio.gather(*(run(links, target, "id -un", f"{n}.run") for n in range(3)))
    await links.close()
    assert [bytes(heard.out) for _, heard in ends] == [b"oncall\n"] * 3
    assert person.texts == ["one asks oncall: the account's password"] * 2
    assert person.asked[1].wrong == "it did not accept what was said before"
    assert not any(one.echo for one in person.asked)
    assert PASSWORD not in sshd.said()
    for nobody_gives in (None, Person([None])):
        links = console(nobody_gives)
        with pytest.raises(Trouble, match="asks for a code or a password, which was not given"):
            await links.connection(target)
        await links.close()
