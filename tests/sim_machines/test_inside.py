"""What runs inside the namespaces stands on the standard library alone, and the wires carry what they are given."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import handrail_sim
from handrail_sim import limits
from handrail_sim.inside import wire
from handrail_sim.inside.kernel import Refused, stage
from handrail_sim.inside.netlink import mac_of
from handrail_sim.switch import checksum, host_unreachable
from handrail_sim.wires import AsyncWire
from handrail_sim.zygotes import interpreter_roots, is_real_root, layer_place

SOURCE = Path(handrail_sim.__file__).parents[1]


def test_the_inside_needs_no_installed_package() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import handrail_sim.inside.zygote;"
        "print([m for m in sys.modules if m.split('.')[0] in ('handrail', 'asyncio', 'asyncssh', 'tomli', 'pathlib')])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code, str(SOURCE)], capture_output=True, text=True, env={})
    assert done.stdout.strip() == "[]", done.stderr


def test_a_stage_names_what_was_refused() -> None:
    with pytest.raises(Refused, match="own /proc: EPERM"), stage("own /proc"):
        raise PermissionError(1, "no")


def test_messages_are_bounded() -> None:
    with pytest.raises(ValueError, match="is the most"):
        wire.encode({"x": "y" * wire.LARGEST})


async def test_a_wire_keeps_order_when_the_other_end_is_slow() -> None:
    ours, theirs = wire.pair()
    ended = asyncio.Event()
    sender = AsyncWire(ours, lambda _m, _f: None, ended.set)
    reader, writer = os.pipe()
    count = 400
    for number in range(count):
        sender.send({"n": number, "pad": "x" * 10_000}, [writer] if number == count - 1 else [])
    os.close(writer)
    got: list[int] = []
    done = asyncio.Event()

    def take(message: wire.Message, fds: list[int]) -> None:
        got.append(message["n"])
        for fd in fds:
            assert not os.get_inheritable(fd)
            os.write(fd, b"passed")
            os.close(fd)
            done.set()

    receiver = AsyncWire(theirs, take, ended.set)
    await done.wait()
    assert got == list(range(count))
    assert os.read(reader, 10) == b"passed"
    os.close(reader)
    receiver.close()
    await ended.wait()
    assert sender.ended


def test_a_host_unreachable_is_well_formed() -> None:
    tcp = struct.pack("!HHIIBBHHH", 40000, 8140, 7, 0, 0x50, 2, 64240, 0, 0)
    ip = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, socket.inet_aton("10.77.1.21"), socket.inet_aton("10.77.1.10")
    )
    frame = bytes(10) + mac_of("10.77.1.10") + mac_of("10.77.1.21") + b"\x08\x00" + ip + tcp
    answer = host_unreachable(frame)[10:]
    assert answer[:12] == mac_of("10.77.1.21") + mac_of("10.77.1.10")
    packet = answer[14:]
    assert packet[9] == 1
    assert packet[16:20] == socket.inet_aton("10.77.1.21")
    assert checksum(packet[:20]) == checksum(packet[20:]) == b"\0\0"
    assert packet[20:22] == b"\x03\x01"
    assert packet[28:] == ip + tcp[:8]


def test_a_place_for_the_tmpfs_hides_nothing_that_is_needed() -> None:
    assert layer_place(["/mnt/venv"]) != "/mnt"
    assert not is_real_root("0 1000 1")
    with pytest.raises(Refused, match="ENOENT"):
        layer_place([f"{p}/x" for p in ("/mnt", "/media", "/srv", "/opt", "/var/tmp", "/tmp")])


def test_the_interpreter_and_the_program_are_found() -> None:
    roots = interpreter_roots()
    for needed in (Path(sys.executable), Path(os.path.realpath(sys.executable)), SOURCE):
        assert str(needed).startswith(("/usr/", *(f"{r}/" for r in roots))) or str(needed) in roots
    assert "/" not in roots
    assert str(Path.home()) not in roots


def test_limits_leave_room_for_what_runs_already() -> None:
    assert limits.inside()["NPROC"] > 4096
