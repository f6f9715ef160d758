"""One module alone starts commands on hosts; programs on this machine are started in five named places, never by a shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.source import SRC, called, modules, place, tree

REMOTE = {"create_session", "create_process", "create_subprocess", "create_connection", "start_sftp_client", "scp"}
CHANNEL = SRC / "handrail" / "ssh" / "channel.py"
ASKERS = {
    "ssh/channel.py",
    "ssh/job.py",
    "ssh/question.py",
}  # who may ask the channel, and the channel itself
LOCAL = {
    "base/program.py",  # an estate's `hosts = { command = [...] }`, and `--secret NAME=!PROGRAM`
    "dns/program.py",  # a DNS provider that is a program
    "session/simulator.py",  # the simulated estate
    "store/witness.py",  # ssh-keygen, which signs a record and checks who signed it
    "cli/machines.py",  # `estate ls` becomes the simulated estate's own
}
STARTERS = {"Popen", "check_output", "check_call", "create_subprocess_exec", "execv", "execvp", "posix_spawn", "fork"}
SHELLS = {"create_subprocess_shell", "system", "popen", "getoutput", "getstatusoutput"}


def calls() -> Iterator[tuple[str, ast.Call, str, str, str]]:
    """Yield every call of the package: file below it, node, what it is made on, its name, its place."""
    for path in modules():
        short = str(path.relative_to(SRC / "handrail"))
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                yield short, node, *called(node), place(path, node)


def test_one_module_starts_commands_on_hosts() -> None:
    starters = {short for short, _, _, name, _ in calls() if name in REMOTE}
    assert starters == {str(CHANNEL.relative_to(SRC / "handrail"))}


def test_it_starts_them_at_one_place() -> None:
    assert sum(1 for *_, name, _ in calls() if name in REMOTE) == 1


def test_no_connection_runs_anything_by_another_way() -> None:
    found = [
        where
        for _, _, on, name, where in calls()
        if name == "run" and any(word in on.lower() for word in ("conn", "link", "client", "tunnel", "_open"))
    ]
    assert found == []


def test_only_jobs_and_questions_ask_the_channel() -> None:
    askers = {
        str(path.relative_to(SRC / "handrail"))
        for path in modules()
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.ImportFrom) and node.module == "handrail.ssh.channel")
        or (isinstance(node, ast.Import) and any(alias.name == "handrail.ssh.channel" for alias in node.names))
    }
    assert askers == ASKERS - {"ssh/channel.py"}


def test_programs_are_started_here_in_named_places() -> None:
    found = {short for short, _, on, name, _ in calls() if name in STARTERS or (name, on) == ("run", "subprocess")}
    assert found == LOCAL


def test_no_shell_is_started_here() -> None:
    assert [
        where for _, _, on, name, where in calls() if name in SHELLS and on in ("os", "asyncio", "subprocess")
    ] == []
    given = [where for _, node, _, _, where in calls() if any(k.arg == "shell" for k in node.keywords)]
    assert given == []
