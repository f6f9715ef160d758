"""Making snapshots: what is shown of a run at one moment, from the core and what does not change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from handrail.base.clock import unstamp
from handrail.base.durations import parse_duration
from handrail.base.problems import Trouble
from handrail.engine.state import State, StepState
from handrail.engine.words import StepWord, Verdict, Way
from handrail.runbook.bind import Binding
from handrail.runbook.checks import Undo
from handrail.runbook.model import Headline
from handrail.runbook.names import references, resolve_known
from handrail.session import lessons
from handrail.session.core import Core
from handrail.session.moving import Moved
from handrail.session.reach import away_hosts, concerned_hosts
from handrail.session.texts import step_text
from handrail.session.view import HeadLine, HostView, Relief, RunInfo, Snapshot, StepText
from handrail.store.chain import Record

MANY: Final = 20  # hosts from which on ...
AGAIN: Final = 0.5  # ... their links are looked at so often (s) for what is kept for a replay
UNDO_GUESS: Final = 5.0  # seconds an undo is thought to take when the runbook does not say


@dataclass
class Shown:
    """What does not change in a run, and what is kept between two snapshots."""

    info: RunInfo
    texts: dict[str, StepText] = field(default_factory=dict)
    values: dict[str, str] | None = None
    watchers: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, float] = field(default_factory=dict)  # host -> when it was asked last whether it answers
    relief: Relief | None = None
    hosts: tuple[HostView, ...] = ()  # as they were looked at last
    views: tuple[float, Mapping[str, HostView]] = field(default_factory=lambda: (0.0, {}))  # the same, for replays


@dataclass(frozen=True)
class Replayed:
    """A run that was read from its folder, as far as its journal goes."""

    info: RunInfo
    binding: Binding
    state: State
    records: tuple[Record, ...]
    damage: str = ""  # why the journal could not be read to its end

    def at(self, state: State, records: tuple[Record, ...], damage: str = "") -> Replayed:
        """Return it at another moment."""
        return replace(self, state=state, records=records, damage=damage)


def snapshot(core: Core, shown: Shown, seq: int, trouble: str) -> Snapshot:
    """Return the run as it is now."""
    state = core.state
    if shown.values != state.values:
        shown.values = dict(state.values)
        shown.texts = {
            spot.name: step_text(core.binding, spot, state.values)
            for spot in core.binding.runbook.places
            if state.outline.has_step(spot.name)
        }
    shown.names = shown.names or {h.key: h.name for h in core.binding.estate.every_host()}
    undo = {step: _undo_seconds(core.binding, state, step) for step in state.started}
    at = core.now()
    made = Snapshot(
        seq=seq,
        at=at,
        wall=core.clock.now(),
        info=shown.info,
        state=state,
        live=dict(core.live),
        headline=headline(core.binding, state, shown.info.started),
        hosts=_hosts(core, shown),
        restored=restored_at(state, shown.info.rto_until),
        turn_back_by=_turn_back_by(shown.info.rto, undo),
        undo_seconds=undo,
        watchers=shown.watchers,
        asked=core.asking.open,
        trouble=trouble,
        relief=shown.relief,
        texts=shown.texts,
        names=shown.names,
        waits_for=concerned_hosts(core.state, core.binding),
    )
    return lessons.taught(made)


def moved(core: Core, shown: Shown) -> Moved:
    """Return what a snapshot shows beyond what follows from the journal."""
    at = core.now()
    seen, hosts = shown.views
    if len(hosts) < MANY or at - seen >= AGAIN:
        hosts = {view.key: view for view in _hosts(core, shown)}
        shown.views = (at, hosts)
    return Moved(dict(core.live), hosts, concerned_hosts(core.state, core.binding), shown.watchers)


def headline(binding: Binding, state: State, started: datetime) -> tuple[HeadLine, ...]:
    """Return the values in the header; "-" until every name in one is known."""
    names = {**binding.base_names(), **state.values}
    seen = _seen(binding, state, started)
    made = []
    for line in binding.runbook.head.headline:
        refs = [ref.name for ref in references(line.value)]
        if not all(name in names for name in refs):
            made.append(HeadLine(line.label))
            continue
        value = resolve_known(line.value, names)
        when = [seen[name] for name in refs if name in seen]
        old = [name for name in refs if name in seen and seen[name] < 0.0]
        note = f"CHECK {unstamp(state.opened.remembered_at):%d %b %H:%MZ}" if old and state.opened else ""
        grows, target = _age(value, line) if when else (None, 0.0)
        at = min(when) if when else None
        made.append(HeadLine(line.label, value, _over(value, line.target), at, grows, target, note))
    return tuple(made)


def _age(value: str, line: Headline) -> tuple[float | None, float]:
    """Return the seconds of an age as it was captured, and of its target; nothing for what does not grow."""
    if not line.age:
        return None, 0.0
    try:
        return parse_duration(value), parse_duration(line.target) if line.target else 0.0
    except Trouble:
        return None, 0.0


def _seen(binding: Binding, state: State, started: datetime) -> dict[str, float]:
    """Return when each captured value was seen (run seconds): by the step that passed last, else by an earlier CHECK.

    A step that is to be asked anew counts as long as what it saw is what is known.
    """
    opened = state.opened
    found: dict[str, float] = {}
    if opened is not None and opened.remembered:
        before = min(-1.0, (unstamp(opened.remembered_at) - started).total_seconds())
        found = dict.fromkeys(opened.remembered, before)
    for place in binding.runbook.places:
        ended, values = _captured(state.step(place.name)) if place.step.capture else (None, {})
        if ended is not None:
            for role, name in ((role, name) for role in place.step.on for name in place.step.capture):
                full = f"{role}.{name}"
                if name in values and state.values.get(full) in values[name]:
                    found[full] = max(found.get(full, ended), ended)
    return found


def _over(value: str, target: str | None) -> bool:
    """Tell whether a figure is beyond its target, where both are durations or both are numbers."""
    if not target:
        return False
    try:
        return parse_duration(value) > parse_duration(target)
    except Trouble:
        numbers = re.fullmatch(r"\d+", value), re.fullmatch(r"\d+", target)
        return all(numbers) and int(value) > int(target)


def _hosts(core: Core, shown: Shown) -> tuple[HostView, ...]:
    """Return the hosts of the run's roles. A view in which nothing is new is the one of last time: there may be a thousand."""
    if not shown.hosts:
        roles, hosts = core.binding.runbook.roles, core.binding.estate.every_host()
        shown.hosts = tuple(HostView(h.key, h.name, h.role, h.address, h.site) for h in hosts if h.role in roles)
    gone = {host for _, now in core.state.begun() for host in now.no_link}
    up, away, asked = core.links.up(), away_hosts(core), shown.asked
    views = []
    for view in shown.hosts:
        key = view.key
        since, why = away.get(key, (None, ""))
        link = "no link" if key in gone else "up" if key in up else "" if since is None else "away"
        same = view.link == link and view.asked == asked.get(key) and view.away == since and view.why == why
        views.append(view if same else replace(view, link=link, asked=asked.get(key), away=since, why=why))
    if any(one is not other for one, other in zip(views, shown.hosts, strict=True)):
        shown.hosts = tuple(views)
    return shown.hosts


