"""Becoming root with the real sudo behind the real sshd: passwords are asked once, tried once, and stand nowhere."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ssh.bench import RUN, Heard
from tests.ssh.openssh import PASSWORD, Person, Smithy, Sshd, console, pin_line, smithy

from handrail.base.problems import Trouble
from handrail.base.secrets import Secret
from handrail.ssh.job import Command, Exited, JobEnd, JobKey, NotStarted, Permit, prove_sudo, run_job
from handrail.ssh.links import Links
from handrail.ssh.target import Target


@pytest.fixture
def forge() -> Iterator[Smithy]:
    yield from smithy()


@pytest.fixture
async def host(forge: Smithy, tmp_path: Path) -> tuple[Sshd, Target]:
    """An sshd with a user who is not root, and how they are reached."""
    one = await forge.sshd(inside=True)
    (tmp_path / "known_hosts").write_text(pin_line(one, "one"))
    return one, one.target(tmp_path / "known_hosts", become="sudo")


async def run(links: Links, target: Target, command: Command, part: str = "1.run") -> tuple[JobEnd, Heard]:
    heard = Heard()
    key, permit = JobKey(RUN, "stage/step", part), Permit("ann", RUN, 1, changes=False)
    return await run_job(links, target, key, command, permit, start="fresh", output=heard.take), heard


def command_lines() -> Iterator[bytes]:
    """Yield what every process of this machine was started with; one that ends meanwhile is passed over."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield path.read_bytes()


async def test_a_password_is_asked_once_and_makes_us_root(host: tuple[Sshd, Target]) -> None:
    sshd, target = host
    person = Person([PASSWORD])
    links = console(person)
    await prove_sudo(links, target)
    first, heard = await run(links, target, Command(script="id -u; cat", stdin=b"in"))
    ends = await asyncio.gather(*(run(links, target, Command(argv=("id", "-u")), f"{n}.run") for n in range(2, 7)))
    await links.close()
    assert isinstance(first, Exited), first
    assert bytes(heard.out) == b"0\nin"
    assert all(bytes(out.out) == b"0\n" for _, out in ends), ends
    assert person.texts == ["sudo on one: Password of oncall, for one alone"]
    left = [
        p for p in sshd.place.rglob("*") if p.is_file() and p.name != "shadow" and PASSWORD.encode() in p.read_bytes()
    ]
    assert left == []
    assert not any(PASSWORD.encode() in said for said in command_lines())


async def test_a_job_outlives_sudo_and_is_found_again(host: tuple[Sshd, Target]) -> None:
    sshd, target = host
    person, heard = Person([PASSWORD]), Heard()
    links = console(person)
    gate = sshd.place / "gate"
    script = f"echo begun; while [ ! -e {gate} ]; do sleep 0.05; done; echo done; echo x >>{sshd.place}/count"
    key, permit = JobKey(RUN, "stage/step", "1.run"), Permit("ann", RUN, 1, changes=False)
    job = asyncio.create_task(
        run_job(links, target, key, Command(script=script), permit, start="fresh", output=heard.take)
    )
    async with asyncio.timeout(20):
        while b"begun" not in heard.out:
            await asyncio.sleep(0.01)
    sshd.kill_sessions()
    gate.touch()
    end = await job
    await links.close()
    assert isinstance(end, Exited), end
    assert bytes(heard.out) == b"begun\ndone\n"
    assert (sshd.place / "count").read_text() == "x\n"
    assert len(person.asked) == 1


async def test_a_wrong_password_is_said_and_may_be_given_again(host: tuple[Sshd, Target]) -> None:
    _, target = host
    person = Person(["wrong", PASSWORD])
    links = console(person)
    end, heard = await run(links, target, Command(argv=("id", "-u")))
    await links.close()
    assert isinstance(end, Exited), end
    assert bytes(heard.out) == b"0\n"
    assert [one.wrong for one in person.asked] == ["", "Sorry, try again."]


