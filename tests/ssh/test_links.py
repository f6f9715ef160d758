"""Links: whom they trust, how they fail, and how long that may take."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from tests.ssh.bench import QUICK, Host, pin, through, until
from tests.ssh.proxy import Proxy

from handrail.base.problems import Trouble
from handrail.base.secrets import Secret
from handrail.ssh.asking import Question
from handrail.ssh.config import ignored_options
from handrail.ssh.links import LinkNews, Links
from handrail.ssh.target import Target


async def fault(links: Links, target: Target) -> str:
    """Return the code of the trouble that connecting ends in."""
    with pytest.raises(Trouble) as caught:
        await links.connection(target)
    return caught.value.problems[0].code


async def test_one_connection_is_shared_and_its_key_is_known(host: Host, keys: Path) -> None:
    first, second = await asyncio.gather(host.links.connection(host.target), host.links.connection(host.target))
    assert first is second
    shown = asyncssh.read_public_key(str(keys / "host.pub")) if (keys / "host.pub").exists() else host.server.key
    assert await host.links.fingerprint(host.target) == shown.get_fingerprint()
    assert 0 < await host.links.round_trip(host.target) < 5
    assert host.links.quiet_for(host.target) < 5
    assert host.link_news == [LinkNews("one", up=True)]


async def test_a_cut_is_told_and_the_next_use_connects_again(host: Host) -> None:
    await host.links.connection(host.target)
    host.server.cut()
    await until(lambda: len(host.link_news) == 2)
    assert not host.links.is_up(host.target)
    await host.links.connection(host.target)
    assert [news.up for news in host.link_news] == [True, False, True]


async def test_an_unknown_host_key_is_refused_with_its_fingerprint(host: Host) -> None:
    host.target.known_hosts.write_text("")
    with pytest.raises(Trouble) as caught:
        await host.links.connection(host.target)
    problem = caught.value.problems[0]
    assert problem.code == "ssh-host-key-unknown"
    assert host.server.key.get_fingerprint() in problem.message


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_a_changed_host_key_is_refused_with_both_fingerprints(host: Host, kind: str) -> None:
    old = asyncssh.generate_private_key(kind)
    pin(host.target.known_hosts, old, "one")
    with pytest.raises(Trouble) as caught:
        await host.links.connection(host.target)
    problem = caught.value.problems[0]
    assert problem.code == "ssh-host-key-changed"
    assert host.server.key.get_fingerprint() in problem.message
    assert old.get_fingerprint() in problem.message


async def test_a_revoked_host_key_is_refused(host: Host) -> None:
    public = host.server.key.export_public_key().decode().split()[:2]
    host.target.known_hosts.write_text(f"one {' '.join(public)}\n@revoked * {' '.join(public)}\n")
    assert await fault(host.links, host.target) == "ssh-host-key-revoked"


async def test_a_key_pinned_for_the_address_does_not_stand_in_for_the_alias(host: Host) -> None:
    pin(host.target.known_hosts, host.server.key, "127.0.0.1", f"[127.0.0.1]:{host.server.port}")
    assert await fault(host.links, host.target) == "ssh-host-key-unknown"


async def test_a_host_certificate_of_a_pinned_authority_is_trusted(host: Host, keys: Path) -> None:
    authority = asyncssh.read_private_key(str(keys / "other"))
    public = authority.export_public_key().decode().split()[:2]
    host.target.known_hosts.write_text(f"@cert-authority one {' '.join(public)}\n")
    assert await fault(host.links, host.target) in ("ssh-host-key-changed", "ssh-protocol")


async def test_without_known_hosts_nothing_is_trusted(host: Host) -> None:
    host.target.known_hosts.unlink()
    assert await fault(host.links, host.target) == "ssh-known-hosts"


@pytest.mark.parametrize(
    "line", ["UserKnownHostsFile none", "UserKnownHostsFile /dev/null", "StrictHostKeyChecking no"]
)
async def test_no_ssh_config_loosens_verification(host: Host, tmp_path: Path, line: str) -> None:
    config = tmp_path / "config"
    config.write_text(f"Host *\n  {line}\n  HostKeyAlias whatever\n  User ops\n  ControlMaster auto\n")
    host.target.known_hosts.write_text("")
    target = replace(host.target, ssh_config=config, user="")
    assert await fault(host.links, target) == "ssh-host-key-unknown"
    told = ignored_options(config)
    assert [sentence.split(" ")[1] for sentence in told] == [line.split()[0], "HostKeyAlias", "ControlMaster"]
    assert all(sentence.startswith(f"{config}:") for sentence in told)


async def test_an_ssh_config_may_name_user_port_and_key(host: Host, tmp_path: Path, keys: Path) -> None:
    more = tmp_path / "more"
    more.write_text(f"Host 127.0.0.1\n  Port {host.server.port}\n  IdentityFile {keys / 'user'}\n")
    config = tmp_path / "config"
    config.write_text(f"Include {more}\nUser somebody\n")
    target = replace(host.target, ssh_config=config, port=0, user="", identity=None)
    pin(host.target.known_hosts, host.server.key, "one")
    connection = await host.links.connection(target)
    assert connection.get_extra_info("username") == "somebody"
    assert ignored_options(config) == []


async def test_a_jump_host_is_verified_by_the_same_known_hosts(host: Host, tmp_path: Path, keys: Path) -> None:
    config = tmp_path / "config"
    config.write_text(f"Host 127.0.0.1\n  ProxyJump ops@localhost:{host.server.port}\n  UserKnownHostsFile none\n")
    target = replace(host.target, ssh_config=config)
    assert await fault(host.links, target) == "ssh-host-key-unknown"
    pin(host.target.known_hosts, host.server.key, "one", f"[localhost]:{host.server.port}")
    await host.links.connection(target)
    assert len(host.server.connections) == 2
    _, heard = await host.run("echo through", target=target)
    assert bytes(heard.out) == b"through\n"


async def test_a_wrong_user_key_is_said(host: Host, keys: Path) -> None:
    target = replace(host.target, identity=keys / "other")
    assert await fault(host.links, target) == "ssh-auth"


async def test_a_missing_user_key_is_said(host: Host, tmp_path: Path) -> None:
    target = replace(host.target, identity=tmp_path / "nothing")
    assert await fault(host.links, target) == "ssh-identity"


async def test_two_roles_on_one_host_are_refused(host: Host) -> None:
    links = Links(limits=QUICK, apart=("one", "two"))
    await links.connection(host.target)
    assert await fault(links, replace(host.target, key="two", name="two")) == "ssh-same-host"
    await links.connection(replace(host.target, key="client"))
    await links.close()


async def test_a_closed_session_connects_no_more(host: Host) -> None:
    await host.links.connection(host.target)
    await host.links.close()
    assert await fault(host.links, host.target) == "ssh-closed"


async def test_a_half_open_link_is_noticed(host: Host, proxy: Proxy) -> None:
    await host.links.connection(through(host, proxy))
    proxy.stall()
    await until(lambda: host.links.quiet_for(host.target) > QUICK.keepalive)
    await until(lambda: not host.link_news[-1].up)


# -- servers that are none ------------------------------------------------------------------------------------------

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    return


async def talk_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await reader.read()


async def talk_garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-x\r\n" + bytes(range(256)) * 200)
    await reader.read()


async def stop_after_the_banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await reader.read()


async def flood_lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(200):
        writer.write(b"\x1b]0;evil\x07" * 1000 + b"\n")
        await writer.drain()
    await reader.read()


async def flood_without_a_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for _ in range(200):
        writer.write(b"A" * 100_000)
        await writer.drain()


async def disconnect_with_escapes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    reason = b"\x1b[2J\x1b]52;c;ZXZpbA==\x07" + b"go away"
    body = b"\x01" + (2).to_bytes(4) + len(reason).to_bytes(4) + reason + (0).to_bytes(4)
    padding = 8 - (len(body) + 5) % 8 + 8
    packet = (len(body) + padding + 1).to_bytes(4) + bytes([padding]) + body + bytes(padding)
    writer.write(b"SSH-2.0-x\r\n" + packet)
    await reader.read()


async def speak_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"SSH-2.0-OpenSSH_9.2p1 " * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def repeat_the_banner(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n" * 50)
        await writer.drain()
        await asyncio.sleep(0)


async def claim_a_huge_packet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-x\r\n" + b"\x7f\xff\xff\xff" + bytes(100_000))
    await reader.read()


HOSTILE: list[Speak] = [
    speak_slowly,
    repeat_the_banner,
    claim_a_huge_packet,
    say_nothing,
    hang_up,
    talk_http,
    talk_garbage,
    stop_after_the_banner,
    flood_lines,
    flood_without_a_line,
    disconnect_with_escapes,
]


@pytest.fixture
async def port_of(tmp_path: Path) -> AsyncIterator[Callable[[Speak], Awaitable[int]]]:
    """Start a hostile server and return its port."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(speak: Speak) -> int:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await speak(reader, writer)
            except (OSError, asyncio.CancelledError):
                pass
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    yield start
    for server in servers:
        server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("speak", HOSTILE, ids=lambda speak: speak.__name__)
