"""A host's Python program that runs in a copy of a process: what it sees is what a start of its own would give it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from handrail_sim.inside import program


def script(folder: Path, text: str, first: str = f"#!{sys.executable} -IS") -> str:
    file = folder / "tool"
    file.write_text(f"{first}\n{text}\n")
    file.chmod(0o755)
    return str(file)


def ended(argv: list[str], log: Path, env: dict[str, str] | None = None) -> int:
    pid = program.start(argv, env or {}, str(log), "/")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_its_words_environment_session_and_descriptors_are_its_own(tmp_path: Path) -> None:
    held = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(held, True)
    told = script(
        tmp_path,
        "import os, sys\n"
        "print(sys.argv[1:], dict(os.environ), os.getcwd(), os.getsid(0) == os.getpid(), __name__)\n"
        f"print(os.path.exists('/proc/self/fd/{held}'), os.read(0, 1))",
    )
    assert ended([told, "a b", "-c"], tmp_path / "log", {"WHO": "me"}) == 0
    os.close(held)
    assert (tmp_path / "log").read_text() == "['a b', '-c'] {'WHO': 'me'} / True __main__\nFalse b''\n"


def test_a_copy_of_a_copy_has_its_three_descriptors_and_says_everything_once(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    inner = script(tmp_path / "inner", "import os\nprint([os.readlink(f'/proc/self/fd/{n}') for n in range(3)])")
    outer = script(
        tmp_path,
        "import os, sys\nprint('once')\n"
        f"copy = sys.modules['handrail_sim.inside.program'].start([{inner!r}], {{}}, {str(tmp_path / 'inner.log')!r})\n"
        "os.waitpid(copy, 0)",
    )
    assert ended([outer], tmp_path / "outer.log") == 0
    log = str(tmp_path / "inner.log")
    assert (tmp_path / "inner.log").read_text() == f"{[os.devnull, log, log]}\n"
    assert (tmp_path / "outer.log").read_text() == "once\n"


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit()", 0, ""),
        ("raise SystemExit('no such thing')", 1, "no such thing\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
    ],
)
def test_it_ends_as_a_program_does(tmp_path: Path, text: str, status: int, said: str) -> None:
    assert ended([script(tmp_path, text)], tmp_path / "log") == status
    assert (tmp_path / "log").read_text().endswith(said)


def test_a_module_is_run_as_by_dash_m(tmp_path: Path) -> None:
    assert ended([sys.executable, "-m", "json.tool", "--help"], tmp_path / "log") == 0
    assert "json.tool" in (tmp_path / "log").read_text()


def test_what_is_not_for_this_interpreter_is_left_to_the_shell(tmp_path: Path) -> None:
    assert program.is_python([script(tmp_path, "pass")])
    assert not program.is_python([script(tmp_path, "pass", "#!/bin/sh")])
    assert not program.is_python([script(tmp_path, "pass", "#!/usr/bin/python3 -IS")])
    assert not program.is_python(["/nowhere/at/all"])
    assert not program.is_python([sys.executable, "file.py"])
    assert not program.is_python([])
