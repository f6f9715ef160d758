"""The replay page: the run page fed from the record. It has keys of its own, submits nothing and writes nothing."""

from __future__ import annotations

from typing import cast

from handrail.base.durations import show_duration
from handrail.session.api import ReplayApi
from handrail.tui.entry import Entry
from handrail.tui.pages.run import RunPage
from handrail.tui.rail import Viewed
from handrail.tui.scene import face
from handrail.tui.text import Ink, Line, ink, row

LITTLE = 10.0  # seconds


class ReplayPage(RunPage):
    """A run that was, played again; every screen of it says so."""

    @property
    def scope(self) -> str:
        """Return the scope of the keys: the same on every face."""
        return "replay"

    @property
    def showing(self) -> str:
        """Return the face that was shown; away from the menu, the run."""
        shown = face(self.now.state)
        return "run" if self.looking.viewed != Viewed() else shown

    @property
    def entry(self) -> Entry | None:
        """Return nothing: what was typed stands in the record once it was sent."""
        return None

    @property
    def tape(self) -> ReplayApi:
        """Return what is played."""
        return cast("ReplayApi", self.desk.session)

    def usual(self) -> Line:
        """Return what the run did, marked; or that time is passed over."""
        playing = self.now.snap.playing
        if playing and playing.gap:
            return row(
                _MARK, ink(f" {show_duration(playing.gap)} in which nothing happened pass in a second", Ink.LOUD)
            )
        if playing and playing.over:
            return row(_MARK, ink(" The end. space plays it again, enter shows what it came to.", Ink.CALM))
        return row(_MARK, super().usual())

    def labels(self) -> dict[str, str]:
        """Return what space and enter do now."""
        playing = self.now.snap.playing
        stands = playing is not None and playing.paused
        labels = {"toggle": "Play" if stands else "Pause", "go": "", "log": "Log"}
        labels |= {"back-a-little": "→ 10 s", "step-back": "↓ Step", "faster": "- Speed"}
        return labels | dict.fromkeys(("on-a-little", "step-on", "slower"), "")

    def why(self, action: str) -> str:
        """Return nothing: a replay has no order to keep."""
        return ""

    # ------------------------------------------------------------ playing

    def do_toggle(self) -> None:
        """Pause, or go on."""
        self.tape.toggle()

    def do_back_a_little(self) -> None:
        """10 seconds back."""
        self.tape.skip(-LITTLE)

    def do_on_a_little(self) -> None:
        """10 seconds on."""
        self.tape.skip(LITTLE)

    def do_step_back(self) -> None:
        """To where the step before was begun."""
        self.tape.step(-1)

    def do_step_on(self) -> None:
        """To where the next step was begun."""
        self.tape.step(1)

    def do_to_first(self) -> None:
        """To the beginning."""
        self.tape.to_first()

    def do_to_end(self) -> None:
        """To the end."""
        self.tape.to_end()

    def do_faster(self) -> None:
        """Twice as fast."""
        self.tape.pace(1)

    def do_slower(self) -> None:
        """Half as fast."""
        self.tape.pace(-1)

    # ------------------------------------------------------------ looking

    def do_go(self) -> None:
        """Back to the running step; at the end, what the run came to."""
        playing = self.now.snap.playing
        if self.looking.viewed == Viewed() and playing is not None and playing.over:
            self.desk.open_debrief()
        else:
            self.do_back()

    def do_look_down(self) -> None:
        """Look at the step below, or a line of output down."""
        self.do_down()

    def do_look_up(self) -> None:
        """Look at the step above, or a line of output up."""
        self.do_up()

    def do_quit(self) -> None:
        """Leave the replay."""
        self.desk.do_leave()


_MARK = ink(" REPLAY ", Ink.REPLAY)
