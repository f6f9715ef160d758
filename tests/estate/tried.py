"""Walk the story of docs/tried.md on a bed with real Puppet, by the keys of a person, and write that page from the log.

    python -m tests.estate.tried walk BED PHASE...      BED names a JSON file: estate, home, lab (argv), service, servers, nodes
    python -m tests.estate.tried write LOG [NAME=LOG]... [--page debian]
                                                        prints docs/tried.md (tried-debian.md); the others as one table each
    python -m tests.estate.tried keep LOG               prints the log as it lies in tests/estate/logs

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
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.estate.tried_page import LIGHT, NAMED, PAGES, Line, kept, sums, write

STAGE: Final = r"enter starts stage {}"
GATE: Final = r"Say it aloud, then type"
ASKS: Final = r"asks, and stands until you answer"
GATE_WORD: Final = r"then type (\S+):"
DONE: Final = r"Everything is done"
DECIDE: Final = r"Decide\. The clock runs"
NEXT: Final = rf"{STAGE.format(r'[0-9]+')}|{GATE}|{DONE}"
DECIDE_WORDS: Final = "Decide. The clock runs"
PAGED: Final = 150.0  # seconds from the dark to the first key


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
            named = key if key in NAMED else ""
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
            shown = on(bed, stage[0] if stage else "", NEXT)
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
    bed.agents(*bed.said["clients"], bed.said["late"][0], wanted="dr")
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
    """Fail over with the primary's site dark and an agent that hangs on it; the primary comes back afterwards."""
    far = bed.said["far"]
    bed.lab("site", "A", "down")
    hung = threading.Thread(target=bed.agents, args=far, kwargs={"wanted": "nobody: it hangs on the dark site"})
    hung.start()
    time.sleep(PAGED)
    bed.note("world", what="two and a half minutes pass: the page is read, and three places are asked")
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
    hung.join()
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


def settle(bed: Bed) -> None:
    """Say of what is owed that it is settled, in the run that has taken it over."""
    bed.console("resume")
    bed.look("1 owed", 60)
    bed.press("o", what="what is owed")
    bed.press("Down", "Down", "Enter", what="say that it is settled")
    bed.press("no fence was ever built; the primary was masked by hand", what="the word that settles it")
    bed.press("Enter", what="say it")
    bed.look(r"Owed\s+nothing|nothing is owed", 60)
    leave(bed)


def page(name: str, log: Path, others: Mapping[str, Path]) -> str:
    """Return a page of what was tried, from the log of its walk and those of the walks it only sums up."""
    told = [sums(title, _read(file)) for title, file in others.items()]
    return write(_read(log), *PAGES[name], "\n".join([LIGHT, *told]) if told else "")


def _read(file: Path) -> list[Line]:
    return [json.loads(line) for line in file.read_text().splitlines()]


PHASES: Final[dict[str, tuple[str, Callable[[Bed], None]]]] = {
    "setup": ("Setting the DR server up from nothing", setup),
    "ready": ("Readiness", ready),
    "risk": ("A late node signed at the primary", risk),
    "planned": ("Planned failover", planned),
    "late": ("A late node signed at the DR server", late),
    "home": ("Failback", home),
    "emergency": ("Emergency failover, the primary's site dark", emergency),
    "settle": ("What is owed is settled", settle),
}


def main() -> None:
    """Walk, or write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("walk", "write", "keep"))
    parser.add_argument("file", type=Path)
    parser.add_argument("phases", nargs="*")
    parser.add_argument("--page", choices=sorted(PAGES), default="tried")
    told = parser.parse_args()
    if told.verb == "write":
        others = {name: Path(file) for name, _, file in (word.partition("=") for word in told.phases)}
        sys.stdout.write(page(told.page, told.file, others))
        return
    if told.verb == "keep":
        sys.stdout.write("".join(f"{json.dumps(line)}\n" for line in kept(_read(told.file))))
        return
    said = json.loads(told.file.read_text())
    bed = Bed(said["tmux"], said, Path(said["log"]))
    for phase in told.phases:
        title, walk = PHASES[phase]
        bed.note("phase", what=title)
        walk(bed)


if __name__ == "__main__":
    main()
