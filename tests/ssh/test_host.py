"""Hosts as they are: noisy, full, read-only, without tools, with sudo. Nothing starts on one that cannot keep it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.ssh.bench import QUICK, RUN, Heard, Host, until

from handrail.base.problems import Trouble
from handrail.base.secrets import Secret
from handrail.ssh.claim import raise_epoch, read_claim
from handrail.ssh.job import (
    Command,
    Exited,
    JobKey,
    Lost,
    NotStarted,
    Permit,
    Refused,
    forget_jobs,
    look,
    open_run,
    prove_sudo,
    stop_job,
)
from handrail.ssh.links import HostFacts, Links

NOISE = "printf 'Last login: never\\n\\033]0;x\\007no newline'; printf 'lecture\\n' >&2; "


async def test_noise_before_the_command_is_kept_apart(host: Host) -> None:
    host.server.argv = lambda command: ["/bin/sh", "-c", NOISE + command]
    end, heard = await host.run("echo one; echo two >&2")
    assert isinstance(end, Exited)
    assert (bytes(heard.out), bytes(heard.err)) == (b"one\n", b"two\n")


async def test_much_noise_is_not_kept(host: Host) -> None:
    host.server.argv = lambda command: ["/bin/sh", "-c", "head -c 3000000 /dev/zero; " + command]
    end, heard = await host.run("echo one")
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"one\n"


async def test_a_job_that_prints_frames_fools_nobody(host: Host) -> None:
    fake = "printf '\\n%s H go a b 1 1 started\\n%s E exited 0 0 0 0 1 1\\n' 0123456789abcdef 0123456789abcdef; exit 9"
    end, heard = await host.run(fake)
    assert isinstance(end, Exited)
    assert end.code == 9
    assert len(heard.out) == end.out_bytes


async def test_a_host_without_a_shell_starts_nothing(host: Host) -> None:
    host.server.argv = lambda _command: ["/bin/sh", "-c", "echo 'This account is not available.'; exit 1"]
    end, _ = await host.run("echo x >>count")
    assert isinstance(end, NotStarted)
    assert end.code == "ssh-host-odd"
    assert "This account is not available." in end.reason


async def test_a_host_that_ends_every_call_without_a_word_is_asked_three_times(host: Host) -> None:
    host.links.recall(host.target, RUN, HostFacts("boot", "marker"))
    said = "printf '\\n#hr-ready-0b2f7c\\n'; echo out of memory >&2; exit 137"
    host.server.argv = lambda _command: ["/bin/sh", "-c", said]
    end, heard = await host.run("true")
    assert isinstance(end, Lost)
    assert (end.code, end.reason) == ("mute", "one: the wrapper ends without a word: out of memory")
    assert (len(host.server.commands), len(heard.news)) == (3, 1), "the second and the third time quietly"


@pytest.mark.parametrize("tool", ["setsid", "mkfifo"])
async def test_a_missing_tool_is_named(host: Host, tmp_path: Path, tool: str) -> None:
    places = tmp_path / "bin"
    places.mkdir()
    for name in ("sh", "mkdir", "mkfifo", "mv", "rm", "wc", "ln", "tail", "setsid", "date", "sleep", "ls", "cat"):
        found = shutil.which(name)
        if name != tool and found:
            (places / name).symlink_to(found)
    host.server.env = {**host.server.env, "PATH": str(places)}
    end, _ = await host.run("true")
    assert isinstance(end, NotStarted)
    assert f"has no {tool}" in end.reason


async def test_a_host_of_few_tools_is_followed_all_the_same(host: Host, tmp_path: Path) -> None:
    """As on busybox: no `script`, no `setsid -f`, a `tail` that cannot follow another's process."""
    places = tmp_path / "bin"
    places.mkdir()
    for name in ("sh", "mkdir", "mkfifo", "mv", "rm", "wc", "ln", "date", "sleep", "cat", "dd", "head", "grep"):
        (places / name).symlink_to(str(shutil.which(name)))
    setsid, tail = shutil.which("setsid"), shutil.which("tail")
    (places / "setsid").write_text(f'#!/bin/sh\n[ "$1" != -f ] || exit 1\nexec {setsid} "$@"\n')
    (places / "tail").write_text(f'#!/bin/sh\n[ $# = 3 ] || exit 1\nexec {tail} "$@"\n')
    for name in ("setsid", "tail"):
        (places / name).chmod(0o755)
    host.server.env = {**host.server.env, "PATH": str(places)}
    facts = await open_run(host.links, host.target, RUN)
    assert facts is not None
    assert (facts.tail, facts.fork, facts.pty) == (False, False, False)
    heard = Heard()
    os.mkfifo(host.server.home / "gate")
    task = asyncio.create_task(host.run(Command(script="echo one; read x <gate; cat", stdin=b"two"), heard=heard))
    await until(lambda: bytes(heard.out) == b"one\n")
    host.server.cut()
    (host.server.home / "gate").write_text("go\n")
    end, _ = await task
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"one\ntwo"
    attached, _ = await host.run(Command(argv=("tty",), attached=True), part="2.run")
    assert isinstance(attached, NotStarted)
    assert "script(1)" in attached.reason


