"""From what pydantic refuses to problems an author can act on: a place, the offending text, a near word, a code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from handrail.base.problems import Problem, Where
from handrail.base.safe import safe
from handrail.runbook.document import Document
from handrail.runbook.positions import Path
from handrail.runbook.shapes import keys, tables_along

MOST: Final = 100  # problems told of one file

_EXPECTED: Final = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    "mapping_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_HEADERS: Final = {
    "stage": "[[stage]]",
    "step": "[[stage.step]]",
    "verify": "[[stage.step.verify]]",
    "guard": "[[guard]]",
}


def problems_of(error: ValidationError, document: Document, root: type[BaseModel]) -> list[tuple[Path, Problem]]:
    """Return a problem for each refusal, with the TOML path it is about."""
    found = []
    details = [(path_of(detail), detail) for detail in error.errors(include_url=False)[:MOST]]
    meant = {path for path, detail in details if detail["type"] == "missing" and str(path[-1]) in document.lost_keys}
    for path, detail in details:
        if detail["type"] == "extra_forbidden":
            near_by = difflib.get_close_matches(str(path[-1])[:60], keys(tables_along(root, path[:-1])[-1]), n=1)
            meant |= {(*path[:-1], word) for word in near_by}
    for path, detail in details:
        # What is missing only because its key is misspelt, or its line cannot be read, is told once.
        if detail["type"] != "missing" or path not in meant:
            found.append((path, _problem(detail, path, document, root)))
    return found


def path_of(detail: ErrorDetails) -> Path:
    """Return the TOML path of a refusal: without the marks pydantic puts in for unions and keys."""
    return tuple(
        part for part in detail["loc"] if not (isinstance(part, str) and (part == "[key]" or part.startswith("<")))
    )


def near(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known word, or the empty string."""
    found = difflib.get_close_matches(word[:60], list(known), n=1, cutoff=0.6)
    return f"did you mean `{found[0]}`?" if found else ""


def _problem(detail: ErrorDetails, path: Path, document: Document, root: type[BaseModel]) -> Problem:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(path, document, root)
    if kind == "missing":
        return _missing(path, document)
    where = document.positions.where(document.name, path)
    shown = _shown(detail["input"])
    if kind == "literal_error":
        return _not_a_choice(detail, shown, where)
    if kind in _EXPECTED:
        message = f"`{_name(path)}` must be {_EXPECTED[kind]}, and is {shown}"
        return Problem("wrong-type", message, _form(path, kind), where)
    context: Mapping[str, Any] = detail.get("ctx", {})
    if "hint" in context:
        is_key = "[key]" in detail["loc"]
        where = document.positions.where(document.name, path, key=is_key)
        message = safe(context["message"], 200)
        told = isinstance(detail["input"], str) and safe(detail["input"], 60) in message
        value = "" if told or is_key else f" = {shown}"
        return Problem(kind, f"`{_name(path)}`{value}: {message}", safe(context["hint"]), where)
    return Problem("wrong-type", f"`{_name(path)}` is {shown}: {safe(detail['msg'], 120)}", "", where)


def _unknown_key(path: Path, document: Document, root: type[BaseModel]) -> Problem:
    key = str(path[-1])
    tables = tables_along(root, path[:-1])
    where = document.positions.where(document.name, path, key=True)
    home = next((table for table in reversed(tables[:-1]) if key in keys(table)), None)
    inside = _name(path[:-1])
    if home is not None and len(path) > 1:
        message = f"`{safe(key, 40)}` stands inside `{inside}`, which has no such key"
        hint = (
            f"after a header such as {_header(path[:-1])} every plain key belongs to that table: "
            f"write `{safe(key, 40)}` above the header"
        )
        return Problem("key-after-table", message, hint, where)
    table = f"in `{inside}`" if inside else "at the top"
    hint = near(key, keys(tables[-1])) or "known here: " + ", ".join(sorted(keys(tables[-1])))
    return Problem("unknown-key", f"there is no key `{safe(key, 40)}` {table}", hint, where)


def _missing(path: Path, document: Document) -> Problem:
    inside = _name(path[:-1])
    table = f"`{inside}`" if inside else "the file"
    hint = "every step, stage and guard has an id and a title" if path[-1] in ("id", "title") else ""
    where = document.positions.where(document.name, path[:-1]) if path[:-1] else Where(document.name, 1, 1)
    return Problem("missing-key", f"{table} needs the key `{path[-1]}`", hint, where)


def _not_a_choice(detail: ErrorDetails, shown: str, where: Where) -> Problem:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    choices = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
    value = detail["input"]
    hint = (near(value, choices) if isinstance(value, str) else "") or "one of: " + ", ".join(choices)
    return Problem("not-a-choice", f"`{_name(path_of(detail))}` cannot be {shown}", hint, where)


def _name(path: Path) -> str:
    """Return how a path is called: `stage[1].step[2].title`, counted from 1."""
    out = ""
    for part in path:
        out += f"[{part + 1}]" if isinstance(part, int) else f"{'.' if out else ''}{safe(part, 40)}"
    return out


def _header(path: Path) -> str:
    words = ".".join(str(part) for part in path if isinstance(part, str))
    return f"[[{words}]]" if path and isinstance(path[-1], int) else f"[{words}]"


def _form(path: Path, kind: str) -> str:
    last = next((part for part in reversed(path) if isinstance(part, str)), "")
    if last in _HEADERS and kind != "string_type":
        return f"write it as {_HEADERS[last]}"
    if last == "run":
        return 'a command is a list: run = ["systemctl", "stop", "x.timer"]'
    return ""


def _shown(value: object) -> str:
    """Return the offending value as it may be shown: short, and by kind where it is a table or a list."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{safe(value, 60)}"'
    try:
        return safe(str(value), 60)
    except ValueError:  # an integer with more digits than Python prints
        return "a huge number"
