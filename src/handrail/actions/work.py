"""Work: what an action is told to do, fully resolved. Frozen; made by the session, read by the actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from handrail.base.frozen import dataclass
from handrail.engine.words import Answer, Way
from handrail.runbook.actions import Sync
from handrail.runbook.checks import Command, Expect, Probe, Undo
from handrail.runbook.model import Step


@dataclass(frozen=True)
class Ask:
    """One question to one or more hosts: what is run on each, what must hold, and for how long it is asked again."""

    title: str
    each: Mapping[str, Command]
    expects: Mapping[str, Expect]
    need: int
    within: float = 0.0
    every: float = 5.0
    limit: float = 60.0
    same: bool = False


@dataclass(frozen=True)
class ProbeAsk:
    """A probe, resolved for each host that is asked."""

    each: Mapping[str, Probe]


@dataclass(frozen=True)
class SyncSides:
    """A sync, resolved for both sides: `here` names may differ."""

    source: str
    target: str
    at_source: Sync
    at_target: Sync


@dataclass(frozen=True)
class Work:
    """One attempt. `verifies` takes what each host captured, since a verify may use it."""

    step: str
    run: str
    attempt: int
    way: Way
    hosts: Mapping[str, Step | Undo]
    kind: str
    changes: bool
    limit: float
    attach: bool = False  # an earlier console may have begun it
    asks: bool = False  # only ask what became of it: nothing that changes may be sent
    at_once: int = 10
    need: int = 0
    within: float = 0.0
    every: float = 5.0
    probe: ProbeAsk | None = None
    verifies: Callable[[Mapping[str, Mapping[str, str]]], tuple[Ask, ...]] = lambda _captured: ()
    sync: SyncSides | None = None
    lag: float = 300.0  # seconds after a switch of a name in which clients should have followed
    lost: bool = False  # a role is given up: what does not answer does not hold up what must be done
    captures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # host -> name -> regex

    @property
    def wanted(self) -> Answer:
        """Return what a probe answers when this work is done: there on the way forward, not there on the way back."""
        return Answer.DONE if self.way is Way.FORWARD else Answer.NOT_DONE
