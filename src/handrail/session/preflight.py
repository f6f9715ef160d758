"""Reach and privileges: what every host must let us do, for the steps and for their undos. Derived, never written by hand.

It adds reading steps to the front of a runbook, one for each host or role: the same for every runbook.
"""

from __future__ import annotations

from typing import Final

from handrail.runbook.checks import Command, Expect, Undo
from handrail.runbook.model import Runbook, Stage, Step

SYNC_TOOLS: Final = ("tar", "find", "stat", "cp", "mv", "sha256sum", "readlink", "sed")
METER_TOOLS: Final = ("stat", "tail", "head", "grep")

SCRIPT: Final = """
fail=0
for tool in "$@"; do
  if ! command -v "$tool" >/dev/null 2>&1; then echo "missing: $tool"; fail=1; fi
done
echo "as $(id -un) on $(uname -n): $# programs found"
exit $fail
"""


def with_preflight(runbook: Runbook) -> Runbook:
    """Return the runbook with its reach steps: in its first stage if that only reads together, else in a stage before it."""
    steps = tuple(_reach(role, tools, *_how_many(runbook, role)) for role, tools in _tools(runbook).items())
    first = runbook.stages[0]
    taken = {step.id for step in first.steps}
    steps = tuple(step for step in steps if step.id not in taken)
    if not steps:
        return runbook
    if first.together:
        merged = first.model_copy(update={"steps": (*steps, *first.steps)})
        return _with_stages(runbook, (merged, *runbook.stages[1:]))
    stage = Stage.model_validate({"id": "reach", "title": "Reach and privileges", "reads": True, "together": True})
    return _with_stages(runbook, (stage.model_copy(update={"steps": steps}), *runbook.stages))


def _with_stages(runbook: Runbook, stages: tuple[Stage, ...]) -> Runbook:
    """Return the runbook with other stages; made anew, since a copy would keep what was derived from the old ones."""
    fields = {name: getattr(runbook, name) for name in Runbook.model_fields}
    return Runbook.model_construct(**{**fields, "stages": stages})


def _tools(runbook: Runbook) -> dict[str, tuple[str, ...]]:
    """Return, for every role that is spoken to, the programs its steps and undos begin with."""
    found: dict[str, dict[str, None]] = {role: {} for role in runbook.roles}
    used: set[str] = set()
    for place in runbook.places:
        step = place.step
        for role in step.on:
            used.add(role)
            found[role].update(dict.fromkeys(_of(step)))
        if isinstance(step.undo, Undo):
            for role in step.undo.on or step.on:
                used.add(role)
                found[role].update(dict.fromkeys(_program(step.undo)))
    return {role: tuple(tools) for role, tools in found.items() if role in used}


def _how_many(runbook: Runbook, role: str) -> tuple[int | None, str | int]:
    """Return how many of a role's hosts are asked, and how many must answer: as many as its steps do with, no more.

    An emergency has dark hosts among its clients; they are named, and what can do without them goes on.
    """
    steps = [place.step for place in runbook.places if role in place.step.on]
    if runbook.roles[role] != "many" or not steps:
        return None, "all"
    pick = max(step.pick or 0 for step in steps) if all(step.pick for step in steps) else None
    needs = [step.pick if step.need == "all" and step.pick else step.need for step in steps]
    parts = [need for need in needs if isinstance(need, str)]
    if parts:
        return pick, "all" if "all" in parts else max(parts, key=lambda part: int(part.rstrip("%")))
    return pick, max(need for need in needs if isinstance(need, int))


def _of(step: Step) -> tuple[str, ...]:
    if step.sync is not None:
        return SYNC_TOOLS
    return METER_TOOLS if step.meter is not None else _program(step)


def _program(command: Command) -> tuple[str, ...]:
    if command.run is None:
        return ("sh",)
    return () if "{{" in command.run[0] else (command.run[0],)


def _reach(role: str, tools: tuple[str, ...], pick: int | None, need: str | int) -> Step:
    """Return the reading step that proves reach, privileges and programs on a role's hosts."""
    return Step(
        id=f"reach-{role}",
        title=f"Reach {role}",
        why="Find out now whether every step, and every undo, can be run there.",
        on=(role,),
        pick=pick,
        need=need,
        reads=True,
        script=SCRIPT,
        args=tuple(dict.fromkeys(("sh", *tools))),
        expect=Expect(),
        timeout="30s",  # type: ignore[arg-type]  # as an author writes it
        good="Every host answers, and has every program.",
    )
