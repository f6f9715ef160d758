"""The estate's side of the zygote: starts it before anything heavy is imported, then asks it, one answer per question.

It knows nothing of hosts beyond their names.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from handrail_sim import laying, limits
from handrail_sim.inside import wire
from handrail_sim.inside.kernel import Refused, stage
from handrail_sim.wires import AsyncWire

_SHIFT: Final = 0x60000000  # a range of ids that nobody uses: the estate's, when it is started by real root
_RANGE: Final = 65536
_LAYERS: Final = ("/mnt", "/media", "/srv", "/opt", "/var/tmp", "/tmp")  # noqa: S108 - a mount seen only inside
_ANSWER_WITHIN: Final = 20.0  # seconds
_START: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); from handrail_sim.inside import zygote; zygote.main(int(sys.argv[2]))"
)
_FIRST: Final = 0  # the ticket of what it says unasked, when it starts
_ROOM: Final = " " * 1000  # in the argument area: where the command lines of copies are shown


def is_real_root(uid_map: str) -> bool:
    """Tell from /proc/self/uid_map whether root here is the machine's own; root of somebody's namespace is not."""
    return os.getuid() == 0 and uid_map.split() == ["0", "0", "4294967295"]


def interpreter_roots() -> list[str]:
    """Return the directories outside /usr that the interpreter and this package need, none inside another."""
    found = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_prefix).resolve(), Path(__file__).parents[1]}
    specs = (importlib.util.find_spec(name) for name in ("handrail", "dns", "cryptography"))
    found |= {Path(spec.origin).parents[1] for spec in specs if spec and spec.origin}
    link = Path(sys.executable)
    while link.is_symlink():
        link = link.parent / link.readlink()
        if link.parent.name == "bin":
            found.add(link.parent.parent)
    outside = {Path(os.path.normpath(p)) for p in found if not p.is_relative_to("/usr") and p != Path("/")}
    return sorted(str(p) for p in outside if not any(p != q and p.is_relative_to(q) for q in outside))


def layer_place(needed: Sequence[str]) -> str:
    """Return an existing directory to hide behind the estate's tmpfs that holds nothing it needs."""
    for place in _LAYERS:
        if Path(place).is_dir() and not any(Path(n).is_relative_to(place) for n in needed):
            return place
    raise Refused("a place for the tmpfs", errno.ENOENT, "none of " + " ".join(_LAYERS))


class Zygote:
    """A running zygote. Make it in the main thread; `join` it in the loop; `close` ends it and every host."""

    def __init__(self, preload: Sequence[str] = ()) -> None:
        """Start the process and hand it what it needs, modules to load among it; raise `Refused`."""
        uid_map = Path("/proc/self/uid_map")
        if not sys.platform.startswith("linux") or not uid_map.exists():
            raise Refused("linux", errno.ENOSYS, f"{sys.platform} has no namespaces")
        shift = _SHIFT if is_real_root(uid_map.read_text(encoding="ascii")) else 0
        readonly = interpreter_roots()
        self.setup: dict[str, Any] = {
            "layer": layer_place(readonly), "readonly": readonly, "shift": shift, "preload": list(preload),
        }  # fmt: skip
        self._sock, other = wire.pair()
        with other:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _START, str(Path(__file__).parents[1]), str(other.fileno()), _ROOM],
                pass_fds=[other.fileno()], start_new_session=True, env={}, cwd="/", stdin=subprocess.DEVNULL,
            )  # fmt: skip
        base = wire.memory_file(wire.pack([*laying.skeleton(), *_etc_under_root()]))
        with contextlib.suppress(OSError):
            wire.send(self._sock, self.setup, [base])
        os.close(base)
        self._wire: AsyncWire | None = None
        self.gone = asyncio.Event()
        self._ticket = _FIRST
        self._answers: dict[int, asyncio.Future[tuple[wire.Message, list[int]]]] = {}

    async def join(self) -> None:
        """Wait until its namespaces stand; raise `Refused` with the stage that was not allowed."""
        self._wire = AsyncWire(self._sock, self._on_message, self._on_end)
        message, _ = await self._answer(_FIRST)
        if "map" in message:
            self._map_ids()
            self._wire.send({"mapped": True})
            await self._answer(_FIRST)

    def _map_ids(self) -> None:
        with stage("map ids"):
            for kind in ("uid_map", "gid_map"):
                Path(f"/proc/{self.process.pid}/{kind}").write_text(f"0 {_SHIFT} {_RANGE}", encoding="ascii")

    async def call(self, message: wire.Message, fds: Sequence[int] = ()) -> tuple[wire.Message, list[int]]:
        """Ask, and return the answer and its descriptors; raise `Refused`. Many may ask at once."""
        if self._wire is None:
            raise Refused("zygote", errno.EPIPE, "it is gone")
        self._ticket += 1
        self._wire.send({**message, "ticket": self._ticket}, fds)
        return await self._answer(self._ticket)

    def close(self) -> None:
        """End the zygote; each host ends with its own socket."""
        if self._wire:
            self._wire.close()
        self._sock.close()
        self.process.kill()
        self.process.wait()

    async def _answer(self, ticket: int) -> tuple[wire.Message, list[int]]:
        answer: asyncio.Future[tuple[wire.Message, list[int]]] = asyncio.get_running_loop().create_future()
        self._answers[ticket] = answer
        if self._wire and self._wire.ended:
            self._on_end()
        try:
            message, fds = await asyncio.wait_for(answer, _ANSWER_WITHIN)
        except TimeoutError as e:
            raise Refused("zygote", errno.ETIMEDOUT, "it does not answer") from e
        if "fail" in message:
            fault = message["fail"]
            raise Refused(fault["stage"], fault["errno"], fault["text"])
        return message, fds

    def _on_message(self, message: wire.Message, fds: list[int]) -> None:
        answer = self._answers.pop(message.get("ticket", _FIRST), None)
        if answer and not answer.done():
            answer.set_result((message, fds))
            return
        for fd in fds:
            os.close(fd)

    def _on_end(self) -> None:
        self.gone.set()
        gone = {"fail": {"stage": "zygote", "errno": errno.EPIPE, "text": "it ended"}}
        waiting, self._answers = self._answers, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_result((gone, []))


def _etc_under_root() -> list[wire.Entry]:
    return [(f"root/{path}", kind, mode, data) for path, kind, mode, data in laying.machine_etc()]


def host_message(name: str, address: str, card: str) -> wire.Message:
    """Return what the zygote needs to boot a host."""
    return {
        "op": "boot",
        "host": {
            "name": name, "address": address, "prefix": 16, "card": card,
            "overlays": laying.overlays(), "limits": limits.inside(),
        },
    }  # fmt: skip
