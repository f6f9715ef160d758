"""Remote jobs, as a console sees them: how they end, and what they bring."""

from __future__ import annotations

from tests.ssh.bench import Host

from handrail.ssh.job import Command, Exited, Started


async def test_a_script_runs_and_brings_its_output(host: Host) -> None:
    end, heard = await host.run(Command(script='echo "one $1"; echo two >&2; exit 7', args=("a b",)))
    assert isinstance(end, Exited)
    assert (end.code, end.out_bytes, end.err_bytes) == (7, 8, 4)
    assert (bytes(heard.out), bytes(heard.err)) == (b"one a b\n", b"two\n")
    assert isinstance(heard.news[0], Started)
