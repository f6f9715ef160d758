"""Where consoles are hatched: a process that has loaded everything, forks one at a time, and says how each has ended.

A console that starts so costs a hundredth of one that loads Python anew; what it does from there is the same.

    python -m tests.torture.nest        one JSON line in: argv, env, out; two out: {"pid": ...} and {"code": ...}
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests.torture import console

from handrail.base import failpoint

ROOT: Final = Path(__file__).parents[2]


class Nest:
    """The other side: asks a nest for consoles."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def made(cls) -> Nest:
        """Start one; it is armed, with nothing, so that each console can be armed."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("HANDRAIL")}
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.torture.nest",
                env={**clean, "HANDRAIL_FAILPOINT_LOG": os.devnull},
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        )

    async def hatch(self, argv: tuple[str, ...], env: dict[str, str], out: Path) -> int:
        """Start a console; return its pid."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"argv": argv, "env": env, "out": str(out)}).encode() + b"\n")
        return int((await self._line())["pid"])

    async def ended(self) -> int:
        """Return how the console ended: its exit status, or less than nothing for a signal."""
        return int((await self._line())["code"])

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found = json.loads(await self._process.stdout.readline())
        assert isinstance(found, dict)
        return found

    async def close(self) -> None:
        """End it."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def _become(asked: dict[str, Any]) -> None:
    """Be a console, in a process of its own."""
    code = 1
    try:
        nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(asked["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for fd, to in ((nothing, 0), (out, 1), (out, 2)):
            os.dup2(fd, to)
        env = dict(asked["env"])
        failpoint.arm(env.pop("HANDRAIL_FAILPOINT", ""), env.pop("HANDRAIL_FAILPOINT_LOG", ""))
        os.environ.update(env)
        code = asyncio.run(console.main(*asked["argv"]))
    except BaseException as err:  # noqa: BLE001  the end of a process: it is told, whatever it is
        sys.excepthook(type(err), err, err.__traceback__)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _become(json.loads(line))
        print(json.dumps({"pid": pid}), flush=True)
        print(json.dumps({"code": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}), flush=True)


if __name__ == "__main__":
    _main()
