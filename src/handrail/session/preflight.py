"""What must be so before anything begins: reach and privileges, for steps and undos, and names that can be switched.

It adds reading steps to the front of a runbook, one for each role and one for each name: derived, never written by hand.
"""

from __future__ import annotations

from typing import Final

from handrail.runbook.checks import Command, Expect, Undo, Wrong
from handrail.runbook.model import Place, Runbook, Stage, Step
from handrail.runbook.names import references

SYNC_TOOLS: Final = ("tar", "find", "stat", "cp", "mv", "sha256sum", "readlink", "sed")
METER_TOOLS: Final = ("stat", "tail", "head", "grep")

SCRIPT: Final = """
fail=0
for tool in "$@"; do
  if ! command -v "$tool" >/dev/null 2>&1; then echo "missing: $tool"; fail=1; fi
done
echo "as $(id -un) on $(uname -n): $# programs found"
echo "clock: $(date +%s)"
exit $fail
"""


def with_preflight(runbook: Runbook) -> Runbook:
    """Return the runbook with its derived steps: in its first stage if that only reads together, else in a stage before it.

    A step of the first stage that has the id of a derived one takes its place.
    """
    steps = tuple(_reach(role, tools, *_how_many(runbook, role)) for role, tools in _tools(runbook).items())
    first = runbook.stages[0]
    taken = {step.id for step in first.steps}
    steps = tuple(step for step in (*steps, *names_of(runbook)) if step.id not in taken)
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


NAME_WRONG: Final = (
    Wrong(
        match="already: moved",
        means="Somebody has switched it before you.",
        next="find out who, and whether they go on",
    ),
    Wrong(
        match="is a CNAME|stands beside|addresses stand",
        means="The record is not one plain address: some clients would not move.",
        next="mend the zone, then retry",
    ),
    Wrong(
        match=", alone:",
        means="The name does not stand where this runbook begins.",
        next="find out who serves; is the estate file right?",
    ),
    Wrong(
        match="name server agrees:|cannot be read",
        means="A name server is stale or dark: its clients would stay behind.",
        next="mend it and retry; if it is lost with its site, skip this check and say so",
    ),
    Wrong(
        match="would be taken:",
        means="The switch would be refused: the key, a clock, or the server that takes updates.",
        next="mend it, then retry",
    ),
)


def names_of(runbook: Runbook) -> tuple[Step, ...]:
    """Return a reading step for each name that is switched: whether it could be switched now, and back.

    Only where it leaves its present address: a second switch of the same name begins where the first one ends. A name
    whose addresses are only captured on the way cannot be asked for beforehand: its gate asks.
    """
    made: dict[str, Step] = {}
    before: list[Step] = []
    captured = {f"{role}.{name}" for p in runbook.places for role in p.step.on for name in p.step.capture}
    for place in runbook.places:
        dns = place.step.dns
        if dns is None or not place.step.changes:
            continue
        later = any(_follows(place.step, earlier) for earlier in before)
        before.append(place.step)
        used = {ref.name for text in (dns.name, dns.from_, dns.to) for ref in references(text)}
        if not later and not used & captured:
            step = _name(place, f"name-{place.step.id}")
            if step.id in made:
                step = _name(place, f"name-{place.stage.id}-{place.step.id}")
            made[step.id] = step
    return tuple(made.values())


def _follows(step: Step, earlier: Step) -> bool:
    """Tell whether another step has switched the same name before, on some route that this one is on."""
    assert step.dns is not None
    assert earlier.dns is not None
    same = step.dns.name == earlier.dns.name
    return same and (step.only is None or earlier.only is None or step.only == earlier.only)


def _name(place: Place, name: str) -> Step:
    step = place.step
    assert step.dns is not None
    return Step(
        id=name[:48].rstrip("-"),
        title=f"{step.dns.name} can be switched",
        why="One address alone, every name server agrees, the key is taken. Nothing is changed.",
        reads=True,
        skippable=True,  # in an emergency a name server may be dark too: a person decides, with a reason
        only=step.only,
        dns=step.dns.model_copy(update={"ttl": None}),  # which is what it gets, and not what it must have
        good="All of it holds; the time until which caches keep the old answer is short enough for you.",
        wrong=NAME_WRONG,
    )
