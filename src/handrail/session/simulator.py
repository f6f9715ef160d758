"""The simulated estate, as the console knows it: a program that is started and asked, never imported."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from handrail.base.durations import parse_duration
from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.runbook.shipped import shipped
from handrail.store.home import Home

PATIENCE: Final = 60.0


@dataclass(frozen=True)
class Simulated:
    """An estate that is up: its folder, its estate file, and how far its hosts are machines of their own."""

    folder: Path
    estate: Path
    mode: str  # "namespaces" or "folders"
    reason: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()


def _argv(*words: str) -> list[str]:
    return [sys.executable, "-m", "handrail_sim", *words]


def _answer(text: bytes, what: str) -> dict[str, Any]:
    lines = text.decode("utf-8", "replace").strip().splitlines()
    try:
        found = json.loads(lines[-1])
    except (ValueError, IndexError):
        raise trouble("estate", f"{what}: no answer", "look into estate.log in its folder") from None
    return found if isinstance(found, dict) else {}


async def _ask(*words: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *_argv(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise trouble("estate", f"the simulated estate did not answer within {PATIENCE:.0f} s") from None
    if not out.strip():
        raise trouble("estate", f"the simulated estate: {safe(err[-400:]) or 'no answer'}")
    return _answer(out, "the simulated estate")


def template_for(roles: frozenset[str], runbook: Path) -> Path:
    """Return the template of an estate that has these roles: one that is named like the runbook's file, then any other.

    It is looked for beside the runbook, then among the shipped ones.
    """
    places = [runbook.parent / "sim", shipped() / "sim"]
    for place in places:
        own = place / runbook.stem / "estate.toml"
        for template in (own, *sorted(place.glob("*/estate.toml"))):
            if roles <= _roles_of(template):
                return template
    needed = ", ".join(sorted(roles))
    hint = "write sim/NAME/estate.toml beside the runbook; `handrail explain no-simulated-estate` shows how"
    raise trouble("no-simulated-estate", f"no simulated estate has the roles {needed}", hint)


def _roles_of(template: Path) -> frozenset[str]:
    import tomli

    try:
        return frozenset(tomli.loads(template.read_text(encoding="utf-8")).get("roles", {}))
    except (OSError, ValueError):
        return frozenset()


def shortens(template: Path) -> tuple[float, float] | None:
    """Return the TTL of the name that is switched, here and as it often is in production, in seconds; None if not said."""
    import tomli

    try:
        told = tomli.loads(template.read_text(encoding="utf-8")).get("sim", {}).get("shortens", {})
        return parse_duration(told["here"]), parse_duration(told["production"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, Trouble):
        return None  # an estate's own program says what is wrong with its template


async def up(home: Home, name: str, template: Path, *options: str) -> Simulated:
    """Bring an estate up and return it; raise `Trouble` when it does not come up."""
    folder = home.estates / name
    answer = await _ask("up", "--template", str(template), "--dir", str(folder), "--home", str(home.path), *options)
    if not answer.get("ready"):
        raise trouble("estate", f"the simulated estate did not come up: {safe(str(answer.get('problem', '')))}")
    warnings = tuple(safe(str(w)) for w in answer.get("warnings", ()))
    mode, reason = str(answer.get("mode", "")), safe(str(answer.get("reason", "")))
    _keep(home, f"{mode}: {reason}" if reason else mode)
    return Simulated(folder, Path(str(answer["estate"])), mode, reason, float(answer.get("seconds", 0.0)), warnings)


def _keep(home: Home, words: str) -> None:
    """Remember how estates come up here, for the home screen; it is only a memory."""
    with contextlib.suppress(OSError):
        (home.path / "simulator").write_text(words + "\n", encoding="utf-8")


def last_known(home: Home) -> str:
    """Return how the last estate came up here: "namespaces", or "folders" with the reason."""
    try:
        return safe((home.path / "simulator").read_text(encoding="utf-8")[:300].strip())
    except (OSError, ValueError):
        return "not tried yet: handrail doctor says"


async def down(folder: Path) -> None:
    """Take an estate down; one that is gone already is fine."""
    if folder.exists():
        try:
            await _ask("down", str(folder))
        except Trouble:
            return
        shutil.rmtree(folder, ignore_errors=True)


async def control(folder: Path, *words: str) -> dict[str, Any]:
    """Ask the estate's control socket something, such as `power primary off`."""
    return await _ask("ctl", str(folder), *words)


async def begin(folder: Path, scenario: Path) -> None:
    """Hand a scenario to an estate, which does what comes before the run; raise `Trouble` when that does not work."""
    answer = await _ask("play", "begin", str(folder), str(scenario.absolute()))
    if not answer.get("ok"):
        raise trouble("estate", f"the scenario could not be begun: {safe(str(answer.get('problem', '')))}")


async def follow(folder: Path, run: Path) -> None:
    """Let the scenario follow a run, in a process of its own that outlives this console and ends with the estate."""
    answer = await _ask("play", "follow", str(folder), str(run))
    if not answer.get("ok"):
        raise trouble("estate", f"the scenario cannot follow: {safe(str(answer.get('problem', '')))}")


async def judge(folder: Path, run: Path) -> dict[str, Any]:
    """Return what a scenario was, what it did, and whether the estate is as it should be; raise `Trouble`."""
    answer = await _ask("play", "judge", str(folder), str(run))
    if not answer.get("ok"):
        raise trouble("estate", f"the scenario could not be judged: {safe(str(answer.get('problem', '')))}")
    return answer


async def looks(folder: Path) -> dict[str, str]:
    """Return what must be the same again after an undo, as text by name; raise `Trouble`."""
    answer = await _ask("looks", str(folder))
    found = answer.get("looks")
    if not answer.get("ok") or not isinstance(found, dict):
        raise trouble("estate", f"the estate could not be looked at: {safe(str(answer.get('problem', '')))}")
    return {safe(str(what)): str(said) for what, said in found.items()}


async def act(folder: Path, line: str) -> str:
    """Do one thing to an estate as a scenario does, such as `power primary off`; return why it was refused, or nothing."""
    answer = await _ask("act", str(folder), line)
    return safe(str(answer.get("problem", "")))


async def lose(folder: Path, hosts: Iterable[str]) -> None:
    """Cut the power of hosts: a drill of an emergency begins with what is lost."""
    for host in hosts:
        await control(folder, "power", host, "off")


async def doctor() -> dict[str, Any]:
    """Return which kind of simulated estate works here, and what refused the better one."""
    return await _ask("doctor")
