"""Walk the story of docs/tried.md on a bed with real Puppet, by the keys of a person, and write that page from the log.

    python -m tests.estate.tried walk BED PHASE...      BED names a JSON file: estate, home, lab (argv), service, servers, nodes
    python -m tests.estate.tried write LOG [NAME=LOG]...  prints docs/tried.md; the others as one table each

The console runs in tmux and is looked at as a person looks: by what stands on the screen. Every key, every look and every
agent run is a line of the log with its time; the page holds nothing that has no line there.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

STAGE: Final = r"enter starts stage {}"
GATE: Final = r"Say it aloud, then type"
ASKS: Final = r"asks, and stands until you answer"
GATE_WORD: Final = r"then type (\S+):"
DONE: Final = r"Everything is done"
DECIDE: Final = r"Decide\. The clock runs"
NEXT: Final = rf"{STAGE.format(r'[0-9]+')}|{GATE}|{DONE}"
DECIDE_WORDS: Final = "Decide. The clock runs"


@dataclass
class Bed:
    """The machines, the console in tmux, and the log."""

    name: str
    said: Mapping[str, Any]
    log: Path
    begun: float = field(default_factory=time.time)

    def note(self, kind: str, **more: object) -> None:
        """Write one line of the log."""
        line = {"at": round(time.time(), 1), "kind": kind, **more}
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(line, flush=True)

    def tmux(self, *words: str) -> str:
        """Ask tmux something."""
        told = subprocess.run(["tmux", "-L", self.name, *words], capture_output=True, text=True, check=False)
        return told.stdout

    def console(self, *words: str) -> None:
        """Start the program with these words, as a person would at a shell."""
        self.note("command", what="handrail " + " ".join(words))
        whole = " ".join([*self.said["console"], *words])
        self.tmux("kill-session", "-t", "tried")
        self.tmux("new-session", "-d", "-s", "tried", "-x", "110", "-y", "36", whole)

    def screen(self) -> str:
        """Return what stands on the screen."""
        return self.tmux("capture-pane", "-p", "-t", "tried")

    def look(self, wanted: str, seconds: float = 900) -> str:
        """Wait until something stands on the screen, and return what does."""
        since = time.time()
        while time.time() - since < seconds:
            shown = self.screen()
            if found := re.search(wanted, shown):
                self.note("saw", what=found[0], after=round(time.time() - since, 1))
                return shown
            time.sleep(0.3)
        raise SystemExit(f"{wanted!r} never came:\n{self.screen()}")

    def press(self, *keys: str, what: str = "") -> None:
        """Press keys; several characters are typed at a person's pace."""
        time.sleep(1.5)  # as a person does; a key within a moment of the screen's change is not taken
        for key in keys:
            named = key if key in ("Enter", "Tab", "Escape", "Left", "Right") else ""
            self.note("key", key=key, what=what)
            for one in [named] if named else list(key):
                self.tmux("send-keys", "-t", "tried", *([one] if named else ["-l", one]))
                time.sleep(0.06)
        time.sleep(0.5)

    def ssh(self, host: str, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on a machine of the bed."""
        argv = [*self.said["ssh"], host, command]
        return subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)

    def agents(self, *hosts: str, wanted: str = "") -> None:
        """Run agents, and note who served them."""
        for host in hosts:
            since = time.time()
            told = self.ssh(host, "puppet agent -t")
            found = re.search(r"served-by \S+ ip=(\S+)", told.stdout)
            by = {v: k for k, v in self.said["servers"].items()}.get(found[1], found[1]) if found else "nobody"
            words = "" if found else (told.stderr or told.stdout).strip()[-160:]
            took = round(time.time() - since, 1)
            self.note("agent", host=host, exit=told.returncode, served=by, wanted=wanted, took=took, said=words)

    def lab(self, *words: str) -> None:
        """Have something happen to the machines."""
        self.note("world", what=" ".join(words))
        subprocess.run([*self.said["lab"], *words], check=True, capture_output=True)


def begin(bed: Bed, *words: str, reason: str = "") -> None:
    """Start a LIVE run: the briefing, with the estate's name typed."""
    undrilled = bed.said.get("reason")  # it answers both questions for a reason
    told = ("--reason", shlex.quote(reason or undrilled)) if undrilled else ()
    bed.console("run", *words, *told, "--estate", bed.said["estate"])
    bed.look("Your answers", 60)
    bed.look("answers, pinned key|does not answer|silent for", 60)
    if reason:
        bed.look("Emergency: why", 60)
    if reason and not undrilled:
        bed.press(reason, what="why it is an emergency")
        bed.press("Enter", what="next field")
    bed.press(bed.said["name"], what="the estate's name")
    bed.press("Enter", what="briefing")
    bed.look(STAGE.format(1), 120)


def on(bed: Bed, what: str, expected: str, seconds: float = 1800) -> str:
    """Press enter at a pause, and wait for what comes next; a run that wants a decision is looked at by a person."""
    bed.press("Enter", what=what)
    return came(bed, expected, seconds)


def came(bed: Bed, expected: str, seconds: float = 1800) -> str:
    """Wait for what is expected; raise when a decision is wanted instead."""
    shown = bed.look(f"{expected}|{DECIDE}", seconds)
    if re.search(expected, shown) is None:
        raise SystemExit(shown)
    return shown


def typed(bed: Bed, word: str, what: str, expected: str) -> str:
    """Type what the gate asks for."""
    bed.press(word, what=what)
    bed.look("it matches: enter sends it", 60)
    bed.press("Enter", what="send it")
    return came(bed, expected)


def leave(bed: Bed) -> None:
    """Leave a run that is done."""
    bed.note("screen", what=bed.screen())
    bed.press("q")
    time.sleep(1)
    bed.tmux("kill-session", "-t", "tried")


def setup(bed: Bed) -> None:
    """Set the DR server up from nothing."""
    begin(bed, "puppet-setup-dr")
    shown = on(bed, "checks", STAGE.format(3))
    while re.search(DONE, shown) is None:
        if gate := re.search(GATE_WORD, shown):
            shown = typed(bed, gate[1], "the count of files that vanish, at the gate", NEXT)
        else:
            stage = re.search(STAGE.format(r"\d+"), shown)
            shown = on(bed, stage[0] if stage else "go on", NEXT)
    leave(bed)


def ready(bed: Bed) -> None:
    """Ask the readiness runbook, as monitoring does."""
    words = ("check", "puppet-readiness", "--estate", bed.said["estate"])
    whole = " ".join([*bed.said["console"], *words])
    done = subprocess.run(["/bin/sh", "-c", whole], capture_output=True, text=True, timeout=600, check=False)
    told = done.stdout.strip() or done.stderr.strip()
    bed.note(
        "said", what="handrail " + " ".join(words), exit=done.returncode, last=told.splitlines()[-1][:160], whole=told
    )


def risk(bed: Bed) -> None:
    """Have the primary sign a node after the last copy: readiness names it as what an emergency would lose."""
    host = bed.said["late"][0]
    bed.agents(host, wanted="nobody: not signed")
    bed.note("world", what=f"primary: puppetserver ca sign --certname {host}.{bed.said['zone']}")
    bed.ssh("primary", f"puppetserver ca sign --certname {host}.{bed.said['zone']}")
    bed.agents(host, wanted="primary")
    ready(bed)


def planned(bed: Bed) -> None:
    """Walk the planned failover."""
    begin(bed, "puppet-failover")
    on(bed, "checks", STAGE.format(3))
    on(bed, "hold and copy", GATE)
    typed(bed, bed.said["servers"]["dr"], "the DR's address, at the gate", STAGE.format(5))
    bed.press("Enter", what="verification")
    bed.look(f"Running 5.5|{DONE}|{STAGE.format(6)}|{DECIDE}", 900)
    bed.agents(*bed.said["clients"], wanted="dr")
    came(bed, DONE, 2700)
    leave(bed)


def late(bed: Bed) -> None:
    """Let one late node in at the DR server."""
    host, node = bed.said["late"]
    bed.ssh(
        host,
        f"puppet config set certname {node} --section main; puppet ssl clean; rm -f /var/lib/puppet/ssl/certs/{node}.pem",
    )
    bed.agents(host, wanted="nobody: not signed")
    begin(bed, "puppet-late-certs", "--set", f"node={node}", *bed.said.get("successor", ()))
    on(bed, "checks, which lead to the gate", GATE)
    typed(bed, node, "the node's name, at the gate", STAGE.format(4))
    on(bed, "the node is served", DONE)
    leave(bed)
    bed.agents(host, wanted="dr")


def home_address(bed: Bed) -> str:
    """Return the primary's address, as a pattern."""
    return re.escape(str(bed.said["servers"]["primary"]))


def home(bed: Bed) -> None:
    """Walk the failback."""
    begin(bed, "puppet-failback", *bed.said.get("successor", ()))
    bed.press("Enter", what="checks")
    if DECIDE_WORDS in bed.look(f"{STAGE.format(3)}|{DECIDE}"):
        bed.note("screen", what=bed.screen())
        bed.press("k", what="skip what failed, with its reason")
        bed.press("the old primary is masked by the next stage", what="the reason")
        bed.press("Enter")
        bed.look(STAGE.format(3))
    shown = on(bed, "merge, which leads to the gate with the table", GATE)
    bed.note("screen", what=shown)
    count = re.search(r"then type (\d+):", shown)
    typed(bed, count[1] if count else "0", "the count of collisions, at the gate", f"then type {home_address(bed)}")
    typed(bed, bed.said["servers"]["primary"], "the primary's address, at the gate", STAGE.format(5))
    bed.press("Enter", what="verification")
    bed.look(f"Running 5.5|{DONE}|{STAGE.format(6)}|{DECIDE}", 900)
    bed.agents(*bed.said["clients"], wanted="primary")
    came(bed, STAGE.format(6), 2700)
    on(bed, "standby", DONE)
    leave(bed)
    bed.agents(*bed.said["clients"], wanted="primary")


def emergency(bed: Bed) -> None:
    """Fail over with the primary's site dark; the primary comes back afterwards."""
    far = bed.said["far"]
    bed.lab("site", "A", "down")
    begin(bed, "puppet-failover", "--set", f"fleet={bed.said['far_names']}", reason="site A is dark, seen from ops")
    on(bed, "checks", STAGE.format(3))
    bed.press("Enter", what="hold and copy")
    bed.look(f"{ASKS}|{GATE}", 600)
    if re.search(ASKS, bed.screen()):
        bed.press("Tab", "Tab", what="the fence: not possible, so it is owed")
        bed.press("nobody reaches site A tonight", what="the words about it")
        bed.press("Enter", what="answer")
        came(bed, GATE, 900)
    typed(bed, bed.said["servers"]["dr"], "the DR's address, at the gate", STAGE.format(5))
    bed.press("Enter", what="verification")
    bed.look(f"Running 5.5|{GATE}|{DECIDE}", 1200)
    bed.agents(*far, wanted="dr")
    came(bed, GATE, 2700)
    bed.note("screen", what=bed.screen())
    bed.note("phase", what="The primary returns by itself")
    bed.lab("site", "A", "up")
    shown = bed.look("Two servers with one identity|answers again", 300)
    bed.note("screen", what=shown)
    bed.agents(*bed.said["clients"], wanted="dr")
    bed.note("world", what="primary: systemctl mask --now puppetserver, by hand")
    bed.ssh("primary", "systemctl mask --now puppetserver")
    bed.look("enter is dead until it matches", 300)
    typed(bed, "sign", "the word that lets the DR server sign", ASKS)
    bed.press("none is known", what="which were revoked since, and who said so")
    bed.press("Enter", what="answer")
    came(bed, f"{DONE}|enter starts|is owed", 300)


def write(lines: Iterable[Mapping[str, Any]], others: str = "") -> str:
    """Return docs/tried.md: what the log says, and nothing else; `others` stands after it."""
    told, since = [HEAD], 0.0
    for line in lines:
        if line["kind"] == "phase":
            since = line["at"]
            when = time.strftime("%Y-%m-%d %H:%MZ", time.gmtime(since))
            told.append(f"\n## {line['what']} ({when})\n\n| T+ | what | |\n|---|---|---|")
        elif line["kind"] in ROWS:
            minutes, seconds = divmod(int(line["at"] - since), 60)
            told.append(f"| {minutes}:{seconds:02d} | {ROWS[line['kind']](line)} |")
    return "\n".join([*told, *([others] if others else []), READ])


def sums(name: str, lines: Iterable[Mapping[str, Any]]) -> str:
    """Return a table of one walk: each run that came to its end, how long it took, and what was pressed and typed."""
    told = [f"\n### {name}\n\n| run | time | enter | typed |\n|---|---|---|---|"]
    what, since, pressed, typed = "", 0.0, 0, list[str]()
    for line in lines:
        if line["kind"] == "phase":
            what, since, pressed, typed = line["what"], line["at"], 0, []
        elif line["kind"] == "key":
            pressed += line["key"] == "Enter"
            typed += [f"`{line['key']}`"] if line["key"] not in ("Enter", "Tab", "q") else []
        elif line["kind"] == "saw" and line["what"] == "Everything is done":
            minutes, seconds = divmod(int(line["at"] - since), 60)
            told.append(f"| {what} | {minutes}:{seconds:02d} | {pressed} | {', '.join(typed)} |")
    return "\n".join(told)


def _read(file: Path) -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def _agent(line: Mapping[str, Any]) -> str:
    fits = "" if line["wanted"] in ("", line["served"]) else f" (expected: {line['wanted']})"
    return f"agent on {line['host']}, {line['took']} s | exit {line['exit']}, served by **{line['served']}**{fits}"


def _plain(command: str) -> str:
    return re.sub(r"--estate \S*/", "--estate ", command)


ROWS: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "command": lambda line: f"`{_plain(line['what'])}` |",
    "key": lambda line: f"key `{line['key']}` | {line.get('what', '')}",
    "saw": lambda line: f"on the screen: {line['what']} | after {line['after']} s",
    "agent": _agent,
    "said": lambda line: f"`{_plain(line['what'])}` | exit {line['exit']}: {line['last']}",
    "world": lambda line: f"**{line['what']}** | done to the machines",
}
HEAD: Final = """# What was tried on real Puppet

Written by `python -m tests.estate.tried write` from the log of a walk on two real puppetservers with real agents (puppetserver
7.9.5, puppet 7.23, BIND 9.18, OpenSSH 9.2 on Debian 12) in the layout of Puppet 4 to 6: `ssl/` with the CA inside it. The machine has two
cores and was busy with other work: times are an upper bound. The console ran in tmux, and every line below is a line of that log. What has
no line was read, not tried. An earlier walk, in Debian's own layout, with an agent that hung on the dark site for six minutes:
[tried-debian](tried-debian.md)."""
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

