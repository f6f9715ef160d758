"""A real SSH server in this process; its commands are real shells in sessions of their own, as with sshd. It can be broken."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh

Argv = Callable[[str], list[str]]


def login_shell(command: str) -> list[str]:
    """Return what sshd starts for a command."""
    return ["/bin/sh", "-c", command]


class _Session(asyncssh.SSHServerSession[bytes]):
    """One exec request: a process, three pipes. When the channel dies the pipes close and the process is left alone."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._chan: asyncssh.SSHServerChannel[bytes] | None = None
        self._readers: list[asyncio.ReadTransport] = []
        self._stdin: asyncio.WriteTransport | None = None
        self._early: list[bytes] = []
        self.full = False  # the process takes its time
        self._flushing = False
        self._open = 2
        self._status: int | None = None
        self._dead = False

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._chan = chan

    def exec_requested(self, command: str) -> bool:
        self._server.commands.append(command)
        self._server.keep(self._start(command))
        return True

    async def _start(self, command: str) -> None:
        loop = asyncio.get_running_loop()
        process = subprocess.Popen(
            self._server.argv(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(self._server.env),
            cwd=self._server.home,
            start_new_session=True,
        )
        self._server.pids.append(process.pid)
        self._server.running[process.pid] = process
        watch = os.pidfd_open(process.pid)
        loop.add_reader(watch, self._ended, process, watch)
        self._stdin, _ = await loop.connect_write_pipe(partial(_Stdin, self), process.stdin)
        for is_err, pipe in ((False, process.stdout), (True, process.stderr)):
            transport, _ = await loop.connect_read_pipe(partial(_Pipe, self, is_err), pipe)
            self._readers.append(transport)
        for data in self._early:
            self._stdin.write(data)
        self._early.clear()
        self._pace()
        if self._dead:
            self._close_pipes()

    def _ended(self, process: subprocess.Popen[bytes], watch: int) -> None:
        asyncio.get_running_loop().remove_reader(watch)
        os.close(watch)
        self._status = process.wait()
        self._server.running.pop(process.pid, None)
        self._finish()

    def data_received(self, data: bytes, datatype: int | None) -> None:
        if self._stdin is None:
            self._early.append(data)
        else:
            self._stdin.write(data)
        self._pace()

    def _pace(self) -> None:
        """Take no more than the process does, as sshd: its window is what holds a client back."""
        if self._chan is None or self._dead or self._flushing:
            return
        if self._stdin is not None and not self.full:
            self._flushing = True  # whole, or asyncssh would hold more and more: see handrail.ssh.flow
            self._chan.resume_reading()
            self._flushing = False
        if self._stdin is None or self.full:
            self._chan.pause_reading()

    def eof_received(self) -> bool:
        if self._stdin is not None:
            self._stdin.close()
        return True

    def pause_writing(self) -> None:
        for reader in self._readers:
            reader.pause_reading()

    def resume_writing(self) -> None:
        for reader in self._readers:
            if not reader.is_closing():
                reader.resume_reading()

    def pipe_data(self, is_err: bool, data: bytes) -> None:
        self._server.passed += len(data)
        if self._chan is None or self._dead:
            return
        if is_err:
            self._chan.write_stderr(data)
        else:
            self._chan.write(data)

    def pipe_closed(self) -> None:
        self._open -= 1
        self._finish()

    def _finish(self) -> None:
        if self._open or self._status is None or self._dead or self._chan is None:
            return
        if self._status < 0:
            self._chan.exit_with_signal("TERM")
        else:
            self._chan.exit(self._status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._dead = True
        self._close_pipes()

    def _close_pipes(self) -> None:
        for reader in self._readers:
            reader.close()
        if self._stdin is not None:
            self._stdin.close()


class _Stdin(asyncio.BaseProtocol):
    """A process takes its time: then the client has to, as with sshd."""

    def __init__(self, session: _Session) -> None:
        self._session = session

    def pause_writing(self) -> None:
        self._session.full = True
        self._session._pace()

    def resume_writing(self) -> None:
        self._session.full = False
        self._session._pace()

    def connection_lost(self, exc: Exception | None) -> None:
        self.resume_writing()


class _Pipe(asyncio.Protocol):
    def __init__(self, session: _Session, is_err: bool) -> None:
        self._session = session
        self._is_err = is_err

    def data_received(self, data: bytes) -> None:
        self._session.pipe_data(self._is_err, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._session.pipe_closed()


class _Login(asyncssh.SSHServer):
    def __init__(self, server: Server) -> None:
        self._server = server
        self._conn: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        self._server.connections.append(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._conn in self._server.connections:
            self._server.connections.remove(self._conn)

    def begin_auth(self, username: str) -> bool:
        self._server.logins += 1
        return True

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        return True

    def session_requested(self) -> Any:
        if self._server.refuses:
            self._server.refuses -= 1
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "no more sessions")
        return _Session(self._server)


@dataclass
class Server:
    """The server: `port`, what was asked of it, and how to cut it."""

    home: Path
    key: asyncssh.SSHKey
    authorized: Path
    env: Mapping[str, str]
    argv: Argv = login_shell
    port: int = 0
    commands: list[str] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    refuses: int = 0  # channels that are still refused
    passed: int = 0  # bytes that came from the processes
    logins: int = 0  # how often somebody has begun to log in
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _acceptor: asyncssh.SSHAcceptor | None = None

    def keep(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def start(self) -> None:
        self._acceptor = await asyncssh.create_server(
            lambda: _Login(self),
            "127.0.0.1",
            self.port,
            server_host_keys=[self.key],
            authorized_client_keys=str(self.authorized),
            encoding=None,
            line_editor=False,
            gss_host=None,
            reuse_address=True,
        )
        self.port = self._acceptor.get_port()

    def cut(self) -> None:
        """Kill every connection, without a word."""
        for connection in list(self.connections):
            connection.abort()

    async def stop(self) -> None:
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            acceptor.close()
        self.cut()  # first: from Python 3.12 on, it is closed when the last connection is
        if acceptor is not None:
            await acceptor.wait_closed()
        while self.connections:
            await asyncio.sleep(0.001)

    async def end(self) -> None:
        """Stop, and end the wrappers that still wait for a job."""
        await self.stop()
        for process in list(self.running.values()):
            process.kill()
        while self.running:
            await asyncio.sleep(0.001)
