"""Somebody asks for the run that is driven here: hand it over, or decline with a word. Nothing is done by not answering."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handrail.engine import messages as m
from handrail.session.view import Relief
from handrail.tui.choices import Choice
from handrail.tui.dialogs import AskWords, Choose, Field


def relief_page(asked: Relief, says: Callable[[], Sequence[str]], busy: str) -> Choose:
    """Return the dialog; `busy` names what is being done at this moment, if anything is."""
    after = Choice("after", "a", f"Hand over after {busy}", "once it has ended, the run is theirs to resume")
    goes_on = "what runs at a host goes on there" if busy else "the run is theirs to resume"
    choices = [
        Choice("", "", "Go on, answer later", "the question stands; A opens this again"),
        *((after,) if busy else ()),
        Choice("now", "o", "Hand over now", goes_on),
        Choice("decline", "d", "Decline", "go on driving, with a word to them"),
    ]
    return Choose(f"{asked.who} on {asked.host} asks for this run", says, choices)


def sentences(asked: Relief | None, at: float) -> tuple[str, ...]:
    """Return what stands above the choices, at run seconds `at`."""
    if asked is None:
        return ("They do not ask any more.",)
    left = asked.until - at
    when = f"in {left:.0f} s" if left > 0 else "now"
    return (
        f'They say: "{asked.note}"' if asked.note else "They say nothing more.",
        f"Unanswered, they may take it {when}, with your name typed and a reason.",
    )


def words_page(asked: Relief, chosen: str) -> AskWords:
    """Return what asks for the words that go with an answer."""
    if chosen == "decline":
        return AskWords(f"Decline {asked.who}", ["You go on driving."], [Field("words", f"A word to {asked.who}")])
    says = ["It stands in the record, and they see it first."]
    return AskWords(f"Hand over to {asked.who}", says, [Field("words", "What they must know", must=False)])


def intent_of(chosen: str, words: str) -> m.Intent:
    """Return what is asked of the session."""
    if chosen == "decline":
        return m.Decline(words=words)
    return m.HandOver(note=words, at_once=chosen == "now")
