"""Deciding about lessons: messages to the operator, and what an instructor does. Who lets them in is the session's to say."""

from __future__ import annotations

from typing import Final

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.batch import Batch, Decision, refuse
from handrail.engine.state import State

WHILE_HALTED: Final = (m.Note, m.AnswerCard, m.Pause, m.StopStep, m.Leave, m.HandOver, m.Decline, m.Resume, m.Close)


def halted(state: State, intent: m.Intent) -> str:
    """Return why an intent has to wait for the instructor, or nothing."""
    if not state.halted or isinstance(intent, WHILE_HALTED):
        return ""
    return f"{state.halted.by} has halted this drill: {state.halted.why}"


def show_card(state: State, news: m.ShowCard) -> Decision:
    """Show a message, once."""
    if any(card.card == news.card for card in state.cards):
        return Batch(state).done()
    return Batch(state).add(e.CardShown(news.at, news.card, news.says, news.by)).done()


def answer_card(state: State, intent: m.AnswerCard) -> Decision:
    """Keep what the operator answers."""
    open_cards = state.open_cards
    card = next((c for c in open_cards if intent.card in ("", c.card)), None)
    if card is None:
        return refuse("no message waits for an answer")
    if not intent.words.strip():
        return refuse("an empty answer says nothing")
    return Batch(state).add(e.CardAnswered(intent.at, card.card, intent.words.strip(), intent.by)).done()


def fault_news(state: State, news: m.FaultNews) -> Decision:
    """Keep what an instructor did to the estate."""
    return Batch(state).add(e.FaultMade(news.at, news.what, news.by, news.problem)).done()


def halt(state: State, news: m.Halt) -> Decision:
    """Stand still: what runs ends, nothing else begins."""
    if state.halted:
        return refuse(f"{state.halted.by} has halted it already")
    if not news.why.strip():
        return refuse("say why it is halted: the operator reads it")
    return Batch(state).add(e.Halted(news.at, news.by, news.why.strip())).done()


def end_halt(state: State, news: m.EndHalt) -> Decision:
    """Go on."""
    if not state.halted:
        return refuse("it is not halted")
    return Batch(state).add(e.HaltEnded(news.at, news.by)).done()
