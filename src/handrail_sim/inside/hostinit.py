"""Pid 1 of a host: makes its root and network card, then starts commands, opens sockets and reaps, as the estate asks.

It may import the standard library only. When the estate's end of its socket closes it exits, and the kernel ends the host.
"""

# pathlib would be the largest import of a process that has to start at once.
# ruff: noqa: PTH110

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import socket
import struct
import termios
from typing import Any, Final

from handrail_sim.inside import hostroot, kernel, netlink, program, wire
from handrail_sim.inside.kernel import PRIVATE, REC, mount, stage

_DEFAULT_SIGNALS: Final = [signal.SIGPIPE, signal.SIGCHLD, signal.SIGINT, signal.SIGXFSZ]
_FAILED_TO_START: Final = 126


def enter(host: dict[str, Any], layer: str, switch_net: int) -> None:
    """Turn this new process into the host: names, mounts, network, root; raise `Refused` with the stage."""
    os.chdir(host["place"])
    with stage("host name"):
        socket.sethostname(host["name"])
    with stage("private mounts"):
        mount("none", "/", "", REC | PRIVATE)
    hostroot.mount_all(host, layer)
    _network(host, switch_net)
    hostroot.close_proc()
    with stage("pivot_root"):
        os.chdir("root")
        kernel.pivot_here()
    os.chdir("/root")
    os.umask(0o022)
    _limits(host["limits"])


def _network(host: dict[str, Any], switch_net: int) -> None:
    with stage("network settings"):
        netlink.set_up("lo")
        _write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0")
        if os.path.exists("/proc/sys/net/ipv6"):
            _write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1")
    with stage("veth"):
        netlink.add_veth("eth0", netlink.mac_of(host["address"]), host["card"], switch_net)
        netlink.add_address("eth0", host["address"], host["prefix"])
        netlink.set_up("eth0")
        os.close(switch_net)


def _write(path: str, text: str) -> None:
    """Write a kernel file, in one write and without a codec: nothing can be imported any more where ids are shifted."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _limits(limits: dict[str, int]) -> None:
    for name, most in limits.items():
        which = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(which)[1]
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (wanted, wanted))


class Init:
    """The loop of pid 1: requests on one socket, ends of children on the other side."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._jobs: dict[int, int] = {}  # pid to the estate's number for the job

    def loop(self) -> None:
        """Serve until the estate is gone."""
        program.rename(["/sbin/init"], "init")
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(wake_read, select.POLLIN)
        while True:
            for fd, _events in poll.poll():
                if fd == wake_read:
                    os.read(wake_read, 512)
                elif not self._serve():
                    return
            self._reap()

    def _serve(self) -> bool:
        """Handle one request; False when the estate is gone."""
        message, fds = wire.receive(self._control)
        if message is None:
            return False
        try:
            getattr(self, f"_do_{message['op']}")(message, fds)
        except (OSError, ValueError) as e:
            self._answer({"done": message["id"], "rc": _FAILED_TO_START, "error": str(e)})
        finally:
            for fd in fds:
                os.close(fd)
        return True

    def _answer(self, message: wire.Message, fds: tuple[int, ...] = ()) -> None:
        wire.send(self._control, message, fds)

    def _do_exec(self, message: wire.Message, fds: list[int]) -> None:
        if program.is_python(message["program"]):
            pid = program.start(message["program"], message["env"], message["log"])
            self._jobs[pid] = message["id"]
            self._answer({"started": message["id"], "pid": pid})
        else:
            self._spawn(message, fds)

    def _spawn(self, message: wire.Message, fds: list[int]) -> None:
        actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(fds)]
        passed: tuple[int, ...] = ()
        slave = -1
        try:
            if message["size"]:
                master, slave = os.openpty()
                passed = (master,)
                fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *message["size"], 0, 0))
                # Opening the terminal after setsid makes it the controlling one.
                actions = [(os.POSIX_SPAWN_OPEN, 0, os.ttyname(slave), os.O_RDWR, 0)]
                actions += [(os.POSIX_SPAWN_DUP2, 0, 1), (os.POSIX_SPAWN_DUP2, 0, 2)]
            pid = os.posix_spawn(
                message["argv"][0], message["argv"], message["env"],
                file_actions=actions, setsid=True, setsigmask=[], setsigdef=_DEFAULT_SIGNALS,
            )  # fmt: skip
            self._jobs[pid] = message["id"]
            self._answer({"started": message["id"], "pid": pid}, passed)
        finally:
            for fd in (*passed, slave):
                if fd >= 0:
                    os.close(fd)

    def _do_kill(self, message: wire.Message, _fds: list[int]) -> None:
        for pid, number in self._jobs.items():
            if number == message["job"]:
                os.killpg(pid, message["signal"])

    def _do_socket(self, message: wire.Message, _fds: list[int]) -> None:
        """Pass out a socket of this host's network, not yet connected."""
        kind = socket.SOCK_STREAM if message["kind"] == "tcp" else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as made:
            self._answer({"socket": message["id"]}, (made.fileno(),))

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            number = self._jobs.pop(pid, None)
            if number is not None:
                self._answer({"done": number, "rc": os.waitstatus_to_exitcode(status)})
