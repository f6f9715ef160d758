"""The middle of the run screen: the step one looks at, what was sent, what came back, and what a stage would do. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from handrail.engine import order
from handrail.engine.outline import StageOutline, StepOutline
from handrail.engine.results import Check, Result, verdict
from handrail.engine.state import Attempt, StepState
from handrail.engine.words import StepWord, UndoKind, Verdict, Way
from handrail.session.view import LiveHost
from handrail.tui.clocks import clock, lasted, silence
from handrail.tui.doing import ended_how
from handrail.tui.look import LINES, Mark, mark_of
from handrail.tui.scene import Scene
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, rule, spread, wrap

_BARS = 12
_SILENT = 100
_MANY = 10  # hosts, of which a screen shows all


def step_head(scene: Scene, step: StepOutline, width: int, *, roomy: bool) -> list[Line]:
    """Return what a step is: name, place and time; why; how far it is; the exact command, pinned above its output."""
    now, text = scene.state.step(step.id), scene.text(step.id)
    mark = mark_of(scene.state, step)
    word = ink(f"  {mark.word}", mark.ink) if mark not in (Mark.TO_COME, Mark.NOW) else EMPTY
    head, took = row(" ", ink(step.name, Ink.BOLD), word), _time(scene, now)
    right = "  ".join(part for part in (text.where, took) if part)
    if head.width + len(right) + 2 > width:
        right = took
    lines = [spread(head, ink(f"{right} ", Ink.DIM), width)]
    if text.why:
        lines += hang(ink(" Why: ", Ink.DIM), text.why, width - 1, at=6, how=Ink.DIM, most=3 if roomy else 1)
    if text.hidden:
        lines.append(ink(" Its commands are hidden until you ask: h", Ink.MUTED))
    lines += _said(scene, now, width)
    lines += _progress(scene, step, width)
    commands = _commands(scene, step, now)
    if commands:
        lines += command_rows(commands, width, most=6 if roomy else 2)
    return lines


def _time(scene: Scene, now: StepState) -> str:
    attempt = now.attempt
    if attempt is None:
        return ""
    tries = f"try {len(now.attempts)}  " if len([a for a in now.attempts if a.way is attempt.way]) > 1 else ""
    return tries + clock((attempt.ended if attempt.ended is not None else scene.at) - attempt.started)


def _said(scene: Scene, now: StepState, width: int) -> list[Line]:
    """Return what a step came to, and what differs since."""
    lines: list[Line] = []
    how = ended_how(now.how)
    if now.word is StepWord.PASSED and how and how != "ran":
        by = f" by {now.by}" if now.by else ""
        lines += wrap(f" {how}{by}{': ' + now.reason if now.reason else ''}", width - 1, Ink.WARNING, 2)
    if now.word is StepWord.SKIPPED:
        lines += wrap(f"skipped: {now.reason}", width - 2, Ink.MUTED, 2)
    if now.detail and now.word is not StepWord.PASSED:
        lines += wrap(scene.named(now.detail), width - 2, Ink.WARNING, 3)
    if now.differs:
        lines += wrap(scene.named(f"differs now: {now.differs}"), width - 2, Ink.LOUD, 2)
    return [row(" ", line) for line in lines]


def _commands(scene: Scene, step: StepOutline, now: StepState) -> tuple[str, ...]:
    attempt = now.attempt
    if attempt and attempt.commands:
        return attempt.commands
    return scene.text(step.id).commands


def command_rows(commands: tuple[str, ...], width: int, most: int) -> list[Line]:
    """Return commands as they would be typed, at most `most` rows."""
    rows = [line for command in commands for line in command.split("\n")]
    shown = [row(ink(" $ " if at == 0 else "   ", Ink.KEY), ink(line)) for at, line in enumerate(rows[:most])]
    if len(rows) > most:
        shown[-1] = spread(fit(shown[-1], width - 14), ink(f"{len(rows) - most} more: p ", Ink.MUTED), width)
    return [fit(line, width) for line in shown]


def _progress(scene: Scene, step: StepOutline, width: int) -> list[Line]:
    live = scene.live(step.id)
    if not (live.text or live.total):
        return _answered(scene.state.step(step.id).attempt, width)
    parts: list[Line | str] = [" "]
    if live.total:
        parts += [*_bar(live.done / live.total), f" {live.done:g} of {live.total:g}"]
    if live.text:
        parts += ["  " if live.total else "", live.text]
    lines = [fit(row(*parts), width)]
    if live.silent:
        names = ", ".join(live.silent[:_SILENT])  # as many as two rows hold, of perhaps a hundred thousand
        lines += hang(ink(" silent: ", Ink.DIM), names, width - 1, at=9, how=Ink.WARNING, most=2)
    return lines


def _answered(attempt: Attempt | None, width: int) -> list[Line]:
    """Return how many of many hosts have answered: fewer stand in the list below, one by one."""
    if attempt is None or attempt.ended is not None or len(attempt.hosts) <= _MANY:
        return []
    wrong = sum(verdict(result) is not Verdict.PASSED for result in attempt.results.values())
    words = f" {len(attempt.results)} of {len(attempt.hosts)} hosts have answered"
    doubt = ink(f", {wrong} did not pass", Ink.WARNING) if wrong else EMPTY
    return [fit(row(" ", *_bar(len(attempt.results) / len(attempt.hosts)), words, doubt), width)]


def _bar(share: float) -> list[Line]:
    full = max(0, min(_BARS, int(_BARS * share)))
    return [ink("█" * full, Ink.CALM), ink("░" * (_BARS - full), Ink.MUTED)]


def checks(scene: Scene, step: StepOutline, width: int, most: int) -> list[Line]:
    """Return what came back, host by host, with every check; while it runs, how long it has been silent."""
    now = scene.state.step(step.id)
    attempt = now.attempt
    lines: list[Line] = []
    left = 0  # lines that are counted and not made: there may be a thousand hosts
    if attempt is not None:
        asked = scene.live(step.id).hosts
        for host in sorted(attempt.hosts, key=lambda h: _turn(attempt.results.get(h), asked.get(h))):
            if len(lines) > most > 0:
                left += _height(attempt, host, now.no_link, asked.get(host))
            else:
                lines += _host(scene, step, attempt, host, width)
        several = asked.get("")
        if several is not None and several.tries and attempt.ended is None:
            lines += _asked_again(scene, several, "its checks", width)
    if len(lines) > most > 0:
        left += len(lines) - most + 1
        lines = [*lines[: most - 1], ink(f"   and {left} more lines: l shows all", Ink.MUTED)]
    return [fit(line, width) for line in lines]


def _turn(result: Result | None, live: LiveHost | None) -> int:
    """Return where a host stands among the others: first what did not pass, then what is asked again, then all others."""
    if result is not None and verdict(result) is not Verdict.PASSED:
        return 0
    return 1 if result is None and live is not None and live.tries else 2


def _height(attempt: Attempt, host: str, no_link: Mapping[str, float], live: LiveHost | None) -> int:
    """Return how many lines `_host` makes of a host."""
    result = attempt.results.get(host)
    if result is not None:
        return 1 + len(result.checks)
    if attempt.ended is not None:
        return 0
    return 2 if host not in no_link and live is not None and live.tries and live.text else 1


def _host(scene: Scene, step: StepOutline, attempt: Attempt, host: str, width: int) -> list[Line]:
    result = attempt.results.get(host)
    if result is None:
        return _waiting(scene, step, host, width) if attempt.ended is None else []
    mark = result_mark(result)
    lines = [
        row(" ", ink(scene.look.glyph(mark), mark.ink), " ", ink(scene.host(host), Ink.BOLD), f"  {brief(result)}")
    ]
    return lines + [check_line(scene, check) for check in result.checks]


def brief(result: Result) -> str:
    """Return a result's sentence without the checks, which stand below it."""
    return Result(**{**result.__dict__, "checks": ()}).sentence


