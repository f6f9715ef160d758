"""Questions a step asks: what must be true of a result, reads that verify, probes, guards, and the way back."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from handrail.runbook.actions import Count, Dns, Manual
from handrail.runbook.values import (
    Argv,
    Exits,
    Flag,
    Line,
    Need,
    Regex,
    Regexes,
    Roles,
    Seconds,
    Slug,
    StepName,
    Table,
    Text,
    wrong,
)


def _positive(value: int) -> int:
    if value < 1:
        raise wrong("positive", "this must be 1 or more", "write 1 or more, or leave the key out")
    return value


Positive = Annotated[Count, AfterValidator(_positive)]


class Outcome(Table):
    """What an answer must look like to mean something: every key that stands here must hold."""

    exit: Exits | None = Field(default=None, description="The exit status, or several. In `expect`: 0 unless given.")
    stdout: str | None = Field(default=None, description="Standard output, equal after trimming.")
    match: Regexes = Field(
        default=(), description="Regexes; each must match some line of standard output (first 1 MiB)."
    )
    absent: Regexes = Field(
        default=(), description="Regexes; none may match any line of standard output (first 1 MiB)."
    )


class Expect(Outcome):
    """What must be true of a result besides its exit status."""

    same: Flag = Field(default=False, description="Standard output is equal on every host asked; all must answer.")

    @property
    def exits(self) -> tuple[int, ...]:
        """Return the exit statuses that are good: as declared, else 0 alone."""
        return (0,) if self.exit is None else self.exit


class Command(Table):
    """A command or a script, as a read or as a change."""

    run: Argv | None = Field(default=None, description="A command as a list: no shell, each element one argument.")
    script: Text | None = Field(
        default=None, description="A shell script (sh). Values reach it only as `args`: no `{{ }}` is replaced in it."
    )
    args: tuple[str, ...] = Field(default=(), description='Arguments of the script: "$1", "$2".')
    stdin: str | None = Field(
        default=None, description="Text for standard input; the only place where a secret may stand."
    )
    timeout: Seconds | None = Field(
        default=None,
        description="A read is stopped and FAILED at it (1m unless given); a change is only shown late (10m).",
    )


class Verify(Command):
    """An independent read after the action; all of them must hold before the step has passed."""

    title: Line | None = Field(default=None, description="What it proves, in the operator's words.")
    on: Roles = Field(default=(), description="The roles that are asked; without it, the step's own hosts.")
    pick: Positive | None = Field(
        default=None, description="Ask only the first N hosts of each role, spread over sites."
    )
    need: Need = Field(default="all", description='How many of the asked must hold: "all", a count, a percentage.')
    expect: Expect = Field(default_factory=lambda: Expect(), description="What must be true of the answer.")
    within: Seconds | None = Field(default=None, description="Ask again until it holds, for at most this long.")
    every: Seconds = Field(default=5.0, description="How long between two asks (5s unless given).")


class Probe(Command):
    """One question, asked before a change, after it, in UNKNOWN, and after its undo."""

    on: Roles = Field(default=(), description="The roles that are asked; without it, the step's own hosts.")
    done: Outcome = Field(description="The answer that means: the change is in place.")
    not_done: Outcome = Field(description="The answer that means: it is not. Neither holds: don't know.")


class Wrong(Table):
    """What a bad result usually means, and what to do next."""

    exit: Exits | None = Field(default=None, description="The exit status, or several.")
    match: Regex | None = Field(default=None, description="A regex that some line of the output matches.")
    means: Line = Field(description="What it means, in the operator's words.")
    next: Line | None = Field(default=None, description="What to do next: a command, or a sentence.")


class Undo(Command):
    """The way back of one step: one action, idempotent, with its own verify."""

    title: Line | None = Field(default=None, description="What it puts back, in the operator's words.")
    on: Roles = Field(default=(), description="The roles it runs on; without it, the step's own hosts.")
    dns: Dns | None = Field(default=None, description="Change a name, as in a step.")
    manual: Manual | None = Field(default=None, description="Ask a person, as in a step.")
    expect: Expect = Field(default_factory=lambda: Expect(), description="What must be true of its result.")
    verify: tuple[Verify, ...] = Field(default=(), description="Reads that prove the old state is back.")
    par: Seconds | None = Field(default=None, description="How long it usually takes.")

    @property
    def action_kind(self) -> Literal["run", "script", "dns", "manual"]:
        """Return which action it is."""
        if self.run is not None:
            return "run"
        if self.script is not None:
            return "script"
        return "dns" if self.dns is not None else "manual"


def _undo_form(value: object) -> str:
    return "<table>" if isinstance(value, dict | Undo) else "<word>"


# A tag in angle brackets never stands in a TOML path; it is taken out of error locations.
UndoOr = Annotated[
    Annotated[Undo, Tag("<table>")] | Annotated[Literal["restore", "nothing"], Tag("<word>")],
    Discriminator(_undo_form),
]


class Guard(Table):
    """A read-only detector beside the steps; it can raise a banner and close gates, it never acts."""

    id: Slug = Field(description="Its id.")
    title: Line = Field(description="What has happened when it trips, in the operator's words.")
    on: Roles = Field(description="The roles that are asked. All lost on a route: it is not needed.")
    after: StepName | None = Field(
        default=None, description="Watches from when that step has passed; without it, from the start."
    )
    run: Argv | None = Field(default=None, description="A command as a list.")
    script: Text | None = Field(default=None, description="A shell script; values reach it only as `args`.")
    args: tuple[str, ...] = Field(default=(), description="Arguments of the script.")
    trip: Outcome = Field(description="The answer that trips it. No answer trips nothing and is shown as silence.")
    closes: Literal["forward", "undo"] | None = Field(
        default=None, description='Which gates it closes while tripped: "forward" or "undo". Without it, a banner only.'
    )
    means: Line = Field(description="What it means and what to do.")
    every: Seconds = Field(default=15.0, description="How long between two asks (15s unless given).")
    timeout: Seconds = Field(default=10.0, description="How long one ask may take (10s unless given).")
