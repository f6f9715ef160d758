"""The briefing's body: evidence and pulses on one side, what is to be answered on the other. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handrail.session.cards import BriefingView, counted
from handrail.session.levels import Level
from handrail.tui.clocks import show_duration
from handrail.tui.entry import Entry
from handrail.tui.look import Look, Mark
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row, wrap


@dataclass
class Answer:
    """One thing to answer: typed into `entry`, or one of `choices`. `exact` must be typed just so."""

    name: str
    label: str
    help: str = ""
    entry: Entry | None = None
    choices: tuple[tuple[str, str], ...] = ()
    at: int = 0
    must: bool = False
    exact: str = ""

    @property
    def value(self) -> str:
        """Return the answer."""
        if self.choices:
            return self.choices[self.at][0]
        return self.entry.value.strip() if self.entry else ""


def facts(view: BriefingView, look: Look, width: int, level: str = "") -> list[Line]:
    """Return what the briefing knows: the route proposed, who answers, what will change, warnings.

    At the level `titles` the undos are left out: they are a hint of what is done.
    """
    lines: list[Line] = []
    for problem in view.problems:
        lines += hang(ink(" ! ", Ink.ERROR), problem, width - 1, at=3, how=Ink.ERROR)
    for warning in view.warnings:
        lines += hang(ink(" ! ", Ink.LOUD), warning, width - 1, at=3, how=Ink.WARNING)
    title = dict(view.routes).get(view.route, "")
    lines.append(row(ink(" Route proposed  ", Ink.DIM), ink(view.route, Ink.ACCENT), ink(f"  {title}", Ink.DIM)))
    for words in view.evidence:
        lines += hang("   ", words, width - 1, at=3, how=Ink.DIM)
    lines += [EMPTY, *_pulses(view, look, width), EMPTY, *_changes(view, look, width, hidden=level == Level.TITLES)]
    return [fit(line, width) for line in lines]


def _pulses(view: BriefingView, look: Look, width: int) -> list[Line]:
    names = max((len(p.role) for p in view.pulses), default=4)
    hosts = max((len(p.name) for p in view.pulses), default=4)
    places = max((len(p.address) for p in view.pulses), default=4)
    lines = [ink(" Who answers", Ink.BOLD)]
    for pulse in view.pulses:
        mark = {True: Mark.DONE, False: Mark.FAILED, None: Mark.ASKING}[pulse.reached]
        trip = f"{pulse.round_trip * 1000:.0f} ms" if pulse.round_trip is not None else ""
        words = pulse.words or ("asking" if pulse.reached is None else "")
        line = row(
            "   ",
            ink(look.glyph(mark), mark.ink),
            f" {pulse.role:{min(names, 12)}}  ",
            ink(f"{pulse.name:{min(hosts, 20)}}", Ink.BOLD),
            ink(f"  {pulse.address:{places}}  {trip:6}  ", Ink.DIM),
            ink(words, mark.ink if pulse.reached is False else Ink.DIM),
        )
        lines.append(fit(line, width))
    return lines


def _changes(view: BriefingView, look: Look, width: int, *, hidden: bool) -> list[Line]:
    changing = [p for p in view.plan if p.changes and p.needed]
    card = view.runbook
    needed = sum(p.needed for p in view.plan)
    left_out = f" This route needs {needed} of them." if needed < len(view.plan) else ""
    facts = f"{counted(len(view.plan), card.derived)}.{left_out} {len(changing)} change something."
    if card.target:
        facts += f" Target {show_duration(card.target)}."
    lines = [ink(" What will change", Ink.BOLD), *(row("   ", one) for one in wrap(facts, width - 4, Ink.DIM))]
    for plan in changing:
        mark = {"clients move": Mark.CLIENTS_MOVE, "no way back": Mark.NO_WAY_BACK}.get(plan.line)
        if mark:
            lines.append(row("   ", ink(f"{look.glyph(mark)} {mark.word}", mark.ink)))
        undo = plan.undo_gist or (plan.undo[0].split("\n")[0] if plan.undo else "-")
        if hidden:
            lines.append(fit(row("   ", ink(f"{plan.number} {plan.title}")), width))
            continue
        left = fit(row("   ", ink(f"{plan.number} {plan.title}")), max(20, width // 2 - 2))
        lines.append(fit(row(left, ink(" undo ", Ink.DIM), ink(undo, Ink.SECOND)), width))
    return lines


def questions(answers: Sequence[Answer], at: int, width: int) -> tuple[list[Line], int]:
    """Return the answers' rows, and the row of the one that is being given."""
    label = min(26, max((len(a.label) for a in answers), default=8) + 3)
    lines: list[Line] = []
    row_at = 0
    for number, answer in enumerate(answers):
        mine = number == at
        if mine:
            row_at = len(lines)
        head = ink(f" {answer.label}", Ink.BOLD if mine else Ink.DIM)
        if answer.choices:
            value, title = answer.choices[answer.at]
            shown = row(ink("◂ " if mine else "  ", Ink.KEY), ink(value, Ink.ACCENT if mine else Ink.TEXT))
            shown = row(shown, ink(" ▸" if mine else "  ", Ink.KEY), ink(f"  {title}", Ink.DIM))
        elif answer.entry is not None and not mine and not answer.entry.value:
            shown = ink("needed", Ink.WARNING) if answer.must else ink("-", Ink.MUTED)
        elif answer.entry is not None:
            shown = answer.entry.line(max(8, width - label - 4), token=answer.exact, active=mine)
            if answer.entry.dropped:
                shown = row(shown, ink(f"  dropped: {answer.entry.dropped}", Ink.LOUD))
        else:
            shown = EMPTY
        lines.append(fit(row(fit(head, label), ink("> " if mine else "  ", Ink.KEY), shown), width))
        if mine and answer.help:
            lines += [row(" " * (label + 2), line) for line in wrap(answer.help, width - label - 4, Ink.DIM, 2)]
    return lines, row_at
