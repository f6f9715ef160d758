"""What is asked at the terminal before any screen stands: answers in any encoding."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASKS = """
from handrail.cli.asked_here import _typed
from handrail.ssh.asking import Question
said = _typed(Question("code", "one", "the code", echo=True))
print("\\nleft" if said is None else "\\ngiven " + ascii(said.reveal()))
"""


@pytest.mark.parametrize(("errors", "came"), [("strict", b"left"), ("surrogateescape", rb"given 'pw\udcfc'")])
def test_an_answer_in_another_encoding_ends_nothing(errors: str, came: bytes) -> None:
    env = {**os.environ, "PYTHONIOENCODING": f"utf-8:{errors}"}
    done = subprocess.run([sys.executable, "-c", ASKS], input=b"pw\xfc\n", env=env, capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == came
    assert (b"not UTF-8 text" in done.stderr) == (came == b"left")
