"""What an auditor asks of a run besides what was done: what did not go as planned and why, what was at risk and what came of it.

Pure. It puts side by side what the record says; what the record does not say is unknown, with from and to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final

from handrail.base.clock import unstamp
from handrail.base.durations import parse_duration, show_duration
from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble
from handrail.engine import events as e
from handrail.engine.state import State
from handrail.engine.words import StepWord, Verdict, Way
from handrail.report.data import Deviation, Facts, Happening, Reason, Risk
from handrail.report.telling import guard_title, step_name
from handrail.report.words import shown

FINE: Final = "fine"
LOST: Final = "lost"
UNKNOWN: Final = "unknown"
_NONE: Final = frozenset({"", "-", "none", "0"})


# ------------------------------------------------------------------ what did not go as planned


def deviations(state: State, happenings: Sequence[Happening], facts: Facts) -> tuple[Deviation, ...]:
    """Return what did not go as planned, in order, each with the reason that was given, or what was seen."""
    found = [one for told in happenings for one in _deviations(state, told)]
    late = facts.rto and facts.restored is not None and facts.restored > facts.rto
    if late and facts.restored is not None:
        found.append(_of(None, "the target was missed", f"restored in {show_duration(facts.restored)}"))
    if facts.shortened:
        found.append(_of(None, "waits were shorter than in production", facts.shortened))
    return tuple(found)


def _deviations(state: State, told: Happening) -> Iterator[Deviation]:
    outline = state.outline
    match told.event:
        case e.RunOpened() as event if event.reason:
            yield _of(
                told, "opened although this runbook's digest was never drilled, or from another run", event.reason
            )
        case e.AttemptEnded(step=step, verdict=verdict, way=way) as event if verdict is not Verdict.PASSED:
            if way in (Way.FORWARD, Way.BACK):
                word = "failed" if verdict is Verdict.FAILED else "UNKNOWN"
                what = "the undo of " if way is Way.BACK else ""
                yield _of(
                    told, f"{what}{step_name(outline, step)}: {word}", event.detail or "its output says why", step
                )
        case e.RetryAsked(step=step):
            yield _of(told, f"{step_name(outline, step)} was sent again", "asked for", step)
        case e.BecameLate(step=step):
            yield _of(told, f"{step_name(outline, step)} was late", "a change is not ended by a clock", step)
        case e.LinkLost(step=step, why=why):
            yield _of(told, f"no link in {step_name(outline, step)}", why or "the job went on at its host", step)
        case e.StopAsked(step=step):
            yield _of(told, f"{step_name(outline, step)} was stopped", "asked for", step)
        case e.Confirmed(step=step, reason=reason) if reason:
            yield _of(told, f"{step_name(outline, step)} confirmed though a recheck could not be asked", reason, step)
        case e.Skipped(step=step, reason=reason):
            yield _of(told, f"{step_name(outline, step)} was skipped", reason, step)
        case e.Resolved(step=step, reason=reason, evidence=evidence) as event:
            words = "; ".join(part for part in (reason, evidence) if part)
            yield _of(told, f"{step_name(outline, step)}: {event.verdict.value} by a person's word", words, step)
        case e.WalkStarted(to=to, steps=steps):
            yield _of(told, f"{len(steps)} steps were undone, back to {to or 'the start'}", "asked for")
        case e.BecameOwed(owed=owed):
            yield _of(told, f"owed: {owed.what}", owed.why, owed.step)
        case e.RouteChanged() as event:
            yield _of(told, f"the route became {event.route}", event.reason)
        case e.GuardTripped(guard=guard, seen=seen):
            yield _of(told, f"guard: {guard_title(outline, guard)}", seen)
        case e.Resumed() as event if event.reason:
            yield _of(told, f"taken over by {event.by}", event.reason)
        case e.RunClosed() as event:
            yield _of(told, "closed unfinished", event.reason)


def _of(told: Happening | None, what: str, reason: str, step: str = "") -> Deviation:
    by = getattr(told.event, "by", "") if told else ""
    return Deviation(shown(what), shown(reason), shown(by), told.wall if told else None, shown(step))


def vouched(state: State, happenings: Sequence[Happening]) -> tuple[Reason, ...]:
    """Return what people did or looked at with their own hands, in their words: the answers of steps that are done by a person."""
    outline, found = state.outline, []
    for told in happenings:
        match told.event:
            case e.Answered(step=step, typed=typed) if typed and outline.has_step(step):
                if any(place.key == "person" for place in outline.step(step).places):
                    found.append((told, step, typed))
            case e.Resolved(step=step, verdict=Verdict.PASSED, reason=reason, evidence=evidence):
                found.append((told, step, "; ".join(part for part in (reason, evidence) if part)))
    return tuple(
        Reason(
            told.wall, shown(step_name(outline, step)), shown(words), shown(getattr(told.event, "by", "")), shown(step)
        )
        for told, step, words in found
    )


# ------------------------------------------------------------------ what was at risk


@dataclass(frozen=True)
class _Seen:
    """What a captured value was, when, and by which step."""

    wall: datetime
    step: str
    value: str

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names it lists; a figure alone is one."""
        words = (word for word in re.split(r"[\s,]+", self.value.strip()) if word)
        return tuple(dict.fromkeys(word for word in words if word.lower() not in _NONE))