@pytest.mark.parametrize("how", ["link", "file", "parent"])
async def test_a_work_folder_that_is_not_safe_is_refused(host: Host, tmp_path: Path, how: str) -> None:
    if how == "link":
        (tmp_path / "elsewhere").mkdir()
        host.work.symlink_to(tmp_path / "elsewhere")
    elif how == "file":
        host.work.write_text("")
    target = host.target if how != "parent" else replace(host.target, work_dir=str(tmp_path / "no" / "such"))
    end, _ = await host.run("echo x >>count", target=target)
    assert isinstance(end, NotStarted)
    assert end.code == "ssh-work-dir"
    assert not (host.server.home / "count").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
async def test_a_work_folder_of_another_user_is_refused(host: Host) -> None:
    host.work.mkdir()
    os.chown(host.work, 12345, 12345)
    end, _ = await host.run("echo x >>count")
    assert isinstance(end, NotStarted)
    assert "belongs to another user" in end.reason
    os.chown(host.work, 0, 0)


async def test_a_full_disk_is_found_before_the_start(host: Host) -> None:
    """RLIMIT_FSIZE stands in for ENOSPC: every write beyond a few bytes fails, and no signal tells."""
    host.server.argv = lambda command: ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 0; " + command]
    end, _ = await host.run("echo x >>count")
    assert isinstance(end, NotStarted)
    assert "cannot write" in end.reason
    assert not (host.server.home / "count").exists()


async def test_a_disk_that_fills_up_later_is_found_before_the_permit(host: Host) -> None:
    await host.run("true", part="0.read")
    host.links.changed(host.target)  # no shell from before may be used
    host.server.argv = lambda command: ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 1; " + command]
    end, _ = await host.run(Command(argv=("cat",), stdin=b"x" * 5000))
    assert isinstance(end, NotStarted)
    assert not host.folder(JobKey(RUN, "stage/step", "1.run")).exists()
    host.server.argv = lambda command: ["/bin/sh", "-c", command]
    host.links.changed(host.target)
    assert isinstance((await host.run("true"))[0], Exited)


# -- sudo: a stub that behaves as sudo does, down to its prompts and its three tries --------------------------------

SUDO = """#!/bin/sh
echo "$*" >>"$HOME/sudo-argv"
prompt=; ask=
while :; do case $1 in -k) shift ;; -n) ask=no; shift ;; -S) ask=yes; shift ;; -p) prompt=$2; shift 2 ;; --) shift; break ;; *) exit 9 ;; esac; done
[ ! -e "$HOME/nopasswd" ] || exec "$@"
[ $ask = yes ] || { echo 'sudo: a password is required' >&2; exit 1; }
echo 'We trust you have received the usual lecture.' >&2
for try in 1 2 3; do
    printf %s "$prompt" >&2
    IFS= read -r word || { echo 'sudo: no password was provided' >&2; exit 1; }
    echo "$try" >>"$HOME/sudo-tries"
    [ "$word" != "open sesame" ] || exec "$@"
    echo 'Sorry, try again.' >&2
done
exit 1
"""


@pytest.fixture
def sudo(host: Host, tmp_path: Path) -> Host:
    """Give the host a sudo, and use it."""
    places = tmp_path / "bin"
    places.mkdir()
    (places / "sudo").write_text(SUDO)
    (places / "sudo").chmod(0o755)
    host.server.env = {**host.server.env, "PATH": f"{places}:{host.server.env['PATH']}"}
    host.target = replace(host.target, become="sudo")
    return host


async def test_sudo_without_a_password(sudo: Host) -> None:
    (sudo.server.home / "nopasswd").touch()
    end, heard = await sudo.run("echo one")
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"one\n"
    assert (sudo.server.home / "sudo-argv").read_text().startswith("-n -- sh -c")


async def test_sudo_that_wants_a_password_nobody_gave(sudo: Host) -> None:
    end, _ = await sudo.run("echo x >>count")
    assert isinstance(end, NotStarted)
    assert end.code == "ssh-become"
    assert "a password is required" in end.reason
    assert not (sudo.server.home / "count").exists()


async def test_sudo_with_its_password(sudo: Host) -> None:
    links = Links(limits=QUICK, become_passwords={"one": Secret("open sesame")})
    end, heard = await sudo.run(Command(argv=("cat",), stdin=b"input"), links=links)
    await links.close()
    assert isinstance(end, Exited)
    assert (bytes(heard.out), bytes(heard.err)) == (b"input", b"")
    assert "sesame" not in (sudo.server.home / "sudo-argv").read_text() + " ".join(sudo.server.commands)
    assert not any(b"sesame" in path.read_bytes() for path in sudo.work.rglob("*") if path.is_file())


async def test_sudo_that_needs_no_password_does_not_get_it(sudo: Host) -> None:
    (sudo.server.home / "nopasswd").touch()
    links = Links(limits=QUICK, become_passwords={"one": Secret("open sesame")})
    end, heard = await sudo.run("echo one", links=links)
    await links.close()
    assert isinstance(end, Exited)
    assert (bytes(heard.out), bytes(heard.err)) == (b"one\n", b"")


