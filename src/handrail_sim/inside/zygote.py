"""The zygote: one user, mount and network namespace for a whole estate; it forks every host's pid 1.

It may import the standard library only; what the template asks it to `preload` is for the programs of the hosts, which
run in copies of it. Run as `python -I -S -c ... FD` with an empty environment: a host can read its
ancestors' environment. As an ordinary user it maps itself to root; as real root it lays its directory out first and then
becomes root of a range of ids that nobody uses (0 mapped to 0 would be allowed to write the machine's /proc/sys).
"""

# pathlib would be the largest import of a process that has to start at once.
# ruff: noqa: PTH102, PTH103, PTH110

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import json
import os
import select
import socket
import sys
from collections.abc import Callable
from typing import Any, Final

from handrail_sim.inside import hostinit, hostroot, kernel, netlink, program, wire
from handrail_sim.inside.kernel import BIND, NODEV, NOSUID, PRIVATE, REC, Refused, mount, stage

_HOST_NAMESPACES: Final = (
    kernel.NEWNS | kernel.NEWUTS | kernel.NEWIPC | kernel.NEWNET | kernel.NEWPID | kernel.NEWCGROUP
)
Answer = tuple[wire.Message | int, tuple[int, ...]]
"""An answer and descriptors to pass, or the descriptor that a child's answer will come from."""


def fault_of(error: BaseException) -> wire.Message:
    """Return what went wrong as a message: the stage, errno, text."""
    if isinstance(error, Refused):
        return {"fail": {"stage": error.stage, "errno": error.code, "text": error.text}}
    return {"fail": {"stage": "zygote", "errno": getattr(error, "errno", 0) or 0, "text": repr(error)}}


