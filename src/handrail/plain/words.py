"""The lines of the plain front end: what changed between two snapshots, in words. Pure; everything it returns is safe text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from handrail.base.durations import show_clock, show_duration
from handrail.base.safe import Safe, safe
from handrail.engine import order
from handrail.engine.offers import Offer
from handrail.engine.order import BUSY
from handrail.engine.outline import StepOutline
from handrail.engine.results import Gate, verdict
from handrail.engine.state import State, StepState
from handrail.engine.words import How, Line, StepWord, Verdict, Way
from handrail.session.parting import parting
from handrail.session.view import Relief, Snapshot

WORDS: Final[Mapping[StepWord, str]] = {
    StepWord.PENDING: "to come",
    StepWord.AWAITING: "CONFIRM",
    StepWord.RUNNING: "now",
    StepWord.PASSED: "done",
    StepWord.FAILED: "FAILED",
    StepWord.UNKNOWN: "UNKNOWN",
    StepWord.SKIPPED: "skipped",
    StepWord.UNDOING: "undoing",
    StepWord.UNDO_FAILED: "UNDO FAILED",
    StepWord.UNDO_UNKNOWN: "UNDO UNKNOWN",
    StepWord.OWED: "owed",
}


def opening(shown: Snapshot) -> Iterator[Safe]:
    """Yield the first lines of a run."""
    info, state = shown.info, shown.state
    emergency = " EMERGENCY" if state.emergency else ""
    yield safe(f"{info.mode.value}{emergency} {info.estate}. {info.runbook}: {info.title}. Route {state.route}.")
    if info.simulated:
        yield safe(f"The estate is simulated ({info.simulated}); nothing real is touched.")
    if info.scenario:
        yield safe(f"Scenario: {info.scenario}. {info.told}".rstrip())
    if info.shortened:
        yield safe(f"Waits are shortened: {info.shortened}.")
    yield safe(f"Run {info.run}, recorded in {info.folder}. You are {info.operator}.")
    if info.reason:
        yield safe(f"Reason given: {info.reason}")
    if state.notes:
        yield safe(f"Last note, by {state.notes[-1].by}: {state.notes[-1].text}")
    yield from damage(shown)


def scenario(shown: Snapshot) -> Iterator[Safe]:
    """Yield what a drill's scenario was, how its end was judged, and what a good operator does; once it has told."""
    told = shown.state.scenario
    if told is None:
        return
    yield safe(f"SCENARIO {told.name}: {told.title}. Par {show_clock(told.par)}.")
    yield from (safe(f"What happened: {act}") for act in told.acts)
    for check in told.checks:
        yield safe(f"{'as it should be' if check.holds else 'NOT SO'}: {check.what} ({check.seen})")
    yield safe(f"A good operator: {told.good}")


def damage(shown: Snapshot) -> Iterator[Safe]:
    """Yield what is wrong with the record, where something is."""
    if shown.damage:
        yield safe(f"THE RECORD IS NOT WHOLE: {shown.damage}. What follows is what stands before that.")


def changes(before: State | None, shown: Snapshot) -> Iterator[Safe]:
    """Yield a line for everything that is different from an earlier state."""
    state = shown.state
    found: list[tuple[float, Safe]] = []
    for step, now in state.walked():
        was = before.step(step.id) if before else StepState()
        found += [(_moment(now), line) for line in _step(shown, step, was, now)]
    yield from (line for _, line in sorted(found, key=lambda one: one[0]))
    yield from _run(before, state)


def _moment(now: StepState) -> float:
    """Return when a step last began or ended something: lines are told in the order in which things happened."""
    attempt = now.attempt
    if attempt is None:
        return 0.0
    return attempt.started if attempt.ended is None or now.word in BUSY else attempt.ended