## Read, not tried

* Puppet 4, 5, 6 and 8 servers, and OpenVox: commands and folders are tested against recorded answers of those versions. The layout is theirs,
  the servers are of version 7.
* systemd around a Puppet server: the machines of this walk have a stand-in for `systemctl` that starts, stops, masks and asks real
  processes. That it answers as systemd does, and the units that are shipped, are tried in `tests/estate/test_systemd.py`.
* PuppetDB, Puppet Enterprise, Windows clients, agents that run as daemons across a switch.
"""
PHASES: Final[dict[str, tuple[str, Callable[[Bed], None]]]] = {
    "setup": ("Setting the DR server up from nothing", setup),
    "ready": ("Readiness", ready),
    "risk": ("A late node signed at the primary", risk),
    "planned": ("Planned failover", planned),
    "late": ("A late node signed at the DR server", late),
    "home": ("Failback", home),
    "emergency": ("Emergency failover, the primary's site dark", emergency),
}


def main() -> None:
    """Walk, or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("walk", "write"))
    parser.add_argument("file", type=Path)
    parser.add_argument("phases", nargs="*")
    told = parser.parse_args()
    if told.verb == "write":
        others = [sums(name, _read(Path(file))) for name, _, file in (word.partition("=") for word in told.phases)]
        sys.stdout.write(write(_read(told.file), "\n".join([LIGHT, *others]) if others else ""))
        return
    said = json.loads(told.file.read_text())
    bed = Bed(said["tmux"], said, Path(said["log"]))
    for phase in told.phases:
        title, walk = PHASES[phase]
        bed.note("phase", what=title)
        walk(bed)


if __name__ == "__main__":
    main()
