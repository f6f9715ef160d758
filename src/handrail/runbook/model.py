"""The runbook as frozen data: head, routes, variables, guards, stages and steps. It reads no files and resolves no names.

The attributes carry the words of the file; `stage`, `step` and `guard`, which are repeated tables there, are plural here,
and the table `[runbook]` is the attribute `head`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Final, Literal, get_args

from pydantic import Field, model_validator

from handrail.base.frozen import dataclass
from handrail.runbook.actions import ActionKind, Dns, Manual, Meter, Sync, Wait
from handrail.runbook.checks import Command, Expect, Guard, Positive, Probe, UndoOr, Verify, Wrong
from handrail.runbook.values import (
    Flag,
    Format,
    Line,
    Name,
    Need,
    Regex,
    Role,
    Roles,
    Seconds,
    Slug,
    StepName,
    Table,
    Text,
    Value,
)

READ_LIMIT: Final = 60.0  # seconds until a read is stopped and FAILED
CHANGE_LIMIT: Final = 600.0  # seconds until a change is shown late
KINDS: Final[tuple[ActionKind, ...]] = get_args(ActionKind)

UndoKind = Literal["none", "action", "restore", "nothing", "irreversible"]
VarType = Literal["fqdn", "ip", "path", "int", "duration", "choice", "text", "secret"]
Lines = Literal["clients move", "no way back"]


class Step(Command):
    """One step: exactly one action, what must be true of it, and its way back."""

    id: Slug = Field(description="Its id; the full name is `stage/step`.")
    title: Line = Field(description="What it does, in a few words.")
    why: Text | None = Field(default=None, description="Why this step stands here.")
    on: Roles = Field(default=(), description="The role or roles it runs on. `sync` takes them from `from` and `to`.")
    pick: Positive | None = Field(
        default=None, description="Only the first N hosts of each role in estate order, spread over sites."
    )
    at_once: Positive = Field(
        default=10,
        description="In a fan-out, how many hosts at the same time (10 unless given): the next one's turn comes when one is verified.",
    )
    need: Need = Field(
        default="all", description='In a fan-out, how many of the picked must pass: "all", a count, a percentage.'
    )
    reads: Flag = Field(default=False, description="It only reads: it may be asked again, and needs no way back.")
    skippable: Flag = Field(default=False, description="It may be skipped, with a reason.")
    only: Line | None = Field(default=None, description="The one route on which it is needed; rarely right.")
    within: Seconds | None = Field(
        default=None, description="A read is asked again until it holds, for at most this long."
    )
    every: Seconds = Field(default=5.0, description="How long between two asks (5s unless given).")
    par: Seconds | None = Field(default=None, description="How long it usually takes; drills are compared with it.")
    sync: Sync | None = Field(default=None, description="Copy directories from one role to another.")
    dns: Dns | None = Field(default=None, description="Change one name's address.")
    meter: Meter | None = Field(default=None, description="Count who has arrived, in a growing file.")
    wait: Wait | None = Field(default=None, description="Let time pass in view.")
    manual: Manual | None = Field(default=None, description="Ask a person.")
    attached: Flag = Field(
        default=False, description="Run on a PTY, for programs that need one: then it cannot be re-attached."
    )
    expect: Expect = Field(
        default_factory=lambda: Expect(), description="What must be true of the result (run, script)."
    )
    verify: tuple[Verify, ...] = Field(default=(), description="Independent reads after the action.")
    probe: Probe | None = Field(default=None, description="One question that tells whether the change is in place.")
    confirm: Line | None = Field(
        default=None, description="The new value, which the operator types before this step is sent."
    )
    recheck: tuple[StepName, ...] = Field(
        default=(), description="Reads that run again when the gate opens and every 10 s behind the typing."
    )
    shows: tuple[Line, ...] = Field(
        default=(), description="Lines that stand on the gate, to be read before the word is typed: mostly captures."
    )
    capture: Mapping[Name, Regex] = Field(
        default_factory=dict,
        description="Facts taken from standard output: the first group of the first matching line. None: FAILED.",
    )
    remember: Seconds | None = Field(
        default=None,
        description="A capture not older than this may come from the estate's last good CHECK by any runbook, with its age.",
    )
    undo: UndoOr | None = Field(
        default=None,
        description='The way back: a table with one action, "restore" (sync, dns), or "nothing" (then `stays`).',
    )
    irreversible: Text | None = Field(default=None, description="Why there is no way back. Undo stops above this step.")
    instead: Slug | None = Field(
        default=None, description="The runbook that goes on from here, when undo stops above this step."
    )
    stays: Text | None = Field(default=None, description="What an undo leaves behind.")
    good: Text | None = Field(default=None, description="What good looks like.")
    wrong: tuple[Wrong, ...] = Field(default=(), description="What bad results mean, and what to do next.")
    sample: str | None = Field(
        default=None,
        description="A sample of good output (run, script): lines that come are marked as they match or deviate, and those "
        "that do not come are named. `...` stands for anything on that line; their order does not count.",
    )

    @model_validator(mode="after")
    def _sync_speaks_to_both(self) -> Step:
        if self.sync is not None and not self.on:
            object.__setattr__(self, "on", (self.sync.from_, self.sync.to))
        return self

    @property
    def action_kinds(self) -> tuple[ActionKind, ...]:
        """Return every action that is written here; a valid step has exactly one."""
        return tuple(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def action_kind(self) -> ActionKind:
        """Return which action it is."""
        return self.action_kinds[0]

    @property
    def changes(self) -> bool:
        """Tell whether it changes something: everything does but declared reads, meters and waits."""
        return not self.reads and self.meter is None and self.wait is None

    @property
    def undo_kind(self) -> UndoKind:
        """Return what kind of way back it has."""
        if self.irreversible is not None:
            return "irreversible"
        if self.undo is None:
            return "none"
        return self.undo if isinstance(self.undo, str) else "action"

    @property
    def limit(self) -> float:
        """Return the seconds after which a read is stopped or a change is shown late."""
        return self.timeout or (CHANGE_LIMIT if self.changes else READ_LIMIT)


class Stage(Table):
    """A pause point and its steps, which run in order, or together where they only read."""

    id: Slug = Field(description="Its id.")
    title: Line = Field(description="What it is for, in a few words.")
    why: Text | None = Field(default=None, description="Why this stage stands here.")
    reads: Flag = Field(default=False, description="Every step in it only reads.")
    together: Flag = Field(default=False, description="Its steps may run at the same time: reads only, no confirm.")
    line: Lines | None = Field(
        default=None, description='The line drawn above it: "clients move" (can be undone) or "no way back" (cannot).'
    )
    steps: tuple[Step, ...] = Field(default=(), alias="step", description="The steps, in order.")

    @model_validator(mode="after")
    def _reads_goes_down(self) -> Stage:
        if self.reads:
            steps = tuple(step.model_copy(update={"reads": True}) for step in self.steps)
            object.__setattr__(self, "steps", steps)
        return self


class Rto(Table):
    """How soon clients should be served again."""

    target: Seconds = Field(description="The target.")
    until: StepName | None = Field(
        default=None, description="The step with whose passing the clock stops; else the last one."
    )


class Headline(Table):
    """One figure in the header."""

    label: Line = Field(description="What it is.")
    value: Line = Field(description='The figure, from names; "-" until it is known.')
    target: Line | None = Field(default=None, description="What it should be, as it is shown beside it.")
    age: bool = Field(
        default=False, description="It is an age: it is shown with the time that has passed since it was captured."
    )
    metric: Name | None = Field(
        default=None,
        description="Its name in `handrail check --prometheus`, after `handrail_`: as a number, seconds, or how many words.",
    )


class Head(Table):
    """The table `[runbook]`: what the document is about."""

    id: Slug = Field(description="Its id, by which it is found and named.")
    title: Line = Field(description="What it does, in one line.")
    summary: Text | None = Field(default=None, description="What it does, in a few sentences.")
    owner: Line | None = Field(default=None, description="Who keeps it right.")
    rto: Rto | None = Field(default=None, description="How soon clients should be served again.")
    roles: Mapping[Role, Literal["one", "many"]] = Field(description="The roles, each of one host or of many.")
    headline: tuple[Headline, ...] = Field(default=(), description="What stands in the header.")
    follows: Slug | None = Field(
        default=None, description="The runbook that comes before this one: a drill walks it first, on the same estate."
    )
    unattended: Flag = Field(
        default=False, description="It may run LIVE without a terminal, its confirms given beforehand."
    )
    approvals: int = Field(
        default=0, ge=0, le=9, description="How many others must have signed for a LIVE run (`handrail approve`)."
    )


class Route(Table):
    """One way through the runbook: which roles are lost tells which steps are needed."""

    title: Line = Field(description="When this route is taken.")
    lost: Roles = Field(
        default=(), description="Roles that are never contacted; steps left with no host are not needed."
    )


class Var(Table):
    """A variable: default, then the estate, then --set, then the operator's answer; frozen from then on."""

    type: VarType = Field(default="text", description="What kind of value it takes.")
    default: Value | None = Field(default=None, description="Its value when nobody gives another.")
    help: Line | None = Field(default=None, description="What it is, for the operator who is asked.")
    choices: tuple[str, ...] = Field(default=(), description='The values to choose from, for type = "choice".')


