"""The outline: all the engine knows of a runbook that was bound to an estate. Frozen data; it names things, it does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property

from handrail.base.frozen import dataclass
from handrail.engine.words import Line, UndoKind


@dataclass(frozen=True)
class Place:
    """Where a step is done: a host, or "dns", "person", "clock". `role` is empty where no role can be lost."""

    key: str
    role: str = ""


@dataclass(frozen=True)
class StepOutline:
    """One step. `id` is its full name, `stage/step`; `requires` are roles without which it cannot be done at all."""

    id: str
    number: str
    title: str
    stage: str
    places: tuple[Place, ...]
    changes: bool
    undo: UndoKind = UndoKind.NONE
    undo_places: tuple[Place, ...] = ()
    need: int = 0  # places that must pass; 0 means all
    confirm: bool = False
    skippable: bool = False
    probe: bool = False
    verify: bool = False
    recheck: tuple[str, ...] = ()
    requires: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()  # routes; empty means every route
    stays: str = ""
    instead: str = ""
    irreversible: str = ""

    @property
    def name(self) -> str:
        """Return the form in which sentences speak of a step: "2.2 Note the serial"."""
        return f"{self.number} {self.title}"


@dataclass(frozen=True)
class StageOutline:
    """One stage: a pause point, then its steps in order, or together when all of them only read."""

    id: str
    number: str
    title: str
    steps: tuple[StepOutline, ...]
    together: bool = False
    line: Line = Line.NONE

    @property
    def name(self) -> str:
        """Return "2 Final SSL sync"."""
        return f"{self.number} {self.title}"


@dataclass(frozen=True)
class GuardOutline:
    """A detector beside the steps: it watches once step `after` has passed; tripped, it closes `forward` or `undo`."""

    id: str
    title: str
    after: str = ""
    closes: str = ""
    means: str = ""


@dataclass(frozen=True)
class Outline:
    """A whole runbook on one estate. `routes` maps each route to the roles that are lost on it."""

    runbook: str
    title: str
    stages: tuple[StageOutline, ...]
    routes: Mapping[str, frozenset[str]] = field(default_factory=lambda: {"planned": frozenset()})
    guards: tuple[GuardOutline, ...] = ()

    @cached_property
    def steps(self) -> tuple[StepOutline, ...]:
        """Return every step from the top."""
        return tuple(step for stage in self.stages for step in stage.steps)

    @cached_property
    def _by_id(self) -> dict[str, StepOutline]:
        return {step.id: step for step in self.steps}

    @cached_property
    def _stage_by_id(self) -> dict[str, StageOutline]:
        return {stage.id: stage for stage in self.stages}

    @cached_property
    def _position(self) -> dict[str, int]:
        return {step.id: at for at, step in enumerate(self.steps)}

    def step(self, step_id: str) -> StepOutline:
        """Return a step by its full name; KeyError if there is none."""
        return self._by_id[step_id]

    def has_step(self, step_id: str) -> bool:
        """Tell whether there is a step of this name."""
        return step_id in self._by_id

    def stage(self, stage_id: str) -> StageOutline:
        """Return a stage by its id; KeyError if there is none."""
        return self._stage_by_id[stage_id]

    def has_stage(self, stage_id: str) -> bool:
        """Tell whether there is a stage of this name."""
        return stage_id in self._stage_by_id

    def position(self, step_id: str) -> int:
        """Return a step's place in the order, from 0."""
        return self._position[step_id]

    def lost(self, route: str) -> frozenset[str]:
        """Return the roles that are lost on a route."""
        return self.routes.get(route, frozenset())

    def needed(self, step: StepOutline, route: str) -> bool:
        """Tell whether a route needs a step: a step that is left with no host, or lacks what it requires, is not needed."""
        if step.only and route not in step.only:
            return False
        lost = self.lost(route)
        return not (step.requires & lost) and any(place.role not in lost for place in step.places)

    def places(self, step: StepOutline, route: str) -> tuple[Place, ...]:
        """Return where a step is done on a route: a lost role is never contacted."""
        lost = self.lost(route)
        return tuple(p for p in step.places if p.role not in lost)
