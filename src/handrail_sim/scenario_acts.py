"""Acts of a scenario: asked of the estate's control socket, and noted in a file beside it with time and outcome. Messages too.

Nothing else of the estate is touched.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from handrail.base.problems import Trouble
from handrail.runbook.scenario_model import Act, Card
from handrail_sim.asking import ask

NOTES: Final = "scenario.acts"
COPY: Final = "scenario.toml"
CARDS: Final = "scenario.cards"
_WITHOUT_HOST: Final = frozenset({"site", "part", "rtt"})


@dataclass(frozen=True)
class Done:
    """One act that was done: when (seconds since the epoch), and what the estate said if it refused."""

    at: float
    title: str
    mends: bool = False
    problem: str = ""


def hosts_of(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the hosts that a word can mean: a role's, or the host of that name."""
    found: dict[str, tuple[str, ...]] = {}
    for host in ask(folder, ["hosts"])["hosts"]:
        found[host["name"]] = (host["name"],)
        if host["role"]:
            found[host["role"]] = (*found.get(host["role"], ()), host["name"])
    return found


def perform(folder: Path, act: Act, hosts: Mapping[str, tuple[str, ...]]) -> Done:
    """Do an act and note it; what the estate refuses is noted too, and goes on."""
    noted = Done(time.time(), act.title, act.mends, done(folder, act.do, hosts))
    with (folder / NOTES).open("a", encoding="utf-8") as notes:
        notes.write(json.dumps(asdict(noted)) + "\n")
    return noted


def done(folder: Path, lines: Iterable[str], hosts: Mapping[str, tuple[str, ...]]) -> str:
    """Do what lines say, one after the other; return what the estate refused, or the empty string."""
    asked = (words for line in lines for words in _words(line, hosts))
    return "; ".join(said for words in asked if (said := _ask(folder, words)))


def say(folder: Path, name: str, card: Card) -> None:
    """Leave a message for the operator where their console looks for it."""
    with (folder / CARDS).open("a", encoding="utf-8") as cards:
        cards.write(json.dumps({"card": name, "say": card.say, "by": card.by}) + "\n")


def performed(folder: Path) -> list[Done]:
    """Return what was done so far."""
    try:
        lines = (folder / NOTES).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [Done(**json.loads(line)) for line in lines]


def _words(line: str, hosts: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """Return what to ask, once for each host that is meant; a command line is one word."""
    verb, *rest = line.split(None, 1)
    if verb in _WITHOUT_HOST or not rest:
        return [[verb, *(rest[0].split() if rest else [])]]
    host, _, more = rest[0].partition(" ")
    words = [more] if verb == "exec" else more.split()
    return [[verb, name, *words] for name in hosts.get(host, (host,))]


def _ask(folder: Path, words: list[str]) -> str:
    """Return why it was not done, or the empty string."""
    try:
        answer: dict[str, Any] = ask(folder, words)
    except Trouble as e:
        return str(e)
    if answer.get("rc"):
        return f"{' '.join(words[:2])}: exit {answer['rc']}: {str(answer.get('err', '')).strip()[-200:]}"
    return "" if answer.get("ok") else str(answer.get("problem", "refused"))
