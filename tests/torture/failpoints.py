"""Every named failpoint in the code, found by reading it: what the tests have to hit, and the table has to list."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from handrail.engine import due, events, messages
from handrail.engine.codec import EVENTS
from handrail.store import asking

SRC: Final = Path(__file__).parents[2] / "src" / "handrail"
# What each way of writing that lasts is made of: the boundaries of store/disk.py that it passes.
MADE_OF: Final = {
    "write_all": ("write",),
    "sync_folder": ("sync",),
    "create_file": ("open", "write", "sync"),
    "replace_file": ("open", "write", "sync", "rename"),
    "open_trusted": ("open",),
    **{name: (name,) for name in ("open", "write", "pwrite", "sync_data", "sync", "truncate", "rename")},
}
# Opened to be read only: no boundary. A journal is created empty: not one byte is written then. And a memory for replays is
# written past all boundaries on purpose.
NONE: Final = {"takeover.gate.open", "journal.create.write", "moving.open.open", "moving.write.write"}
# Watching has no end of its own: it is called off.
ENDLESS: Final = {"act.watch:after", "act.watchgate:after"}


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _named(call: ast.Call) -> Iterator[str]:
    name = _called(call)
    if name == "boundary":
        word = _text(call.args[0])
        if word:
            yield word
        elif isinstance(call.args[0], ast.IfExp):
            yield from (_text(call.args[0].body), _text(call.args[0].orelse))
    elif name in MADE_OF:
        at = next((_text(a) for a in call.args if "." in _text(a)), "")
        at = at or next((_text(k.value) for k in call.keywords if k.arg == "at"), "")
        if at and not at.endswith((".read", ".look", ".glance")):
            yield from (f"{at}.{what}" for what in MADE_OF[name] if what != "sync" or _lasts(call))


def _lasts(call: ast.Call) -> bool:
    """Tell whether a way of writing is waited for: `lasting=False` syncs nothing."""
    return not any(
        k.arg == "lasting" and isinstance(k.value, ast.Constant) and not k.value.value for k in call.keywords
    )


def _families() -> Iterator[tuple[str, str]]:
    yield from ((f"act.{kind.__name__.lower()}", "session/acts.py") for kind in due.Act.__subclasses__())
    yield from ((f"intent.{kind.__name__.lower()}", "session/session.py") for kind in messages.Intent.__subclasses__())
    for name in (asking.NAME, asking.ANSWER):
        yield from ((f"{name}.replace.{what}", "store/asking.py") for what in MADE_OF["replace_file"])
    # The first record, run_opened, is `journal.append` and nothing else.
    yield from (
        (f"event.{name}", "session/session.py") for name, kind in EVENTS.items() if kind is not events.RunOpened
    )


@cache
def places() -> Mapping[str, str]:
    """Return every failpoint by name, with the file under `src/handrail` that names it (the first, of several)."""
    found = dict(_families())
    for path in sorted(SRC.rglob("*.py")):
        if path.name in ("disk.py", "trusted.py", "failpoint.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for name in _named(node):
                    found.setdefault(name, path.relative_to(SRC).as_posix())
    return {name: found[name] for name in sorted(found) if name not in NONE}


def named() -> frozenset[str]:
    """Return the name of every failpoint: at each, consoles are killed."""
    return frozenset(places())


def sides(names: frozenset[str]) -> list[str]:
    """Return both sides of each, but for those that have only one."""
    both = [f"{name}:{side}" for name in sorted(names) for side in ("before", "after")]
    return [side for side in both if side not in ENDLESS]


# These need something else to go wrong, or somebody else to do something: each has a story of its own.
_OF_THEIR_OWN: Final = (
    *("asked.", "answer.", "beside.", "claim.break", "emergency.", "epoch.", "journal.torn.", "journal.cut."),
    *("lock.takeover", "event.link_", "event.claim_refused", "event.run_closed", "event.scenario_told"),
    *("intent.close", "intent.decline", "intent.handover", "intent.answercard"),
    *("event.card_", "event.halt", "event.fault_made", "training.", "manifest."),
)
APART: Final = frozenset(name for name in named() if name.startswith(_OF_THEIR_OWN))
