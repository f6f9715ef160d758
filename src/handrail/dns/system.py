"""The one look at a name through this machine's own resolver: /etc/hosts, nscd, search lists and all. It only reads."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

from handrail.base.frozen import dataclass
from handrail.base.safe import safe
from handrail.dns.names import address, plain_name


@dataclass(frozen=True)
class SystemAnswer:
    """The addresses this machine would connect to, in its order of preference; `problem` is a sentence, "" if fine."""

    values: tuple[str, ...]
    problem: str = ""


async def system_answer(name: str, timeout: float = 5.0) -> SystemAnswer:  # noqa: ASYNC109 - part of the port
    """Return a name as programs on this machine see it. A resolver that hangs is left behind after `timeout` seconds."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[SystemAnswer] = loop.create_future()

    def deliver(answer: SystemAnswer) -> None:
        if not done.done():
            done.set_result(answer)

    plain = plain_name(name)

    def resolve() -> None:
        answer = _resolve(plain)
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it whoever asked
            loop.call_soon_threadsafe(deliver, answer)

    # A daemon thread of its own: the loop's pool is joined at exit, and getaddrinfo cannot be cancelled.
    threading.Thread(target=resolve, name="system-answer", daemon=True).start()
    try:
        async with asyncio.timeout(timeout):
            return await done
    except TimeoutError:
        return SystemAnswer((), f"this machine's resolver does not answer within {timeout:g} s")


def _resolve(name: str) -> SystemAnswer:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return SystemAnswer((), f"this machine cannot resolve {name}: {safe(str(error), 120)}")
    return SystemAnswer(tuple(dict.fromkeys(address(str(entry[4][0]).partition("%")[0]) for entry in found)))
