"""Secrets on the command line: from a private file or a program, never the value itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from handrail.base.problems import Trouble
from handrail.cli.sources import LARGEST, given, refuse_in_clear
from handrail.runbook.model import Var

CANARY = "s3cr3t-canary"


def fault(*secrets: str, sudo: tuple[str, ...] = ()) -> str:
    with pytest.raises(Trouble) as caught:
        given(secrets, sudo, person=False)
    assert CANARY not in str(caught.value)
    return caught.value.problems[0].code


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_from_a_private_file_and_from_a_program(tmp_path: Path) -> None:
    file = private(tmp_path / "token", f"{CANARY}\n")
    found = given((f"a=@{file}", f"b=!printf '%s x' {CANARY}"), (f"@{file}", f"dmz=!cat {file}"), person=False)
    assert found.values() == {"a": CANARY, "b": f"{CANARY} x"}
    assert {group: secret.reveal() for group, secret in found.sudo.items()} == {"": CANARY, "dmz": CANARY}
    assert CANARY not in repr(found)


@pytest.mark.parametrize("written", [f"token={CANARY}", CANARY, "token=", "=@file", "token=@/nonexistent"])
def test_anything_else_is_refused_without_being_repeated(written: str) -> None:
    assert fault(written) in ("secret-source", "file-missing")
    assert fault(sudo=(CANARY,)) == "secret-source"


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    assert fault(f"a=@{private(tmp_path / 'open', CANARY, 0o640)}") == "file-private"
    (tmp_path / "link").symlink_to(private(tmp_path / "private", CANARY))
    assert fault(f"a=@{tmp_path / 'link'}") == "file-link"
    assert fault(f"a=@{private(tmp_path / 'empty', '')}") == "secret-source"
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "bytes").chmod(0o600)
    assert fault(f"a=@{tmp_path / 'bytes'}") == "secret-source"


def test_a_program_that_fails_or_talks_too_much_is_refused(tmp_path: Path) -> None:
    assert fault("a=!false") == "secret-source"
    assert fault("a=!./none") == "secret-source"
    assert fault("a=!'unclosed") == "secret-source"
    assert fault("a=!") == "secret-source"
    assert fault(f"a=!{sys.executable} -c 'print(\"x\" * {LARGEST + 1})'") == "secret-source"
    marker = tmp_path / "shell"
    assert given((f"a=!echo $(touch {marker})",), (), person=False).values() == {"a": f"$(touch {marker})"}
    assert not marker.exists()  # there is no shell


def test_set_is_no_way_for_a_secret() -> None:
    kinds = {"token": Var.model_validate({"type": "secret"}), "name": Var.model_validate({"type": "text"})}
    refuse_in_clear(kinds, [("name", "x")])
    with pytest.raises(Trouble) as caught:
        refuse_in_clear(kinds, [("token", CANARY)])
    assert CANARY not in str(caught.value)
