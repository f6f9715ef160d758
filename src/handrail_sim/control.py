"""The control socket: JSON lines `{"do": [words]}` in, `{"ok": true, ...}` out. What a scenario or a person does to an estate."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, cast

from handrail.base.durations import parse_duration
from handrail.base.problems import Trouble, trouble
from handrail_sim.asking import SOCKET, short_path
from handrail_sim.estate import Estate
from handrail_sim.inside.kernel import Refused
from handrail_sim.machine import HostDown
from handrail_sim.station import Station
from handrail_sim.switch import Link

_LONGEST: Final = 1 << 20

Answer = dict[str, Any]


class Control:
    """Serves one estate's control socket; `stop` is set when somebody asks for its end."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self.stop = asyncio.Event()
        self._server: asyncio.AbstractServer | None = None
        self._verbs: dict[str, Callable[[list[str]], Awaitable[Answer]]] = {
            "power": self._power, "link": self._link, "site": self._site, "part": self._part, "rtt": self._rtt,
            "drop-ssh": self._drop, "exec": self._exec, "hosts": self._hosts, "rekey": self._rekey, "fill": self._fill,
            "stop-service": self._stop_service, "status": self._status, "down": self._down, "looks": self._looks,
        }  # fmt: skip

    async def open(self, folder: Path) -> None:
        """Listen in the estate's folder."""
        (folder / SOCKET).unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, sock=_listening(folder), limit=_LONGEST)

    def close(self) -> None:
        """Listen no more."""
        if self._server:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            pass  # the asker went away, or sent a line without end
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Answer:
        try:
            words = [str(w) for w in json.loads(line)["do"]]
            return {"ok": True, **await self.do(words)}
        except Trouble as e:
            return {"ok": False, "problem": str(e)}
        except (Refused, OSError) as e:
            return {"ok": False, "problem": str(e)}
        except HostDown as e:
            return {"ok": False, "problem": f"{e} is down"}
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "problem": 'a line must be {"do": ["verb", ...]}'}

    async def do(self, words: list[str]) -> Answer:
        """Do what the words say; raise `Trouble` when they say nothing."""
        verb = self._verbs.get(words[0] if words else "")
        if verb is None:
            raise trouble(
                "sim-verb", f"no such verb: {' '.join(words[:1])!r}", f"one of {', '.join(sorted(self._verbs))}"
            )
        return await verb(words[1:])

    def _station(self, words: list[str], usage: str, count: int) -> Station:
        if len(words) != count:
            raise trouble("sim-verb", f"write it as: {usage}")
        station = self._estate.stations.get(words[0])
        if station is None:
            raise trouble("sim-host", f"no host {words[0]!r}", f"one of {', '.join(self._estate.stations)}")
        return station

    async def _power(self, words: list[str]) -> Answer:
        station = self._station(words, "power HOST on|off", 2)
        if _choice(words[1], "on", "off") == "off":
            await station.halt()
        elif not station.on:
            await station.boot()
            station.open_doors()
            await station.start_services()
            return {"power": "on", "warnings": await station.wait_booted(self._estate.plan.ready_within)}
        return {"power": words[1]}

    async def _link(self, words: list[str]) -> Answer:
        station = self._station(words, "link HOST up|cut|stall", 2)
        station.link = cast("Link", _choice(words[1], "up", "cut", "stall"))
        self._estate.switch.set_link(station.plan.address, station.link)
        station.open_doors()
        return {"link": station.link}

    async def _site(self, words: list[str]) -> Answer:
        sites = {s.plan.site for s in self._estate.stations.values()}
        if len(words) != 2 or words[0] not in sites:
            raise trouble("sim-verb", "write it as: site SITE up|down", f"sites are {', '.join(sorted(sites))}")
        self._estate.set_site(words[0], dark=_choice(words[1], "up", "down") == "down")
        return {"site": words[0], "is": words[1]}

    async def _part(self, words: list[str]) -> Answer:
        if len(words) != 3:
            raise trouble("sim-verb", "write it as: part SITE SITE on|off")
        self._estate.switch.part(words[0], words[1], apart=_choice(words[2], "on", "off") == "on")
        return {"parted": words[2] == "on"}

    async def _rtt(self, words: list[str]) -> Answer:
        if len(words) != 1:
            raise trouble("sim-verb", "write it as: rtt 80ms")
        self._estate.switch.rtt = parse_duration(words[0])
        return {"rtt": self._estate.switch.rtt}

    async def _drop(self, words: list[str]) -> Answer:
        return {"dropped": self._station(words, "drop-ssh HOST", 1).drop_ssh()}

    async def _exec(self, words: list[str]) -> Answer:
        station = self._station(words[:1], "exec HOST COMMAND", 1)
        return await station.run(" ".join(words[1:]))

    async def _hosts(self, _words: list[str]) -> Answer:
        return {"hosts": [s.shown() for s in self._estate.stations.values()]}

    async def _status(self, _words: list[str]) -> Answer:
        return {**self._estate.shown(), "pid": os.getpid()}

    async def _looks(self, _words: list[str]) -> Answer:
        """Run what every host's template says must be the same again after an undo."""
        found = {}
        for station in self._estate.stations.values():
            for what, command in station.plan.looks:
                said = await station.run(command) if station.on else {"rc": "off", "out": "", "err": ""}
                found[f"{station.plan.name}: {what}"] = f"{said['rc']} {said['out']}{said['err']}".strip()
        return {"looks": found}

    async def _rekey(self, words: list[str]) -> Answer:
        station = self._station(words, "rekey HOST", 1)
        return {"key": self._estate.rekey(station.plan.name)}

    async def _fill(self, words: list[str]) -> Answer:
        station = self._station(words[:1], "fill HOST [off]", 1)
        full = not words[1:] or _choice(words[1], "on", "off") == "on"
        await station.machine.fill(full=full)
        return {"full": full}

    async def _stop_service(self, words: list[str]) -> Answer:
        station = self._station(words, "stop-service HOST NAME", 2)
        return await station.run(f"exec systemctl stop {_word(words[1])}")

    async def _down(self, _words: list[str]) -> Answer:
        asyncio.get_running_loop().call_later(0.01, self.stop.set)
        return {"down": True}


def _choice(word: str, *words: str) -> str:
    if word not in words:
        raise trouble("sim-verb", f"{word!r} is not one of {', '.join(words)}")
    return word


def _word(text: str) -> str:
    if not text.replace("-", "").replace(".", "").replace("@", "").replace("_", "").isalnum() or text.startswith("-"):
        raise trouble("sim-verb", f"{text!r} is not the name of a service")
    return text


def _listening(folder: Path) -> socket.socket:
    path, fd = short_path(folder)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sock.bind(path)
    finally:
        os.umask(before)
        if fd >= 0:
            os.close(fd)
    return sock
