"""What is laid over a host's root: trees of files with their tokens replaced, and a private copy of the machine's /etc.

It reads folders and returns entries; it writes nothing.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from handrail.base.problems import trouble
from handrail_sim.inside.wire import Entry
from handrail_sim.plan import LAID_DIR_MODE, EstatePlan, HostPlan, Placed

_TOKEN: Final = re.compile(rb"@([a-z0-9-]+(?:\.address)?)@")
_ETC_SKIPPED: Final = frozenset(
    {
        *("shadow", "gshadow", "shadow-", "gshadow-", "sudoers", "sudoers.d", "private", "ssh"),
        *("machine-id", "cron.d", "systemd", "hostname"),
        # what no command line of a server asks for, but takes as long to lay as all the rest
        *(".java", "PackageKit", "X11", "apparmor", "apparmor.d", "apt", "fonts", "init.d", "maven", "xdg", "xml"),
    }
)
_ETC_BULK: Final = re.compile(
    r"etc/(java|rc)[^/]*"  # Java's own settings; System V's links
    r"|etc/alternatives/[^/]+\.gz"  # manual pages
    r"|etc/ssl/certs/(?!ca-certificates\.crt$).*"  # one link or file for each authority in the bundle
)
_ETC_LARGEST: Final = 4 << 20
_MERGED: Final = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FORBIDDEN: Final = frozenset({"proc", "sys", "dev"})
_FOLDERS: Final = (
    *("etc", "usr", "proc", "sys", "dev", "run", "tmp", "home", "opt", "srv", "mnt", "root"),
    *("var/tmp", "var/log", "var/lib", "var/cache", "var/spool"),
)
_STAND_INS: Final = ["bin", "sbin", "local/bin", "local/sbin"]

_SUDO: Final = """\
#!/bin/sh
# The host's only user is root already: skip sudo's options and run the command.
while [ $# -gt 0 ]; do
  case $1 in
    -u|-g|-h|-p|-C|-D|-R|-T|-U) shift 2 ;;
    --) shift; break ;;
    -v|-k|-K|-l) exit 0 ;;
    -*) shift ;;
    *=*) export "$1"; shift ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || set -- "${SHELL:-/bin/sh}"
exec "$@"
"""


def tokens(plan: EstatePlan, placed: Placed, host: HostPlan, python: str) -> dict[str, str]:
    """Return what each `@token@` stands for on one host."""
    known = {
        "python": python,
        "name": host.name,
        "address": placed.address(host),
        "root": placed.root(host),
        "fqdn": str(plan.vars.get("fqdn", "")),
        "zone": str(plan.dns.table.get("zone", "")),
        "dnsport": "53" if placed.mode == "namespaces" else str(placed.dns_port),
        "mode": placed.mode,
    }
    for other in reversed(plan.hosts):  # a role of many hosts means its first one
        if other.role:
            known[f"{other.role}.address"] = placed.address(other)
    return known | {f"{other.name}.address": placed.address(other) for other in plan.hosts}


def replaced(data: bytes, known: Mapping[str, str]) -> bytes:
    """Return a text with its tokens replaced; unknown tokens and whatever is not text stay as they are."""
    if b"@" not in data or b"\0" in data[:8192]:
        return data

    def value(match: re.Match[bytes]) -> bytes:
        text = known.get(match[1].decode())
        return match[0] if text is None else text.encode()

    return _TOKEN.sub(value, data)


def replaced_text(text: str, known: Mapping[str, str]) -> str:
    """Return a text with its tokens replaced."""
    return replaced(text.encode(), known).decode()


def tree(folder: Path) -> list[Entry]:
    """Return a folder's entries relative to it, parents first; what is executable, or begins with `#!`, is a program."""
    if not folder.is_dir():
        raise trouble("sim-files", f"the template's folder {folder} is not there")
    entries: list[Entry] = []
    for place, folders, files in os.walk(folder):
        inner = PurePosixPath(Path(place).relative_to(folder).as_posix())
        folders.sort()
        entries += [_entry(Path(place) / name, str(inner / name)) for name in [*folders, *sorted(files)]]
    return [e for e in entries if not e[0].endswith((".pyc", "__pycache__"))]


def with_tokens(entries: Iterable[Entry], known: Mapping[str, str]) -> list[Entry]:
    """Return entries with the tokens replaced in texts and in the targets of links."""
    return [(path, kind, mode, replaced(data, known)) for path, kind, mode, data in entries]


def _entry(path: Path, name: str) -> Entry:
    if path.is_symlink():
        return (name, "l", 0o777, os.fsencode(path.readlink()))
    mode = stat.S_IMODE(path.stat().st_mode)
    if path.is_dir():
        return (name, "d", mode & 0o755, b"")
    data = path.read_bytes()
    if data.startswith(b"#!"):  # not every way of installing keeps the bit, and every stand-in is a script
        mode |= 0o111
    return (name, "f", mode & 0o755, data)


