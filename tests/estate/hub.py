"""The middle of the real estate, a program of its own: bridges of the sites, the distance between them, the hosts' disks.

It is started in new mount and network namespaces, which it holds. It ends when its standard input does, and everything
that was mounted or wired in it goes with it. Standard library only. There is no netem in many kernels, so packets between
sites go through TUN devices and wait here.

Question and answer are one JSON line each: {"dark": ["a"], "cut": [["a", "b"]], "loss": 0.1} replaces what is wrong.
"""

from __future__ import annotations

import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from typing import Any, Final

_TUNSETIFF: Final = 0x400454CA
_IFF_TUN_NO_PI: Final = 0x1001
_MTU: Final = "1400"
_MOST_WAITING: Final = 20_000  # packets


def ip(*words: str) -> None:
    """Run ip(8)."""
    subprocess.run(["ip", *words], check=True)


def forward() -> None:
    """Let this namespace forward, whatever way a packet comes."""
    for name, value in (("ip_forward", "1"), ("conf/all/rp_filter", "0"), ("conf/default/rp_filter", "0")):
        with open(f"/proc/sys/net/ipv4/{name}", "w") as file:  # noqa: PTH123 - isolated, and quick to start
            file.write(value)


def tun(name: str) -> int:
    """Make a TUN device and return its end."""
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN_NO_PI))
    return fd


def wire(site: str, net: str, number: int) -> int:
    """Make a site: a bridge, whose packets to anywhere else go into its TUN; return that one's end."""
    bridge, leg = f"br-{site}", f"wan-{site}"
    ip("link", "add", bridge, "type", "bridge")
    ip("addr", "add", f"{net}.1/24", "dev", bridge)
    ip("link", "set", bridge, "up")
    fd = tun(leg)
    ip("link", "set", leg, "mtu", _MTU, "up")
    ip("rule", "add", "iif", bridge, "to", f"{net}.0/24", "pref", str(100 + number), "lookup", "main")
    ip("rule", "add", "iif", bridge, "pref", str(200 + number), "lookup", str(200 + number))
    ip("route", "add", "10.77.0.0/16", "dev", leg, "table", str(200 + number))
    return fd


class Relay:
    """The distance: what comes out of one site's TUN goes into another's, later, or never."""

    def __init__(self, legs: dict[str, int], nets: dict[str, bytes], delay: float) -> None:
        self._legs, self._delay = legs, delay
        self._site = {net: site for site, net in nets.items()}
        self._by_fd = {fd: site for site, fd in legs.items()}
        self._waiting: list[tuple[float, int, str, bytes]] = []
        self._count = 0
        self.wrong: dict[str, Any] = {}

    def run(self) -> None:
        """Relay until standard input ends."""
        poll = select.epoll()
        for fd in (0, *self._by_fd):
            poll.register(fd, select.EPOLLIN)
        while True:
            until = self._waiting[0][0] - time.monotonic() if self._waiting else 1.0
            for fd, _ in poll.poll(max(0.0, until)):
                if fd:
                    self._take(fd)
                elif not self._told():
                    return
            self._give()

    def _told(self) -> bool:
        line = sys.stdin.buffer.readline()
        if line:
            self.wrong = json.loads(line)
            print("{}", flush=True)
        return bool(line)

    def _take(self, fd: int) -> None:
        for _ in range(64):
            try:
                packet = os.read(fd, 65536)
            except OSError:  # none left
                return
            source, target = self._by_fd[fd], self._site.get(packet[16:19])
            if packet[0] >> 4 == 4 and target not in (None, source) and not self._lost(source, str(target)):
                self._count += 1
                heapq.heappush(self._waiting, (time.monotonic() + self._delay, self._count, str(target), packet))

    def _lost(self, one: str, other: str) -> bool:
        if len(self._waiting) > _MOST_WAITING or {one, other} & set(self.wrong.get("dark", ())):
            return True
        if any({one, other} == set(pair) for pair in self.wrong.get("cut", ())):
            return True
        return bool(random.random() < self.wrong.get("loss", 0.0))

    def _give(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, target, packet = heapq.heappop(self._waiting)
            try:
                os.write(self._legs[target], packet)
            except OSError:  # its queue is full: lost, as on any wire
                continue


def main() -> None:
    """Mount, wire, say so, relay. The one argument is JSON: {"disks": PATH, "sites": {"a": "10.77.1"}, "delay": 0.02}."""
    told = json.loads(sys.argv[1])
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4g,mode=755", "estate", told["disks"]], check=True)
    forward()
    ip("link", "set", "lo", "up")
    legs = {site: wire(site, net, number) for number, (site, net) in enumerate(told["sites"].items())}
    nets = {site: bytes(map(int, net.split("."))) for site, net in told["sites"].items()}
    print("{}", flush=True)
    Relay(legs, nets, told["delay"]).run()


if __name__ == "__main__":
    main()