class Zygote:
    """Serves the estate's requests, one answer each, until its end of the socket closes."""

    def __init__(self, control: socket.socket, setup: dict[str, Any], base: bytes) -> None:
        self._control = control
        self._layer: str = setup["layer"]
        self._readonly: list[str] = setup["readonly"]
        self._shift: int = setup["shift"]
        self._base = wire.unpack(base)
        self._switch_net = -1
        self._children: dict[int, int] = {}  # the descriptor of a child's answer to the ticket it is for

    def enter(self) -> None:
        """Make the namespaces; raise `Refused` with the stage."""
        kernel.adopt_orphans()
        if self._shift:
            self._enter_as_root()
        else:
            self._enter_as_user()
        kernel.die_with_parent()
        with stage("network namespace"):
            netlink.set_up("lo")
            self._switch_net = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            if os.path.exists("/proc/sys/net/ipv6"):
                _write("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1")

    def _enter_as_user(self) -> None:
        uid, gid = os.getuid(), os.getgid()
        with stage("unshare user, mount, network"):
            kernel.unshare(kernel.NEWUSER | kernel.NEWNS | kernel.NEWNET)
        with stage("map ids"):
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"0 {uid} 1")
            _write("/proc/self/gid_map", f"0 {gid} 1")
        self._lay_out(0)

    def _enter_as_root(self) -> None:
        """Lay out before giving up privileges: a shifted id cannot walk through a 0700 home."""
        with stage("unshare mount"):
            kernel.unshare(kernel.NEWNS)
        self._lay_out(self._shift)
        with stage("unshare user, mount, network"):
            kernel.unshare(kernel.NEWUSER | kernel.NEWNS | kernel.NEWNET)
        wire.send(self._control, {"map": os.getpid()})
        if wire.receive(self._control)[0] is None:
            os._exit(0)
        with stage("map ids"):
            os.setgid(0)
            os.setuid(0)
            os.setgroups([])

    def _lay_out(self, owner: int) -> None:
        with stage("private mounts"):
            mount("none", "/", "", REC | PRIVATE)
        with stage("tmpfs"):
            mount("tmpfs", self._layer, "tmpfs", NOSUID | NODEV, "mode=755,size=64m")
        with stage("bind the interpreter"):
            for number, path in enumerate(self._readonly):
                os.makedirs(f"{self._layer}/ro/{number}")
                mount(path, f"{self._layer}/ro/{number}", "", BIND | REC)
        os.mkdir(f"{self._layer}/hosts")
        for path in (self._layer, f"{self._layer}/hosts"):
            os.chown(path, owner, owner)

    def loop(self) -> None:
        """Serve until the estate is gone; what takes long is done by children, side by side."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        while True:
            for fd, _events in poll.poll():
                if fd == self._control.fileno():
                    if not self._serve(poll):
                        return
                else:
                    poll.unregister(fd)
                    self._child_said(fd)
            self._reap()

    def _serve(self, poll: select.poll) -> bool:
        """Take one request; False when the estate is gone."""
        message, fds = wire.receive(self._control)
        if message is None:
            return False
        try:
            answer, passed = getattr(self, f"_do_{message['op']}")(message, fds)
        except (OSError, Refused) as e:
            answer, passed = fault_of(e), ()
        if isinstance(answer, int):
            self._children[answer] = message["ticket"]
            poll.register(answer, select.POLLIN)
        else:
            wire.send(self._control, {**answer, "ticket": message["ticket"]}, passed)
        for fd in (*fds, *passed):
            os.close(fd)
        return True

    def _child_said(self, fd: int) -> None:
        """Pass a child's one answer on."""
        said = os.read(fd, wire.LARGEST)
        os.close(fd)
        answer = json.loads(said) if said else fault_of(OSError(errno.ECHILD, "a child of the zygote ended"))
        wire.send(self._control, {**answer, "ticket": self._children.pop(fd)})

    @staticmethod
    def _in_child(work: Callable[[], wire.Message]) -> int:
        """Do the work in a child; return the descriptor that its answer will come from."""
        read_end, write_end = os.pipe()
        if os.fork():
            os.close(write_end)
            return read_end
        os.close(read_end)
        try:
            answer = work()
        except BaseException as e:  # noqa: BLE001 - whatever it is, the estate must hear of it
            answer = fault_of(e)
        os.write(write_end, json.dumps(answer).encode())
        os._exit(0)

    def _place(self, name: str) -> str:
        return f"{self._layer}/hosts/{name}"

    def _do_lay(self, message: wire.Message, fds: list[int]) -> Answer:
        place = self._place(message["name"])
        hostroot.make(place, message["size"])

        def work() -> wire.Message:
            hostroot.write(place, [self._base, *(wire.unpack(wire.read_all(f)) for f in fds)])
            return {"laid": message["name"]}

        return self._in_child(work), ()

    def _do_resize(self, message: wire.Message, _fds: list[int]) -> Answer:
        hostroot.resize(self._place(message["name"]), message["size"])
        return {"resized": message["name"]}, ()

    def _do_port(self, message: wire.Message, _fds: list[int]) -> Answer:
        with stage("switch port"):
            return {"port": message["card"]}, (netlink.open_port(message["card"]).detach(),)

    def _do_boot(self, message: wire.Message, fds: list[int]) -> Answer:
        """Fork twice: the first child makes the namespaces and tells the pid, the second one is pid 1."""

        def work() -> wire.Message:
            with stage("unshare a host's namespaces"):
                kernel.unshare(_HOST_NAMESPACES)
            pid = os.fork()
            if not pid:
                self._become_host(message["host"], fds[0])
            return {"pid": pid}

        return self._in_child(work), ()

    def _become_host(self, host: dict[str, Any], fd: int) -> None:
        """Never return: be pid 1 of a host."""
        control = socket.socket(fileno=_alone(fd, self._switch_net))
        try:
            host["place"] = self._place(host["name"])
            host["readonly"] = self._readonly
            hostinit.enter(host, self._layer, self._switch_net)
            wire.send(control, {"up": True})
            hostinit.Init(control).loop()
        except BaseException as e:  # noqa: BLE001 - whatever it is, the estate must hear of it, and pid 1 must end here
            wire.send(control, fault_of(e))
        finally:
            os._exit(0)

    @staticmethod
    def _reap() -> None:
        """Collect hosts that have ended; the estate learns of it by itself (pidfd_open(2))."""
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def _alone(fd: int, *more: int) -> int:
    """Close every descriptor but the first three and these: a host holds nothing of another one's."""
    last = 2
    for kept in sorted((fd, *more)):
        os.closerange(last + 1, kept)
        last = kept
    os.closerange(last + 1, os.sysconf("SC_OPEN_MAX"))
    return fd


def preload(names: list[str]) -> None:
    """Load modules that the hosts' Python programs share, installed packages among them; one that is missing is left out."""
    if not names:
        return
    import site

    site.main()
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()


def _write(path: str, text: str) -> None:
    """Write a kernel file, in one write and without a codec: nothing can be imported any more where ids are shifted."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def main(fd: int) -> None:
    """Run the zygote on an inherited message socket; the first message is its set-up, with the base pack."""
    control = socket.socket(fileno=fd)
    os.set_inheritable(fd, False)
    kernel.die_with_parent()
    setup, fds = wire.receive(control)
    if setup is None:
        return
    preload(setup["preload"])
    program.rename(["handrail-sim", "zygote"], "zygote")
    zygote = Zygote(control, setup, wire.read_all(fds[0]))
    os.close(fds[0])
    try:
        zygote.enter()
    except (OSError, Refused) as e:
        wire.send(control, fault_of(e))
        return
    wire.send(control, {"ready": True})
    zygote.loop()


if __name__ == "__main__":
    main(int(sys.argv[1]))