async def test_a_hostile_server_ends_in_a_readable_trouble(
    host: Host, port_of: Callable[[Speak], Awaitable[int]], speak: Speak
) -> None:
    links = Links(limits=replace(QUICK, connect=0.5, login=0.5))
    target = replace(host.target, port=await port_of(speak))
    async with asyncio.timeout(10):
        with pytest.raises(Trouble) as caught:
            await links.connection(target)
    await links.close()
    text = str(caught.value)
    assert caught.value.problems[0].code in ("ssh-timeout", "ssh-protocol", "ssh-unreachable")
    assert all(c.isprintable() or c == "\n" for c in text)
    assert len(text) < 1000


class _AsksForEver(asyncssh.SSHServer):
    """A server that asks one question after the other."""

    def __init__(self, hostile: str) -> None:
        self._hostile = hostile

    def begin_auth(self, username: str) -> bool:
        return True

    def kbdint_auth_supported(self) -> bool:
        return True

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return self._hostile, self._hostile * 50, "", [(self._hostile, False)]

    def validate_kbdint_response(self, username: str, responses: object) -> Any:
        return self.get_kbdint_challenge(username, "", "")


@contextlib.asynccontextmanager
async def served(host: Host, login: Callable[[], asyncssh.SSHServer]) -> AsyncIterator[Target]:
    """Yield a target at which a server of one's own answers, with the pinned key."""
    server = await asyncssh.create_server(login, "127.0.0.1", 0, server_host_keys=[host.server.key])
    yield replace(host.target, port=server.get_port())
    server.close()
    await server.wait_closed()


