"""A user whom the machine does not list, as in a container that was given a number."""

from __future__ import annotations

import getpass
import pwd

import click
import pytest

from handrail.cli.main import name_the_nameless


@pytest.fixture(autouse=True)
def _nobody_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlisted(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unlisted)
    monkeypatch.setattr("os.getuid", lambda: 12345)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "")


def test_is_called_by_the_number() -> None:
    name_the_nameless()
    assert getpass.getuser() == "uid12345"


def test_keeps_the_name_that_the_environment_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "ana")
    name_the_nameless()
    assert getpass.getuser() == "ana"


def test_is_told_to_set_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME")
    with pytest.raises(click.UsageError, match="12345 has no home here: set HOME"):
        name_the_nameless()
