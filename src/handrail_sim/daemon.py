"""The estate as a process of its own: away from the terminal, with a log, a pid file and one line to say that it is up.

The parent forks while it is small and single-threaded, and returns as soon as the line has come.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Final

from handrail.base.problems import Trouble
from handrail_sim import limits, registry
from handrail_sim.inside.kernel import Refused
from handrail_sim.leftovers import kill_leftovers
from handrail_sim.plan import Wanted

LOG: Final = "estate.log"


def start(wanted: Wanted) -> dict[str, Any]:
    """Start the estate's process and return its one line; it goes on when `ready` is true."""
    wanted.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = registry.hold(wanted.folder)
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(read_end)
        _be_daemon(wanted, write_end)
    os.close(write_end)
    os.close(lock)  # the child's copy holds it
    with os.fdopen(read_end, encoding="utf-8") as told:
        line = told.readline()
    answer: dict[str, Any] = json.loads(line) if line else _silent(wanted.folder)
    if not answer["ready"]:
        os.waitpid(child, 0)
        registry.clear(wanted.folder)
    return answer


def _silent(folder: Path) -> dict[str, Any]:
    return {"ready": False, "problem": f"the estate's process ended without a word; see {folder / LOG}"}


def _be_daemon(wanted: Wanted, told: int) -> None:
    """Never return: leave the terminal, run the estate, exit."""
    status = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        log = os.open(wanted.folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for fd, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(fd, target)
        os.chdir("/")
        os.umask(0o022)
        status = _run(wanted, told)
    except BaseException:  # noqa: BLE001 - the last stop: whatever it is goes into the log
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run(wanted: Wanted, told: int) -> int:
    """Run the estate, in namespaces if they are allowed and wanted, else in folders."""
    from handrail_sim.zygotes import Zygote

    began = time.monotonic()
    kill_leftovers(wanted.folder)
    reason = "asked for" if wanted.mode == "folders" else ""
    if wanted.mode != "folders":
        try:
            zygote = Zygote(wanted.plan.preload)
        except (Refused, OSError) as e:
            reason = str(e)
        else:
            answer = _attempt(wanted, zygote, told, began, "")
            if isinstance(answer, int):
                return answer
            reason = answer
        if wanted.mode == "namespaces":
            _tell(told, {"ready": False, "problem": f"namespaces are refused here: {reason}"})
            return 1
    limits.apply_here()
    answer = _attempt(wanted, None, told, began, reason)
    return answer if isinstance(answer, int) else 1


def _attempt(wanted: Wanted, zygote: Any, told: int, began: float, reason: str) -> int | str:  # noqa: ANN401 - lazy import
    """Run one kind of estate to its end: its exit status, or why the kernel refused it."""
    import asyncio

    from handrail_sim.placing import place
    from handrail_sim.prepare import Preparing

    def ready(answer: dict[str, Any]) -> None:
        _tell(told, {"ready": True, **answer, "reason": reason, "seconds": round(time.monotonic() - began, 2)})

    try:
        placed = place(wanted.plan, "namespaces" if zygote else "folders", wanted.folder)
        preparing = Preparing(wanted.template, wanted.plan, placed, wanted.folder / "prepared")
        from handrail_sim.serving import serve  # takes as long as what was started before it

        asyncio.run(serve(wanted, placed, zygote, preparing, ready))
    except Refused as e:
        return str(e)
    except (Trouble, OSError) as e:
        _tell(told, {"ready": False, "problem": str(e)})
        return 1
    return 0


def _tell(told: int, answer: dict[str, Any]) -> None:
    """Write the one line; the parent may be gone, which is no matter."""
    try:
        os.write(told, json.dumps(answer).encode() + b"\n")
        os.close(told)
    except OSError:
        pass
