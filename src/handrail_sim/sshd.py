"""Each host's SSH server: public key, any user name, commands started by the host's own machinery.

A lost connection leaves a command running unless it had a terminal, as with sshd. Only asyncssh's public interface is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import struct
import termios
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncssh

from handrail_sim.machine import HostDown, Job, Machine, Order, shell
from handrail_sim.pipes import Sink, Source

_SFTP: Final = (
    "/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/libexec/sftp-server",
    "/usr/lib/ssh/sftp-server",
)  # fmt: skip
_CANNOT_START: Final = 255
_ACCEPTED_ENV: Final = ("LANG", "LC_")


def sftp_program() -> str:
    """Return the machine's SFTP server program, or ""."""
    return next((path for path in _SFTP if Path(path).is_file()), "")


@dataclass(frozen=True)
class SshSettings:
    """What all of a host's sessions share."""

    machine: Machine
    env: dict[str, str]


class HostSession(asyncssh.SSHServerSession[bytes]):
    """One channel: an exec, a shell or sftp."""

    def __init__(self, settings: SshSettings) -> None:
        self._settings = settings
        self._command = ""
        self._term = ""
        self._size: tuple[int, int] | None = None
        self._job: Job | None = None
        self._stdin = Sink(self._hold)
        self._sources: list[Source] = []
        self._lost = False
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Take the channel."""
        self._chan = chan

    def pty_requested(self, term_type: str | None, term_size: tuple[int, int, int, int], term_modes: object) -> bool:
        """Accept a terminal."""
        self._term = term_type or "dumb"
        self._size = (term_size[1] or 24, term_size[0] or 80)
        return True

    def shell_requested(self) -> bool:
        """Accept a login shell."""
        return True

    def exec_requested(self, command: str) -> bool:
        """Accept a command."""
        self._command = command
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """Accept sftp where its program is installed."""
        program = sftp_program()
        self._command = f"exec {program}"
        return subsystem == "sftp" and bool(program)

    def session_started(self) -> None:
        """Start the command."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Pass input on."""
        self._stdin.write(data)

    def eof_received(self) -> bool:
        """End the input; the channel stays open for the output. A terminal has no end of input."""
        if self._size is None:
            self._stdin.end()
        return True

    def pause_writing(self) -> None:
        """Stop reading the command's output: the client does not keep up."""
        for source in self._sources:
            source.pause()

    def resume_writing(self) -> None:
        """Read on."""
        for source in self._sources:
            source.resume()

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """Tell the terminal its new size."""
        if self._job and not self._job.ended.done() and not self._lost:
            with contextlib.suppress(OSError):  # the terminal is closed already
                _set_size(self._job.master, height, width)

    def signal_received(self, signal: str) -> None:
        """Send the command's process group a signal (RFC 4254, 6.9)."""
        number = _signal_number(signal)
        if self._job and number and not self._job.ended.done():
            self._job.signal(number)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the command's streams. It goes on; one with a terminal is hung up on."""
        self._lost = True
        self._stdin.close()
        for source in self._sources:
            source.close()

    def _hold(self, full: bool) -> None:
        if not self._lost:
            (self._chan.pause_reading if full else self._chan.resume_reading)()

    async def _run(self) -> None:
        try:
            job = await (self._start_on_terminal() if self._size else self._start_on_pipes())
        except (OSError, ValueError, HostDown) as e:
            self._finish(_CANNOT_START, f"cannot start: {e}\n")
            return
        status = await job.ended
        for source in self._sources:
            await (source.drained() if self._size else source.ended)
        self._stdin.close()
        self._finish(status, f"{job.error}\n" if job.error else "")

    def _finish(self, status: int, error: str) -> None:
        if self._lost:
            return
        if error:
            self._chan.write_stderr(error.encode())
        if status >= 0:
            self._chan.exit(status)
        else:
            self._chan.exit_with_signal(_signal_name(-status))

    def _env(self) -> dict[str, str]:
        asked = {k: v for k, v in self._chan.get_environment().items() if k.startswith(_ACCEPTED_ENV)}
        return {**self._settings.env, **asked, **({"TERM": self._term} if self._term else {})}

    async def _start_on_terminal(self) -> Job:
        order = Order(shell(self._command), env=self._env(), size=self._size)
        self._job = job = await self._settings.machine.spawn(order)
        if job.master >= 0:
            self._attach(Source(os.dup(job.master), self._chan.write))
            self._stdin.open(job.master)
        return job

    async def _start_on_pipes(self) -> Job:
        inputs, outputs, errors = (os.pipe2(os.O_CLOEXEC) for _ in range(3))
        theirs = (inputs[0], outputs[1], errors[1])
        self._stdin.open(inputs[1])
        self._attach(Source(outputs[0], self._chan.write))
        self._attach(Source(errors[0], self._chan.write_stderr))
        try:
            self._job = await self._settings.machine.spawn(Order(shell(self._command), theirs, self._env()))
        finally:
            for fd in theirs:
                os.close(fd)
        return self._job

    def _attach(self, source: Source) -> None:
        self._sources.append(source)
        if self._lost:
            source.close()


class SshServer:
    """Serves SSH on sockets that it is handed; the host key may be changed while it runs."""

    def __init__(self, settings: SshSettings, host_key: asyncssh.SSHKey, client_key: str) -> None:
        self._settings = settings
        self._clients = asyncssh.import_authorized_keys(client_key)
        self.host_key = host_key
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self) -> socket.socket:
        """Return one end of a socket pair with an SSH server at the other."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._serve(theirs))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return ours

    async def _serve(self, sock: socket.socket) -> None:
        settings = self._settings

        class Server(asyncssh.SSHServer):
            def session_requested(self) -> HostSession:
                return HostSession(settings)

        try:
            await asyncssh.run_server(
                sock, server_factory=Server, server_host_keys=[self.host_key], authorized_client_keys=self._clients,
                encoding=None, line_editor=False, allow_scp=False, agent_forwarding=False, x11_forwarding=False,
                login_timeout=60, keepalive_interval=0,
            )  # fmt: skip
        except (asyncssh.Error, OSError):
            sock.close()  # a stranger, or one that went away before it logged in


def _set_size(fd: int, rows: int, columns: int) -> None:
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _signal_number(name: str) -> int:
    found = getattr(signal, f"SIG{name}", None)
    return int(found) if isinstance(found, signal.Signals) else 0


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return f"{number}@handrail"