async def test_a_server_that_asks_for_ever_is_left_and_its_words_are_harmless(host: Host) -> None:
    hostile = "\x1b]52;c;ZXZpbA==\x07[/bold]\u202e code"
    asked: list[Question] = []

    async def answer(question: Question) -> Secret | None:
        asked.append(question)
        return Secret("123456")

    links = Links(limits=QUICK, ask=answer)
    async with asyncio.timeout(20), served(host, lambda: _AsksForEver(hostile)) as target:
        assert await fault(links, target) in ("ssh-auth", "ssh-protocol")
        await links.close()
    assert 1 <= len(asked) <= 6
    assert all(one.title == "one asks ops" for one in asked)
    assert all(char.isprintable() for one in asked for char in one.title + one.text + one.wrong)
    assert max(len(one.text) for one in asked) < 600


async def test_a_password_that_has_run_out_is_changed_elsewhere(host: Host) -> None:
    class Login(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def kbdint_auth_supported(self) -> bool:
            return False

        def validate_password(self, username: str, password: str) -> bool:
            raise asyncssh.PasswordChangeRequired("choose another one\x1b[2J")

    async def answer(question: Question) -> Secret | None:
        return Secret("spring2019")

    links = Links(limits=QUICK, ask=answer)
    async with asyncio.timeout(20), served(host, Login) as target:
        with pytest.raises(Trouble, match="the password has run out: log in there with ssh") as raised:
            await links.connection(target)
        assert "spring2019" not in str(raised.value)
        await links.close()


async def test_a_one_time_code_is_asked_for_once_and_each_is_new(host: Host) -> None:
    codes, valid = iter(("111111", "222222")), ["111111", "222222"]

    class Login(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def kbdint_auth_supported(self) -> bool:
            return True

        def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
            return "", "", "", [("Verification code: ", False)]

        def validate_kbdint_response(self, username: str, responses: Any) -> bool:
            return list(responses) == [valid.pop(0)]

    async def answer(_question: Question) -> Secret | None:
        return Secret(next(codes))

    links = Links(limits=QUICK, ask=answer)
    async with served(host, Login) as target:
        await asyncio.gather(*(links.connection(target) for _ in range(6)))
        links.drop(target)
        await asyncio.gather(*(links.connection(target) for _ in range(6)))
        await links.close()
    assert valid == []


async def test_no_clock_runs_while_a_person_is_asked(host: Host) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def answer(_question: Question) -> Secret | None:
        asked.set()
        await go_on.wait()
        return None

    links = Links(limits=replace(QUICK, connect=0.3, login=0.3), ask=answer)
    async with served(host, lambda: _AsksForEver("code")) as target:

        async def read() -> None:
            async with links.patience.limit(5.0) as clock:
                reading.set_result(clock)
                await links.connection(target)

        reading: asyncio.Future[asyncio.Timeout] = asyncio.get_running_loop().create_future()
        work = asyncio.create_task(read())
        await asked.wait()
        assert (await reading).when() is None  # it stands still ...
        done, _ = await asyncio.wait({work}, timeout=0.6)  # ... and the login's own limit, long past, does too
        assert not done
        go_on.set()
        with pytest.raises(Trouble) as caught:
            await work
        assert caught.value.problems[0].code == "ssh-auth"
        await links.close()


async def test_nobody_listens(host: Host, port_of: Callable[[Speak], Awaitable[int]]) -> None:
    await host.server.stop()
    assert await fault(host.links, host.target) == "ssh-unreachable"


def test_options_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    assert "cannot be read" in ignored_options(tmp_path / "nothing")[0]
    looped = tmp_path / "loop"
    looped.write_text(f'Include {looped}\nServerAliveInterval=5\nHost "x\n')
    assert "ServerAliveInterval is ignored" in ignored_options(looped)[-1]