def restored_at(state: State, until: str) -> float | None:
    """Return when the RTO clock stopped: when the step it runs until passed, or the last needed one."""
    if until and state.outline.has_step(until):
        return _passed_at(state.step(until))
    ends = [_passed_at(now) for step, now in state.walked() if state.needed(step)]
    if not ends or any(end is None for end in ends):
        return None
    return max(end for end in ends if end is not None)


def _passed_at(now: StepState) -> float | None:
    if now.word is not StepWord.PASSED:
        return None
    forward = now.forward
    return forward.ended if forward else None


def _captured(now: StepState) -> tuple[float | None, Mapping[str, frozenset[str]]]:
    """Return when a step passed last, if nothing has undone it, and what it captured then, by name."""
    passed = now.word is StepWord.PASSED
    if now.undone and not passed:
        return None, {}
    mine = [a for a in now.attempts if a.way is Way.FORWARD and a.verdict is Verdict.PASSED]
    attempt = now.forward if passed else next(reversed(mine), None)
    if attempt is None:
        return None, {}
    captures = [result.captures for result in attempt.results.values()]
    names = {name for one in captures for name in one}
    return attempt.ended, {name: frozenset(one[name] for one in captures if name in one) for name in names}


def _undo_seconds(binding: Binding, state: State, step: str) -> float:
    """Return what a step's undo took the last time, or what the runbook says, or a guess."""
    for attempt in reversed(state.step(step).attempts):
        if attempt.way is Way.BACK and attempt.ended is not None:
            return attempt.ended - attempt.started
    undo = binding.runbook.place(step).step.undo
    return undo.par if isinstance(undo, Undo) and undo.par else UNDO_GUESS


def _turn_back_by(rto: float, undo: dict[str, float]) -> float | None:
    return max(0.0, rto - sum(undo.values())) if rto else None


def still(run: Replayed, seq: int, at: float, wall: datetime, watchers: tuple[str, ...] = ()) -> Snapshot:
    """Return a snapshot of a run that is only read: nothing moves, no link is known."""
    state, binding = run.state, run.binding
    texts = {
        s.name: step_text(binding, s, state.values) for s in binding.runbook.places if state.outline.has_step(s.name)
    }
    undo = {step: _undo_seconds(binding, state, step) for step in state.started}
    made = Snapshot(
        seq=seq,
        at=at,
        wall=wall,
        info=run.info,
        state=state,
        texts=texts,
        headline=headline(binding, state, run.info.started),
        hosts=tuple(HostView(h.key, h.name, h.role, h.address, h.site) for h in binding.estate.every_host()),
        restored=restored_at(state, run.info.rto_until),
        turn_back_by=_turn_back_by(run.info.rto, undo),
        undo_seconds=undo,
        watchers=watchers,
        names={h.key: h.name for h in binding.estate.every_host()},
        damage=run.damage,
    )
    return lessons.taught(made, drives=False)
