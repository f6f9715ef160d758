"""What people read of a step: its commands, where it runs, what undoes it. Pure; names that are not known yet stay as written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from handrail.base.durations import show_duration
from handrail.runbook.actions import Dns, Manual, Meter, Sync, Wait
from handrail.runbook.bind import Binding
from handrail.runbook.checks import Command, Undo
from handrail.runbook.estate import Host
from handrail.runbook.model import Place as Spot
from handrail.runbook.model import Step
from handrail.runbook.names import resolve_known
from handrail.session.cards import PlanLine
from handrail.session.outline import places_of, where_text
from handrail.session.view import CACHES, MACHINE, PERSON, StepText, Wrong


def command_lines(command: Command, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return a command as it would be typed; a script line by line."""
    if command.run is not None:
        return (shlex.join(resolve_known(a, names) for a in command.run),)
    args = " ".join(shlex.quote(resolve_known(a, names)) for a in command.args)
    lines = tuple((command.script or "").strip("\n").splitlines())
    return (f"sh -s {args}".rstrip(), *(f"  {line}" for line in lines))


def gist_lines(step: Step, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a step sends, for who decides about it: a script by the step's own title, else as `action_lines`."""
    return (_known(step.title, names),) if step.script is not None else action_lines(step, names)


def undo_gist(step: Step, names: Mapping[str, str]) -> str:
    """Return what a scripted undo puts back, in its own words; "" where what it sends says it better."""
    undo = step.undo
    return _known(undo.title or "", names) if isinstance(undo, Undo) and undo.script is not None else ""


def _known(text: str, names: Mapping[str, str]) -> str:
    return resolve_known(text, names)


def action_lines(step: Step | Undo, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return what a step, or an undo, sends or asks."""
    if step.run is not None or step.script is not None:
        return command_lines(step, names)
    if step.dns is not None:
        looks = isinstance(step, Step) and not step.changes
        return _look_lines(step.dns, names) if looks else _dns_lines(step.dns, names)
    if step.manual is not None:
        return _manual_lines(step.manual, names)
    if isinstance(step, Step):
        if step.sync is not None:
            return _sync_lines(step.sync, names)
        if step.meter is not None:
            return _meter_lines(step.meter, names)
        if step.wait is not None:
            return _wait_lines(step.wait, names)
    return ()


def _dns_lines(dns: Dns, names: Mapping[str, str]) -> tuple[str, ...]:
    ttl = f", TTL {dns.ttl}" if dns.ttl is not None else ""
    return (f"{_known(dns.name, names)}: {_known(dns.from_, names)} → {_known(dns.to, names)}{ttl}",)


def _look_lines(dns: Dns, names: Mapping[str, str]) -> tuple[str, ...]:
    name, old = _known(dns.name, names), _known(dns.from_, names)
    return (f"ask every name server for {name}: {old} alone; try the key; changes nothing",)


def _manual_lines(manual: Manual, names: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(_known(line, names) for line in manual.ask.strip().splitlines())


def _sync_lines(sync: Sync, names: Mapping[str, str]) -> tuple[str, ...]:
    here = {
        f"here.{name.removeprefix(sync.to + '.')}": v for name, v in names.items() if name.startswith(sync.to + ".")
    }
    dirs = ", ".join(_known(d, {**names, **here}) for d in sync.dirs)
    return (f"{sync.from_} → {sync.to}: {dirs}", f"at most {sync.removed.stop} files may vanish")


def _meter_lines(meter: Meter, names: Mapping[str, str]) -> tuple[str, ...]:
    return (f"count {meter.distinct} in {_known(meter.file, names)}, need {meter.need}",)


def _wait_lines(wait: Wait, names: Mapping[str, str]) -> tuple[str, ...]:
    if wait.for_ is not None:
        return (f"wait {show_duration(wait.for_)}" + (f": {_known(wait.reason, names)}" if wait.reason else ""),)
    return (f"wait until the old answer of {wait.until} has run out everywhere",)


def undo_lines(step: Step, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return what undoes a step; one line that says so where nothing does."""
    if not step.changes:
        return ()
    if step.irreversible:
        return (f"cannot be undone: {step.irreversible}",)
    if step.undo == "nothing":
        return (f"nothing to undo; stays: {step.stays or ''}",)
    if step.undo == "restore" and step.dns is not None:
        return (f"puts {_known(step.dns.from_, names)} back with its TTL",)
    if step.undo == "restore":
        return ("puts the snapshot back",)
    return action_lines(step.undo, names) if isinstance(step.undo, Undo) else ()


def _wrongs(step: Step) -> tuple[Wrong, ...]:
    made = []
    for wrong in step.wrong:
        when = f"exit {' or '.join(map(str, wrong.exit))}" if wrong.exit else says(wrong.match or "")
        made.append(Wrong(when, wrong.means, wrong.next or "", wrong.match or ""))
    return tuple(made)


def says(match: str) -> str:
    """Return a regex in words, where it is nothing but words (says this or that); else as it stands."""
    words = [each.strip(" ,:;") for each in match.split("|")]
    if any(re.search(r"[\\^$.*+?()\[\]{}]", each) for each in words):
        return f"says what matches {match}"
    return f"says {' or '.join(words)}"


def _first(binding: Binding, hosts: tuple[Host, ...], captures: Mapping[str, str]) -> dict[str, str]:
    return binding.names_for(hosts[0] if hosts else None, captures)


def step_text(binding: Binding, spot: Spot, captures: Mapping[str, str]) -> StepText:
    """Return what a step says for people, with the names that are known by now."""
    step = spot.step
    hosts = () if step.dns is not None else binding.hosts_of(step)
    names = _first(binding, hosts, captures)
    waits = f"asked again for {show_duration(step.within)}" if step.within else ""
    return StepText(
        why=_known(step.why or spot.stage.why or "", names),
        good=_known(step.good or "", names),
        wrong=_wrongs(step),
        sample=_known(step.sample or "", {name: v for name, v in names.items() if not name.startswith("here.")}),
        stays=step.stays or "",
        kind=step.action_kind,
        commands=action_lines(step, names),
        undo=undo_lines(step, names),
        undo_gist=undo_gist(step, names),
        where=_where(binding, step, hosts),
        waits=waits or (f"late after {show_duration(step.limit)}" if step.changes else ""),
        spends=_spends(step),
        par=step.par or 0.0,
    )


def _spends(step: Step) -> str:
    if step.manual is not None:
        return PERSON
    return CACHES if step.wait is not None and step.wait.until is not None else MACHINE


def _where(binding: Binding, step: Step, hosts: tuple[Host, ...]) -> str:
    if step.sync is not None and len(hosts) == 2:
        return f"{hosts[0].name} → {hosts[1].name}"
    return where_text(hosts, places_of(binding, step))


def plan_lines(binding: Binding, route: str, needed: frozenset[str]) -> tuple[PlanLine, ...]:
    """Return the whole plan, a line a step; `needed` are the full names of the steps that the route needs."""
    lines = []
    for spot in binding.runbook.places:
        text = step_text(binding, spot, {})
        hosts = () if spot.step.dns is not None else binding.hosts_of(spot.step)
        confirm = _known(spot.step.confirm or "", _first(binding, hosts, {}))
        lines.append(
            PlanLine(
                step=spot.name,
                number=spot.number,
                title=_known(spot.step.title, binding.base_names()),
                stage=spot.stage.title,
                where=text.where,
                commands=text.commands,
                undo=text.undo,
                undo_gist=text.undo_gist,
                confirm=confirm,
                changes=spot.step.changes,
                needed=spot.name in needed,
                line=spot.stage.line or "" if spot.at[1] == 0 else "",
            )
        )
    return tuple(lines)
