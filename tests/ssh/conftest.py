"""Makes `tests.ssh` importable and brings the fixtures. There may be no `__init__.py` here: the package would be `ssh`."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.ssh.bench import QUICK, Host, end_jobs, pin  # noqa: E402
from tests.ssh.proxy import Proxy  # noqa: E402
from tests.ssh.server import Server  # noqa: E402

from handrail.ssh.links import LinkNews, Links  # noqa: E402
from handrail.ssh.target import Target  # noqa: E402


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host key, another one, and a user key with its authorized_keys."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("host", "other", "user"):
        asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(folder / name))
        (folder / name).chmod(0o600)
    asyncssh.read_private_key(str(folder / "user")).write_public_key(str(folder / "authorized"))
    return folder


@pytest.fixture
async def host(tmp_path: Path, keys: Path) -> AsyncIterator[Host]:
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    host_key = asyncssh.read_private_key(str(keys / "host"))
    server = Server(home, host_key, keys / "authorized", env)
    await server.start()
    pin(tmp_path / "known_hosts", host_key, "one")
    target = Target(
        key="one",
        name="one",
        host="127.0.0.1",
        port=server.port,
        user="ops",
        identity=keys / "user",
        host_key_alias="one",
        known_hosts=tmp_path / "known_hosts",
        ssh_config=None,
        become="",
        work_dir=str(tmp_path / "work"),
    )
    news: list[LinkNews] = []
    links = Links(on_link=news.append, limits=QUICK)
    yield Host(server, target, links, news)
    await links.close()
    end_jobs(tmp_path / "work")
    await server.end()


@pytest.fixture
async def proxy(host: Host) -> AsyncIterator[Proxy]:
    """A proxy before the host; use `through(host, proxy)` as the target."""
    one = Proxy(host.server.port)
    await one.start()
    yield one
    await one.stop()