def _step(shown: Snapshot, step: StepOutline, was: StepState, now: StepState) -> Iterator[Safe]:
    if now.word is not was.word or len(now.attempts) != len(was.attempts):
        yield safe(_word_line(shown, step, now))
        if now.word is StepWord.PASSED and now.attempt:
            checks = (check for result in now.attempt.results.values() for check in result.checks)
            yield from (safe(f"warning at {step.number}: {check.warn}") for check in checks if check.warn)
    for host, since in now.no_link.items():
        if host not in was.no_link:
            yield safe(
                f"no link to {_name(shown, host)} since T+{show_clock(since)}: the job goes on there, asking again"
            )
    for host in was.no_link:
        if host not in now.no_link and now.word in BUSY:
            yield safe(f"link to {_name(shown, host)} is back")
    if now.told and now.told != was.told:
        asked = "checks" if now.told.way is Way.CHECK else "probe"
        seen = f": {now.told.seen}" if now.told.seen else ""
        yield safe(f"asked {step.name} at T+{show_clock(now.told.at)}, the {asked}: {now.told.answer}{seen}")
    if now.late and not was.late:
        yield safe(f"late: {step.name} is past its time; it is not ended by a clock. Wait, or stop it.")
    if now.differs and now.differs != was.differs:
        yield safe(f"differs since it passed: {step.name}: {now.differs}")
    if now.question and now.question != was.question:
        yield safe(f"your turn: {now.question.text}")
        for name in now.question.names:
            yield safe(f"  {name}")


def proposal(shown: Snapshot, proposed: Offer | None) -> str:
    """Return what is proposed at a step that stands; who does not answer is named first."""
    gone = [h for h in shown.hosts if h.away is not None and h.key in shown.waits_for]
    silent = "".join(f"{h.name} does not answer since T+{show_clock(h.away or 0.0)}. " for h in gone[:3])
    if proposed is not None:
        return f"{silent}proposed: {proposed.label}"
    return (
        f"{silent}It is asked again every 5 s, nothing else is sent: wait, or decide" if gone else "proposed: see menu"
    )


def _word_line(shown: Snapshot, step: StepOutline, now: StepState) -> str:
    word = "undone" if now.undone and now.word is StepWord.PENDING else WORDS[now.word]
    line = f"{word} {step.name}"
    text = shown.texts.get(step.id)
    if now.word in BUSY and text and text.where:
        line += f" on {text.where}"
    if now.how in (How.ALREADY, How.BY_HAND, How.CHECKED):
        line += f", {now.how.value}"
    if now.detail:
        line += f": {now.detail}"
    if now.reason:
        line += f" ({now.reason})"
    attempt = now.attempt
    if attempt and attempt.ended is not None and now.word not in BUSY:
        line += f" [{show_duration(max(0.0, attempt.ended - attempt.started))}]"
    return line


def _run(before: State | None, state: State) -> Iterator[Safe]:
    if before is None:
        return
    if state.route != before.route:
        yield safe(f"EMERGENCY declared: {state.emergency}" if state.emergency else f"route is {state.route} again")
    known = {o.id for o in before.owed}
    for owed in state.owed:
        if owed.id not in known:
            yield safe(f"owed: {owed.what} ({owed.why}). Settle it with: settle {owed.id}")
    for item, said in state.settled[len(before.settled) :]:
        yield safe(f"settled: {item.what} ({said})")
    for guard in state.outline.guards:
        if guard.id in state.tripped and guard.id not in before.tripped:
            yield safe(f"GUARD {guard.title}: {state.tripped[guard.id]}. {guard.means}")
        if guard.id not in state.tripped and guard.id in before.tripped:
            yield safe(f"guard {guard.title}: not any more")
    if state.walk and not before.walk:
        count = len(state.walk.steps)
        yield safe(f"undo of {count} step{'s' * (count != 1)}, newest first")
    if before.walk and not state.walk:
        yield safe("undo is at its target: pause point" if not state.started else "undo ended: pause point")
    if state.claim_refused and state.claim_refused != before.claim_refused:
        yield safe(f"refused: the estate is claimed by {state.claim_refused}")
    if state.halted and not before.halted:
        yield safe(
            f"HALTED by {state.halted.by}, who instructs: {state.halted.why}. What runs ends; nothing else begins"
        )
    if before.halted and not state.halted:
        yield safe(f"{before.halted.by} lets it go on")
    for card in state.cards[len(before.cards) :]:
        yield safe(f"MESSAGE from {card.by}: {card.says} (type: answer TEXT)")
    for card_id, answer in state.answers.items():
        if card_id not in before.answers:
            yield safe(f"answered: {answer.words}")
    for note in state.notes[len(before.notes) :]:
        yield safe(f"note by {note.by}: {note.text}")


