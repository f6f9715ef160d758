"""Names in texts: `{{ fqdn }}`, `{{ dr.address }}`, `{{ here.ssl_dir }}`. Replacing is all there is: no expressions.

A text is resolved exactly once; what a value brings along, braces included, is never looked at again.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble, Where
from handrail.base.safe import safe

_REFERENCE: Final = re.compile(r"\{\{([^{}]*+)\}\}|\{\{")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*\Z")
_FACT: Final = re.compile(r"[a-z][a-z0-9_-]*\.[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True)
class Ref:
    """One name in a text: what it says, and the offsets of the whole `{{ }}`."""

    name: str
    start: int
    end: int

    @property
    def role(self) -> str:
        """Return the role of a fact ("here" included), or the empty string for a variable."""
        return self.name.rpartition(".")[0]

    @property
    def fact(self) -> str:
        """Return the fact's own name, or the variable's."""
        return self.name.rpartition(".")[2]

    @property
    def legal(self) -> bool:
        """Tell whether it is a name at all."""
        return bool(_NAME.match(self.name) or _FACT.match(self.name))


def references(text: str) -> list[Ref]:
    """Return the names in a text, in order; what is no name is returned too, with `legal` false."""
    return [Ref((found[1] or "").strip(), found.start(), found.end()) for found in _REFERENCE.finditer(text)]


def without(text: str) -> str:
    """Return the text with a letter for each name, for looking at a regex before its names are known."""
    return _REFERENCE.sub("x", text)


def resolve(text: str, names: Mapping[str, str], where: Where | None = None) -> str:
    """Return the text with every name replaced; raise `Trouble` for all that are unknown, or hold NUL or a line break."""
    return _replace(text, names, where, _as_it_is)


def resolve_regex(text: str, names: Mapping[str, str], where: Where | None = None) -> str:
    """Return a regex with every name replaced by its value, escaped."""
    return _replace(text, names, where, re.escape)


def resolve_argv(argv: Iterable[str], names: Mapping[str, str], where: Where | None = None) -> tuple[str, ...]:
    """Return arguments with every name replaced; one that begins with a value may not come out with a leading hyphen."""
    out: list[str] = []
    problems: list[Problem] = []
    for element in argv:
        try:
            value = resolve(element, names, where)
        except Trouble as error:
            problems += error.problems
            continue
        if element.startswith("{{") and value.startswith("-"):
            message = f"`{safe(element, 60)}` became {safe(value, 60)!r}, which a program would take for an option"
            problems.append(
                Problem(
                    "leading-hyphen", message, 'write something before it: "./{{ name }}", "--name={{ name }}"', where
                )
            )
        out.append(value)
    if problems:
        raise Trouble(*problems)
    return tuple(out)


def resolve_known(text: str, names: Mapping[str, str]) -> str:
    """Return the text with the names that are known replaced and the others left as written, for showing only."""
    return _REFERENCE.sub(lambda found: names.get((found[1] or "").strip(), found.group()), text)


def _as_it_is(value: str) -> str:
    return value


def _replace(text: str, names: Mapping[str, str], where: Where | None, dress: Callable[[str], str]) -> str:
    out: list[str] = []
    problems: list[Problem] = []
    at = 0
    for ref in references(text):
        out.append(text[at : ref.start])
        at = ref.end
        value = names.get(ref.name)
        if not ref.legal:
            problems.append(not_a_name(text, ref, where))
        elif value is None:
            problems.append(unknown(ref, names, where))
        elif "\0" in value or "\n" in value or "\r" in value:
            hint = "values are one line; give it another way"
            problems.append(Problem("value-line", f"the value of `{ref.name}` has a line break or NUL", hint, where))
        else:
            out.append(dress(value))
    if problems:
        raise Trouble(*problems)
    return "".join([*out, text[at:]])


def not_a_name(text: str, ref: Ref, where: Where | None) -> Problem:
    """Return the problem of braces that hold no name."""
    hint = "a name is `fqdn`, `dr.address` or `here.ca_dir`; a text that needs such braces can stand in a `script`"
    return Problem("not-a-name", f"`{safe(text[ref.start : ref.end], 60)}` is no name", hint, where)


def unknown(ref: Ref, known: Iterable[str], where: Where | None) -> Problem:
    """Return the problem of a name nobody has given a value (yet)."""
    close = difflib.get_close_matches(ref.name[:60], list(known), n=1, cutoff=0.6)
    hint = f"did you mean `{close[0]}`?" if close else "declare it in [vars], capture it, or give it in the estate file"
    return Problem("unknown-name", f"`{{{{ {safe(ref.name, 60)} }}}}` is not known here", hint, where)