def check_line(scene: Scene, check: Check) -> Line:
    """Return a check in one line."""
    mark = {True: Mark.DONE, False: Mark.FAILED, None: Mark.UNKNOWN}[check.holds]
    seen = f": {check.seen}" if check.seen else (": could not be asked" if check.holds is None else "")
    how = Ink.DIM if check.holds else mark.ink
    return row("   ", ink(scene.look.glyph(mark), mark.ink), " ", ink(check.what + seen, how))


def result_mark(result: Result) -> Mark:
    """Return how one host's answer is shown."""
    return {Verdict.PASSED: Mark.DONE, Verdict.FAILED: Mark.FAILED, Verdict.UNKNOWN: Mark.UNKNOWN}[verdict(result)]


def _waiting(scene: Scene, step: StepOutline, host: str, width: int) -> list[Line]:
    now, live = scene.state.step(step.id), scene.live(step.id).hosts.get(host)
    gone = now.no_link.get(host)
    if gone is not None:
        words = f"  no link for {clock(scene.at - gone)}, the job goes on there"
        return [_named(scene, Mark.NO_LINK, host, words, Ink.WARNING)]
    if live is not None and live.tries:
        return _asked_again(scene, live, scene.host(host), width)
    words = "no output yet"
    if live is not None and live.last_output is not None:
        words = silence(live.last_output, scene.at)
    extra = f"  {live.text}" if live is not None and live.text else ""
    return [_named(scene, Mark.NOW, host, f"  {words}{extra}", Ink.DIM)]


