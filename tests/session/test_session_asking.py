"""What connections ask is asked once: at the briefing, handed on to the run; and given anew when a run is taken up again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest
from tests.session.world import Drive, World, a_world, runbook, step

from handrail.base.secrets import Secret
from handrail.engine.words import StepWord
from handrail.session.asking import Given
from handrail.session.briefing import Briefing
from handrail.session.cards import Start
from handrail.session.desk import Desk
from handrail.session.opening import Opening, open_run
from handrail.session.recorded import replayed
from handrail.session.resuming import resume_run
from handrail.session.session import Session
from handrail.session.view import Mode
from handrail.store.run_folder import RunFolder

TEXT = runbook(step('on = ["primary", "dr"]\nrun = ["true"]\nreads = true'))
PASSPHRASE = "open sesame"
CANARY = "s3cr3t-canary"
SUDO = f"""#!/bin/sh
prompt=
while :; do case $1 in -k | -S) shift ;; -n) exit 1 ;; -p) prompt=$2; shift 2 ;; --) shift; break ;; *) exit 9 ;; esac; done
printf %s "$prompt" >&2
IFS= read -r word
[ "$word" = {CANARY} ] && exec "$@"
exit 1
"""
SECRET = runbook(
    step('on = "dr"\nrun = ["cat"]\nstdin = "{{ token }}"\nundo = { run = ["cat"], stdin = "{{ token }}" }'),
    more='[vars.token]\ntype = "secret"\nhelp = "The token of the load balancer"\n',
)


def lock_the_key(world: World) -> None:
    """Put a passphrase on the key that the estate names."""
    asyncssh.read_private_key(str(world.user)).write_private_key(str(world.user), passphrase=PASSPHRASE, rounds=50)


def briefing_of(world: World, given: Given) -> Briefing:
    path = world.place / "runbook.toml"
    path.write_text(TEXT)
    home = world.home.make()
    return Briefing(home, Desk(home).card(path), Opening(path, world.estate(), Mode.DRILL), given)


async def asked_of(briefing: Briefing) -> int:
    """Return the number of what is asked first."""
    view = briefing.view
    async with asyncio.timeout(20):
        while not view.asked:
            view = await briefing.changed(view.seq)
    return view.asked[0].number


async def test_a_passphrase_is_asked_once_for_briefing_and_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    async with a_world(tmp_path) as world:
        lock_the_key(world)
        briefing = briefing_of(world, Given())
        first = await asked_of(briefing)
        briefing.answer(first, "wrong")
        second = await asked_of(briefing)
        while second == first:
            await briefing.changed(briefing.view.seq)
            second = await asked_of(briefing)
        assert briefing.view.asked[0].wrong == "that does not open it"
        briefing.answer(second, PASSPHRASE)
        view = await briefing.settled()
        assert [pulse.words for pulse in view.pulses] == ["answers, pinned key"] * 2
        assert view.asked == ()
        served = [one.server.connections[0] for one in world.machines.values()]
        session = await briefing.start(Start())
        assert isinstance(session, Session)
        drive = Drive(world, session)
        world.drives.append(drive)
        await drive.go()
        assert drive.word() is StepWord.PASSED
        assert [one.server.connections for one in world.machines.values()] == [[one] for one in served]
        text = b"".join(p.read_bytes() for p in drive.folder.rglob("*") if p.is_file())
        assert PASSPHRASE.encode() not in text


async def test_who_declines_is_told_so_and_may_be_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    async with a_world(tmp_path) as world:
        lock_the_key(world)
        briefing = briefing_of(world, Given())
        task = asyncio.ensure_future(briefing.settled())
        while not task.done():
            if briefing.view.asked:
                briefing.answer(briefing.view.asked[0].number, None)
            await asyncio.sleep(0.01)
        assert [pulse.reached for pulse in briefing.view.pulses] == [False, False]
        assert all("wants a passphrase" in pulse.words for pulse in briefing.view.pulses)
        assert briefing.view.route == "planned"  # a host that we keep out of is not lost
        briefing.ask_again()
        briefing.answer(await asked_of(briefing), PASSPHRASE)
        view = await briefing.settled()
        assert [pulse.reached for pulse in view.pulses] == [True, True]
        await briefing.close()


async def test_without_anybody_nothing_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    async with a_world(tmp_path) as world:
        lock_the_key(world)
        briefing = briefing_of(world, Given(person=False))
        async with asyncio.timeout(20):
            view = await briefing.settled()
        assert [pulse.reached for pulse in view.pulses] == [False, False]
        assert view.asked == ()
        await briefing.close()


async def test_a_secret_is_wanted_again_and_undoes_what_it_did(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        drive = world.open(SECRET, values={"token": CANARY})
        await drive.go_all()
        assert drive.word() is StepWord.PASSED
        await drive.leave()
        desk = Desk(world.home)
        (card,) = desk.runs()
        assert [(wanted.name, wanted.help) for wanted in desk.lacks(card)] == [
            ("token", "The token of the load balancer")
        ]
        assert Desk(world.home, given=Given(secrets={"token": Secret(CANARY)})).lacks(card) == ()
        session = await desk.resume(card, secrets={"token": CANARY})
        again = Drive(world, session)
        world.drives.append(again)
        await again.rest()
        await again.undo()
        assert again.word() is StepWord.PENDING
        text = b"".join(p.read_bytes() for p in again.folder.rglob("*") if p.is_file())
        assert CANARY.encode() not in text
        assert b"[redacted]" in again.spooled()


async def test_without_its_secret_a_run_is_taken_up_and_what_needs_it_is_not_sent(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        drive = world.open(SECRET, values={"token": CANARY})
        await drive.leave()
        again = world.resume(drive.run)
        await again.rest()
        await again.go_all()
        assert again.word() is not StepWord.PASSED
        assert not [job for job in world["dr"].jobs if job.startswith("s+x.")]


async def test_a_host_that_repeats_sudos_password_is_not_repeated(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        places = tmp_path / "bin"
        places.mkdir()
        (places / "sudo").write_text(SUDO)
        (places / "sudo").chmod(0o755)
        for one in world.machines.values():
            one.server.env = {**one.server.env, "PATH": f"{places}:{one.server.env['PATH']}"}
        path = tmp_path / "runbook.toml"
        path.write_text(runbook(step(f'on = "dr"\nscript = "echo it is {CANARY}; exit 7"\nreads = true')))
        estate = world.estate()
        estate.write_text(estate.read_text().replace("[roles.dr]", '[roles.dr]\nbecome = "sudo"'))
        given = Given(sudo={"ops": Secret(CANARY)}, person=False)
        home = world.home.make()
        session = await Briefing(home, Desk(home).card(path), Opening(path, estate, Mode.DRILL), given).start(Start())
        assert isinstance(session, Session)
        drive = Drive(world, session)
        world.drives.append(drive)
        await drive.go_all()
        assert drive.word() is StepWord.FAILED
        assert b"it is [redacted]" in drive.spooled()
        written = [p for p in drive.folder.rglob("*") if p.is_file() and p.name != "runbook.toml"]
        assert not any(CANARY.encode() in p.read_bytes() for p in written)


async def test_hosts_from_a_program_are_those_the_run_was_opened_with(tmp_path: Path) -> None:
    async with a_world(tmp_path, clients=2) as world:
        path = world.estate()
        listed = tmp_path / "hosts.txt"
        text, at = path.read_text(), path.read_text().index("[roles.clients]")
        program = tmp_path / "list-hosts"
        inventory = tmp_path / "inventory.json"
        hostvars = ", ".join(
            f'"{n}": {{"ansible_host": "127.0.0.1", "ansible_port": {world[n].server.port}, "ansible_user": "ops"}}'
            for n in ("c1", "c2")
        )
        inventory.write_text(f'{{"_meta": {{"hostvars": {{{hostvars}}}}}, "clients": {{"hosts": ["c1", "c2"]}}}}')
        program.write_text(f"#!/bin/sh\necho asked >>{listed}\ncat {inventory}\n")
        program.chmod(0o755)
        more = f'[roles.clients]\nidentity = "{world.user}"\nwork_dir = "{tmp_path}/c-work"\nhosts = {{ command = ["{program}"] }}\n'
        (tmp_path / "mine.toml").write_text(text[:at] + more)
        book = tmp_path / "runbook.toml"
        book.write_text(
            runbook(
                step('on = "clients"\nrun = ["true"]\nreads = true'),
                roles='primary = "one", dr = "one", clients = "many"',
            )
        )
        session = open_run(world.home.make(), Opening(book, tmp_path / "mine.toml", Mode.DRILL))
        names = [host.name for host in session.core.binding.estate.hosts("clients")]
        await session.close()
        program.write_text("#!/bin/sh\nexit 1\n")
        folder = RunFolder.open(world.home, session.core.run)
        assert [h.name for h in replayed(folder).binding.estate.hosts("clients")] == names == ["c1", "c2"]
        again = resume_run(world.home, folder)
        assert [h.name for h in again.core.binding.estate.hosts("clients")] == names
        await again.close()
        assert listed.read_text() == "asked\n"


def test_a_console_leaves_no_core() -> None:
    code = (
        "import ctypes, resource; from handrail.cli.no_dumps import forbid_core_dumps; forbid_core_dumps();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=os.environ, check=True)
    assert done.stdout == b"(0, 0) 0\n"
