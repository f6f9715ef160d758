"""SSH from one server to the other, for one key with a forced command: `sshd` that listens, and `ssh` that asks.

authorized_keys (command=, from=) and known_hosts are read as OpenSSH reads them; nothing is encrypted or signed, and no
other command is ever run. Everything in it is made for one drill.
"""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from simhost.host import at, conf, root
from simhost.names import dial

PORT: Final = 8730  # 22 would need root in plain folders
ALLOWED: Final = "/root/.ssh/authorized_keys"
HOST_KEY: Final = "/etc/ssh/ssh_host_ed25519_key.pub"
FAILED: Final = 255
_PATIENCE: Final = 10.0
_LINE: Final = re.compile(r'^(?P<options>(?:[^\s"]|"[^"]*")*?)\s*(?P<key>ssh-ed25519 \S+)')
_VALUED: Final = "bcDEeFIiJLlmOopQRSWw"


class Refused(Exception):
    """Why there is no connection, as ssh says it."""


# ---------------------------------------------------------------------- the side that listens


def forced_command(text: str, key: str, peer: str) -> str:
    """Return the command that an authorized_keys file forces on a key; raise `Refused` if it may not come from there."""
    for line in text.splitlines():
        found = _LINE.match(line.strip())
        if not found or line.startswith("#") or found["key"] != key:
            continue
        options = dict(re.findall(r'([a-z-]+)="([^"]*)"', found["options"]))
        if peer in options.get("from", peer).split(",") and "command" in options:
            return options["command"]
    raise Refused("Permission denied (publickey).")


def listen(_argv: Sequence[str]) -> int:
    """Serve until ended."""
    facts = conf()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((facts.get("address", "127.0.0.1") if root() else "0.0.0.0", PORT))  # noqa: S104 - of one simulated host
        listener.listen(16)
        while True:
            connection, (address, _) = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.settimeout(_PATIENCE)
                _serve(connection, str(address))


def _serve(connection: socket.socket, peer: str) -> None:
    """Show our key, take theirs, run what it may run, and send exit status, sizes and both outputs."""
    connection.sendall(at(HOST_KEY).read_bytes().strip() + b"\n")
    with connection.makefile("rb") as lines:
        key = b" ".join(lines.readline().split()[:2]).decode("ascii", "replace")
    try:
        command = forced_command(at(ALLOWED).read_text("utf-8"), key, peer)
    except (Refused, OSError) as fault:
        connection.sendall(b"%d 0\n%s\n" % (FAILED, str(fault).encode()))
        return
    done = subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    connection.sendall(b"%d %d\n" % (done.returncode, len(done.stdout)) + done.stdout + done.stderr)


# ---------------------------------------------------------------------- the side that asks


def _options(argv: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the options of an ssh command line, and what is left: where to, and the command."""
    known, rest = {}, list(argv)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        if word == "--":
            break
        if word[1] in _VALUED:
            value = word[2:] or rest.pop(0)
            name, equals, text = value.partition("=")
            known[name if word[1] == "o" and equals else word[1]] = text if word[1] == "o" else value
    return known, rest


def _known(text: str, host: str, key: str) -> bool:
    """Tell whether a known_hosts file has this key for a host."""
    rows = (line.split() for line in text.splitlines())
    return any(len(row) >= 3 and host in row[0].split(",") and " ".join(row[1:3]) == key for row in rows)


def ask(argv: Sequence[str]) -> int:
    """Be `ssh`: connect, check the host's key, and print what the forced command printed; return its exit status."""
    options, rest = _options(argv)
    host = rest[0].rpartition("@")[2] if rest else ""
    try:
        key = Path(options.get("i", "") + ".pub").read_bytes()
        code, out, err = _talk(host, options, key)
    except (Refused, OSError, ValueError) as fault:
        print(f"ssh: {host}: {fault}", file=sys.stderr)
        return FAILED
    sys.stdout.buffer.write(out)
    sys.stdout.buffer.flush()
    sys.stderr.write(err.decode("utf-8", "replace"))
    return code


def _talk(host: str, options: dict[str, str], key: bytes) -> tuple[int, bytes, bytes]:
    with dial(host, PORT, float(options.get("ConnectTimeout", "10"))) as connection:
        connection.settimeout(2 * _PATIENCE)
        with connection.makefile("rb") as stream:
            theirs = b" ".join(stream.readline().split()[:2]).decode("ascii", "replace")
            known = Path(options.get("UserKnownHostsFile", at("/root/.ssh/known_hosts")))
            if not known.exists() or not _known(known.read_text("utf-8"), host, theirs):
                raise Refused("Host key verification failed.")
            connection.sendall(key.strip() + b"\n")
            code, size = map(int, stream.readline().split())
            return code, stream.read(size), stream.read()
