"""What a drill teaches, on the run page: hints, what is foretold before a step, the coach's notes. It keeps remarks, no more."""

from __future__ import annotations

from handrail.engine import messages as m
from handrail.engine.words import Remarks
from handrail.session.lessons import hint_of
from handrail.session.view import CoachNote
from handrail.tui.dialogs import AskWords, Box, Field
from handrail.tui.pages.answering import Answering

FORETELL = ("prints", "undone")


class Learning(Answering):
    """The actions that only somebody who practises needs."""

    def looked_step(self) -> str:
        """Return the step that is looked at."""
        raise NotImplementedError

    def do_hint(self) -> None:
        """Show the next hint for the step that is looked at; in a drill that teaches it is counted."""
        step = self.looked_step()
        if not step:
            return
        said = hint_of(self.now.snap, step)
        name = self.now.state.outline.step(step).name
        if self.now.snap.info.level:
            self.desk.submit(m.Remark(Remarks.HINT, " ".join(said), step))
        self.desk.box(f"Hint: {name}", "\n".join(said), "Close it; h again says more.")

    def foretell(self, then: m.Go) -> bool:
        """Ask for what is to be foretold before going on, one step after the other, then go on; tell whether it asks."""
        waiting = self.now.snap.foretell
        if not waiting:
            return False
        step = self.now.state.outline.step(waiting[0])
        says = [
            "Say it in your own words before it runs. The debrief puts it beside what came; whether it was so you say yourself."
        ]
        fields = [
            Field(FORETELL[0], "What will it print, or what will be so afterwards?"),
            Field(FORETELL[1], "What undoes it?" if step.changes else "What undoes it? (it only reads)", must=False),
        ]

        def told(words: dict[str, str]) -> None:
            self.desk.submit(m.Remark(Remarks.PREDICTED, words[FORETELL[0]], step.id))
            self.desk.submit(m.Remark(Remarks.PREDICTED_UNDO, words[FORETELL[1]] or "-", step.id))
            if not self.foretell(then):
                self.desk.submit(then)

        self.desk.ask(AskWords(f"Before {step.name}", says, fields), told)
        return True


def note_box(note: CoachNote, step: str) -> Box:
    """Return a coach's note as a page."""
    return Box(
        f"COACH{f', at {step}' if step else ''}", note.say, "This note is shown once. h gives hints at any time."
    )
