"""A whole run without a screen, as a program: `console_run.py RUNBOOK ESTATE [NAME=@FILE ...]`; HANDRAIL_HOME says where it is kept.

It answers for itself as `--auto` does. Each line on stdin asks what it has used by now, and one JSON line answers; a last one comes
at the end, with the exit code 0 when the run is done.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import time
from pathlib import Path

from benchmarks.spawned import held
from handrail.engine.outcome import outcome
from handrail.engine.words import Outcome
from handrail.plain.auto import walk
from handrail.session.opening import Opening, open_run
from handrail.session.session import Session
from handrail.session.view import Mode
from handrail.store.home import Home

RECEIVED = 128  # where bytes_received stands in struct tcp_info (linux/tcp.h)


def used(session: Session) -> str:
    """Return processor seconds, memory in KiB, what came over the wire, and how far the moving steps are."""
    connections = session.core.links._open.values()
    wire = sum(_received(one.get_extra_info("socket")) for one in connections)
    moving = {step: live.done for step, live in session.core.live.items()}
    return json.dumps(
        {"at": time.monotonic(), "cpu": time.process_time(), "memory": held_here(), "wire": wire, "done": moving}
    )


def held_here() -> float:
    """Return this process's memory in KiB."""
    import os

    return held(os.getpid())


def _received(sock: socket.socket) -> int:
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int(struct.unpack_from("Q", info, RECEIVED)[0]) if len(info) >= RECEIVED + 8 else 0


async def main(book: Path, where: Path, values: dict[str, str]) -> int:
    """Walk the run to its end."""
    session = open_run(Home.locate(), Opening(book, where, Mode.LIVE, values=values))
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if not sys.stdin.readline():
            loop.remove_reader(sys.stdin.fileno())
            return
        sys.stdout.write(used(session) + "\n")
        sys.stdout.flush()

    loop.add_reader(sys.stdin.fileno(), asked)
    await walk(session)
    done = outcome(session.snapshot.state) is Outcome.DONE
    last = used(session)
    await session.close()
    sys.stdout.write(last + "\n")
    if not done:
        sys.stderr.write(f"{[(i, s.word.value, s.detail) for i, s in session.snapshot.state.steps.items()]}\n")
    return 0 if done else 1


def _given(words: list[str]) -> dict[str, str]:
    pairs = (word.partition("=@") for word in words)
    return {name: Path(file).read_text() for name, _, file in pairs}


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), _given(sys.argv[3:]))))
