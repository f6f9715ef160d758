"""FAILED, UNKNOWN and UNDO FAILED: what happened, what is so, and what can be done about it. Pure."""

from __future__ import annotations

import re
from contextlib import suppress

from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.outline import StepOutline
from handrail.engine.results import Result, verdict
from handrail.engine.state import Attempt
from handrail.engine.words import StepWord, Verdict, Way
from handrail.session.view import Wrong
from handrail.tui.choices import Choice
from handrail.tui.clocks import clock, lasted
from handrail.tui.keys import Keys, shown
from handrail.tui.look import mark_of
from handrail.tui.scene import Scene
from handrail.tui.step_pane import brief, check_line, result_mark
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, wrap

VERBS = ("retry", "probe", "check", "by-hand", "not-done", "skip", "owe", "leave-undo", "undo", "declare")
_UNDOING = frozenset({StepWord.UNDO_FAILED, StepWord.UNDO_UNKNOWN})
_LABEL = 13


def choices(scene: Scene, keys: Keys) -> list[Choice]:
    """Return the menu: every offer that a standing step has, granted or with its refusal."""
    found: list[Choice] = []
    offered = {o.verb for o in scene.offers if o.granted and o.verb in ("retry", "probe")}
    for verb in VERBS:
        offer = scene.offer(verb)
        if offer is None:
            continue
        key = keys.key("decide", verb)
        why = _short(scene, scene.why_not(verb))
        note = "shows the plan first" if verb == "undo" else _wants(offer.wants)
        proposed = offer.proposed and offer.granted
        if verb == "probe" and "retry" in offered and not offer.proposed:
            proposed = False
        note = "proposed" if proposed else note
        found.append(Choice(verb, shown(key.keys[0]) if key else " ", _label(verb, offer.label), note, why, proposed))
    return sorted(found, key=lambda choice: not choice.proposed)


def _short(scene: Scene, why: str) -> str:
    """Return a refusal without the name of the step, which stands above."""
    step = order.standing(scene.state)
    return why.removeprefix(step.name).lstrip(" ") if step else why


def _label(verb: str, label: str) -> str:
    return {
        "retry": label.split(" ")[0] + (" the undo" if "undo of" in label else " where it did not pass"),
        "skip": "Skip it",
        "by-hand": "Mark as done by hand",
    }.get(verb, label)


def _wants(wants: tuple[str, ...]) -> str:
    return f"asks for {' and '.join(wants)}" if wants else ""


def facts(scene: Scene, step: StepOutline, width: int) -> list[Line]:
    """Return what happened: host by host, what it means, what was sent, what stands changed."""
    now = scene.state.step(step.id)
    mark = mark_of(scene.state, step)
    head = row(" ", ink(scene.look.glyph(mark), mark.ink), " ", ink(f"{step.name}  {mark.word}", mark.ink))
    attempt = now.attempt
    lines = [fit(row(head, ink(f"  {_count(step, attempt)}", Ink.DIM)), width), EMPTY]
    if attempt is not None and attempt.results and not _nothing_sent(now.detail):
        lines += _results(scene, attempt, width)
    elif now.detail:
        lines += [row("   ", line) for line in wrap(scene.named(now.detail), width - 4, Ink.TEXT, 4)]
    lines.append(EMPTY)
    means = _means(scene, step, attempt)
    if means:
        lines += hang(ink("   Means", Ink.DIM), means, width - 1, at=_LABEL, most=3)
    lines += hang(ink("   Sent", Ink.DIM), _sent(scene, step), width - 1, at=_LABEL, most=2)
    told = any(now.detail.endswith(r.sentence) for r in attempt.results.values()) if attempt else False
    if now.detail and not told:
        lines += hang(ink("   Known", Ink.DIM), scene.named(now.detail), width - 1, at=_LABEL, most=3)
    lines += hang(ink("   State", Ink.DIM), _stands(scene, step), width - 1, at=_LABEL, most=2)
    if scene.state.owed:
        owed = scene.named("; ".join(o.what for o in scene.state.owed))
        lines += hang(ink("   Owed", Ink.DIM), owed, width - 1, at=_LABEL, how=Ink.WARNING, most=2)
    return lines


def _nothing_sent(detail: str) -> bool:
    return detail.startswith("nothing was sent")


def _count(step: StepOutline, attempt: Attempt | None) -> str:
    if attempt is None or not attempt.results:
        return ""
    passed = sum(verdict(r) is Verdict.PASSED for r in attempt.results.values())
    if len(attempt.hosts) == 1:
        return f"after {lasted((attempt.ended or attempt.started) - attempt.started)}"
    need = f"{step.need} needed" if step.need and attempt.way is Way.FORWARD else "all needed"
    return f"{passed} of {len(attempt.hosts)} passed, {need}"


def _results(scene: Scene, attempt: Attempt, width: int) -> list[Line]:
    lines: list[Line] = []
    names = max((len(scene.host(h)) for h in attempt.results), default=0)
    for host, result in attempt.results.items():
        mark = result_mark(result)
        label = row("   ", ink(scene.host(host), Ink.BOLD), " " * (min(names, 20) - len(scene.host(host)) + 1))
        label = row(label, ink(scene.look.glyph(mark), mark.ink), " ")
        lines += hang(label, brief(result), width - 1, at=label.width, most=2)
        wrong = [c for c in result.checks if c.holds is not True]
        lines += [fit(row("   ", check_line(scene, c)), width) for c in wrong[:4]]
    return lines


def _means(scene: Scene, step: StepOutline, attempt: Attempt | None) -> str:
    """Return what the runbook says such an answer means."""
    text = scene.text(step.id)
    results = list(attempt.results.values()) if attempt else []
    for wrong in text.wrong:
        if any(_matches(wrong, r) for r in results):
            return wrong.means + (f" Next: {wrong.next}" if wrong.next else "")
    return ""


def _matches(wrong: Wrong, result: Result) -> bool:
    if wrong.match:
        said = "\n".join((result.sentence, result.detail, *(check.seen for check in result.checks)))
        with suppress(re.error):
            return verdict(result) is not Verdict.PASSED and re.search(wrong.match, said) is not None
    codes = re.findall(r"\d+", wrong.when) if wrong.when.startswith("exit") else []
    return result.exit is not None and str(result.exit) in codes and verdict(result) is not Verdict.PASSED


def _sent(scene: Scene, step: StepOutline) -> str:
    now = scene.state.step(step.id)
    attempt = now.attempt
    if attempt is None or _nothing_sent(now.detail):
        return "nothing was sent"
    if not step.changes:
        asked = [scene.host(h) for h in attempt.hosts]
        more = " and more" if len(asked) > 4 else ""
        return f"at T+ {clock(attempt.started)} to {', '.join(asked[:4])}{more}; it only reads"
    hosts = [scene.host(h) for h in attempt.hosts if h not in attempt.results or attempt.results[h].sent]
    if not hosts:
        return "nothing was sent"
    return f"at T+ {clock(attempt.started)} to {', '.join(hosts[:4])}{' and more' if len(hosts) > 4 else ''}"


def _stands(scene: Scene, step: StepOutline) -> str:
    changed = [s.name for s in ends.stays_changed(scene.state) if s.id != step.id]
    if not changed:
        return "nothing else stands changed"
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    return f"stands changed: {', '.join(changed[:3])}{more}"
