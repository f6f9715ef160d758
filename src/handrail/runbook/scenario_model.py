"""A scenario's file as a model: what goes wrong in a drill, when, what the estate must look like at the end, and what to learn.

Only the simulated estate plays it, through the estate's control socket; the console knows its words and nothing else.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator

from handrail.runbook.values import Flag, Format, Line, Regex, Role, Seconds, Slug, StepName, Table, Text, Texts, wrong

VERBS: Final = ("power", "link", "site", "part", "rtt", "drop-ssh", "exec", "rekey", "fill", "stop-service")
_EVENTS: Final = ("before", "starts", "passed", "failed", "undone", "noted")


class Head(Table):
    """What a scenario is about."""

    id: Slug = Field(description="Its name on the command line.")
    title: Line = Field(description="What goes wrong, in one line: told beforehand only if `told` is there.")
    runbook: Slug = Field(description="The runbook that is drilled with it.")
    route: Slug = Field(default="planned", description="The route the drill begins on.")
    told: Text | None = Field(default=None, description="What the operator is told. Without it nothing is announced.")
    par: Seconds = Field(description="How long a practised operator takes, from the first step to the end.")
    good: Text = Field(description="What a good operator does: read in the debrief.")
    needs: Literal["namespaces"] | None = Field(
        default=None, description='"namespaces": it cannot be played in plain folders.'
    )


class When(Table):
    """When an act comes: one event, and how long after it; `after` alone counts from the run's first record."""

    before: Flag = Field(default=False, description="Before the run is opened.")
    starts: StepName | None = Field(default=None, description="A step has started.")
    passed: StepName | None = Field(default=None, description="A step has passed.")
    failed: StepName | None = Field(default=None, description="A step has failed, or is unknown.")
    undone: StepName | None = Field(default=None, description="A step is undone.")
    noted: Regex | None = Field(
        default=None, description="The operator's note matches: somebody was asked to do something."
    )
    after: Seconds = Field(default=0.0, description="How long after that.")

    @model_validator(mode="after")
    def _one(self) -> When:
        given = [key for key in _EVENTS if getattr(self, key)]
        if len(given) > 1 or not (given or self.after) or (self.before and self.after):
            raise wrong("scenario-when", "an act comes at one event", f"write one of {', '.join(_EVENTS)}, or after")
        return self

    @property
    def steps(self) -> tuple[str, ...]:
        """Return the steps it speaks of."""
        return tuple(step for step in (self.starts, self.passed, self.failed, self.undone) if step)


class Act(Table):
    """Something that happens to the estate."""

    title: Line = Field(description="What happens, for the debrief.")
    when: When = Field(description="When it happens: once.")
    do: Texts = Field(description='What the control socket is asked: "power primary off", "exec dr COMMAND".')
    mends: Flag = Field(default=False, description="Somebody puts it right again.")

    @model_validator(mode="after")
    def _known(self) -> Act:
        for line in self.do:
            if line.split(None, 1)[0] not in VERBS:
                raise wrong(
                    "scenario-verb", f"{line[:40]!r} is nothing an estate can be asked", f"one of {', '.join(VERBS)}"
                )
        return self


class Card(Table):
    """A message that reaches the operator in the middle: it is answered, or at least noted."""

    at: Seconds | None = Field(default=None, description="How long after the run's beginning it comes.")
    when: When | None = Field(default=None, description="Or the event it comes at.")
    say: Line = Field(description='What is said: "The CTO asks for an ETA".')
    by: Line = Field(default="a message", description="Who says it.")

    @model_validator(mode="after")
    def _one(self) -> Card:
        if (self.at is None) == (self.when is None) or (self.when and self.when.before):
            raise wrong(
                "scenario-card", "a message comes at one moment", 'write at = "4m", or when = { passed = "..." }'
            )
        return self

    @property
    def comes(self) -> When:
        """Return when it comes."""
        return self.when or When.model_validate({"after": f"{self.at:g}s"})


class EndCheck(Table):
    """One thing that must be true at the end: a command on a host, the name's answer, or what the run has done."""

    title: Line = Field(description="What must be true.")
    on: Line | None = Field(default=None, description="The role or host that `run` is asked on; of many hosts, all.")
    run: Text | None = Field(
        default=None, description="A shell command; exit 0 holds. Paths begin with $HANDRAIL_SIM_ROOT."
    )
    match: Regex | None = Field(default=None, description="A line of its output must match.")
    within: Seconds = Field(default=0.0, description="Asked again for as long.")
    name_leads_to: Role | None = Field(default=None, description="Every name server gives this role's address, alone.")
    passed: tuple[StepName, ...] = Field(
        default=(), description="Steps that passed and were not undone, checked, not by word."
    )
    untouched: tuple[StepName, ...] = Field(default=(), description="Steps that never started, or were undone.")

    @model_validator(mode="after")
    def _one(self) -> EndCheck:
        kinds = [bool(self.run), bool(self.name_leads_to), bool(self.passed or self.untouched)]
        if sum(kinds) != 1 or bool(self.run) != bool(self.on):
            raise wrong(
                "scenario-check", "a check asks one thing", "on and run, or name_leads_to, or passed, untouched"
            )
        return self


class ScenarioFile(Table):
    """A scenario."""

    format: Format = Field(description="1.")
    head: Head = Field(alias="scenario")
    act: tuple[Act, ...] = Field(
        default=(), description="What happens, in the order of the file where two come at once."
    )
    card: tuple[Card, ...] = Field(default=(), description="Messages to the operator.")
    check: tuple[EndCheck, ...] = Field(min_length=1, description="What must be true at the end.")

    @property
    def id(self) -> str:
        """Return its name."""
        return self.head.id

    @property
    def steps(self) -> tuple[tuple[tuple[str | int, ...], str], ...]:
        """Return every step it speaks of, with the place in the file."""
        acts: list[tuple[tuple[str | int, ...], str]]
        acts = [(("act", n, "when"), step) for n, act in enumerate(self.act) for step in act.when.steps]
        acts += [(("card", n), step) for n, card in enumerate(self.card) for step in card.comes.steps]
        checks = [
            (("check", n), step) for n, check in enumerate(self.check) for step in (*check.passed, *check.untouched)
        ]
        return (*acts, *checks)
