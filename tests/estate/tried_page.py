"""Write a page of what was tried from the log of a walk: nothing stands there that has no line. Pure, but for runbooks' titles."""

from __future__ import annotations

import itertools
import re
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

NAMED: Final = ("Enter", "Tab", "Escape", "Down")  # keys that are no characters
SINGLE: Final = ("q", "o", "k")  # keys of the console, which are not typed words
SUM_HEAD: Final = ("| run | to its end | enter | typed | keys in all |", "|---|---|---|---|---|")
RUNBOOKS: Final = Path(__file__).parents[2] / "runbooks"
Line = Mapping[str, Any]


def write(lines: Sequence[Line], head: str, read: str, others: str = "") -> str:
    """Return a page of what was tried: what the log says, and nothing else; `others` stands after it."""
    walks = _walks(lines)
    table = ["\n## In all\n", *SUM_HEAD, *(walk.sums for walk in walks if walk.keys)]
    return "\n".join([head, *table, *(walk.told for walk in walks), *([others] if others else []), read])


def kept(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return what is kept of a log: what a page is made of, without screens and without folders of the machine."""
    shown = [line for line in lines if line["kind"] in ("phase", *ROWS)]
    told = [{key: value for key, value in line.items() if key not in ("whole", "said")} for line in shown]
    return [{**line, "what": _plain(line["what"])} if line["kind"] in ("command", "said") else line for line in told]


def sums(name: str, lines: Sequence[Line]) -> str:
    """Return a table of one walk: each run that came to its end, how long it took, and what was pressed and typed."""
    walks = _walks(lines)
    return "\n".join([f"\n### {name}\n", *SUM_HEAD, *(walk.sums for walk in walks if walk.keys)])


@dataclass(frozen=True)
class Walked:
    """One phase of the log as text: its own section, and its line in the table of all; `keys` of it were pressed."""

    told: str
    sums: str
    keys: int


def _phases(lines: Sequence[Line]) -> list[list[Line]]:
    """Return the lines of each phase, the one that names it first."""
    number = itertools.accumulate(line["kind"] == "phase" for line in lines)
    grouped = itertools.groupby(zip(number, lines, strict=True), key=lambda one: one[0])
    return [[line for _, line in group] for _, group in grouped]


def _walks(lines: Sequence[Line]) -> list[Walked]:
    """Return each phase as text; one in which nothing is started goes on with the run of the one before."""
    told, stages = [], dict[str, str]()
    for phase in _phases(lines):
        stages = next((_stages(line["what"]) for line in phase if line["kind"] == "command"), stages)
        told.append(_walked(phase, stages))
    return told


def _walked(lines: Sequence[Line], stages: Mapping[str, str]) -> Walked:
    title, since = lines[0]["what"], lines[0]["at"]
    when = time.strftime("%Y-%m-%d %H:%MZ", time.gmtime(since))
    told = [f"\n## {title} ({when})\n\n| T+ | what | |\n|---|---|---|"]
    rows = [line for line in _pressed_for(lines[1:]) if line["kind"] in ROWS]
    told += [f"| {_clock(line['at'] - since)} | {_named(ROWS[line['kind']](line), stages)} |" for line in rows]
    pressed = [key for line in lines if line["kind"] == "key" for key in _keys(line["key"])]
    words = [f"`{key}`" for key in pressed if key not in NAMED and key not in SINGLE]
    keys = sum(1 if key in NAMED else len(key) for key in pressed)
    took = _clock(_ended(lines) - since)
    row = f"| {title} | {took} | {pressed.count('Enter')} | {', '.join(words)} | {keys} |"
    return Walked("\n".join(told), row, keys)


def _pressed_for(lines: Sequence[Line]) -> list[Line]:
    """Return the lines, each `Enter` that starts a stage with that stage: the one which the screen spoke of before it."""
    told, stage = list[Line](), ""
    for line in lines:
        if line["kind"] == "saw" and line["what"].startswith("enter starts stage"):
            stage = line["what"].removeprefix("enter ")
        elif line["kind"] == "key" and line["key"] == "Enter" and stage:
            own = line.get("what", "")
            line = {**line, "what": stage if own in ("", f"enter {stage}") else f"{own}: {stage}"}
            stage = ""
        told.append(line)
    return told


def _ended(lines: Sequence[Line]) -> float:
    """Return when the run had come to its end: what was pressed or done after that is not of it."""
    done = [line["at"] for line in lines if line["kind"] == "saw" and line["what"] == "Everything is done"]
    return float(done[0] if done else lines[-1]["at"])


def _keys(pressed: str) -> list[str]:
    """Return what one line of the log has as pressed, key by key; typed text is one."""
    parts = pressed.split()
    return parts if all(part in NAMED for part in parts) else [pressed]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _stages(command: str) -> dict[str, str]:
    """Return the titles of the stages of the runbook that a command runs, by number."""
    found = re.match(r"handrail run (\S+)", command)
    if not found:
        return {}
    table = tomllib.loads((RUNBOOKS / f"{found[1]}.toml").read_text(encoding="utf-8"))
    return {str(number): stage["title"] for number, stage in enumerate(table["stage"], 1)}


def _named(row: str, stages: Mapping[str, str]) -> str:
    """Return a row in which a stage that is spoken of by number is named."""
    return re.sub(r"starts stage (\d+)", lambda m: f"starts stage {m[1]}, *{stages.get(m[1], '?')}*", row)


def _agent(line: Line) -> str:
    who, _, why = line["wanted"].partition(": ")
    fits = (
        f" ({why})" if why and who == line["served"] else "" if who in ("", line["served"]) else f" (expected: {who})"
    )
    return f"agent on {line['host']}, {line['took']} s | exit {line['exit']}, served by **{line['served']}**{fits}"


def _plain(command: str) -> str:
    return re.sub(r"--estate \S*/", "--estate ", command)


ROWS: Final[dict[str, Callable[[Line], str]]] = {
    "command": lambda line: f"`{_plain(line['what'])}` |",
    "key": lambda line: f"key `{line['key']}` | {line.get('what', '')}",
    "saw": lambda line: f"on the screen: {line['what']} | after {line['after']} s",
    "agent": _agent,
    "said": lambda line: f"`{_plain(line['what'])}` | exit {line['exit']}: {line['last']}",
    "world": lambda line: f"**{line['what']}** | not by the console",
}
HEAD: Final = """# What was tried on real Puppet

Written by `python -m tests.estate.tried write` from the log of a walk on two real puppetservers with real agents (puppetserver
7.9.5, puppet 7.23, BIND 9.18, OpenSSH 9.2 on Debian 12) in the layout of Puppet 4 to 6: `ssl/` with the CA inside it. The machine has two
cores and was busy with other work: times are an upper bound. The console ran in tmux, and every line below is a line of that log. What has
no line was read, not tried. The same in Debian's own layout, with an agent that hung on the dark site for six minutes:
[tried-debian](tried-debian.md). *keys in all* counts every key, the characters of what was typed too."""
LIGHT: Final = """
## The other layouts, with stand-ins for Puppet

The same walks by the same keys on the same bed, with stand-ins for Puppet that make real certificates and speak real TLS; OpenSSH, BIND, rsync
and the network are real. One line a run that came to its end."""
READ: Final = """
## Left out, and why

* A failback before the one above stopped in its merge: what it had kept of the primary's CA lay inside `ssl/`, which the copy replaces
  ([decision 035](decisions/035-what-is-kept-lies-outside-ssl.md)). `handrail undo` took it back to the byte; it was mended and begun anew.
* An emergency whose briefing was never started: the program of the walk typed its reason into a field that was filled in already.
* The planned failover was done before the program of the walk looked for a step that had already passed; its agents ran some minutes later.
* "good copy 23m04s" after the first failback: the failback did not note the time of its own copy then
  ([decision 037](decisions/037-a-copy-is-good-whoever-made-it.md)); [tried-debian](tried-debian.md) is of later.

## Read, not tried

* Puppet 4, 5, 6 and 8 servers, and OpenVox: commands and folders are tested against recorded answers of those versions. The layout is theirs,
  the servers are of version 7.
* systemd around a Puppet server: the machines of this walk have a stand-in for `systemctl` that starts, stops, masks and asks real
  processes. That it answers as systemd does, and the units that are shipped, are tried in `tests/estate/test_systemd.py`.
* PuppetDB, Puppet Enterprise, Windows clients, agents that run as daemons across a switch.
"""
DEBIAN_HEAD: Final = """# What was tried on real Puppet: Debian's own layout

Written by `python -m tests.estate.tried write --page debian` from the log of a walk on two real puppetservers with real agents (puppetserver
7.9.5, puppet 7.23, BIND 9.18, OpenSSH 9.2 on Debian 12) in Debian's own folders: `/var/lib/puppet/ssl`, and the CA apart from it in
`/etc/puppet/puppetserver/ca`, with a link to it, as from Puppet 7 on. The machine has two cores and was busy with other work: times are an upper
bound. The console ran in tmux, and every line below is a line of that log. What has no line was read, not tried.
[tried](tried.md) is the same in the layout of Puppet 4 to 6. *keys in all* counts every key, the characters of what was typed too.

`--reason` stands on the command line where the runbook had not been drilled in that home: LIVE asks for one then. Before the emergency it was drilled,
and its reason was typed on the screen."""
DEBIAN_READ: Final = """
## Read, not tried

What [tried](tried.md) lists at its end holds here, too.
"""
# By name: what stands before what was tried, and after it.
PAGES: Final = {"tried": (HEAD, READ), "debian": (DEBIAN_HEAD, DEBIAN_READ)}
