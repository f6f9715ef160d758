"""What happened at a step that stands: what came back, what it means, what to do next, what is so. Pure.

The most important stands first: where there is too little room, the end of it is scrolled to, never the meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.outline import StepOutline
from handrail.engine.results import Check, Result, did_its_part, verdict
from handrail.engine.state import Attempt, StepState, Told
from handrail.engine.words import ResultKind, StepWord, Verdict, Way
from handrail.session.view import HostView, Wrong
from handrail.tui.clocks import clock, lasted
from handrail.tui.look import mark_of
from handrail.tui.scene import Scene
from handrail.tui.step_pane import brief, check_line, result_mark
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, wrap

_LABEL = 11
_FEW = 3  # hosts whose sentences are shown whole, and that are told one by one although they answered alike
_CHECKS = 4  # that do not hold, of one host

_MEANS: Final = {
    ResultKind.UNREACHABLE: "It could not be spoken to, so nothing was sent there.",
    ResultKind.REFUSED: "What has to be so beforehand was not so: nothing was sent.",
    ResultKind.LOST: "The host cannot say how it ended. It may have been done.",
    ResultKind.TIMED_OUT: "It gave no answer in its time and was ended. It only reads.",
    ResultKind.SIGNALLED: "Something on the host ended it: memory, a reboot, a person.",
    ResultKind.STOPPED: "It was stopped here, and is proven gone at the host.",
    ResultKind.STOP_UNPROVEN: "It was to be stopped; nobody knows whether it has ended.",
}
_NEXT: Final = {
    "retry": "sends it again where it did not pass",
    "attach": "asks the host what became of its job; nothing is started",
    "probe": "asks the host what is so; nothing is sent that changes",
    "check": "asks its checks again; nothing is sent that changes",
    "declare": "declares the emergency: the run goes on without {gone}",
    "wait": "waits: {gone} is asked again and again, nothing else is sent",
    "undo": "shows the way back",
}
_UNKNOWN: Final = frozenset({StepWord.UNKNOWN, StepWord.UNDO_UNKNOWN})
_NOT_SURE: Final = frozenset({"don't know", "unknown"})


def head(scene: Scene, step: StepOutline, width: int) -> Line:
    """Return the first row: which step, how it stands, how much of it passed."""
    mark = mark_of(scene.state, step)
    words = row(
        ink("  "), ink(mark.word, mark.ink), ink(f"  {_count(step, scene.state.step(step.id).attempt)}", Ink.DIM)
    )
    name = row(" ", ink(scene.look.glyph(mark), mark.ink), " ", ink(step.name, mark.ink))
    return fit(fit(name, min(name.width, max(20, width - words.width))) + words, width)


def facts(
    scene: Scene, step: StepOutline, width: int, proposed: str = "", key: str = "", *, room: int = 99
) -> list[Line]:
    """Return what is known below the head, most important first; `proposed` is the choice that is marked, by its verb.

    Where `room` rows do not hold it all, what happened is told in short first, so that meaning and next step stay in view.
    """
    now = scene.state.step(step.id)
    whole = _came_back(scene, now, width)
    guide = told(scene, now, width)
    guide += _labelled("Means", means(scene, step), width)
    guide += _labelled("Next", _next(scene, step, proposed, key), width, Ink.ACCENT)
    rest = silent(scene, width)
    rest += _labelled("Sent", _sent(scene, step), width)
    rest += _labelled("State", _stands(scene, step), width)
    if scene.state.owed:
        owed = scene.named("; ".join(o.what for o in scene.state.owed))
        rest += _labelled("Owed", owed, width, Ink.WARNING)
    if len(whole) + len(guide) + len(rest) <= room or len(whole) + len(guide) < room:
        return [*whole, *guide, *rest]
    short = _came_back(scene, now, width, 1)[: max(1, room - 1 - len(guide))]
    return [*short, *guide, *(whole if len(whole) > len(short) else []), *rest]


def _labelled(label: str, words: str, width: int, how: Ink = Ink.TEXT) -> list[Line]:
    return hang(ink(f"   {label}", Ink.DIM), words, width - 1, at=_LABEL, how=how) if words else []


def _came_back(scene: Scene, now: StepState, width: int, most: int = 0) -> list[Line]:
    """Return what the hosts answered; what could not even be made ready has its sentence instead."""
    attempt = now.attempt
    if attempt is not None and attempt.results and not _nothing_sent(now.detail):
        return _results(scene, attempt, width, most)
    return [row("   ", line) for line in wrap(scene.named(now.detail), width - 4, most=2 * most)]


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


def _results(scene: Scene, attempt: Attempt, width: int, most: int) -> list[Line]:
    """Return what each host answered, those that did not pass first; many that answered alike are told together."""
    came = [attempt.results[host] for host in attempt.hosts if host in attempt.results]
    ordered = sorted(came, key=lambda result: verdict(result) is Verdict.PASSED)
    wrong = sum(verdict(result) is not Verdict.PASSED for result in ordered)
    alike: dict[_Answer, list[str]] = {}
    for result in ordered:
        alike.setdefault(_answer(result), []).append(scene.host(result.host))
    alone = [scene.host(r.host) for r in ordered if len(alike[_answer(r)]) <= _FEW]
    wide = min(20, max(map(len, [*alone, *(_how_many(hosts) for hosts in alike.values() if len(hosts) > _FEW)])))
    rows = most if wrong <= _FEW else 1
    lines: list[Line] = []
    for result in ordered:
        hosts = alike[_answer(result)]
        if len(hosts) <= _FEW:
            lines += _result(scene, scene.host(result.host), result, width, wide, rows)
        elif hosts[0] == scene.host(result.host):
            lines += _result(scene, _how_many(hosts), result, width, wide, rows)
            named = 1 if verdict(result) is Verdict.PASSED else most
            lines += hang(EMPTY, ", ".join(hosts), width - 1, at=wide + 6, how=Ink.DIM, most=named)
    return lines


_Answer = tuple[Verdict, str, tuple[Check, ...]]


def _answer(result: Result) -> _Answer:
    """Return what makes two hosts' answers alike on the screen."""
    return verdict(result), brief(result), _unmet(result)


