"""The kinds of values that stand in TOML: one line of text, an id, a duration, a regex, an argv. It knows no tables.

Each kind is an annotated type: it refuses with a code of `explain`, normalises (durations become seconds, one-or-many
becomes a tuple) and describes itself to JSON Schema as the author may write it.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from handrail.base.durations import parse_duration
from handrail.base.ids import is_slug
from handrail.base.problems import Trouble
from handrail.runbook.names import without

LONGEST: Final = 366 * 86400.0  # seconds; nothing in a runbook takes longer than a leap year
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,47}\Z")
ROLE: Final = re.compile(r"[a-z][a-z0-9_-]{0,47}\Z")
STEP: Final = re.compile(r"[a-z0-9-]+/[a-z0-9-]+\Z")
SERVER: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}=)?\[?[A-Za-z0-9_][A-Za-z0-9_.:%\]-]{0,252}\Z")
HOST: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:%-]{0,252}\Z")
_PERCENT: Final = re.compile(r"(\d{1,3})%\Z")


class Table(BaseModel):
    """A TOML table: frozen, and every key it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, defer_build=True)


def wrong(code: str, message: str, hint: str = "") -> PydanticCustomError:
    """Return the error a validator raises: a code of `explain`, a sentence, and what to write instead."""
    return PydanticCustomError(code, "{message}", {"message": message, "hint": hint})


def _text(value: str) -> str:
    if not value.strip():
        raise wrong("empty", "nothing is written here", "write at least one word")
    return value


def _line(value: str) -> str:
    if "\n" in _text(value):
        raise wrong("one-line", "this is shown on one line, and has a line break", "keep it to one line")
    return value


def _matcher(code: str, pattern: re.Pattern[str], what: str, hint: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.match(value):
            raise wrong(code, f"{value[:60]!r} is not {what}", hint)
        return value

    return check


def _slug(value: str) -> str:
    if not is_slug(value):
        raise wrong("id-slug", f"{value[:60]!r} is not an id", 'lower-case letters, digits and hyphens: "dr-serves"')
    return value


def _role(value: str) -> str:
    if not ROLE.match(value):
        raise wrong("role-name", f"{value[:60]!r} is not a role's name", 'lower-case letters, digits, "-" and "_"')
    if value == "here":
        raise wrong("role-name", '"here" is no role: it means the host being spoken to', "choose another name")
    return value


def _regex(value: str) -> str:
    # Names are replaced before the pattern is compiled in earnest; here a letter stands for each.
    try:
        with warnings.catch_warnings():
            # Python warns of "[[:alpha:]]", which means something else to it than to grep.
            warnings.simplefilter("error", FutureWarning)
            re.compile(without(value))
    except (FutureWarning, re.error, RecursionError, OverflowError) as error:
        raise wrong(
            "regex", f"not a regular expression: {error}", "Python's syntax; write it in 'single quotes'"
        ) from None
    return value


def _seconds(value: object) -> float:
    if isinstance(value, str):
        try:
            seconds = parse_duration(value[:40])
        except Trouble:
            seconds = math.nan
        if 0 < seconds <= LONGEST:
            return seconds
    raise wrong("duration", "this is not a duration", 'write it as "90s", "15m", "1h30m" or "2d"')


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str | int) and not isinstance(value, bool) else value


def _not_none(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        raise wrong("empty", "the list is empty", "name at least one, or leave the key out")
    return value


def _format(value: object) -> object:
    if isinstance(value, bool) or value != 1:
        raise wrong("format", "this version of Handrail reads format 1", "format = 1; newer files need a newer version")
    return value


def _exit(value: int) -> int:
    if not 0 <= value <= 255:
        raise wrong("exit", f"{value:.0f} is no exit status", "0 to 255")
    return value


def _need(value: object) -> object:
    if value == "all" or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    if isinstance(value, str) and (found := _PERCENT.match(value)) and 0 < int(found[1]) <= 100:
        return value
    raise wrong("need", "this says no number of hosts", 'write "all", a count such as 2, or a percentage such as "95%"')


def _scalar(value: object) -> str:
    """Return a variable's value as the text it is everywhere else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float) and (not isinstance(value, str) or "\0" not in value):
        return str(value)
    raise wrong("value", "a variable is a text, a number, true or false", "lists are written as one text, with spaces")


def need_count(need: str | int, total: int) -> int:
    """Return how many of `total` hosts (or names) must pass for a `need`; percentages are rounded up."""
    if need == "all":
        return total
    if isinstance(need, int):
        return need
    return math.ceil(total * int(need.rstrip("%")) / 100)


_STRING: Final = {"type": "string", "minLength": 1}
Format = Annotated[Literal[1], BeforeValidator(_format)]
Int = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Text = Annotated[str, AfterValidator(_text)]
Line = Annotated[str, AfterValidator(_line)]
Slug = Annotated[str, AfterValidator(_slug), WithJsonSchema({**_STRING, "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"})]
Name = Annotated[
    str, AfterValidator(_matcher("name", NAME, "a name", 'lower-case letters, digits and "_", a letter first'))
]
Role = Annotated[str, AfterValidator(_role)]
StepName = Annotated[
    str,
    AfterValidator(_matcher("step-name", STEP, "a step's full name", 'write "stage/step"')),
    WithJsonSchema(_STRING),
]
ServerName = Annotated[
    str,
    AfterValidator(_matcher("server-name", SERVER, "a name server", '"192.0.2.53", or "ns1=192.0.2.53" with a label')),
]
HostName = Annotated[
    str, AfterValidator(_matcher("host-name", HOST, "a host's name or address", "no blanks, no leading hyphen"))
]
Regex = Annotated[str, AfterValidator(_regex), WithJsonSchema({"type": "string", "format": "regex"})]
Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    PlainSerializer(lambda seconds: f"{seconds:.3f}s", when_used="json"),  # so that a journalled undo can be read again
    WithJsonSchema({"type": "string", "examples": ["90s", "15m"]}, mode="validation"),
]
Need = Annotated[
    str | int,
    BeforeValidator(_need),
    WithJsonSchema(
        {"anyOf": [{"const": "all"}, {"type": "integer", "minimum": 1}, {"type": "string", "pattern": "%$"}]}
    ),
]
Value = Annotated[str, BeforeValidator(_scalar), WithJsonSchema({"type": ["string", "integer", "number", "boolean"]})]


def _many_schema(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


Argv = Annotated[
    tuple[str, ...],
    AfterValidator(_not_none),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 1}),
]
Roles = Annotated[tuple[Role, ...], BeforeValidator(_one_or_many), AfterValidator(_not_none), _many_schema(_STRING)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_many), AfterValidator(_not_none), _many_schema(_STRING)]
Regexes = Annotated[tuple[Regex, ...], BeforeValidator(_one_or_many), AfterValidator(_not_none), _many_schema(_STRING)]
Exit = Annotated[Int, AfterValidator(_exit)]
Exits = Annotated[
    tuple[Exit, ...],
    BeforeValidator(_one_or_many),
    AfterValidator(_not_none),
    _many_schema({"type": "integer", "minimum": 0, "maximum": 255}),
]
