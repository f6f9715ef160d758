"""A real BIND on the loopback with one zone that takes signed updates."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.daemons import answers, free_port, program, started
from benchmarks.place import Place

ZONE = "example.test"
NAME = f"service.{ZONE}"
HERE, THERE = "10.0.0.10", "10.0.0.20"
CONFIG = """options {{
  directory "{folder}"; pid-file none; session-keyfile none; recursion no; dnssec-validation no; notify no;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
}};
controls {{ }};
include "{folder}/switch.key";
zone "example.test" {{ type primary; file "zone.db"; allow-update {{ key "switch"; }}; }};
"""
RECORDS = f"""$TTL 60
@ IN SOA ns1 hostmaster 1 3600 600 86400 60
@ IN NS ns1
ns1 IN A 127.0.0.1
service IN A {HERE}
"""


@dataclass(frozen=True)
class Named:
    """One name server: its port, and the key that may change the zone."""

    port: int
    key: Path


@contextmanager
def named(place: Place) -> Iterator[Named]:
    """Start BIND and wait until it answers."""
    daemon, port = program("named"), free_port()
    assert daemon, "named is not installed"
    folder = place.folder / f"named-{port}"
    folder.mkdir(mode=0o700)
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    key = place.file(f"{folder.name}/switch.key", f'key "switch" {{ algorithm hmac-sha256; secret "{secret}"; }};\n')
    place.file(f"{folder.name}/zone.db", RECORDS)
    config = place.file(f"{folder.name}/named.conf", CONFIG.format(folder=folder, port=port))
    with started([daemon, "-g", "-n", "1", "-c", str(config)], folder / "log") as process:
        answers(port, process, folder / "log")
        yield Named(port, key)