def _unmet(result: Result) -> tuple[Check, ...]:
    return tuple(check for check in result.checks if check.holds is not True)[:_CHECKS]


def _how_many(hosts: list[str]) -> str:
    return f"{len(hosts)} hosts"


def _result(scene: Scene, name: str, result: Result, width: int, wide: int, most: int) -> list[Line]:
    """Return one answer, with every check that does not hold; each on `most` rows, or as many as it needs (0)."""
    mark = result_mark(result)
    label = row("   ", fit(ink(name, Ink.BOLD), wide), " ", ink(scene.look.glyph(mark), mark.ink), " ")
    lines = hang(label, scene.named(brief(result)), width - 1, at=label.width, most=most)
    for check in _unmet(result):
        lines += [row("   ", line) for line in check_lines(check_line(scene, check), width - 4, most=most)]
    return lines


def check_lines(line: Line, width: int, most: int) -> list[Line]:
    """Return a check on as many rows as it needs (0), or on `most`."""
    if line.width <= width:
        return [line]
    mark, words = Line(line.spans[:-1]), line.spans[-1]
    return hang(mark, words.text, width, at=mark.width, how=words.ink, most=most)


def means(scene: Scene, step: StepOutline) -> str:
    """Return what the runbook says such an answer means, else what its kind means."""
    now = scene.state.step(step.id)
    found = _wrong(scene, step)
    if found is not None:
        return found.means
    results = [r for r in (now.attempt.results.values() if now.attempt else ()) if verdict(r) is not Verdict.PASSED]
    if not results or _nothing_sent(now.detail):
        return "It could not be made ready: nothing was sent." if _nothing_sent(now.detail) else ""
    gone = names_of(scene.away)
    if gone and not any(r.sent for r in results):
        return f"{gone} does not answer, so nothing was sent."
    worst = next((r for r in results if verdict(r) is Verdict.UNKNOWN), results[0])
    if worst.kind in _MEANS:
        return _MEANS[worst.kind]
    if verdict(worst) is Verdict.UNKNOWN:
        return "The command did its part; what has to be true after it could not be asked."
    if not did_its_part(worst):
        return "The command itself says that it failed; its output says why."
    return "The command did its part; what has to be true after it is not."


