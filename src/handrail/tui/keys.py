"""The one registry of keys: it feeds the key bar, help, palette, command line and remapping. It may not act.

A key is a printable character, or Textual's name for it (`enter`, `ctrl+d`, `f1`). A scope is a screen, or the face that
the run screen shows; no scope binds a key twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble

SCOPES: Final[Mapping[str, str]] = {
    "home": "Home",
    "briefing": "Briefing",
    "contact": "First contact",
    "run": "Run",
    "gate": "Confirm",
    "decide": "Decide",
    "question": "A step asks",
    "undo": "Undo plan",
    "log": "Full log",
    "plan": "Plan",
    "debrief": "Debrief",
    "help": "Help",
    "choose": "Dialog with choices",
    "ask": "Dialog that asks for words",
    "box": "Box of text",
    "commands": "Command line and palette",
    "waiting": "Getting ready",
    "takeover": "Taking over",
    "replay": "Replay",
    "instruct": "Instruct",
}
TYPING: Final = frozenset(
    {"gate", "question", "ask", "commands", "contact", "takeover"}
)  # printable keys belong to what is typed there
RUN: Final = ("run", "decide")
DRIVEN: Final = ("run", "decide", "gate", "question", "undo", "log", "plan")


@dataclass(frozen=True)
class Key:
    """One action: its keys, how it is called, what it does, where it is bound. `bar` orders the key bar (0: not there)."""

    action: str
    keys: tuple[str, ...]
    label: str
    help: str
    scopes: tuple[str, ...]
    bar: int = 0


def _at(scopes: str | Iterable[str], action: str, keys: str, label: str, does: str, bar: int = 0) -> Key:
    where = (scopes,) if isinstance(scopes, str) else tuple(scopes)
    return Key(action, tuple(keys.split()), label, does, where, bar)


DEFAULT: Final[tuple[Key, ...]] = (
    # ------------------------------------------------------------ home
    _at("home", "brief", "enter", "Briefing", "open the briefing of a drill", 10),
    _at("home", "drill", "d", "Drill", "drill on the simulated estate: nothing real is touched", 20),
    _at("home", "plan", "p", "Plan", "read the runbook through; nothing is changed", 30),
    _at("home", "check", "c", "Check", "read-only, against the real estate: ready or not", 40),
    _at("home", "live", "R", "Run LIVE", "open the briefing of a LIVE run", 50),
    _at("home", "resume", "r", "Resume", "drive the held run that stands at the top", 15),
    _at("home", "watch", "w", "Watch", "look on while somebody drives"),
    _at("home", "changed", "v", "What changed", "what is different since the last drill"),
    _at("home", "coverage", "o", "Coverage", "which steps and which undos were drilled since the file was changed"),
    _at("home", "close-run", "C", "Close", "close a held run that nobody will finish"),
    _at("home", "find", "/", "Find", "find a runbook by its name", 60),
    # ------------------------------------------------------------ briefing
    _at("briefing", "start", "enter", "Start", "open the run with these answers", 10),
    _at("briefing", "next-field", "tab down", "Next field", "go to the next answer", 20),
    _at("briefing", "prior-field", "shift+tab up", "Field before", "go to the answer before"),
    _at("briefing", "other", "left right", "Other choice", "change a choice", 25),
    _at("briefing", "plan", "f4", "Plan", "every command, and what undoes it", 30),
    _at("briefing", "ask-again", "f5", "Ask again", "ask the roles again that could not be used"),
    _at("briefing", "contact", "f6", "Host keys", "compare the host keys that are not pinned", 15),
    _at("briefing", "back", "escape", "Back", "leave without starting", 40),
    # ------------------------------------------------------------ first contact
    _at("contact", "pin", "enter", "Pin it", "pin the key, if what was typed is the same", 10),
    _at("contact", "other-entry", "tab", "Reason", "go to the reason, where the key has changed", 20),
    _at("contact", "up", "up", "Before", "the host before"),
    _at("contact", "down", "down", "Next", "the next host"),
    _at("contact", "back", "escape", "Back", "back to the briefing; nothing is pinned", 40),
    # ------------------------------------------------------------ run
    _at("run", "go", "enter", "Go on", "the one thing that is proposed", 10),
    _at(RUN, "pause", "space", "Pause", "finish this step, then stand", 20),
    _at(RUN, "undo", "u", "Undo", "show the way back, then ask", 30),
    _at("run", "stop", "x", "Stop", "end the running command; the first press says what it leaves", 40),
    _at((*RUN, "undo", "log", "plan", "debrief"), "status", "s", "Status", "the sentence for the channel", 50),
    _at((*RUN, "undo", "log", "plan", "debrief"), "note", "n", "Note", "keep a note, with its time", 60),
    _at(RUN, "log", "l", "Log", "the full output of this step", 70),
    _at(RUN, "declare", "!", "Emergency", "declare the emergency, with a reason", 35),
    _at("run", "pace", ".", "Pace", "stop before every step, or before every stage"),
    _at("run", "plan", "p", "Plan", "every step, its commands and what undoes them"),
    _at(RUN, "hint", "h", "Hint", "a hint for this step; in a drill that teaches it is counted", 45),
    _at("run", "settle", "o", "Owed", "what is owed, and settling it"),
    _at("run", "find", "/", "Find", "find in the full output"),
    _at("run", "zoom", "z", "Zoom", "one pane over the whole width, and back"),
    _at("run", "pane", "tab", "Next pane", "output or steps: what the arrows move"),
    _at("run", "other-host", "left right", "Other host", "the output of another host of this step"),
    _at("run", "follow", "f", "Follow", "stay at the end of the output, or stay here"),
    _at(RUN, "copy", "y", "Copy", "copy the command and what it last said, also to a file"),
    _at("run", "back", "escape", "Back", "back to the running step"),
    *(_at(("run", "replay"), f"stage-{n}", str(n), f"Stage {n}", f"look at stage {n}") for n in range(1, 10)),
    # ------------------------------------------------------------ gate, question
    _at("gate", "confirm", "enter", "Confirm", "send it, once what is typed matches", 10),
    _at("gate", "not-now", "escape", "Not now", "leave the gate; nothing is sent", 20),
    _at("gate", "declare", "!", "Emergency", "declare the emergency, with a reason", 30),
    _at("gate", "other-entry", "tab", "Reason", "go to the reason, where one is asked"),
    _at("question", "answer", "enter", "Answer", "give this answer", 10),
    _at("question", "refuse", "escape", "No", "answer no", 20),
    _at("question", "other-choice", "tab", "Other answer", "passed, failed, or not possible", 15),
    _at("question", "verbs", "f3", "Pause, stop, leave", "the four verbs", 30),
    # ------------------------------------------------------------ decide
    _at("decide", "choose", "enter", "Choose", "do what is marked", 10),
    _at("decide", "up", "up", "Up", "one up"),
    _at("decide", "down", "down", "Down", "one down"),
    _at("decide", "back", "escape", "Look at the run", "see the steps and the output", 80),
    _at("decide", "wait", "w", "Wait", "wait for a host that does not answer: it is asked again, nothing is sent"),
    _at("decide", "retry", "r", "Retry", "send it again where it did not pass"),
    _at("decide", "attach", "a", "Ask its job", "ask the host what became of its job; nothing is started"),
    _at("decide", "probe", "b", "Probe", "ask the host what is so"),
    _at("decide", "check", "c", "Check", "ask its checks again, send nothing"),
    _at("decide", "by-hand", "m", "By hand", "say that it was done, with reason and evidence"),
    _at("decide", "not-done", "d", "Not done", "say that it was not done, with a reason"),
    _at("decide", "skip", "k", "Skip", "skip it, where the runbook allows that"),
    _at("decide", "owe", "o", "Owe", "set the undo aside: it stays owed"),
    _at("decide", "forward-again", "f", "Forward again", "do the step again whose undo failed"),
    _at("decide", "leave-undo", "v", "Leave the undo", "end the way back here"),
    # ------------------------------------------------------------ undo, log, plan, debrief
    _at("undo", "begin", "enter", "Undo", "walk back to here", 10),
    _at("undo", "up", "up", "Nearer", "go back less far", 20),
    _at("undo", "down", "down", "Further", "go back further", 21),
    _at("log", "find", "/", "Find", "find in this output", 10),
    _at("log", "find-next", ">", "Next", "the next place", 20),
    _at("log", "find-prior", "<", "Before", "the place before", 21),
    _at("log", "follow", "f", "Follow", "stay at the end, or stay here", 30),
    _at("log", "host", "h", "Host", "the output of the next host", 40),
    _at("log", "stream", "e", "Stream", "all, errors only, or without errors", 41),
    _at("log", "times", "t", "Times", "time of day, time between lines, or none", 42),
    _at("log", "whole", "enter", "Whole line", "show a long line whole", 45),
    _at("log", "left", "left", "Left", "move the lines to the right"),
    _at("log", "right", "right", "Right", "move the lines to the left"),
    _at("log", "copy", "y", "Copy", "copy this line, also to a file"),
    _at("debrief", "write", "enter", "Write", "answer the next open question, in your own words", 10),
    _at("debrief", "whole-report", "o", "Record", "where the record lies", 12),
    _at("debrief", "was-so", "+", "Was so", "the marked step came as you foretold", 13),
    _at("debrief", "was-not-so", "-", "Was not", "the marked step did not come as you foretold", 14),
    _at("debrief", "all-steps", "a", "All steps", "each step, or only the stages", 15),
    _at("debrief", "replay", "r", "Replay", "play the run again, once it is over", 17),
    _at("debrief", "copy", "y", "Copy path", "copy the path of the record", 20),
    _at(("undo", "log", "plan", "help", "box", "debrief"), "back", "escape", "Back", "back to where you were", 85),
    # ------------------------------------------------------------ replay
    _at("replay", "toggle", "space", "Pause", "pause, or go on", 10),
    _at("replay", "back-a-little", "left", "10 s back", "10 seconds back", 20),
    _at("replay", "on-a-little", "right", "on", "10 seconds on", 21),
    _at("replay", "step-back", "up", "Step before", "to where the step before was begun", 30),
    _at("replay", "step-on", "down", "next", "to where the next step was begun", 31),
    _at("replay", "to-first", "home", "Beginning", "to the beginning"),
    _at("replay", "to-end", "end", "End", "to the end"),
    _at("replay", "faster", "+ =", "Faster", "twice as fast, up to as fast as it can be", 40),
    _at("replay", "slower", "- _", "Slower", "half as fast", 41),
    _at("replay", "log", "l", "Log", "the output of this step, as far as it had come", 50),
    _at("replay", "plan", "p", "Plan", "every step, its commands and what undoes them"),
    _at("replay", "go", "enter", "Debrief", "what the run came to, at its end; else back to the running step"),
    _at("replay", "zoom", "z", "Zoom", "one pane over the whole width, and back"),
    _at("replay", "pane", "tab", "Next pane", "output or steps: what j and k move"),
    _at("replay", "look-down", "j", "Down", "the step below, or a line of output down"),
    _at("replay", "look-up", "k", "Up", "the step above, or a line of output up"),
    _at("replay", "other-host", "h", "Other host", "the output of another host of this step"),
    _at("replay", "follow", "f", "Follow", "stay at the end of the output, or stay here"),
    _at("replay", "find", "/", "Find", "find in the output"),
    _at("replay", "back", "escape", "Back", "back to the running step"),
    # ------------------------------------------------------------ instruct
    _at("instruct", "fault", "f", "Fault", "something happens to the estate; the operator is not told", 10),
    _at("instruct", "message", "m", "Message", "a message to the operator, who has to answer it", 20),
    _at("instruct", "halt", "H", "Halt", "have it stand still, with a reason; or let it go on", 30),
    _at("instruct", "note", "n", "Note", "leave a note in the record", 40),
    _at("instruct", "all", "a", "All", "reach all drills, or only the marked one", 50),
    _at("instruct", "watch", "enter w", "Watch", "look on the marked drill, on its own screen", 60),
    # ------------------------------------------------------------ moving
    _at(("home", "run", "log", "plan", "help", "debrief", "instruct"), "up", "up k", "Up", "one up"),
    _at(("home", "run", "log", "plan", "help", "debrief", "instruct"), "down", "down j", "Down", "one down"),
    _at(("home", "run", "log", "plan", "help", "debrief"), "first", "g home", "First", "to the beginning"),
    _at(("home", "run", "log", "plan", "help", "debrief"), "last", "G end", "Last", "to the end"),
    _at(
        (*RUN, "log", "plan", "help", "undo", "debrief", "replay"),
        "page-down",
        "ctrl+d pagedown",
        "Page down",
        "half a page down",
    ),
    _at(
        (*RUN, "log", "plan", "help", "undo", "debrief", "replay"),
        "page-up",
        "ctrl+u pageup",
        "Page up",
        "half a page up",
    ),
    # ------------------------------------------------------------ dialogs
    _at("choose", "choose", "enter", "Choose", "do what is marked", 10),
    _at("choose", "up", "up k", "Up", "one up"),
    _at("choose", "down", "down j", "Down", "one down"),
    _at("choose", "back", "escape q", "Back", "do nothing", 20),
    _at("ask", "say", "enter", "Say", "take these words", 10),
    _at("ask", "next-field", "tab down", "Next", "the next line"),
    _at("ask", "prior-field", "shift+tab up", "Before", "the line before"),
    _at("ask", "back", "escape", "Back", "do nothing", 20),
    _at("box", "close", "enter q", "Close", "close the box", 10),
    _at("box", "copy", "y", "Copy", "copy it", 20),
    _at("commands", "take", "enter", "Do", "do what is marked", 10),
    _at("commands", "complete", "tab", "Complete", "take over the marked name", 20),
    _at("commands", "up", "up", "Up", "one up"),
    _at("commands", "down", "down", "Down", "one down"),
    _at("commands", "back", "escape", "Back", "do nothing", 30),
    _at("waiting", "leave", "q ctrl+q ctrl+c", "Leave", "do not wait any longer", 99),
    _at("takeover", "say", "enter", "Ask", "ask who drives; once they do not answer, take over", 10),
    _at("takeover", "next-field", "tab down up", "Other line", "reason, or name", 20),
    _at("takeover", "back", "escape", "Back", "take the question back; the run stays theirs", 30),
    _at("takeover", "leave", "ctrl+q", "Leave", "go away; the run stays theirs", 99),
    _at((*RUN, "undo", "log", "plan"), "answer-relief", "A", "Answer", "answer who asks for this run, or a message"),
    _at(("gate", "question"), "answer-relief", "f5", "Answer", "answer who asks for this run, or a message"),
    # ------------------------------------------------------------ everywhere
    _at(("home", *RUN, "undo", "log", "plan", "debrief", "replay"), "commands", ":", "Command", "the command line", 95),
    _at(
        ("home", "briefing", *DRIVEN, "debrief", "replay"),
        "palette",
        "ctrl+p",
        "Palette",
        "everything that can be done here",
    ),
    _at(
        ("home", *RUN, "undo", "log", "plan", "debrief", "replay", "instruct"),
        "help",
        "? f1",
        "Help",
        "this help, and the words",
        97,
    ),
    _at(("briefing", "contact", "gate", "question", "takeover"), "help", "f1", "Help", "this help, and the words", 97),
    _at(("gate", "question"), "status", "f2", "Status", "the sentence for the channel", 50),
    _at(
        (*RUN, "gate", "question", "undo", "log", "plan"), "verbs", "ctrl+c", "Four verbs", "pause, stop, undo or leave"
    ),
    _at(
        ("home", *RUN, "undo", "log", "plan", "debrief", "replay", "instruct"),
        "leave",
        "q ctrl+q",
        "Leave",
        "go away; what is held stays held",
        99,
    ),
    _at("replay", "quit", "ctrl+c", "Leave", "leave the replay"),
    _at(("briefing", "contact", "gate", "question"), "leave", "ctrl+q", "Leave", "go away; what is held stays held"),
)


@dataclass(frozen=True)
class Keys:
    """All keys as they are bound in this run of the program."""

    all: tuple[Key, ...] = DEFAULT

    def action(self, scope: str, key: str) -> str:
        """Return what a key does in a scope; nothing when it is not bound there."""
        return next((k.action for k in self.all if scope in k.scopes and key in k.keys), "")

    def of(self, scope: str) -> tuple[Key, ...]:
        """Return the keys of a scope, in the order of the registry."""
        return tuple(k for k in self.all if scope in k.scopes)

    def bar(self, scope: str) -> tuple[Key, ...]:
        """Return the keys of a scope's key bar, in their order there."""
        return tuple(sorted((k for k in self.of(scope) if k.bar), key=lambda k: k.bar))

    def key(self, scope: str, action: str) -> Key | None:
        """Return the key of an action in a scope."""
        return next((k for k in self.of(scope) if k.action == action), None)

    def remapped(self, wanted: Mapping[str, str]) -> Keys:
        """Return these keys with some replaced: action, or `scope/action`, to keys; raise `Trouble` on a clash."""
        unknown = [name for name in wanted if not any(_means(name, k, s) for k in self.all for s in k.scopes)]
        if unknown:
            raise Trouble(*(Problem("keys", f"there is no action {name!r} to put a key on") for name in unknown))
        after: list[Key] = []
        for key in self.all:
            for name, keys in _named(key, wanted):
                inside = tuple(s for s in key.scopes if _means(name, key, s))
                after.append(replace(key, keys=tuple(keys.split()), scopes=inside))
                key = replace(key, scopes=tuple(s for s in key.scopes if s not in inside))
            if key.scopes:
                after.append(key)
        keys_ = Keys(tuple(after))
        clashes_ = clashes(keys_)
        if clashes_:
            raise Trouble(*(Problem("keys", sentence, "choose another key") for sentence in clashes_))
        return keys_


def _named(key: Key, wanted: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, keys) for name, keys in wanted.items() if any(_means(name, key, s) for s in key.scopes)]


def _means(name: str, key: Key, scope: str) -> bool:
    return name in (key.action, f"{scope}/{key.action}")


def clashes(keys: Keys) -> tuple[str, ...]:
    """Return a sentence for every key that a scope binds twice."""
    found: list[str] = []
    for scope, title in SCOPES.items():
        taken: dict[str, str] = {}
        for key in keys.of(scope):
            for name in key.keys:
                if name in taken and taken[name] != key.action:
                    found.append(f"{title}: {shown(name)} is bound to {taken[name]} and to {key.action}")
                taken[name] = key.action
    return tuple(found)


_SHOWN: Final[Mapping[str, str]] = {
    "escape": "esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "f1": "F1",
    "f2": "F2",
    "f3": "F3",
    "f4": "F4",
    "f5": "F5",
    "f6": "F6",
}


def shown(key: str) -> str:
    """Return a key as it is written on the screen."""
    return _SHOWN.get(key, key)