@dataclass(frozen=True)
class Place:
    """A step and where it stands: full name, number, and the path in the file."""

    stage: Stage
    step: Step
    at: tuple[int, int]  # stage, step; from 0

    @property
    def name(self) -> str:
        """Return the full name, `stage/step`."""
        return f"{self.stage.id}/{self.step.id}"

    @property
    def number(self) -> str:
        """Return the number on the rail, such as "2.3"."""
        return f"{self.at[0] + 1}.{self.at[1] + 1}"

    @property
    def path(self) -> tuple[str | int, ...]:
        """Return the TOML path of the step's table."""
        return ("stage", self.at[0], "step", self.at[1])


PLANNED: Final = "planned"


class Runbook(Table):
    """A whole runbook file."""

    format: Format = Field(description="The version of this format: 1.")
    head: Head = Field(alias="runbook", description="What the document is about.")
    written_routes: Mapping[Slug, Route] = Field(
        default_factory=dict, alias="routes", description="The routes, the first being the ordinary one."
    )
    vars: Mapping[Name, Var] = Field(default_factory=dict, description="The variables.")
    guards: tuple[Guard, ...] = Field(default=(), alias="guard", description="Detectors beside the steps.")
    stages: tuple[Stage, ...] = Field(alias="stage", description="The stages, in order.")

    @property
    def id(self) -> str:
        """Return the runbook's id."""
        return self.head.id

    @property
    def title(self) -> str:
        """Return the runbook's title."""
        return self.head.title

    @property
    def roles(self) -> Mapping[str, Literal["one", "many"]]:
        """Return the roles and whether each is one host or many."""
        return self.head.roles

    @cached_property
    def routes(self) -> Mapping[str, Route]:
        """Return the routes in the order written; a runbook without any has "planned"."""
        return self.written_routes or {PLANNED: Route(title="Everything answers")}

    @property
    def first_route(self) -> str:
        """Return the route taken unless another is asked for."""
        return next(iter(self.routes))

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Return every step with its place, from top to bottom."""
        return tuple(
            Place(stage, step, (i, j)) for i, stage in enumerate(self.stages) for j, step in enumerate(stage.steps)
        )

    @cached_property
    def _by_name(self) -> dict[str, Place]:
        return {place.name: place for place in reversed(self.places)}

    def place(self, name: str) -> Place:
        """Return the step of that full name; raise KeyError if there is none."""
        return self._by_name[name]

    def find(self, name: str) -> Place | None:
        """Return the step of that full name, or nothing."""
        return self._by_name.get(name)


def step_keys() -> frozenset[str]:
    """Return the keys of a step, as they are written."""
    return frozenset(info.alias or name for name, info in Step.model_fields.items())