async def test_who_gives_none_runs_nothing(host: tuple[Sshd, Target]) -> None:
    sshd, target = host
    person = Person([None])
    links = console(person)
    end, _ = await run(links, target, Command(script=f"touch {sshd.place}/ran"))
    await links.close()
    assert isinstance(end, NotStarted)
    assert end.code == "ssh-become"
    assert not (sshd.place / "ran").exists()


async def test_nobody_there_means_sudo_n(host: tuple[Sshd, Target]) -> None:
    _, target = host
    links = console()
    end, _ = await run(links, target, Command(argv=("id", "-u")))
    await links.close()
    assert isinstance(end, NotStarted)
    assert "a password is required" in end.reason


async def test_a_password_given_beforehand_is_tried_once(host: tuple[Sshd, Target]) -> None:
    _sshd, target = host
    links = console(become_passwords={"": Secret("wrong")})
    end, _ = await run(links, target, Command(argv=("id", "-u")))
    await links.close()
    assert isinstance(end, NotStarted)
    right = console(become_passwords={"": Secret(PASSWORD)})
    end, heard = await run(right, target, Command(argv=("id", "-u")), "2.run")
    await right.close()
    assert bytes(heard.out) == b"0\n", end


async def test_one_password_serves_a_group_and_the_odd_one_out_is_asked_about_alone(
    forge: Smithy, tmp_path: Path
) -> None:
    one, two, odd = [await forge.sshd(name, inside=True) for name in ("one", "two", "odd")]
    shadow = odd.place / "etc" / "shadow"
    known = tmp_path / "known_hosts"
    known.write_text(pin_line(one, "one") + pin_line(two, "two") + pin_line(odd, "odd"))
    targets = [
        each.target(known, key=name, name=name, host_key_alias=name, become="sudo", become_group="ops")
        for name, each in (("one", one), ("two", two), ("odd", odd))
    ]
    crypted = shadow.read_text().replace("oncall:$6$", "oncall:$6$x")
    with shadow.open("r+") as file:  # the same file: it is what is mounted inside
        file.write(crypted)
    person = Person([PASSWORD, None])
    links = console(person)
    for target in targets[:2]:
        await prove_sudo(links, target)
    with pytest.raises(Trouble) as caught:
        await prove_sudo(links, targets[2])
    await links.close()
    assert caught.value.problems[0].code == "ssh-become"
    assert person.texts == [
        "sudo on one: Password of oncall, for the hosts of the group ops",
        "sudo on odd: Password of oncall, for odd alone",
    ]


async def test_without_a_password_none_is_asked_for(forge: Smithy, tmp_path: Path) -> None:
    one = await forge.sshd(inside=True, sudoers="oncall ALL=(ALL:ALL) NOPASSWD: ALL")
    (tmp_path / "known_hosts").write_text(pin_line(one, "one"))
    person = Person([PASSWORD])
    links = console(person)
    end, heard = await run(links, one.target(tmp_path / "known_hosts", become="sudo"), Command(argv=("id", "-u")))
    await links.close()
    assert isinstance(end, Exited), end
    assert bytes(heard.out) == b"0\n"
    assert person.asked == []


async def test_who_may_not_is_told_in_sudos_own_words(forge: Smithy, tmp_path: Path) -> None:
    one = await forge.sshd(inside=True, sudoers="")
    (tmp_path / "known_hosts").write_text(pin_line(one, "one"))
    person = Person([PASSWORD])
    links = console(person)
    target = replace(one.target(tmp_path / "known_hosts"), become="sudo")
    end, _ = await run(links, target, Command(argv=("id", "-u")))
    await links.close()
    assert isinstance(end, NotStarted)
    assert end.code == "ssh-become"
    assert "sudoers" in end.reason or "may not" in end.reason, end.reason


async def test_afterwards_the_password_is_gone(host: tuple[Sshd, Target]) -> None:
    _, target = host
    given = Secret(PASSWORD)
    links = console(become_passwords={"": given})
    await prove_sudo(links, target)
    await links.close()
    gc.collect()
    assert given.reveal() == ""
