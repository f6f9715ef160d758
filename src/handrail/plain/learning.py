"""What a drill teaches, line by line: the coach's notes, hints, what is foretold, and output held against its sample.

It keeps remarks and prints lines; the run goes on in the same way whatever it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from handrail.base.safe import Safe, safe, safe_line
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.foretold import foretold
from handrail.engine.state import State
from handrail.engine.words import Remarks
from handrail.plain.debrief import debrief
from handrail.runbook.samples import Held, Sample, sample_of
from handrail.session.api import SessionApi
from handrail.session.lessons import (
    NOT_SO,
    QUESTIONS,
    SO,
    hint_of,
    is_ones_own,
    last_lines,
    reflections,
    to_judge,
)
from handrail.session.levels import Level
from handrail.session.view import Snapshot
from handrail.store.spool_reader import Line

ANYTHING_ELSE = "or: later"


@dataclass
class Learning:
    """What one run teaches on a line-by-line terminal. `put` writes one line."""

    session: SessionApi
    put: Callable[[str], None]
    _then: m.Go | None = None  # what is asked of the run once everything is foretold
    _prints: str = ""
    _introduced: str = ""
    _asked: str = ""  # the open question of the debrief that the next line answers
    _judged: str = ""  # the foretold step whose coming the next line judges

    # ------------------------------------------------------------ coach, hints

    def look(self, shown: Snapshot) -> None:
        """Say the coach's notes that are due, each once, and what is next."""
        for note in shown.notes:
            if self.session.submit(m.Remark(Remarks.COACH, note.say, note.step, note.id)) is None:
                self.put(safe(f"COACH: {note.say}", 600))
        if shown.info.level == Level.GUIDED:
            for line in self._introduce(shown):
                self.put(line)

    def _introduce(self, shown: Snapshot) -> Iterator[Safe]:
        """Yield what a newcomer should know of the step that is next, once for each."""
        state = shown.state
        following = order.next_step(state)
        if following is None or order.busy(state) or state.walk or order.standing(state):
            return
        if following.id == self._introduced:
            return
        self._introduced = following.id
        text = shown.texts.get(following.id)
        yield safe(f"next: {following.name}{f', on {text.where}' if text and text.where else ''}")
        for label, words in (("why", text.why), ("good", text.good)) if text else ():
            if words:
                yield safe(f"  {label}: {words}", 400)
        if text and following.changes:
            yield safe(f"  undo: {'; '.join(text.undo)}", 400)

    def hint(self, shown: Snapshot, word: str) -> tuple[str, ...]:
        """Return the next hint for a step, the one that is next unless another is named; it is counted."""
        state = shown.state
        named = next((s for s in state.outline.steps if word and word in (s.id, s.number)), None)
        step = named or order.standing(state) or order.awaiting(state) or order.next_step(state)
        if step is None:
            return ("there is nothing left to give a hint for",)
        said = hint_of(shown, step.id)
        if shown.info.level:
            self.session.submit(m.Remark(Remarks.HINT, " ".join(said), step.id))
        return (f"hint for {step.name}:", *(f"  {line}" for line in said))

    # ------------------------------------------------------------ foretelling

    @property
    def asks(self) -> bool:
        """Tell whether the next line is what somebody foretells."""
        return self._then is not None or bool(self._asked or self._judged)

    def before(self, intent: object, shown: Snapshot) -> bool:
        """Ask what is to be foretold before going on; tell whether anything is."""
        if not isinstance(intent, m.Go) or not shown.foretell:
            return False
        self._then = intent
        self._ask(shown)
        return True

    def _ask(self, shown: Snapshot) -> None:
        step = shown.state.outline.step(shown.foretell[0])
        if not self._prints:
            self.put(
                safe(f"Before {step.name}: what will it print, or what will be so? In your own words ({ANYTHING_ELSE})")
            )
        else:
            only = "" if step.changes else " (it only reads)"
            self.put(safe(f"And what undoes it?{only}"))

    def take(self, line: str) -> m.Go | None:
        """Take a line as what is foretold; return what is to be asked of the run once everything is."""
        shown = self.session.snapshot
        if self._asked:
            self._answer(line)
            return None
        if self._judged:
            self._judge(line)
            return None
        if not shown.foretell or line.strip() == "later":
            self._then, self._prints = None, ""
            return None
        step = shown.foretell[0]
        if not self._prints:
            self._prints = line.strip() or "-"
            self._ask(shown)
            return None
        self.session.submit(m.Remark(Remarks.PREDICTED, self._prints, step))
        self.session.submit(m.Remark(Remarks.PREDICTED_UNDO, line.strip() or "-", step))
        self._prints = ""
        if self.session.snapshot.foretell:
            self._ask(self.session.snapshot)
            return None
        then, self._then = self._then, None
        return then

    # ------------------------------------------------------------ debrief

    def debrief(self) -> None:
        """Tell the debrief, then ask the open questions, a line each."""
        shown = self.session.snapshot
        if not is_ones_own(shown):
            self.put("it is nobody's drill here, or somebody else's: report tells what the run came to")
            return
        actual = {one.step: last_lines(self.session.output(one.step)) for one in foretold(shown.state)}
        for line in debrief(shown, actual):
            self.put(line)
        self._next_question("")

    def _next_question(self, after: str) -> None:
        answered = reflections(self.session.snapshot.state)
        abouts = [about for about, _ in QUESTIONS]
        later = QUESTIONS[abouts.index(after) + 1 if after else 0 :]
        self._asked, question = next(((a, q) for a, q in later if a not in answered), ("", ""))
        if question:
            self.put(safe(f"{question} In your own words (an empty line leaves it)"))
        else:
            self._next_to_judge()

    def _next_to_judge(self) -> None:
        shown = self.session.snapshot
        self._judged = to_judge(shown)
        if self._judged:
            name = shown.state.outline.step(self._judged).name
            self.put(safe(f"{name}: did it come as you foretold? yes or no (an empty line leaves all of it)"))

    def _judge(self, line: str) -> None:
        said, step = line.strip().lower(), self._judged
        word = SO if said in ("y", "yes", "+") else NOT_SO if said in ("n", "no", "-") else ""
        if word and self.session.submit(m.Remark(Remarks.JUDGED, word, step)) is None:
            self._next_to_judge()
        elif said:
            self.put(safe("yes or no, or an empty line"))
        else:
            self._judged = ""

    def _answer(self, line: str) -> None:
        about = self._asked
        if line.strip():
            self.session.submit(m.Remark(Remarks.REFLECTION, line.strip(), about=about))
        self._next_question(about)

    # ------------------------------------------------------------ expected against actual

    def compared(self, before: State | None, shown: Snapshot) -> Iterator[Safe]:
        """Yield, for each step that has just ended, how its output compares with its sample."""
        for step, now in shown.state.walked():
            was = before.step(step.id).word if before else None
            sample = _sample(shown, step.id)
            if not sample or was not in order.BUSY or now.word in order.BUSY:
                continue
            for host in self.session.output(step.id).hosts():
                held = self._of(step.id, host, sample)
                yield from _told(step.number, shown.names.get(host, host), held) if held else ()

    def _of(self, step: str, host: str, sample: Sample) -> Held | None:
        reader = self.session.output(step).reader(host)
        if reader is None:
            return None
        try:
            reader.refresh()
            held = Held(sample)
            held.take(safe_line(line.raw) for line in reader.lines(0, 5_000, 4096) if line.stream != "note")
        finally:
            reader.close()
        return held


def spoken(shown: Snapshot, step: str, host: str, line: Line) -> Safe:
    """Return one line of output after its host's name: as expected or deviating, where the step has a sample."""
    text, name = safe_line(line.raw), shown.names.get(host, host)
    sample = _sample(shown, step)
    mark = "!" if line.stream == "err" else ""
    if not sample or line.stream == "note":
        return safe(f"  {safe(name)}{mark}: {text}")
    return safe(f"  {safe(name)}{mark}, {'as expected' if sample.which(text) else 'DEVIATES'}: {text}")


def _sample(shown: Snapshot, step: str) -> Sample:
    text = shown.texts.get(step)
    return sample_of(text.sample) if text and text.sample else Sample()


def _told(number: str, name: str, held: Held) -> Iterable[Safe]:
    if held.as_expected:
        yield safe(f"{number} on {name}: the output is as expected")
        return
    if held.deviating:
        yield safe(
            f"{number} on {name}: {held.deviating} lines deviate from what is expected; log {number} says where they are"
        )
    if held.missing:
        yield safe(f"{number} on {name}: missing: {'; '.join(held.missing)}", 400)