def machine_etc(etc: Path = Path("/etc")) -> list[Entry]:
    """Return what everybody may read of the machine's /etc, without its secrets and its identity, under `etc/`."""
    entries: list[Entry] = []
    for item in sorted(os.scandir(etc), key=lambda e: e.name):
        if item.name not in _ETC_SKIPPED:
            entries += _etc_item(item, f"etc/{item.name}")
    return [e for e in entries if not _ETC_BULK.fullmatch(e[0])]


def _etc_item(item: os.DirEntry[str], name: str) -> Iterable[Entry]:
    if item.is_symlink():
        return [(name, "l", 0o777, os.fsencode(Path(item.path).readlink()))]
    try:
        status = item.stat(follow_symlinks=False)
        if stat.S_ISREG(status.st_mode) and status.st_mode & 0o004 and status.st_size <= _ETC_LARGEST:
            return [(name, "f", stat.S_IMODE(status.st_mode) & 0o755, Path(item.path).read_bytes())]
        if stat.S_ISDIR(status.st_mode) and status.st_mode & 0o001:
            inner = [e for e in sorted(os.scandir(item.path), key=lambda e: e.name) if e.name not in _ETC_SKIPPED]
            return [(name, "d", LAID_DIR_MODE, b""), *(x for e in inner for x in _etc_item(e, f"{name}/{e.name}"))]
    except OSError:
        return []  # not ours to read, or gone meanwhile
    return []


def overlays(root: Path = Path("/")) -> list[str]:
    """Return the machine's directories that hosts share through an overlay: usr, and what is not merged into it."""
    return ["usr", *(name for name in _MERGED if (root / name).is_dir() and not (root / name).is_symlink())]


def skeleton(root: Path = Path("/")) -> list[Entry]:
    """Return what every host in namespaces has: the top folders, the links into /usr, stand-ins' places, sudo."""
    entries: list[Entry] = [(f"root/{name}", "d", LAID_DIR_MODE, b"") for name in _FOLDERS]
    entries += [("root/root", "d", 0o700, b""), ("root/tmp", "d", 0o1777, b""), ("root/var/tmp", "d", 0o1777, b"")]
    entries += [
        (f"root/{name}", "l", 0o777, os.fsencode((root / name).readlink()))
        for name in _MERGED
        if (root / name).is_symlink()
    ]
    entries.append(("root/var/run", "l", 0o777, b"/run"))
    for name in overlays(root):
        entries += [(f"{kind}.{name}", "d", LAID_DIR_MODE, b"") for kind in ("up", "wk")]
        if name != "usr":
            entries.append((f"root/{name}", "d", LAID_DIR_MODE, b""))
    entries += [(f"up.usr/{name}", "d", LAID_DIR_MODE, b"") for name in _STAND_INS]
    return [*entries, ("up.usr/bin/sudo", "f", 0o755, _SUDO.encode())]


def names(plan: EstatePlan, host: HostPlan) -> list[Entry]:
    """Return a host's own name files: hostname, hosts, resolv.conf and an nsswitch.conf that asks only files and DNS."""
    resolver = next((h for name in plan.dns.resolvers[:1] if (h := plan.host(name))), None)
    resolv = f"nameserver {resolver.address}\noptions timeout:1 attempts:2\n" if resolver else ""
    switch = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n"
    texts = {
        "hostname": f"{host.name}\n",
        "hosts": f"127.0.0.1 localhost\n{host.address} {host.name}\n",
        "resolv.conf": resolv,
        "nsswitch.conf": switch,
    }
    return [(f"etc/{name}", "f", 0o644, text.encode()) for name, text in texts.items()]


def under_overlays(entries: Iterable[Entry], shared: Iterable[str], root: Path = Path("/")) -> list[Entry]:
    """Return entries of a host's root moved to where its layers are: `usr/x` to `up.usr/x`, the rest under `root/`."""
    layers = frozenset(shared)
    moved: list[Entry] = []
    for path, kind, mode, data in entries:
        first, _, rest = path.partition("/")
        if first in _MERGED and first not in layers:  # a link into /usr: follow it
            path = f"{(root / first).readlink()}/{rest}".lstrip("/").rstrip("/")
            first, _, rest = path.partition("/")
        if first in _FORBIDDEN and rest:
            raise trouble("sim-files", f"/{path} cannot be laid: the kernel makes /{first}")
        if first in layers:
            moved += [(f"up.{path}", kind, mode, data)] if rest else []
        elif not (kind == "d" and not rest):
            moved.append((f"root/{path}", kind, mode, data))
    return moved


def folder_skeleton(host: HostPlan) -> list[Entry]:
    """Return what every host in a plain folder has: top folders, and stand-ins for sudo and hostname."""
    shown = [name for name in _FOLDERS if name not in _FORBIDDEN]
    entries: list[Entry] = [(name, "d", LAID_DIR_MODE, b"") for name in shown]
    entries += [(f"usr/{name}", "d", LAID_DIR_MODE, b"") for name in _STAND_INS]
    entries.append(("usr/bin/sudo", "f", 0o755, _SUDO.encode()))
    entries.append(("etc/hostname", "f", 0o644, f"{host.name}\n".encode()))
    return [*entries, ("usr/bin/hostname", "f", 0o755, f"#!/bin/sh\necho {host.name}\n".encode())]