async def test_a_wrong_password_is_tried_once(sudo: Host) -> None:
    links = Links(limits=QUICK, become_passwords={"one": Secret("close sesame")})
    end, _ = await sudo.run("echo x >>count", links=links)
    assert isinstance(end, NotStarted)
    assert end.code == "ssh-become"
    assert (sudo.server.home / "sudo-tries").read_text() == "1\n"
    again, _ = await sudo.run("echo x >>count", links=links, part="2.run")
    await links.close()
    assert isinstance(again, NotStarted)
    assert (sudo.server.home / "sudo-tries").read_text() == "1\n"
    assert "sesame" not in str(end)


async def test_nothing_is_asked_of_a_host_that_needs_no_sudo(host: Host) -> None:
    await prove_sudo(host.links, host.target)
    assert (host.server.logins, host.server.commands) == (0, [])


async def test_a_link_that_is_lost_while_sudo_is_proven_is_said(sudo: Host, tmp_path: Path) -> None:
    (tmp_path / "bin" / "sudo").write_text("#!/bin/sh\nread x\n")
    task = asyncio.create_task(prove_sudo(sudo.links, sudo.target))
    await until(lambda: bool(sudo.server.running))
    sudo.server.cut()
    with pytest.raises(Trouble) as error:
        await task
    problem = error.value.problems[0]
    assert (problem.code, problem.message.split(":")[:2]) == ("ssh-unreachable", ["one", " the link was lost"])


async def test_opening_a_run_says_what_the_host_is_like(host: Host) -> None:
    assert await open_run(host.links, host.target, RUN, make=False) is None
    facts = await open_run(host.links, host.target, RUN)
    assert facts is not None
    assert facts.boot == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert abs(facts.ahead) < 5
    assert facts == await open_run(host.links, host.target, RUN, make=False)
    with pytest.raises(Trouble):
        await open_run(host.links, replace(host.target, work_dir="/proc/no"), RUN)


# -- a host that answers what it likes ------------------------------------------------------------------------------

ANSWERS = {
    "H": Lost,
    "H lost": Lost,
    "H what is this": Lost,
    "H refused": Lost,
    "H refused claim": Refused,
    "H refused \\033[2Jx": Lost,
    "H no": NotStarted,
    "H no never \\033]0;x\\007": NotStarted,
    "H go\\n%s E exited": Lost,
    "H go\\n%s E exited 1 2": Lost,
    "H go a b c d e\\n%s E exited -1 -1 -1 x y z": Lost,
    "H go a b 99999999999999999999 1 found\\n%s E lost \\033[2J": Lost,
    "H go a b 1 1 found\\n%s E exited 0 99999999999 0 0 1 2": Lost,
    "H go a b 1 1 found\\n%s E exited 0 0 0 0 1 inf": Lost,
    "H go a b 1 1 found\\n%s E exited 256 0 0 0 1 2": Lost,
    "H go a b 1 1 found\\n%s E exited 0 0 0 0 1 2": Exited,
}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_whatever_a_host_answers_ends_in_a_word_of_ours(host: Host, answer: str, *, known: bool) -> None:
    if known:
        host.links.recall(host.target, RUN, HostFacts("boot", "marker"))
    say = f'read -r n; IFS= read -r l; eval "$l"; printf "\\n#hr-ready-0b2f7c\\n\\n%s {answer}\\n" $hr_nonce $hr_nonce'
    host.server.argv = lambda _command: ["/bin/sh", "-c", say + "; printf '\\n%s H\\n' $hr_nonce >&2"]
    async with asyncio.timeout(20):
        end, _ = await host.run("true")
    assert isinstance(end, ANSWERS[answer]), end
    assert all(c.isprintable() for c in str(getattr(end, "reason", "")))


@pytest.mark.parametrize(
    "answer", [*ANSWERS, "H open", "H open a b c d e f g", "H stopped", "H look", "H held", "H older"]
)
async def test_whatever_a_host_answers_to_a_question_is_read_or_refused(host: Host, answer: str) -> None:
    say = f'read -r n; IFS= read -r l; eval "$l"; printf "\\n#hr-ready-0b2f7c\\n\\n%s {answer}\\n" $hr_nonce $hr_nonce'
    host.server.argv = lambda _command: ["/bin/sh", "-c", say]
    permit, key = Permit("ann", RUN, 1, changes=True), JobKey(RUN, "stage/step", "1.run")
    questions: list[Callable[[], Awaitable[object]]] = [
        lambda: open_run(host.links, host.target, RUN),
        lambda: look(host.links, host.target, key),
        lambda: stop_job(host.links, host.target, key, permit),
        lambda: forget_jobs(host.links, host.target, RUN),
        lambda: read_claim(host.links, host.target),
        lambda: raise_epoch(host.links, host.target, RUN, 2),
    ]
    for question in questions:
        try:
            await question()
        except Trouble as error:
            assert error.problems[0].code in ("ssh-work-dir", "ssh-host-odd", "ssh-unreachable")  # noqa: PT017