def _wrong(scene: Scene, step: StepOutline) -> Wrong | None:
    attempt = scene.state.step(step.id).attempt
    results = list(attempt.results.values()) if attempt else []
    return next((w for w in scene.text(step.id).wrong if any(w.fits(r) for r in results)), None)


def _next(scene: Scene, step: StepOutline, proposed: str, key: str) -> str:
    """Return what to do: what the runbook says, and what the marked choice does."""
    found = _wrong(scene, step)
    gone = names_of(scene.away)
    now = scene.state.step(step.id)
    does = _NEXT.get(proposed, "").format(gone=gone or "the role that is lost")
    if proposed == "retry" and now.word in order.UNDO_STANDS:
        does = "sends its undo again"
    if now.word in _UNKNOWN and now.told is not None and now.told.answer in _NOT_SURE:
        return "look at the host yourself, then say what is true: m it was done, d it was not"
    parts = [found.next if found is not None else "", f"{key} {does}" if does else ""]
    return ". ".join(part.rstrip(".") for part in parts if part)


def names_of(hosts: Iterable[HostView]) -> str:
    """Return hosts by name, the first few."""
    names = [host.name for host in hosts]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def silent(scene: Scene, width: int) -> list[Line]:
    """Return since when the hosts it waits for do not answer, and when they were asked last."""
    lines: list[Line] = []
    for host in scene.away[:3]:
        since = host.away if host.away is not None else scene.at
        words = f"{host.name}, since {scene.time_of_day(since)} ({clock(scene.at - since)})"
        if host.asked is not None:
            words += f"; asked again {max(0.0, scene.at - host.asked):.0f} s ago"
        lines += _labelled("Silent", words, width, Ink.WARNING)
    return lines


def told(scene: Scene, now: StepState, width: int) -> list[Line]:
    """Return what the last probe or check answered, and when; that one is under way."""
    if now.asking is not None:
        return _labelled("Asked", "just now; the answer is still to come", width, Ink.CALM)
    return _labelled("Asked", told_words(scene, now.told), width, Ink.BOLD) if now.told else []


def told_words(scene: Scene, said: Told) -> str:
    """Return what a probe or check answered, and when: "03:12:07Z, the probe says: not done: ..."."""
    what = "the checks say" if said.way is Way.CHECK else "the probe says"
    seen = f": {scene.named(said.seen)}" if said.seen else ""
    return f"{scene.time_of_day(said.at)}, {what}: {said.answer}{seen}"


def _sent(scene: Scene, step: StepOutline) -> str:
    now = scene.state.step(step.id)
    attempt = now.attempt
    if attempt is None or _nothing_sent(now.detail):
        return "nothing"
    when = f"at {scene.time_of_day(attempt.started)}"
    if not step.changes:
        asked = [scene.host(h) for h in attempt.hosts]
        return f"{when} to {', '.join(asked[:4])}{' and more' if len(asked) > 4 else ''}; it only reads"
    hosts = [scene.host(h) for h in attempt.hosts if h not in attempt.results or attempt.results[h].sent]
    return f"{when} to {', '.join(hosts[:4])}{' and more' if len(hosts) > 4 else ''}" if hosts else "nothing"


def _stands(scene: Scene, step: StepOutline) -> str:
    changed = [s for s in ends.stays_changed(scene.state) if s.id != step.id]
    if not changed:
        return "nothing else stands changed"
    first, *rest = changed
    more = f", and {len(rest)} more ({', '.join(s.number for s in rest[:6])})" if rest else ""
    return f"stands changed: {first.name}{more}"
