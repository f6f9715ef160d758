"""The home: where it is, whose it is, what disk it is on, and which drills it remembers."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.store.bench import FaultyDisk

from handrail.base.problems import Trouble
from handrail.store import home as home_module
from handrail.store.drills import Drill, add_drill, drills_of
from handrail.store.home import Home
from handrail.store.network_fs import is_network_fs, network_fs

DRILL = Drill("d" * 64, "puppet-failover", "2026-11-23T05:12:00.000Z", "alice", "done", undone=True, run="r1")
MOUNTS = r"""21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
35 21 0:30 / /home rw shared:2 - nfs4 server:/home rw,vers=4.2
36 35 8:2 / /home/local rw - xfs /dev/sdb1 rw
37 21 0:31 / /mnt/two\040words rw - fuse.sshfs me@host:/ rw
38 21 0:32 / /data rw - cifs //server/data rw
39 21 8:3 / /data rw - btrfs /dev/sdc1 rw
nonsense
"""


def code_of(err: pytest.ExceptionInfo[Trouble]) -> str:
    return err.value.problems[0].code


def test_the_environment_names_the_home(tmp_path: Path) -> None:
    assert Home.locate({"HANDRAIL_HOME": str(tmp_path / "x")}).path == tmp_path / "x"
    assert Home.locate({"HANDRAIL_HOME": "rel"}).path == Path.cwd() / "rel"
    assert Home.locate({"HANDRAIL_HOME": ""}).path.name == "handrail"
    assert Home.locate({}).path.name == "handrail"


def test_a_home_is_made_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home = Home(tmp_path / "a" / "home").make()
    finally:
        os.umask(before)
    assert {p.stat().st_mode & 0o7777 for p in (home.path, home.runs, home.estates)} == {0o700}
    assert home.make() == home


def test_a_home_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Home(tmp_path / "link").make().runs.is_dir()


@pytest.mark.parametrize("kind", ["world", "file", "inside a file"])
def test_a_home_that_cannot_be_one_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "home"
    if kind == "world":
        path.mkdir()
        path.chmod(0o777)
    else:
        path.write_text("")
    with pytest.raises(Trouble) as err:
        Home(path / "x" if kind == "inside a file" else path).make()
    assert code_of(err) == ("home-unusable" if kind == "inside a file" else "untrusted-file")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/handrail", ""),
        ("/home/alice/.local/state", "nfs4"),
        ("/homer", ""),
        ("/home/local/alice", ""),
        ("/mnt/two words/x", "fuse.sshfs"),
        ("/mnt/two", ""),
        ("/data/x", ""),
    ],
)
def test_network_disks_are_told_by_the_mount_table(path: str, kind: str) -> None:
    assert network_fs(Path(path), lambda: MOUNTS) == kind
    assert is_network_fs(Path(path), lambda: MOUNTS) == bool(kind)


def test_no_mount_table_means_no_objection() -> None:
    assert not is_network_fs(Path("/x"), lambda: "")


def test_a_home_on_a_network_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Home(tmp_path).refuse_network()
    monkeypatch.setattr(home_module, "network_fs", lambda path: "nfs")
    with pytest.raises(Trouble) as err:
        Home(tmp_path).refuse_network()
    assert code_of(err) == "home-on-network"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").make()


def test_drills_are_remembered(home: Home) -> None:
    assert drills_of(home) == []
    other = replace(DRILL, digest="e" * 64, outcome="closed", by="bob\u202e")
    for drill in (DRILL, other, replace(DRILL, runbook="else")):
        add_drill(home, drill)
    assert drills_of(home, digest="d" * 64) == [DRILL, replace(DRILL, runbook="else")]
    assert drills_of(home, runbook="puppet-failover") == [DRILL, other]
    assert drills_of(home, digest="e" * 64, runbook="else") == []
    assert len(drills_of(home)) == 3
    assert home.drills.stat().st_mode & 0o777 == 0o600


def test_lines_that_cannot_be_read_are_passed_over(home: Home) -> None:
    add_drill(home, DRILL)
    good = home.drills.read_bytes()
    bad = [
        b"\xff\n",
        b"[]\n",
        b"{}\n",
        b"[" * 9999 + b"\n",
        good.replace(b'"alice"', b"5"),
        good.replace(b"true", b"1"),
    ]
    later = good.replace(b'"by"', b'"more": 1, "by"')
    home.drills.write_bytes(b"".join([*bad, later, good[:30]]))
    assert drills_of(home) == [DRILL]
    add_drill(home, DRILL)
    assert drills_of(home) == [DRILL, DRILL], "a torn line does not swallow the next"


@pytest.mark.parametrize("kind", ["open", "write", "sync_data", "sync"])
def test_a_drill_that_cannot_be_remembered_is_told(home: Home, kind: str) -> None:
    with pytest.raises(Trouble) as err:
        add_drill(home, DRILL, disk=FaultyDisk(kind, 1, errno.ENOSPC))
    assert code_of(err) == "drills-unwritable"
    add_drill(home, DRILL)
    assert drills_of(home)[-1] == DRILL


def test_the_store_stands_on_the_base_alone() -> None:
    program = (
        "import pkgutil, importlib, sys, handrail.store as s\n"
        "for m in pkgutil.iter_modules(s.__path__): importlib.import_module('handrail.store.' + m.name)\n"
        "print(*sorted({'.'.join(n.split('.')[:2]) for n in sys.modules if n.startswith('handrail.')}))\n"
        "print(*[n for n in ('asyncio', 'textual', 'asyncssh', 'dns', 'pydantic') if n in sys.modules])\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told == "handrail.base handrail.store\n\n"
