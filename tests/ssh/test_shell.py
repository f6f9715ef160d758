"""The text that is sent: what goes in as an argument comes out as one, in every shell; and only one module may start commands."""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.base.problems import Trouble
from handrail.ssh import shell

SOURCE = Path(__file__).parents[2] / "src"
ECHO = "import json,os,sys; print(json.dumps([os.fsencode(a).hex() for a in sys.argv[1:]]))"
WORDS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60),
    st.sampled_from(
        [
            "; rm -rf /",
            "$(id)",
            "`id`",
            "a\nb",
            "-rf",
            "''",
            '"',
            "\\",
            "\\\\'",
            "!!",
            "*",
            "~",
            "\udcff",
            "%s\\n",
            "\r",
            "",
        ]
    ),
)
SHELLS = ["/bin/dash", "/bin/bash"]


def through(program: str, argv: tuple[str, ...], folder: Path) -> list[bytes]:
    """Send an argv the whole way: quoted twice, through the loader's stdin, into a real process."""
    inner = shell.argv_text(argv)
    text = f'hr_cmd={shlex.quote(inner)}\neval "$hr_cmd"\n{shell.LAST_LINE}\n'.encode("utf-8", "surrogateescape")
    words = shlex.split(shell.loader("label"))
    sent = shell.measured(text)
    done = subprocess.run([program, *words[2:]], input=sent, capture_output=True, cwd=folder, check=True)
    return [bytes.fromhex(item) for item in json.loads(done.stdout.split(b"\n")[-2])]


@pytest.mark.parametrize("program", SHELLS)
@settings(max_examples=40, deadline=None)
@given(batch=st.lists(WORDS, min_size=20, max_size=60))
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, program: str, batch: list[str]) -> None:
    argv = (sys.executable, "-c", ECHO, *batch)
    got = through(program, argv, tmp_path_factory.getbasetemp())
    assert got == [word.encode("utf-8", "surrogateescape") for word in batch]


@pytest.mark.parametrize("how", ["known", "gnu", "lines"])
@pytest.mark.parametrize("program", SHELLS)
def test_a_text_that_is_cut_off_runs_nothing(program: str, how: str, tmp_path: Path) -> None:
    text = shell.measured(b">ran\necho $hr_tail\n" + shell.LAST_LINE.encode() + b"\n")
    words = shlex.split(shell.loader("label", one_piece=how == "known"))
    path = {"PATH": "/nowhere" if how == "lines" else os.environ["PATH"]}  # without tail(1) it is read line by line
    for end in range(len(text) - 1):
        subprocess.run(
            [program, *words[2:]], input=text[:end], capture_output=True, cwd=tmp_path, env=path, check=False
        )
        assert not (tmp_path / "ran").exists(), text[:end]
    done = subprocess.run([program, *words[2:]], input=text, capture_output=True, cwd=tmp_path, env=path, check=True)
    assert (tmp_path / "ran").exists()
    assert done.stdout.splitlines()[-1] == (b"0" if how == "lines" else b"1")


@pytest.mark.parametrize("one_piece", [False, True])
@pytest.mark.parametrize("program", SHELLS)
def test_a_text_in_one_piece_leaves_what_follows_it_alone(program: str, one_piece: bool) -> None:
    text = "hr_x='é\u202e'\ncat\n".encode() + shell.LAST_LINE.encode() + b"\n"
    words = shlex.split(shell.loader("label", one_piece=one_piece))
    done = subprocess.run(
        [program, *words[2:]],
        input=shell.measured(text) + b"\0the input\xff\n",
        capture_output=True,
        check=True,
    )
    assert done.stdout.partition(shell.READY + b"\n")[2] == b"\0the input\xff\n"


def test_a_lone_surrogate_is_a_problem() -> None:
    with pytest.raises(Trouble):
        shell.argv_text(("echo", "\ud800"))


def test_a_script_cannot_end_the_text_early() -> None:
    with pytest.raises(Trouble):
        shell.call("job", {"script": f"a\n{shell.LAST_LINE}\nb"})
    with pytest.raises(Trouble):
        shell.call("job", {"script": f"a {shell.LAST_LINE} b"})


@pytest.mark.parametrize("name", ["common", "opening", "open", "job", "look", "stop", "forget", "claim"])
@pytest.mark.parametrize("program", SHELLS)
def test_every_part_is_a_shell_text(program: str, name: str) -> None:
    subprocess.run([program, "-n"], input=shell.part(name).encode(), check=True, capture_output=True)


@pytest.mark.parametrize("one_piece", [False, True])
def test_the_loader_suits_login_shells_that_are_not_posix(one_piece: bool) -> None:
    """fish reads two backslashes in single quotes as one; csh takes no line break in them."""
    line = shell.loader("label", one_piece=one_piece)
    assert "\n" not in line
    assert "\\\\" not in line
    assert line.count("'") == 2


# -- who may do what ------------------------------------------------------------------------------------------------

STARTERS = {"create_process", "create_session", "start_sftp_client", "forward_local_port", "forward_socks"}


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (node.func.attr, node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]


def uses(path: Path, module: str) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    names += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    return any(name == module or name.startswith(module + ".") for name in names)


def test_one_module_alone_starts_commands_on_hosts() -> None:
    starters = {
        str(path.relative_to(SOURCE / "handrail"))
        for path in (SOURCE / "handrail").rglob("*.py")
        for name, call in calls(path)
        if name in STARTERS or (name == "run" and "conn" in ast.unparse(call.func).lower())
    }
    assert starters == {"ssh/channel.py"}


def test_asyncssh_is_spoken_in_the_ssh_floor_only() -> None:
    users = {path.parent.name for path in (SOURCE / "handrail").rglob("*.py") if uses(path, "asyncssh")}
    assert users <= {"ssh"}


def test_only_jobs_and_questions_speak_to_the_channel() -> None:
    users = {str(p.relative_to(SOURCE)) for p in (SOURCE / "handrail").rglob("*.py") if uses(p, "handrail.ssh.channel")}
    assert users == {"handrail/ssh/job.py", "handrail/ssh/question.py"}


def test_known_hosts_is_never_left_to_chance() -> None:
    """Every asyncssh.connect takes its options from one place, and there known_hosts is what was read and matched."""
    for path in (SOURCE / "handrail").rglob("*.py"):
        for name, call in calls(path):
            assert name not in {"connect_ssh", "listen", "get_server_host_key_unverified"}, path
            if name != "connect" or not uses(path, "asyncssh"):
                continue
            given = {keyword.arg for keyword in call.keywords}
            assert "known_hosts" not in given
            assert None in given, f"{path}: connect() without Links._options"
        text = path.read_text(encoding="utf-8")
        assert text.count('"known_hosts": ') == (1 if path.name == "links.py" else 0)
        assert "known_hosts=None" not in text
    assert '"known_hosts": pins.exact(),' in (SOURCE / "handrail/ssh/links.py").read_text(encoding="utf-8")
