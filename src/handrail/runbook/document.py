"""From bytes to plain data with places: the guards against texts that lie, explode or cannot be shown.

It knows TOML, not runbooks. Syntax faults are reported together: a line that cannot be read is blanked and the rest read on.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Any, Final, TypeAlias

import tomli

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Where
from handrail.base.safe import safe
from handrail.runbook.files import LARGEST
from handrail.runbook.positions import Positions, index

DEEPEST: Final = 32  # levels of tables and lists
MOST: Final = 50_000  # values in one file
PARTS: Final = 40  # of a dotted key; a reversed IPv6 name in a text has 34
DOTS: Final = 20_000  # in one file, in keys or elsewhere
SYNTAX_FAULTS: Final = 10  # reported before reading is given up

Toml: TypeAlias = Any  # a value out of tomli: tables, lists, texts, numbers, times
_SUSPECT: Final = re.compile(r"[^\n\t -~\u00a1-\u00ac\u00ae-\u02ff]")
_FORBIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# tomli's work grows with the square of a key's parts; words in quotes may be parts too.
_PART: Final = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_LONG_KEY: Final = re.compile(rf"""(?<![A-Za-z0-9_."'-])(?:{_PART}){{{PARTS}}}""")
_KEY: Final = re.compile(r"([A-Za-z0-9_-]+)\s*=")
_PLACE: Final = re.compile(r" \((?:at line \d+, column \d+|at end of document)\)\Z")


@dataclass(frozen=True)
class Document:
    """A text that was read: its data, its places, and what was wrong so far."""

    name: str
    data: dict[str, Any]
    positions: Positions
    problems: tuple[Problem, ...]
    whole: bool  # False: lines were blanked, so that what seems missing may stand in them
    lost_keys: frozenset[str] = frozenset()  # the keys on those lines


def digest(data: bytes) -> str:
    """Return the identity of a file: SHA-256 of its bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def read_document(raw: bytes, name: str) -> Document:
    """Return the data and places of a TOML text; problems are collected, never raised."""
    if len(raw) > LARGEST:
        return _nothing(name, Problem("file-large", f"it is larger than {LARGEST // 1024} KiB", "", Where(name)))
    try:
        text = raw.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        return _nothing(name, _not_utf8(raw, error.start, name))
    if bomb := _dotted(text, name):
        return _nothing(name, bomb)
    whole_text = text
    data, text, faults = _parse(text, name)
    if data is None:
        return _nothing(name, *faults)
    if heavy := _too_heavy(data, name):
        return _nothing(name, *faults, heavy)
    positions = index(text)
    hidden = [*_hidden_in_text(positions, name), *_hidden_in_values(data, positions, name)]
    lost = {found[1] for fault in faults if fault.where and (found := _KEY.match(_line(whole_text, fault.where.line)))}
    return Document(name, data, positions, (*faults, *hidden), not faults, frozenset(lost))


def _nothing(name: str, *problems: Problem) -> Document:
    return Document(name, {}, Positions("", {}), problems, whole=False)


def _dotted(text: str, name: str) -> Problem | None:
    """Return why the dots in a text could unfold into too many tables, or nothing."""
    if long := _LONG_KEY.search(text):
        where = Where(name, text.count("\n", 0, long.start()) + 1, long.start() - text.rfind("\n", 0, long.start()))
        return Problem("toml-bomb", f"a key of more than {PARTS} parts", "simplify it", where)
    if text.count(".") > DOTS:
        return Problem(
            "toml-bomb", f"it has more than {DOTS} dots: each may make a table", "simplify it", Where(name, 1, 1)
        )
    return None


def _not_utf8(raw: bytes, at: int, name: str) -> Problem:
    before = raw[:at]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return Problem(
        "utf-8", f"the byte 0x{raw[at]:02x} is not UTF-8", "save the file as UTF-8", Where(name, line, column)
    )


def _parse(text: str, name: str) -> tuple[dict[str, Any] | None, str, list[Problem]]:
    """Return the data, the text it was read from, and the syntax faults; lines with faults are blanked in that text."""
    faults: list[Problem] = []
    last = 0
    while True:
        try:
            return tomli.loads(text), text, faults
        except tomli.TOMLDecodeError as error:
            line = error.lineno
            fresh = line > last
            if fresh:
                faults.append(_syntax(error.msg, text, Where(name, line, error.colno)))
            # A blanked header would give its keys to the table before it: then nothing after it can be judged.
            if not fresh or len(faults) >= SYNTAX_FAULTS or _line(text, line).startswith("["):
                return None, text, faults
            text, last = _blank(text, line), line
        except (ValueError, RecursionError) as error:
            faults.append(Problem("toml-bomb", f"cannot be read: {_short(str(error))}", "simplify it", Where(name)))
            return None, text, faults


def _line(text: str, line: int) -> str:
    return text.split("\n")[line - 1].strip()


def _blank(text: str, line: int) -> str:
    """Return the text with one line emptied; offsets of other lines stay what they were."""
    lines = text.split("\n")
    lines[line - 1] = " " * len(lines[line - 1])
    return "\n".join(lines)


def _syntax(message: str, text: str, where: Where) -> Problem:
    line = _line(text, where.line)
    shown = f": {safe(line, 60)}" if line else ""
    return Problem("toml", f"{_PLACE.sub('', _short(message))}{shown}", "this line is not TOML", where)


def _short(message: str) -> str:
    return safe(message, 160)


def _too_heavy(data: dict[str, Any], name: str) -> Problem | None:
    """Return why data is nested too deeply or holds too many values, or nothing."""
    level: list[Any] = [data]
    count = 0
    for _ in range(DEEPEST):
        below: list[Any] = []
        for value in level:
            below.extend(value.values() if isinstance(value, dict) else value)
        count += len(below)
        if count > MOST:
            return Problem("toml-bomb", f"it holds more than {MOST} values", "simplify it", Where(name))
        level = [value for value in below if isinstance(value, dict | list)]
        if not level:
            return None
    return Problem("toml-bomb", f"it is nested more than {DEEPEST} levels deep", "simplify it", Where(name))


def _forbidden(text: str) -> int:
    """Return the offset of the first character that acts or hides, or -1."""
    for found in _SUSPECT.finditer(text):
        if unicodedata.category(found.group()) in _FORBIDDEN:
            return found.start()
    return -1


def _hidden_in_text(positions: Positions, name: str) -> list[Problem]:
    """Return a problem for each line of the text (comments too) with an invisible or direction-changing character."""
    problems = []
    for number, line in enumerate(positions.text.split("\n"), 1):
        at = _forbidden(line)
        if at >= 0:
            problems.append(_hidden(line[at], Where(name, number, at + 1)))
    return problems[:SYNTAX_FAULTS]


def _hidden_in_values(data: Toml, positions: Positions, name: str) -> list[Problem]:
    """Return a problem for each key or text that gets a control character from an escape such as `\\u001b`."""
    problems: list[Problem] = []
    todo: list[tuple[tuple[str | int, ...], Any]] = [((), data)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, dict):
            todo.extend(((*path, key), inner) for key, inner in value.items())
            texts = [(key, (*path, key)) for key in value]
        elif isinstance(value, list):
            todo.extend(((*path, number), inner) for number, inner in enumerate(value))
            texts = []
        else:
            texts = [(value, path)] if isinstance(value, str) else []
        for text, place in texts:
            at = _forbidden(text)
            if at >= 0 and not _stands_in_text(positions, text[at]):
                problems.append(_hidden(text[at], positions.where(name, place)))
    return problems[:SYNTAX_FAULTS]


def _stands_in_text(positions: Positions, char: str) -> bool:
    """Tell whether the raw text has this character: then its line was reported already."""
    return char in positions.text


def _hidden(char: str, where: Where) -> Problem:
    label = unicodedata.name(char, "a control character")
    return Problem("hidden-character", f"U+{ord(char):04X} ({label}) acts or hides on a terminal", "take it out", where)
