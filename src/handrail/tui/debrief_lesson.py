"""The part of the debrief that teaches: whose time it took, against par and the last time, slips, what was foretold. Pure.

It is told to whoever drilled, and to nobody else; nothing here is a score.
"""

from __future__ import annotations

from collections.abc import Mapping

from handrail.engine.foretold import foretold
from handrail.session.lessons import QUESTIONS, in_production, reflections, slips_told, spent, to_judge
from handrail.session.levels import Level
from handrail.session.practice import IN_WORDS, Next
from handrail.tui.clocks import clock
from handrail.tui.scene import Scene
from handrail.tui.text import EMPTY, Ink, Line, hang, ink, row

WAS_IT_SO = "was it so?"
_LABEL = 13


def labelled(label: str, words: str, width: int, how: Ink = Ink.TEXT, most: int = 0) -> list[Line]:
    """Return a label with words beside it."""
    return hang(ink(f" {label}", Ink.DIM), words, width - 1, at=_LABEL, how=how, most=most)


def times(scene: Scene, width: int) -> list[Line]:
    """Return whose time it took, and how long it takes at least where no wait is shortened."""
    took = spent(scene.snap)
    words = f"machines {clock(took.machine)}, you {clock(took.person)}, DNS caches {clock(took.caches)}"
    words += f", halted {clock(took.halted)}" if took.halted else ""
    lines = labelled("Time", words, width)
    info, least = scene.snap.info, in_production(scene.snap)
    if info.shortened:
        more = f": with that it takes at least {clock(least)}" if least is not None else ""
        lines += hang("", f"Waits were shortened: {info.shortened}{more}", width - 1, at=1, how=Ink.WARNING)
    return lines


def slipped(scene: Scene, width: int) -> list[Line]:
    """Return what was refused, and why."""
    lines: list[Line] = []
    for number, words in slips_told(scene.state):
        lines += hang(ink(f"   {number}", Ink.WARNING), words, width - 1, at=9, how=Ink.WARNING, most=2)
    return [EMPTY, ink(" What was refused, and why", Ink.DIM), *lines] if lines else []


def said_before(scene: Scene, actual: Mapping[str, tuple[str, ...]], width: int) -> list[Line]:
    """Return what was foretold beside what came; whether it came so is for whoever foretold it to say."""
    lines: list[Line] = []
    marked = to_judge(scene.snap)
    for one in foretold(scene.state):
        sign = ink(" ▸ " if one.step == marked else "   ", Ink.KEY)
        asked = ink(f"  {WAS_IT_SO}  +  -", Ink.KEY) if one.step == marked else ink(f"  {one.judged}", Ink.ACCENT)
        lines.append(row(sign, ink(scene.state.outline.step(one.step).name, Ink.BOLD), asked))
        came = " / ".join(actual.get(one.step, ())) or "nothing"
        undo = "; ".join(scene.snap.whole_text(one.step).undo).replace("\n", "; ") or "it only reads"
        for label, words, how in (
            ("you said", one.prints, Ink.TEXT),
            ("it said", came, Ink.DIM),
            ("undo, you", one.undone, Ink.TEXT),
            ("undo", undo, Ink.DIM),
        ):
            lines += hang(ink(f"     {label}", Ink.DIM), words, width - 1, at=16, how=how, most=2)
    return [EMPTY, ink(" What you foretold, beside what came", Ink.DIM), *lines] if lines else []


def own_words(scene: Scene, width: int) -> list[Line]:
    """Return the open questions with their answers."""
    answers = reflections(scene.state)
    lines = [EMPTY, ink(" In your own words (enter writes; kept for you, no score is shown to others)", Ink.DIM)]
    asked = next((about for about, _ in QUESTIONS if about not in answers), "")
    for about, question in QUESTIONS:
        sign = ink(" ▸ " if about == asked else "   ", Ink.KEY)
        lines.append(row(sign, ink(question, Ink.BOLD if about == asked else Ink.TEXT)))
        if about in answers:
            lines += hang("", answers[about], width - 1, at=5, how=Ink.ACCENT)
    return lines


def next_due(following: Next, width: int) -> list[Line]:
    """Return when the next drill is due, and at which level."""
    level = "" if following.level is Level.NONE else f", at the level {following.level.value}"
    words = f"{following.due.day} {following.due:%b %Y}, in {IN_WORDS[following.every]}{level}"
    return labelled("Next drill", words, width, Ink.ACCENT)
