"""The instructor's page: all drills of this machine, looked at every two seconds, and what is done to one or to all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from handrail.base.problems import Trouble
from handrail.base.safe import safe
from handrail.session.api import InstructorApi
from handrail.session.cards import DrillView
from handrail.tui import instruct_view as view
from handrail.tui.choices import Choice
from handrail.tui.clocks import zulu
from handrail.tui.dialogs import AskWords, Choose, Field
from handrail.tui.frame import Body
from handrail.tui.page import Page
from handrail.tui.text import EMPTY, Ink, Line, block, ink, spread

LOOK: Final = 2.0  # seconds


class InstructPage(Page[None]):
    """Drills, and one of them marked."""

    scope_name = "instruct"
    stays = True

    def __init__(self, instructor: InstructorApi) -> None:
        super().__init__()
        self._instructor = instructor
        self.drills: tuple[DrillView, ...] = ()
        self.at, self._all = 0, False
        self._looked = -LOOK
        self._looking = False

    def on_mount(self) -> None:
        """Look at once."""
        self.tick()

    def tick(self) -> None:
        """Look again, now and then, beside the screen."""
        super().tick()
        if not self._looking and self.desk.mono() - self._looked >= LOOK:
            self._looking = True
            self.desk.own(self._look())

    def reread(self) -> None:
        """Look again at once."""
        self._looked = -LOOK
        self.tick()

    async def _look(self) -> None:
        try:
            found = await asyncio.to_thread(self._instructor.look)
        finally:
            self._looking, self._looked = False, self.desk.mono()
        marked, self.drills = self.drill, found  # the mark may have been moved meanwhile
        if marked is not None:
            self.at = next((n for n, d in enumerate(self.drills) if d.run == marked.run), self.at)
        self.stale = True

    @property
    def drill(self) -> DrillView | None:
        """Return the marked drill."""
        self.at = max(0, min(self.at, len(self.drills) - 1))
        return self.drills[self.at] if self.drills else None

    @property
    def _meant(self) -> tuple[DrillView, ...]:
        """Return whom the next action reaches: the marked one, or all that are driven."""
        if self._all:
            return tuple(d for d in self.drills if d.driven)
        return (self.drill,) if self.drill else ()

    # ------------------------------------------------------------ painting

    def top(self, width: int) -> list[Line]:
        """Return who instructs."""
        left = ink(" INSTRUCT", Ink.BOLD) + ink("  drills on this machine; never a real run", Ink.DIM)
        return [spread(left, ink(f"{zulu(self.desk.today())}  {self._instructor.who} ", Ink.TEXT), width)]

    def body(self, width: int, height: int) -> Body:
        """Return the table, then the marked drill."""
        drill = self.drill
        if drill is None:
            return Body(block(view.empty(width), height))
        about = view.about(drill, width)
        room = max(3, height - len(about) - 1)
        first = max(0, self.at - room + 2)
        table = view.rows(self.drills[first : first + room - 1], self.at - first, self.desk.look, width)
        return Body(block([*table, EMPTY, *about], height))

    def usual(self) -> Line:
        """Return whom the keys reach."""
        drill = self.drill
        if drill is None:
            return ink(" Nobody practises just now.", Ink.DIM)
        reach = f"all {len(self._meant)} drills" if self._all else drill.who
        return ink(f" What you do reaches {reach}; it stands in the record.", Ink.LOUD if self._all else Ink.DIM)

    def labels(self) -> dict[str, str]:
        """Say what the keys do now."""
        halted = any(d.halted for d in self._meant)
        return {"halt": "Let go on" if halted else "Halt", "all": "Only the marked" if self._all else "All"}

    def why(self, action: str) -> str:
        """Return why an action cannot be done now."""
        if action in ("fault", "halt", "message", "note", "all", "watch") and self.drill is None:
            return "nobody practises just now"
        return ""

    # ------------------------------------------------------------ moving

    def do_up(self) -> None:
        """One up."""
        self.at -= 1

    def do_down(self) -> None:
        """One down."""
        self.at += 1

    def do_all(self) -> None:
        """Reach all drills, or the marked one only."""
        self._all = not self._all

    def clicked(self, kind: str, what: str) -> None:
        """Mark a drill."""
        if kind == "drill":
            self.at = int(what)

    # ------------------------------------------------------------ doing

    def do_fault(self) -> None:
        """Choose what happens to the estate."""
        if self.drill is not None:
            self.desk.own(self._choose_fault(self.drill))

    async def _choose_fault(self, drill: DrillView) -> None:
        usual = await self._instructor.faults(drill)
        choices = [
            Choice("", "", "Nothing", "back"),
            Choice("own", "o", "Something else", "in the words of a scenario"),
        ]
        choices += [Choice(line, "", words, line) for line, words in usual]
        says = ["The operator is not told; the record and the debrief are."]
        self.desk.push_screen(Choose(f"What happens to {self._whom()}?", says, choices), self._chosen)

    def _chosen(self, line: str | None) -> None:
        if line == "own":
            says = ["Such as: exec dr systemctl stop app. A role stands for its hosts."]
            self.desk.ask(
                AskWords("Something else", says, [Field("line", "What happens")]), lambda s: self._make(s["line"])
            )
        elif line:
            self._make(line)

    def _make(self, line: str) -> None:
        self.desk.own(self._made(self._meant, line))

    async def _made(self, drills: tuple[DrillView, ...], line: str) -> None:
        refused = [why for drill in drills if (why := await self._instructor.fault(drill, line))]
        self.tell(safe(f"refused: {refused[0]}" if refused else f"done: {line}", 200))
        self.reread()

    def do_halt(self) -> None:
        """Have it stand still, or let it go on."""
        halted = tuple(d for d in self._meant if d.halted)
        if halted:
            self._each(halted, self._instructor.go_on, "may go on")
            return
        drills = self._meant
        says = ["What runs ends, nothing else begins. It is not held: its operator stays, and reads this."]
        page = AskWords(f"Halt {self._whom()}", says, [Field("why", "Why?")])
        self.desk.ask(
            page, lambda s: self._each(drills, lambda d: self._instructor.halt(d, s["why"]), "is asked to stand still")
        )

    def do_message(self) -> None:
        """Send a message that waits for an answer."""
        drills = self._meant
        fields = [Field("words", "What is said"), Field("by", "Who says it (empty: you)", must=False)]
        says = ["It stands on the operator's screen until it is answered."]
        page = AskWords(f"A message to {self._whom()}", says, fields)
        self.desk.ask(
            page, lambda s: self._each(drills, lambda d: self._instructor.say(d, s["words"], s["by"]), "is told")
        )

    def do_note(self) -> None:
        """Leave a note in the record."""
        drills = self._meant
        page = AskWords(f"A note on {self._whom()}", ["The operator sees it."], [Field("text", "Note")])
        self.desk.ask(page, lambda s: self._each(drills, lambda d: self._instructor.note(d, s["text"]), "has the note"))

    def _whom(self) -> str:
        return f"all {len(self._meant)} drills" if self._all else (self.drill.who if self.drill else "nobody")

    def _each(self, drills: tuple[DrillView, ...], do: Callable[[DrillView], None], done: str) -> None:
        refused = []
        for drill in drills:
            try:
                do(drill)
            except Trouble as wrong:
                refused.append(wrong.problems[0].message)
        whom = drills[0].who if len(drills) == 1 else f"each of {len(drills)} drills"
        self.tell(safe(refused[0] if refused else f"{whom} {done}", 200))
        self.reread()

    def do_watch(self) -> None:
        """Look on the marked drill, on its own screen."""
        if self.drill is not None:
            self.desk.own(self._watch(self.drill))

    async def _watch(self, drill: DrillView) -> None:
        self.desk.open_session(await self._instructor.watch(drill))
