"""Hands the CA and SSL folders out, read-only, to the one other server: the stand-in for rsync over a restricted key.

It serves whether the Puppet server runs or not, as SSH would. Plain TCP: everything in it is made for one drill.
"""

from __future__ import annotations

import contextlib
import io
import socket
import sys
import tarfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from puppetsim.settings import Settings, load
from simhost.host import at, conf, parse_settings, root

CONF: Final = "/etc/puppet-ssl-sync.conf"
HEAD: Final = b"ssl-export 1 %d\n"
_PATIENCE: Final = 10.0


def folders(settings: Settings) -> dict[str, Path]:
    """Return the folders that are copied, by their names in the stream."""
    return {"ssl": Path(settings["ssldir"]), "ca": Path(settings["cadir"])}


def pack(settings: Settings) -> bytes:
    """Return the folders as a tar; links are kept as links; raise OSError."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, folder in folders(settings).items():
            tar.add(folder, name)
    return out.getvalue()


def source() -> tuple[str, int]:
    """Return where the other server's export is; raise OSError or ValueError."""
    host, _, port = parse_settings(at(CONF).read_text("utf-8"))["source"].rpartition(":")
    return host, int(port)


def main(argv: Sequence[str]) -> int:
    """Serve until ended; only the configured source of our own copies may ask."""
    facts = conf()
    peer, port = source()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((facts.get("address", "127.0.0.1") if root() else "0.0.0.0", port))  # noqa: S104 - of one simulated host
        listener.listen(16)
        while True:
            connection, (address, _) = listener.accept()
            with connection:
                _serve(connection, str(address), peer)


def _serve(connection: socket.socket, address: str, peer: str) -> None:
    connection.settimeout(_PATIENCE)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    if address != peer:
        print(f"{stamp} refused {address}", file=sys.stderr, flush=True)
        return
    with contextlib.suppress(OSError):
        data = pack(load("server"))
        connection.sendall(HEAD % len(data) + data)
        print(f"{stamp} sent {len(data)} bytes to {address}", file=sys.stderr, flush=True)
