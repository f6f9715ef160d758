"""One life of a DNS server as a program: start, say so on one line, serve until a signal asks to end."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

import dns.exception

from handrail_sim.dns_sockets import Peer


class Server(Protocol):
    """What the two kinds of server have in common."""

    @property
    def port(self) -> int:
        """Return the port that is listened on."""

    async def start(self, host: str, port: int) -> None:
        """Listen; raise OSError, ValueError or `DNSException`."""

    async def close(self) -> None:
        """Stop listening and end everything that runs beside."""


async def serve(
    server: Server, listen: Peer, more: Callable[[], str], on_signals: Mapping[signal.Signals, Callable[[], None]]
) -> None:
    """Run a server until SIGTERM or SIGINT; `more` is added to the line that says that it listens."""
    stop = asyncio.Event()
    ends = dict.fromkeys((signal.SIGTERM, signal.SIGINT), stop.set)
    for number, action in {**ends, **on_signals}.items():
        asyncio.get_running_loop().add_signal_handler(number, action)
    await server.start(*listen)
    print(f"listening on {listen[0]}:{server.port}{more()}", flush=True)
    await stop.wait()
    await server.close()


def run(name: str, life: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Live it; return the exit code: 1 if the server could not start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(life())
    except (OSError, ValueError, dns.exception.DNSException) as fault:
        print(f"{name}: {fault}", file=sys.stderr)
        return 1
    return 0
