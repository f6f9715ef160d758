"""SSH into simulated hosts, of both kinds."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import asyncssh
import pytest
from tests.sim_machines.bed import Sim

from handrail_sim.sshd import sftp_program


def as_bytes(output: bytes | str | None) -> bytes:
    """Return what a command without an encoding put out."""
    assert isinstance(output, bytes)
    return output


async def test_output_error_and_status_come_apart(alpha: asyncssh.SSHClientConnection) -> None:
    done = await alpha.run("echo out; echo err >&2; exit 3", encoding=None)
    assert (done.stdout, done.stderr, done.exit_status) == (b"out\n", b"err\n", 3)


async def test_raw_bytes_go_both_ways(alpha: asyncssh.SSHClientConnection) -> None:
    sent = os.urandom(3_000_000)
    done = await alpha.run("cat", input=sent, encoding=None)
    assert done.stdout == sent


async def test_much_output_on_both_streams_is_complete(alpha: asyncssh.SSHClientConnection) -> None:
    done = await alpha.run("head -c 2000000 /dev/zero & head -c 2000000 /dev/zero >&2; wait", encoding=None)
    assert (len(as_bytes(done.stdout)), len(as_bytes(done.stderr))) == (2_000_000, 2_000_000)


async def test_a_killed_command_names_its_signal(alpha: asyncssh.SSHClientConnection) -> None:
    done = await alpha.run("kill -TERM $$", encoding=None)
    assert done.exit_status == -1
    assert done.exit_signal is not None
    assert done.exit_signal[0] == "TERM"


async def test_a_signal_reaches_the_whole_process_group(alpha: asyncssh.SSHClientConnection) -> None:
    process = await alpha.create_process("sleep 1000 & echo ready; wait", encoding=None)
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal("KILL")
    done = await process.wait()
    assert done.exit_signal is not None
    assert done.exit_signal[0] == "KILL"


async def test_a_terminal_is_one(alpha: asyncssh.SSHClientConnection) -> None:
    done = await alpha.run("tty; stty size; echo $TERM; exit 4", term_type="vt100", term_size=(132, 43), encoding=None)
    lines = as_bytes(done.stdout).split()
    assert lines[0].startswith(b"/dev/pts/")
    assert lines[1:] == [b"43", b"132", b"vt100"]
    assert done.exit_status == 4


async def test_a_terminal_is_the_controlling_one_and_can_be_resized(alpha: asyncssh.SSHClientConnection) -> None:
    process = await alpha.create_process(
        "trap 'stty size; exit' WINCH; echo ready >/dev/tty; while :; do read -t 0.05; done",
        term_type="vt100", term_size=(80, 24), encoding=None,
    )  # fmt: skip
    assert await process.stdout.readline() == b"ready\r\n"
    process.change_terminal_size(100, 50)
    assert await process.stdout.readline() == b"50 100\r\n"
    process.close()


async def test_a_shell_is_a_login_shell(alpha: asyncssh.SSHClientConnection) -> None:
    done = await alpha.run(input=b"shopt -q login_shell && echo login\n", encoding=None)
    assert b"login" in as_bytes(done.stdout)


async def test_a_command_outlives_its_connection(sim: Sim) -> None:
    connection = await sim.connect("alpha")
    process = await connection.create_process(
        'cd "$HOME"; rm -f gate done; mkfifo gate; echo ready; read word < gate; echo $word > done', encoding=None
    )
    assert await process.stdout.readline() == b"ready\n"
    connection.abort()
    await connection.wait_closed()
    sim.sh(
        "alpha", 'cd "$HOME"; echo survived > gate; until [ -s done ]; do :; done; grep -q survived done; rm gate done'
    )


async def test_dropped_connections_end_at_once(sim: Sim) -> None:
    async with await sim.connect("beta") as connection:
        process = await connection.create_process("sleep 1000", encoding=None)
        dropped = await asyncio.to_thread(sim.ctl, "drop-ssh", "beta")
        assert dropped["dropped"] == 1
        done = await process.wait()
        assert done.exit_status is None


async def test_the_environment_is_the_hosts_own(sim: Sim, alpha: asyncssh.SSHClientConnection) -> None:
    done = await alpha.run("env", env={"LC_TIME": "C", "EVIL": "1"}, encoding=None)
    values = dict(line.split(b"=", 1) for line in as_bytes(done.stdout).splitlines() if b"=" in line)
    root = str(sim.folder / "hosts" / "alpha").encode() if sim.answer["mode"] == "folders" else b""
    assert values[b"HANDRAIL_SIM_ROOT"] == root
    assert values[b"HANDRAIL_WORK"] == root + b"/var/tmp/handrail"
    assert values[b"HOME"] == root + b"/root"
    assert values[b"PATH"].startswith(root + b"/usr/local/sbin:" + root + b"/usr/local/bin:")
    assert root + b"/opt/tools/bin" in values[b"PATH"].split(b":")
    assert values[b"LC_TIME"] == b"C"
    assert b"EVIL" not in values


async def test_a_stranger_is_refused(sim: Sim) -> None:
    address, port = sim.door("alpha", "ssh")
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            address, port, username="root", client_keys=[stranger], known_hosts=None, agent_path=None
        )


async def test_a_command_that_is_too_long_is_answered(alpha: asyncssh.SSHClientConnection) -> None:
    done = await alpha.run("true " + "x" * 150_000, encoding=None)
    assert done.exit_status in (126, 255)
    assert done.stderr


async def test_sftp_is_there_where_its_program_is(sim: Sim, alpha: asyncssh.SSHClientConnection) -> None:
    if sftp_program():
        async with alpha.start_sftp_client() as sftp:
            assert await sftp.realpath(".") == sim.sh("alpha", "pwd -P").strip()
    else:
        with pytest.raises(asyncssh.ChannelOpenError):
            await alpha.start_sftp_client()


async def test_many_commands_at_once(alpha: asyncssh.SSHClientConnection) -> None:
    done = await asyncio.gather(*(alpha.run(f"echo {n}", encoding=None) for n in range(8)))
    assert [d.stdout for d in done] == [f"{n}\n".encode() for n in range(8)]


async def test_rekeyed_host_is_another_host(spaces: Sim) -> None:
    before = (spaces.home / "sim-host-keys").read_text().split()
    key = (await asyncio.to_thread(spaces.ctl, "rekey", "web01"))["key"]
    assert (spaces.home / "sim-host-keys").read_text().split() == [*before, key]
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        await spaces.connect("web01")
    with_new = asyncssh.import_known_hosts(f"web01 ssh-ed25519 {key}\n")
    async with await spaces.connect("web01", known_hosts=with_new) as connection:
        assert (await connection.run("true")).exit_status == 0


async def test_connections_leave_no_descriptor_behind(sim: Sim) -> None:
    pid = (await asyncio.to_thread(sim.ctl, "status"))["pid"]

    def descriptors() -> int:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))

    async def connect_and_run() -> None:
        async with await sim.connect("beta") as connection:
            await asyncio.gather(connection.run("true"), connection.run("tty", term_type="vt100"))

    await connect_and_run()
    while (before := descriptors()) != descriptors():
        pass
    await asyncio.gather(*(connect_and_run() for _ in range(5)))
    async with asyncio.timeout(20):
        while descriptors() > before:
            await asyncio.to_thread(sim.ctl, "status")
