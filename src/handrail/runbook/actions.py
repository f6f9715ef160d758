"""What a step does beyond a plain command: the tables `sync`, `dns`, `meter`, `wait` and `manual`.

These are the author's words, checked one by one; whether they fit together is for the rules, and doing them is for floor 4.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from handrail.runbook.values import (
    Int,
    Line,
    Need,
    Regex,
    Role,
    Seconds,
    StepName,
    Table,
    Text,
    Texts,
    wrong,
)

ActionKind = Literal["run", "script", "sync", "dns", "meter", "wait", "manual"]


def _not_negative(value: int) -> int:
    if value < 0:
        raise wrong("negative", "this cannot be less than 0", "write 0 or more")
    return value


def _ttl(value: int) -> int:
    if not 0 <= value <= 604800:
        raise wrong("ttl", "a TTL is 0 to 604800 seconds", "60 is usual for a name that may have to move")
    return value


def _port(value: int) -> int:
    if not 1 <= value <= 65535:
        raise wrong("port", "a port is 1 to 65535", "22 for SSH, 53 for DNS")
    return value


Count = Annotated[Int, AfterValidator(_not_negative)]
Port = Annotated[Int, AfterValidator(_port)]


class Removed(Table):
    """How many files a sync may remove at the destination."""

    ask: Count = Field(
        default=0, description="More than this many: their names are shown and the operator types the count."
    )
    stop: Count = Field(default=20, description="More than this many: the sync is refused.")


class Sync(Table):
    """Copy directories from one role to another: compared by content, snapshotted, staged, exchanged at once."""

    from_: Role = Field(
        alias="from", description="The role that is copied from. Lost on a route: the step is not needed."
    )
    to: Role = Field(description="The role that is written to.")
    dirs: Texts = Field(
        description="The directories, absolute; `{{ here.x }}` is the value of the side being spoken to."
    )
    removed: Removed = Field(default_factory=lambda: Removed(), description="How many files may be removed.")
    require: tuple[str, ...] = Field(
        default=(),
        description="Files that must stand in the source, relative to `dirs` or absolute; else nothing is written.",
    )
    at_least: Count = Field(default=1, description="The source must hold at least this many files.")
    forward: tuple[str, ...] = Field(
        default=(),
        description="Files that never go backwards (a serial, an inventory): lower at the source is refused.",
    )
    exclude: tuple[str, ...] = Field(
        default=(), description="Names (shell patterns) that are neither copied nor removed."
    )
    not_onto: str | None = Field(
        default=None, description="A path that marks the side which serves: where it stands, nothing is copied onto."
    )


class Dns(Table):
    """Change one name's address, compare and set, and wait until every server agrees; with `reads`, only ask if it would do."""

    name: Line = Field(description="The name that is changed.")
    from_: Line = Field(
        alias="from", description="The address it must have now; anything else: FAILED, nothing is sent."
    )
    to: Line = Field(description="The address it gets. Already there: moved by somebody else, and said so.")
    ttl: Annotated[Int, AfterValidator(_ttl)] | None = Field(
        default=None,
        description="The TTL it gets, in seconds; without it the present one is kept. With `reads`: the most it may have.",
    )


class Meter(Table):
    """Follow a growing file at a host and count distinct names in it."""

    file: Line = Field(description="The file at the host; its rotation is followed.")
    since: StepName | None = Field(
        default=None, description="Lines written after that step began count; without it, after this step began."
    )
    contains: Text | None = Field(
        default=None, description="Plain text that filters lines on the host, before the wire."
    )
    match: Regex = Field(description="The regex a line must match; it has the group that `distinct` names.")
    distinct: Line = Field(description="The named group whose different values are counted.")
    names: str | tuple[str, ...] | None = Field(
        default=None,
        description="Who is expected: a list, or one text separated by blanks or commas. The silent are named.",
    )
    need: Need = Field(default="all", description='When it has passed: "all", a count, or a percentage of `names`.')

    def expected(self) -> tuple[str, ...]:
        """Return the expected names, each once, in the order written; call it on a resolved meter."""
        texts = (self.names,) if isinstance(self.names, str) else self.names or ()
        return tuple(dict.fromkeys(word for text in texts for word in text.replace(",", " ").split()))


class Wait(Table):
    """Let time pass in view: a fixed time, or until the caches of a switched name have run out."""

    for_: Seconds | None = Field(default=None, alias="for", description="A fixed time.")
    until: StepName | None = Field(
        default=None, description="A `dns` step: wait until the TTL that its name had before has run out everywhere."
    )
    reason: Line | None = Field(default=None, description="What is waited for, in the operator's words.")


class Manual(Table):
    """Ask a person to do something (or to look); the answer is pass, fail or not possible, with words as evidence."""

    ask: Text = Field(description="What to do, or what to look at.")
    pass_: Line = Field(default="It is done", alias="pass", description="The words for: done, and it worked.")
    fail: Line = Field(default="It did not work", description="The words for: tried, and it did not work.")
    cannot: Line = Field(default="Not possible now", description="The words for: not possible now. It is then owed.")
    evidence: Line = Field(
        default="What did you do, and what did you see?", description="The question whose answer is kept as evidence."
    )
