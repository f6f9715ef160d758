"""A coach's file as a model: what is said to who practises a runbook for the first times, and at which moment.

It stands beside the runbook and not in it: a better sentence for a newcomer must not change the digest that was drilled.
"""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator

from handrail.runbook.values import Flag, Format, Slug, StepName, Table, Text, wrong

_MOMENTS: Final = ("opened", "over", "next", "starts", "passed", "failed", "gate", "shut", "undone")


class CoachHead(Table):
    """Whose coach it is."""

    runbook: Slug = Field(description="The runbook that is practised.")
    first: Slug | None = Field(
        default=None, description="The scenario of a guided drill, unless another is asked for: where undo is right."
    )


class Moment(Table):
    """The one moment at which a note matters."""

    opened: Flag = Field(default=False, description="The run is open, nothing has begun.")
    over: Flag = Field(default=False, description="Everything is done.")
    next: StepName | None = Field(default=None, description="Nothing moves, and this step is next.")
    starts: StepName | None = Field(default=None, description="This step has begun.")
    passed: StepName | None = Field(default=None, description="This step has passed.")
    failed: StepName | None = Field(default=None, description="This step stands failed, or unknown.")
    gate: StepName | None = Field(default=None, description="The gate of this step is open.")
    shut: StepName | None = Field(default=None, description="The gate of this step is kept closed by a recheck.")
    undone: StepName | None = Field(default=None, description="This step is undone.")

    @model_validator(mode="after")
    def _one(self) -> Moment:
        if sum(bool(getattr(self, key)) for key in _MOMENTS) != 1:
            raise wrong("coach-when", "a note is for one moment", f"write one of {', '.join(_MOMENTS)}")
        return self

    @property
    def kind(self) -> str:
        """Return which moment it is."""
        return next(key for key in _MOMENTS if getattr(self, key))

    @property
    def step(self) -> str:
        """Return the step it is about; empty where it is the run."""
        found = getattr(self, self.kind)
        return found if isinstance(found, str) else ""


class Note(Table):
    """One note: shown once."""

    id: Slug = Field(description="Its id: that it was shown is kept in the journal by it.")
    when: Moment = Field(description="When it is shown.")
    say: Text = Field(description="What is said: a few sentences.")


class CoachFile(Table):
    """A coach's file."""

    format: Format = Field(description="1.")
    head: CoachHead = Field(alias="coach")
    note: tuple[Note, ...] = Field(min_length=1, description="The notes, the most urgent first.")