def _named(scene: Scene, mark: Mark, host: str, words: str, how: Ink) -> Line:
    glyph = ink(scene.look.glyph(mark), Ink.CALM if mark is Mark.NOW else mark.ink)
    return row(" ", glyph, " ", ink(scene.host(host), Ink.BOLD), ink(words, how))


def _asked_again(scene: Scene, live: LiveHost, name: str, width: int) -> list[Line]:
    """Return how often a read was asked that does not hold yet, when it is asked again, until when, and what was seen."""
    left = max(0.0, (live.next_at or scene.at) - scene.at)
    when = f"again in {left:.0f} s" if left >= 0.5 else "asking now"
    until = f", until {scene.time_of_day(live.until)}" if live.until is not None and width >= 55 else ""
    glyph = ink(scene.look.glyph(Mark.ASKING), Mark.ASKING.ink)
    times = "once" if live.tries == 1 else f"{live.tries} times"
    first = row(" ", glyph, " ", ink(name, Ink.BOLD), ink(f"  asked {times}, {when}{until}", Ink.CALM))
    if not live.text:
        return [first]
    return [first, fit(ink(f"     not yet: {live.text}", Ink.DIM), width)]


def before_stage(scene: Scene, stage: StageOutline, width: int, height: int) -> list[Line]:
    """Return what enter would start: each step, what it sends, what undoes it, and the time back."""
    state = scene.state
    steps = [s for s in stage.steps if state.needed(s) and not order.finished(state, s)]
    changes = [s for s in steps if s.changes]
    lines = _across(scene, stage, width)
    count = f"{len(steps)} step{'' if len(steps) == 1 else 's'}"
    what = "nothing is changed"
    if changes:
        what = f"{len(changes)} of them change something" if len(steps) > 1 else "it changes something"
    following = order.next_step(state)
    if order.closed_forward(state):
        lines.append(row(" ", ink(f"stage {stage.name}", Ink.BOLD), ink("  closed by a guard", Ink.ERROR)))
    elif order.interrupted(state) is not None:
        lines.append(row(" ", ink(f"stage {stage.name}", Ink.BOLD), ink("  an undo was interrupted: u", Ink.WARNING)))
    elif state.halted:
        lines.append(row(" ", ink(f"stage {stage.name}", Ink.BOLD), ink("  once it goes on", Ink.WARNING)))
    elif following is None or following.stage != stage.id:
        lines.append(row(" ", ink(f"stage {stage.name}", Ink.BOLD), ink("  not its turn yet", Ink.DIM)))
    else:
        lines.append(row(" ", ink(f"enter starts stage {stage.name}", Ink.ACCENT)))
    lines.append(ink(f" {count}, {what}{', side by side' if stage.together else ''}.", Ink.DIM))
    for step, warning in order.warnings(state):
        lines += hang(ink(f" ! {step.number} ", Ink.WARNING), warning, width - 1, at=7, how=Ink.WARNING, most=3)
    lines.append(EMPTY)
    wrapped = height >= 4 + len(steps) * 2 + len(changes)
    roomy, airy = height >= 4 + len(steps) * 4, height >= 6 + len(steps) * 6
    for step in steps:
        lines += [*_announced(scene, step, width, roomy=roomy, wrapped=wrapped), *([EMPTY] if airy else [])]
    seconds = sum(scene.snap.undo_seconds.get(s.id, 0.0) for s in changes)
    if changes and len(lines) + 2 <= height:
        lines += [EMPTY, row(ink(" Way back from its end: ", Ink.DIM), ink(_way_back(changes, seconds), Ink.BOLD))]
    if len(lines) > height:
        lines = [*lines[: height - 1], ink(" p shows the whole plan", Ink.MUTED)]
    return [fit(line, width) for line in lines]