def risks(state: State, happenings: Sequence[Happening], facts: Facts, declared: datetime | None) -> tuple[Risk, ...]:
    """Return what the header's figures told of as at risk, each fine, lost, or unknown from when to when."""
    found: list[Risk] = []
    end = happenings[-1].wall if happenings else None
    for label, name in facts.risks.items():
        seen = _captured(state, happenings, name)
        lost = name.partition(".")[0] in state.lost
        found += _each(state, label, seen, lost=lost, end=end)
        if lost:
            since = seen[-1].wall if seen else _last_copy(state, happenings, facts)
            why = "nobody could ask any more: what came meanwhile is known to the lost side alone"
            found.append(Risk(shown(label), "what came since", UNKNOWN, since, declared or end, why))
        elif not seen:
            found.append(Risk(shown(label), "all of it", UNKNOWN, _first(happenings), end, "it was never asked"))
    return tuple(found)


def _each(state: State, label: str, seen: Sequence[_Seen], *, lost: bool, end: datetime | None) -> Iterator[Risk]:
    """Yield each name that was ever told of: gone from the last list it is fine; else lost with its side, or unknown."""
    first = {name: one.wall for one in reversed(seen) for name in one.names}
    last = seen[-1] if seen else None
    for name in dict.fromkeys(name for one in seen for name in one.names):
        assert last is not None
        if name not in last.names:
            why = f"not any more, by {step_name(state.outline, last.step)}"
            yield Risk(shown(label), shown(name), FINE, first[name], last.wall, shown(why))
        elif lost:
            yield Risk(shown(label), shown(name), LOST, first[name], end, "its side is lost, and it was never copied")
        else:
            yield Risk(shown(label), shown(name), UNKNOWN, first[name], end, "it was not asked again")


def _captured(state: State, happenings: Sequence[Happening], name: str) -> list[_Seen]:
    """Return what a name was captured as: by an earlier CHECK, and by steps that stand as passed, in order."""
    role, _, key = name.partition(".")
    roles = {place.key: place.role for step in state.outline.steps for place in step.places}
    found = []
    if state.opened and state.opened.remembered_at and name in state.opened.remembered:
        found.append(_Seen(unstamp(state.opened.remembered_at), "", state.opened.remembered[name]))
    for told in happenings:
        event = told.event
        if not isinstance(event, e.HostEnded) or key not in event.result.captures:
            continue
        stands = state.outline.has_step(event.step) and state.step(event.step).word is StepWord.PASSED
        if stands and roles.get(event.result.host, event.result.host) == role:
            found.append(_Seen(told.wall, event.step, event.result.captures[key]))
    return found


def _last_copy(state: State, happenings: Sequence[Happening], facts: Facts) -> datetime | None:
    """Return when the last good copy was made, as its age was captured; else when the run began."""
    for name in facts.ages.values():
        for one in reversed(_captured(state, happenings, name)):
            try:
                return one.wall - timedelta(seconds=parse_duration(one.value))
            except Trouble:
                continue
    return _first(happenings)


def _first(happenings: Sequence[Happening]) -> datetime | None:
    return happenings[0].wall if happenings else None


def declared_at(state: State, happenings: Sequence[Happening]) -> datetime | None:
    """Return when the route that the run ends on was declared: with the run, or later."""
    changed = [told.wall for told in happenings if isinstance(told.event, e.RouteChanged)]
    return changed[-1] if changed else _first(happenings)


def outage(disrupted: str, started: datetime, restored: datetime | None) -> float | None:
    """Return the seconds from the disruption to the restoration; None where either is not known as a time.

    A person writes the first: a date with a time, or a time of day (UTC) before the start, such as "03:04Z" or "03:04".
    """
    if restored is None:
        return None
    words = disrupted.strip().upper().removesuffix("UTC").strip().removesuffix("Z")
    try:
        if re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", words):
            clock = time.fromisoformat(words.zfill(len(words) + (words.index(":") == 1)))
            since = datetime.combine(started.date(), clock, UTC)
            since -= timedelta(days=1) if since > started else timedelta()
        else:
            since = datetime.fromisoformat(words)
            since = since if since.tzinfo else since.replace(tzinfo=UTC)
    except ValueError:
        return None
    return (restored - since).total_seconds() if since <= restored else None


def next_test(happenings: Sequence[Happening]) -> str:
    """Return when the runbook is to be tested next, as somebody noted it last."""
    noted = (told.event for told in reversed(happenings) if isinstance(told.event, e.NoteMade))
    return shown(next((note.next_test for note in noted if note.next_test), ""))


def scope(state: State, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the roles with their hosts, as far as the steps name them."""
    found: dict[str, dict[str, None]] = {}
    for step in state.outline.steps:
        for place in (*step.places, *step.undo_places):
            if place.role:
                found.setdefault(place.role, {})[names.get(place.key, place.key)] = None
    lost = state.lost
    return tuple(
        shown(f"{role}{' (lost)' if role in lost else ''}: {', '.join(hosts)}") for role, hosts in sorted(found.items())
    )
