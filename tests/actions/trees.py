"""Trees on the two hosts of a world: laid, and read back with content, mode, owner and place on the disk."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from tests.session.world import World, runbook, step

Seen = dict[str, tuple[int, int, str]]


def lay(root: Path, files: dict[str, str | None], mode: int = 0o640) -> None:
    """Write files below a folder; None makes a folder, "->x" a link to x."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.mkdir(exist_ok=True)
        elif text.startswith("->"):
            path.symlink_to(text[2:])
        else:
            path.write_text(text)
            path.chmod(mode)


def content(root: Path) -> dict[str, tuple[int, str]]:
    """Return mode and content of everything below a folder, by relative path."""
    return {name: (mode, what) for name, (mode, _, what) in seen(root).items()}


def seen(root: Path) -> Seen:
    """Return mode, inode and content of everything below a folder, and of itself."""
    found: Seen = {}
    for path in (root, *sorted(root.rglob("*"))):
        info = path.lstat()
        if path.is_symlink():
            what = f"-> {path.readlink()}"
        else:
            what = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        found[str(path.relative_to(root))] = (info.st_mode, info.st_ino, what)
    return found


def leftovers(world: World) -> list[str]:
    """Return what copies have left beside the trees of the DR host."""
    return sorted(str(p.relative_to(world["dr"].root)) for p in world["dr"].root.rglob("*handrail-*"))


SSL: dict[str, str | None] = {
    "certs/a.pem": "A",
    "private_keys/a.pem": "secret",
    "serial": "000A\n",
    "crl.pem": "crl 2",
}


def lay_both(world: World) -> tuple[Path, Path]:
    """Lay a newer tree on the primary and an older one on the DR host; return both."""
    one, two = world["primary"].root / "ssl", world["dr"].root / "ssl"
    lay(one, SSL)
    (one / "private_keys/a.pem").chmod(0o600)
    lay(two, {**SSL, "serial": "0009\n", "crl.pem": "crl 1"})
    (two / "private_keys/a.pem").chmod(0o600)
    return one, two


def sync_step(more: str = "", dirs: str = '["{{ here.root }}/ssl"]') -> str:
    """Return a runbook with one sync step `s/x`."""
    look = step('on = "dr"\nrun = ["true"]', stage="look", head="reads = true")
    return runbook(
        look + step(f'undo = "restore"\n[stage.step.sync]\nfrom = "primary"\nto = "dr"\ndirs = {dirs}\n{more}')
    )


GATE = """#!/bin/sh
# Stands before a program: says that it was reached, and waits while it is held.
if [ -e "$HOME/hold.{name}" ]; then
  : > "$HOME/at.{name}"
  while [ -e "$HOME/hold.{name}" ]; do sleep 0.02; done
fi
exec {real} "$@"
"""


def hold(world: World, host: str, *programs: str) -> None:
    """Make programs of a host wait when they are reached, until `let_go`."""
    root = world[host].root
    place = root / "bin"
    place.mkdir(exist_ok=True)
    for name in programs:
        real = next(f"{d}/{name}" for d in os.environ["PATH"].split(":") if os.access(f"{d}/{name}", os.X_OK))
        (place / name).write_text(GATE.format(name=name, real=real))
        (place / name).chmod(0o755)
        (root / f"hold.{name}").touch()
    server = world[host].server
    if not server.env["PATH"].startswith(str(place)):
        server.env = {**server.env, "PATH": f"{place}:{server.env['PATH']}"}


def reached(world: World, host: str, program: str) -> bool:
    """Tell whether a held program was reached."""
    return (world[host].root / f"at.{program}").exists()


def let_go(world: World, host: str, *programs: str) -> None:
    """Let held programs go on."""
    for name in programs:
        (world[host].root / f"hold.{name}").unlink(missing_ok=True)
        (world[host].root / f"at.{name}").unlink(missing_ok=True)
