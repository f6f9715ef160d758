"""A library that asyncssh can do without is searched for only where it may be, and by nobody's compiler where it is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from handrail.base.library_search import surely_none


@pytest.mark.parametrize(
    ("listed", "path", "none"),
    [
        (b"libz.so.1\0libc.so.6", None, True),
        (b"libz.so.1\0liboqs.so.7", None, False),
        (b"libz.so.1", "/opt/lib", False),
    ],
)
def test_it_is_passed_over_only_where_nothing_names_it(
    listed: bytes, path: str | None, none: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    if path:
        monkeypatch.setenv("LD_LIBRARY_PATH", path)
    (tmp_path / "ld.so.cache").write_bytes(listed)
    assert surely_none("oqs", tmp_path / "ld.so.cache") is none


def test_a_list_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    assert not surely_none("oqs", tmp_path / "ld.so.cache")


ESTATE = """
with contextlib.suppress(SystemExit):
    sys.argv = ["handrail_sim", "--help"]
    runpy.run_module("handrail_sim", run_name="__main__")
import handrail_sim.sshd
"""


@pytest.mark.parametrize("begun", ["import handrail.ssh.links", ESTATE], ids=["console", "estate"])
def test_asyncssh_comes_without_a_process_of_its_own(begun: str) -> None:
    script = f"""
import contextlib, runpy, sys
from handrail.base import library_search
started = []
sys.addaudithook(lambda event, args: started.append(args) if event in ("subprocess.Popen", "os.fork", "os.posix_spawn") else None)
library_search.surely_none = lambda name: True
{begun}
import ctypes.util
assert "asyncssh" in sys.modules
assert started == [], started
ctypes.util.find_library("c")
assert started, "other libraries are searched for as ever"
"""
    subprocess.run([sys.executable, "-c", script], check=True)