def _across(scene: Scene, stage: StageOutline, width: int) -> list[Line]:
    mark = LINES.get(stage.line)
    if mark is None:
        return []
    means = "clients feel this stage" if mark is Mark.CLIENTS_MOVE else "there is no undo past this line"
    return [rule(width, ink(f"{scene.look.glyph(mark)} {mark.word}: {means}", mark.ink), mark.ink)]


def _way_back(changes: list[StepOutline], seconds: float) -> str:
    walls = [s for s in changes if s.undo is UndoKind.IRREVERSIBLE]
    if walls:
        return f"none past {walls[0].number}"
    return f"{len(changes)} undo{'' if len(changes) == 1 else 's'}" + (f", {lasted(seconds)}" if seconds else "")


def _announced(scene: Scene, step: StepOutline, width: int, *, roomy: bool, wrapped: bool) -> list[Line]:
    text = scene.text(step.id)
    kind = "reads" if not step.changes else "CONFIRM" if step.confirm else "changes"
    how = {"reads": Ink.MUTED, "CONFIRM": Ink.LOUD}.get(kind, Ink.WARNING)
    where = text.where
    name, kinds = row(" ", ink(step.name, Ink.BOLD)), ink(f"{kind} ", how)
    if where and name.width + len(where) + kinds.width + 4 <= width:
        kinds = row(ink(f"{where}  ", Ink.DIM), kinds)
    lines = [spread(name, kinds, width)]
    if wrapped and name.width + kinds.width + 2 > width:
        first, *rest = hang(
            ink(f" {step.number} "), step.title, width - kinds.width - 1, at=len(step.number) + 2, how=Ink.BOLD
        )
        lines = [spread(first, kinds, width), *rest]
    if not roomy:
        if step.changes:
            lines.append(row(ink("   undo ", Ink.DIM), undo_words(scene, step)))
        return lines
    if text.commands:
        lines += command_rows(tuple(text.commands), width, most=2)
    if step.changes:
        lines.append(row(ink("   undo ", Ink.DIM), undo_words(scene, step)))
    return lines


def undo_words(scene: Scene, step: StepOutline) -> Line:
    """Return a step's way back in one line."""
    text = scene.text(step.id)
    if text.hidden:
        return ink("hidden until you ask: h", Ink.MUTED)
    if step.undo is UndoKind.IRREVERSIBLE:
        return ink(f"none: {step.irreversible}", Ink.ERROR)
    if step.undo is UndoKind.NOTHING:
        return ink(f"nothing to do; stays: {step.stays}", Ink.WARNING)
    words = text.undo_gist or "; ".join(text.undo).replace("\n", "; ")
    return ink(words or "puts back what was there", Ink.SECOND)


def attempts(scene: Scene, step: StepOutline, width: int) -> list[Line]:
    """Return a step's history: each attempt, when, which way, and what came of it."""
    lines: list[Line] = []
    for attempt in scene.state.step(step.id).attempts:
        way = {Way.BACK: "undo", Way.FORWARD: "run"}.get(attempt.way, attempt.way.value)
        word = attempt.verdict.value if attempt.verdict else "open"
        took = lasted((attempt.ended or scene.at) - attempt.started)
        lines.append(fit(ink(f" {clock(attempt.started)}  {way} {attempt.number}  {word}  {took}", Ink.DIM), width))
    return lines
