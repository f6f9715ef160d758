"""How a job ended, read from what the host wrote down; and names and commands that cannot be."""

from __future__ import annotations

import pytest

from handrail.base.problems import Trouble
from handrail.ssh.terms import Command, Exited, JobKey, Signalled, ending

ENDINGS = {
    "0 10 20 0 1.5 4.0": Exited(0, 10, 20, 2.5),
    "3 0 0 0 1 1": Exited(3, 0, 0, 0.0),
    "126 0 0 0 1 2": Exited(126, 0, 0, 1.0),
    "127 0 0 0 1 2": Exited(127, 0, 0, 1.0),
    "255 0 0 0 1 2": Exited(255, 0, 0, 1.0),
    "137 7 0 1 1 2": Signalled(9, 7, 0, 1.0),
    "143 0 8 1 1 2": Signalled(15, 0, 8, 1.0),
    "255 0 0 1 1 2": Signalled(127, 0, 0, 1.0),
    "129 0 0 1 1 2": Signalled(1, 0, 0, 1.0),
    "128 0 0 1 1 2": Exited(128, 0, 0, 1.0),  # no signal has the number 0
    "137 0 0 0 1 2": Exited(137, 0, 0, 1.0),  # a program may end so by itself: no shell spoke of a signal
    "9 0 0 1 1 2": Exited(9, 0, 0, 1.0),
    "0 0 0 0 9 4": Exited(0, 0, 0, 0.0),  # a clock that went back: no time, and never less than none
    "0 0 0 0 1 2 more": Exited(0, 0, 0, 1.0),
}
NO_ENDINGS = (
    *(
        "",
        "0",
        "0 1 2",
        "0 1 2 0",
        "0 1 2 0 1",
        "x 0 0 0 1 2",
        "0 x 0 0 1 2",
        "0 0 x 0 1 2",
        "0 0 0 x 1 2",
        "0 0 0 0 x 2",
    ),
    *("0 0 0 0 1 x", "-1 0 0 0 1 2", "256 0 0 0 1 2", "0 -1 0 0 1 2", "0 0 -1 0 1 2", "0 0 0 0 1 inf", "1.0 0 0 0 1 2"),
)


@pytest.mark.parametrize("line", list(ENDINGS))
def test_an_end_is_read_as_it_was_written(line: str) -> None:
    assert ending(line.split()) == ENDINGS[line]


@pytest.mark.parametrize("line", NO_ENDINGS)
def test_what_says_no_end_is_none(line: str) -> None:
    """A torn or forged record is never an exit status: 0 least of all."""
    assert ending(line.split()) is None


@pytest.mark.parametrize(
    ("run", "step", "part"),
    [
        *(("", "a/b", "1.run"), ("-r", "a/b", "1.run"), ("r" * 65, "a/b", "1.run"), ("r/..", "a/b", "1.run")),
        *(
            ("r", "", "1.run"),
            ("r", "../b", "1.run"),
            ("r", "a/b/c", "1.run"),
            ("r", "A/b", "1.run"),
            ("r", "a/b\n", "1.run"),
        ),
        *(
            ("r", "a/b", ""),
            ("r", "a/b", ".run"),
            ("r", "a/b", "1/run"),
            ("r", "a/b", "1" * 65),
            ("r\n", "a/b", "1.run"),
        ),
    ],
)
def test_what_is_no_folder_name_is_no_jobs_name(run: str, step: str, part: str) -> None:
    with pytest.raises(Trouble) as err:
        JobKey(run, step, part)
    assert err.value.problems[0].code == "ssh-key"


def test_a_jobs_folder_tells_step_and_part_apart() -> None:
    assert JobKey("r", "a/b", "1.run").folder == "a+b.1.run"
    assert JobKey("r", "guards", "look1").folder == "guards.look1"
    assert JobKey("r" * 64, "a" * 64 + "/" + "b" * 64, "p" * 64).folder.startswith("a" * 64)


@pytest.mark.parametrize(("argv", "script"), [(None, None), (("true",), "true")])
def test_a_command_is_an_argv_or_a_script(argv: tuple[str, ...] | None, script: str | None) -> None:
    with pytest.raises(Trouble) as err:
        Command(argv=argv, script=script)
    assert err.value.problems[0].code == "ssh-command"


def test_an_empty_script_is_a_script() -> None:
    assert Command(script="").script == ""
    assert not Command(argv=("true",)).attached
