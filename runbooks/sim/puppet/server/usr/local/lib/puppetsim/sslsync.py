"""`puppet-ssl-sync`: pulls the CA and SSL folders from the other server, as the periodic copy of a warm standby does.

Held by a file, one at a time, and refused when the source's CA is another one or its serial lies behind ours. Without
these guards such a copy is what destroys a DR server that has been promoted.
"""

from __future__ import annotations

import fcntl
import io
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from puppetsim.export import HEAD, folders, source
from puppetsim.settings import Settings, load
from simhost.host import append_line, at, replace_file
from simhost.names import dial

HOLD: Final = "/etc/puppet-ssl-sync.hold"
STAMP: Final = "/var/lib/puppet-ssl-sync.last"
LOG: Final = "/var/log/puppet-ssl-sync.log"
TRY_LATER: Final = 75  # EX_TEMPFAIL
MOST_REMOVED: Final = 20
_NEEDED: Final = frozenset({"ca/ca_crt.pem", "ca/ca_key.pem", "ca/ca_crl.pem", "ca/serial", "ca/inventory.txt"})


class Refused(Exception):
    """Why nothing was copied."""


@dataclass(frozen=True)
class Tree:
    """Both folders as data: files with mode and content, and links, by path such as `ca/serial`."""

    files: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def paths(self) -> set[str]:
        """Return every path."""
        return set(self.files) | set(self.links)


def fetch() -> Tree:
    """Return the other server's tree; raise `Refused`, OSError or ValueError."""
    host, port = source()
    with dial(host, port, 10.0) as connection:
        connection.settimeout(20.0)
        chunks = []
        while chunk := connection.recv(65536):
            chunks.append(chunk)
    head, _, data = b"".join(chunks).partition(b"\n")
    if head + b"\n" != HEAD % len(data) or not data:
        raise Refused("the source sent nothing, or broke off")
    return unpack(data)


def unpack(data: bytes) -> Tree:
    """Return the tree of a tar; anything but plain files, links and folders in the two is refused."""
    tree = Tree()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            parts = PurePosixPath(member.name).parts
            if parts[0] not in ("ssl", "ca") or ".." in parts:
                raise Refused(f"the source sent {member.name!r}")
            content = tar.extractfile(member) if member.isfile() else None
            if content:
                tree.files[member.name] = member.mode & 0o777, content.read()
            elif member.issym():
                tree.links[member.name] = member.linkname
    return tree


def local_tree(settings: Settings) -> Tree:
    """Return our own tree."""
    tree = Tree()
    for name, folder in folders(settings).items():
        for path in sorted(folder.rglob("*")):
            inner = f"{name}/{path.relative_to(folder).as_posix()}"
            if path.is_symlink():
                tree.links[inner] = str(path.readlink())
            elif path.is_file():
                tree.files[inner] = path.stat().st_mode & 0o777, path.read_bytes()
    return tree


def check(theirs: Tree, ours: Tree) -> None:
    """Refuse a source that is not a newer state of the same CA."""
    missing = sorted(_NEEDED - set(theirs.files))
    if missing:
        raise Refused(f"the source has no {missing[0]}")
    mine = ours.files.get("ca/ca_crt.pem")
    if mine and mine[1] != theirs.files["ca/ca_crt.pem"][1]:
        raise Refused("the source has another CA")
    serial = ours.files.get("ca/serial")
    if serial and int(theirs.files["ca/serial"][1], 16) < int(serial[1], 16):
        raise Refused("the source's serial lies behind ours: we have signed since, or the source is stale")
    gone = ours.paths() - theirs.paths()
    if len(gone) > MOST_REMOVED:
        raise Refused(f"{len(gone)} files would be removed, more than {MOST_REMOVED}")


def apply(settings: Settings, theirs: Tree, ours: Tree) -> tuple[int, int]:
    """Make our folders like theirs; return how many files were written and removed."""
    places = folders(settings)

    def place(path: str) -> Path:
        first, _, rest = path.partition("/")
        return places[first] / rest

    changed = [path for path, entry in theirs.files.items() if ours.files.get(path) != entry]
    for path in changed:
        mode, data = theirs.files[path]
        replace_file(place(path), data, mode)
    for path, target in theirs.links.items():
        if ours.links.get(path) != target and not place(path).exists():
            place(path).symlink_to(target)
    gone = sorted(ours.paths() - theirs.paths())
    for path in gone:
        place(path).unlink()
    return len(changed), len(gone)


def sync(*, only_show: bool) -> str:
    """Copy, or tell what a copy would change; return what is to be said; raise `Refused`, OSError, ValueError."""
    settings = load("server")
    theirs, ours = fetch(), local_tree(settings)
    check(theirs, ours)
    if only_show:
        new = [f"{path}" for path, entry in sorted(theirs.files.items()) if ours.files.get(path) != entry]
        return "\n".join([*new, *(f"*deleting {path}" for path in sorted(ours.paths() - theirs.paths()))])
    written, removed = apply(settings, theirs, ours)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    replace_file(at(STAMP), f"{stamp}\n".encode())
    return f"sync ok: {written} written, {removed} removed, serial {theirs.files['ca/serial'][1].decode().strip()}"


def main(argv: Sequence[str]) -> int:
    """Do one copy; exit 75 when it is held or another one is running, 1 when it is refused or fails."""
    if at(HOLD).exists():
        print(f"held: {at(HOLD).read_text('utf-8').strip() or 'no reason given'}")
        return TRY_LATER
    at("/run").mkdir(exist_ok=True)
    with (at("/run") / "puppet-ssl-sync.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another sync is running")
            return TRY_LATER
        try:
            said, code = sync(only_show="--check" in argv), 0
        except (Refused, OSError, ValueError) as fault:
            said, code = f"sync refused: {fault}", 1
    if said:
        print(said, file=sys.stderr if code else sys.stdout)
    if "--check" not in argv:
        append_line(at(LOG), f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {said}")
    return code