def relief(before: Relief | None, now: Relief | None, at: float) -> Iterator[Safe]:
    """Yield who asks for this run, when that is news."""
    if now is None:
        if before is not None:
            yield safe(f"{before.who} does not ask for this run any more")
    elif before is None or before.id != now.id:
        note = f': "{now.note}"' if now.note else ""
        left = max(0.0, now.until - at)
        yield safe(f"ASKED FOR THIS RUN by {now.who} on {now.host}{note}")
        yield safe(f"type: handover [now] [NOTE], or decline WORDS; unanswered, they may take it in {left:.0f} s")
    elif now.handing and not before.handing:
        yield safe(f"handing over to {now.who} once this step has ended")


def gate_lines(shown: Snapshot, step: StepOutline, gate: Gate) -> Iterator[Safe]:
    """Yield the confirmation in words: now, then, where, undo, what stays, and what was rechecked."""
    stage = shown.state.outline.stage(step.stage)
    line = f" {stage.line.value.upper()}." if stage.line else ""
    emergency = " emergency" if shown.state.emergency else ""
    yield safe(f"{shown.info.mode.value} {shown.info.estate}{emergency}. CONFIRM {step.name}.{line}")
    rows = (
        ("change", gate.what),
        ("now   ", gate.now),
        ("then  ", gate.then),
        ("where ", gate.where),
        ("undo  ", gate.undo),
        ("stays ", gate.stays),
    )
    for label, value in rows:
        if value:
            yield safe(f"  {label} {value}")
    for proof in gate.proofs:
        yield safe(f"  note   {proof}")
    for recheck in gate.rechecks:
        word = {True: "holds", False: "DOES NOT HOLD", None: "could not ask"}[recheck.holds]
        age = max(0.0, shown.at - recheck.at)
        yield safe(f"  {word}: {recheck.title}: {recheck.seen} ({age:.0f} s ago)")
    if gate.blocked:
        yield safe(f"  closed: {gate.blocked}")


def failure_lines(shown: Snapshot, step: StepOutline) -> Iterator[Safe]:
    """Yield what is known of a step that stands: each host, what it means, what was sent."""
    now, text = shown.state.step(step.id), shown.texts.get(step.id)
    attempt = now.attempt
    for host, result in (attempt.results if attempt else {}).items():
        mark = {Verdict.PASSED: "passed", Verdict.FAILED: "FAILED", Verdict.UNKNOWN: "UNKNOWN"}[verdict(result)]
        yield safe(f"  {_name(shown, host)}: {mark}: {result.sentence}")
    for wrong in text.wrong if text else ():
        yield safe(f"  if it {wrong.when}: {wrong.means}" + (f" Next: {wrong.next}" if wrong.next else ""))
    sent = ", ".join(_name(shown, h) for h in sorted(now.touched))
    yield safe(f"  sent: {sent}" if sent else "  sent: nothing that changes")


def _name(shown: Snapshot, host: str) -> str:
    return shown.names.get(host, host)


def ending(shown: Snapshot, outcome: str) -> Iterator[Safe]:
    """Yield the last lines of a run."""
    state = shown.state
    yield safe(f"{outcome.upper()} {shown.info.runbook} after {show_clock(shown.at)}.")
    moved = next((stage for stage in state.outline.stages if stage.line is Line.CLIENTS_MOVE), None)
    if moved and order.next_step(state) is None:
        yield safe(f"Clients verified: every step after CLIENTS MOVE (stage {moved.name}) has passed.")
    if shown.restored is not None:
        target = f", target {show_duration(shown.info.rto)}" if shown.info.rto else ""
        yield safe(f"Restored in {show_duration(shown.restored)}{target}.")
    yield from parting(shown)
