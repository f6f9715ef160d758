"""Runs a Python program as one of three users: maria and tom, who are in the group dr-oncall, and eve, who is not.

`python as_member.py NAME PROGRAM...`, started by real root. The users live in this process's own mount namespace alone:
its /etc/passwd and /etc/group are files of ours, so that no machine needs them.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
sys.path.insert(0, ROOT)

from tests.sim_machines.as_user import open_the_way  # noqa: E402

from handrail_sim.inside.kernel import BIND, mount  # noqa: E402

GROUP = 64100
USERS = {"maria": 64101, "tom": 64102, "eve": 64103}
MEMBERS = ("maria", "tom")


def know_them() -> None:
    """Lay a passwd and a group of ours over the machine's, in this mount namespace."""
    lines = "".join(f"{name}:x:{uid}:{uid}::/nonexistent:/bin/sh\n" for name, uid in USERS.items())
    groups = f"dr-oncall:x:{GROUP}:{','.join(MEMBERS)}\n" + "".join(f"{n}:x:{u}:\n" for n, u in USERS.items())
    folder = Path(tempfile.mkdtemp())
    for name, text in (("passwd", lines), ("group", groups)):
        (folder / name).write_text(Path("/etc", name).read_text() + text)
        (folder / name).chmod(0o644)
        mount(str(folder / name), f"/etc/{name}", "", BIND)


def become(name: str) -> None:
    """Give up root for good."""
    os.setgroups([GROUP] if name in MEMBERS else [])
    os.setresgid(USERS[name], USERS[name], USERS[name])
    os.setresuid(USERS[name], USERS[name], USERS[name])
    os.umask(0o022)


if __name__ == "__main__":
    who, *program = sys.argv[1:]
    open_the_way()
    know_them()
    become(who)
    os.chdir("/")
    os.execv(program[0], program)
