"""A running step's question: a token to type back, or a person's verdict on a manual step. Pure but for its models.

A manual step's question has no token and names "pass: ...", "fail: ...", "cannot: ..." and what evidence is wanted; its
answer is the word, a blank, and the evidence.
"""

from __future__ import annotations

from handrail.engine import order
from handrail.engine.outline import StepOutline
from handrail.engine.results import Question
from handrail.engine.typed import same_value
from handrail.engine.words import Way
from handrail.tui.choices import Choice, Menu
from handrail.tui.entry import Entry
from handrail.tui.look import Mark
from handrail.tui.scene import Scene
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, wrap

_WORDS = ("pass", "fail", "cannot")
_LABELS = {"pass": "Passed", "fail": "Failed", "cannot": "Not possible, owed"}
_LABELS_BACK = {"pass": "Done: it is as it was", "fail": "It did not work", "cannot": "Not possible now, owed"}


def _asked(scene: Scene) -> tuple[StepOutline, Question] | None:
    step = order.asking(scene.state)
    question = scene.state.step(step.id).question if step else None
    return (step, question) if step and question else None


def is_manual(scene: Scene, step: StepOutline) -> bool:
    """Tell whether a person's verdict is asked."""
    question = scene.state.step(step.id).question
    return bool(question and not question.token and question.names and question.names[0].startswith("pass:"))


def is_manual_now(scene: Scene) -> bool:
    """Tell whether a person's verdict is asked at this moment."""
    asked = _asked(scene)
    return asked is not None and is_manual(scene, asked[0])


def guarded(scene: Scene) -> bool:
    """Tell whether a word must be typed, and pasting is dropped."""
    asked = _asked(scene)
    return bool(asked and asked[1].token)


def choices(scene: Scene) -> list[Choice]:
    """Return the verdicts of a manual step."""
    asked = _asked(scene)
    if asked is None or not is_manual(scene, asked[0]):
        return []
    means = dict(name.partition(": ")[::2] for name in asked[1].names)
    labels = _LABELS_BACK if is_undo(scene, asked[0]) else _LABELS
    return [Choice(word, "", labels[word], means.get(word, "")) for word in _WORDS]


def is_undo(scene: Scene, step: StepOutline) -> bool:
    """Tell whether it is the undo of a step that asks."""
    attempt = scene.state.step(step.id).attempt
    return attempt is not None and attempt.way is Way.BACK


def _lead(scene: Scene, step: StepOutline, width: int) -> list[Line]:
    """Return who asks; of an undo, what is to be taken back and who said that it was done."""
    mark = Mark.UNDOING if is_undo(scene, step) else Mark.YOUR_TURN
    glyph = row(ink(scene.look.glyph(mark), mark.ink), " ")
    if not is_undo(scene, step):
        doing = "your turn, outside this console" if is_manual(scene, step) else "asks"
        return [row(glyph, ink(f"{step.name}: {doing}", Ink.BOLD)), EMPTY]
    lines = [row(glyph, ink(f"UNDO of {step.name}", Ink.BOLD), ink("  you do this one", Ink.SECOND))]
    forward = scene.state.step(step.id).forward
    said = "; ".join(r.detail for r in forward.results.values() if r.detail) if forward else ""
    lines += (
        wrap(f"It was done at {scene.time_of_day(forward.started)}{': ' + said if said else ''}", width, Ink.DIM, 2)
        if forward
        else []
    )
    return [*lines, EMPTY]


def answer(scene: Scene, step: StepOutline, menu: Menu, entry: Entry) -> tuple[str, str]:
    """Return the reply, and why it cannot be given."""
    question = scene.state.step(step.id).question
    typed = entry.value.strip()
    if question is None:
        return "", "it asks no more"
    if menu.chosen is not None:
        if not typed:
            return "", "say in a few words what you saw: it is the evidence"
        return f"{menu.chosen.action} {typed}", ""
    if question.token and not same_value(typed, question.token):
        return "", f"type {question.token} to go on, or esc for no"
    return typed, "" if typed else "type an answer, or esc for no"


def question(scene: Scene, entry: Entry, menu: Menu, width: int, height: int) -> list[Line]:
    """Return the body: who asks what, the names it is about, and what is typed."""
    asked = _asked(scene)
    if asked is None:
        return [EMPTY] * height
    step, asks = asked
    inner = width - 8
    lines = _lead(scene, step, inner)
    lines += wrap(asks.text, inner, Ink.TEXT, 6)
    if menu.choices:
        wanted = asks.names[len(_WORDS)] if len(asks.names) > len(_WORDS) else ""
        lines += [EMPTY, *menu.lines(scene.look, inner, 8), EMPTY]
        lines += hang(ink("Evidence  ", Ink.DIM), wanted or "what you saw, in a few words", inner, at=10, how=Ink.DIM)
        prompt = "> "
    else:
        lines += _names(asks.names, inner, max(2, height - len(lines) - 6))
        prompt = f"Type {asks.token} to go on:  " if asks.token else "> "
    tail = [row(ink(prompt, Ink.BOLD), entry.line(max(8, inner - len(prompt)), token=asks.token))]
    if entry.dropped:
        tail.append(ink(f"dropped: {entry.dropped}", Ink.LOUD))
    return [row("    ", fit(line, inner)) for line in _with_entry([EMPTY, *lines, EMPTY], tail, height)]


def _with_entry(lines: list[Line], tail: list[Line], height: int) -> list[Line]:
    """Return the rows that fit: blank ones give way first, then the end of the text; what is typed is always in view."""
    room = height - len(tail)
    if len(lines) > room:
        lines = [line for line in lines if line.plain.strip()]
    return [*lines[:room], *tail]


def _names(names: tuple[str, ...], width: int, most: int) -> list[Line]:
    if not names:
        return []
    shown = [ink(f"- {name}", Ink.WARNING) for name in names[:most]]
    if len(names) > most:
        shown[-1] = ink(f"  and {len(names) - most + 1} more", Ink.MUTED)
    return [EMPTY, *(fit(line, width) for line in shown)]
