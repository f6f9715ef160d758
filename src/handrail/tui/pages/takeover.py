"""Taking over: who drives the run, what stands, and asking who drives it. It takes nothing from one who answers."""

from __future__ import annotations

from typing import Final

from handrail.base.problems import Trouble
from handrail.session.api import SessionApi
from handrail.session.cards import RunCard
from handrail.session.standing import Reply, Stage, Standing, facts
from handrail.tui.entry import Entry
from handrail.tui.frame import Body
from handrail.tui.header import banner
from handrail.tui.page import Page
from handrail.tui.text import EMPTY, Ink, Line, fit, hang, ink, row

_AGAIN: Final = 5.0  # seconds after which what stands is read again
_LABEL: Final = 13
_WORTH: Final = ("console", "under way", "changed", "owed", "note", "differs", "NOT WHOLE")


class TakeoverPage(Page[SessionApi]):
    """One run that somebody drives. Its result is the session, once this console drives it."""

    scope_name = "takeover"

    def __init__(self, run: RunCard, *, alone: bool = False) -> None:
        super().__init__()
        self.card, self._alone = run, alone
        self._words, self._why, self._typed = Entry(), Entry(), Entry(guarded=True)
        self._on_name = False
        self._reply = Reply(Stage.UNASKED)
        self._standing: Standing | None = None
        self._read_at = 0.0
        self._tried = False  # it was let go of, or taken: what is left is to open it
        self._taking = False

    def on_mount(self) -> None:
        """Read what stands."""
        self.tick()

    # ------------------------------------------------------------ what is so

    def tick(self) -> None:
        """Look for an answer, and now and then at the run."""
        super().tick()
        if self._taking:
            return
        try:
            self._reply = self.desk.desk_api.reply(self.card)
            if self._standing is None or self.desk.mono() - self._read_at > _AGAIN:
                self._standing, self._read_at = self.desk.desk_api.stand(self.card), self.desk.mono()
        except Trouble as wrong:
            if wrong.problems[0].code != "run-free":
                self.desk.say_trouble(wrong)
                return
            self._reply = Reply(Stage.FREE)
        if self._reply.stage is Stage.FREE:
            self._take()

    @property
    def _holder(self) -> str:
        return self._standing.holder if self._standing else (self.card.holder or self.card.operator)

    @property
    def _words_wanted(self) -> bool:
        return self._reply.may_take

    @property
    def entry(self) -> Entry | None:
        """Return the line that is being filled in: a note to the holder, then reason and name."""
        if self._words_wanted:
            return self._typed if self._on_name else self._why
        return self._words if self._reply.stage in (Stage.UNASKED, Stage.DECLINED) else None

    # ------------------------------------------------------------ painting

    def top(self, width: int) -> list[Line]:
        """Return the banner: the mode stands on every screen."""
        snap = self._standing.snap if self._standing else None
        left = f"{self.card.estate}  {self.card.runbook}  {snap.state.route if snap else ''}"
        lost = bool(snap and snap.state.lost)
        return [banner(self.desk.look, self.card.mode, left, self.card.run, width, emergency=lost)]

    def body(self, width: int, height: int) -> Body:
        """Return the facts, then what can be said."""
        said = self._said(width)
        host = self._standing.host if self._standing else "?"
        lines = [ink(f" TAKE OVER from {self._holder} on {host}", Ink.BOLD), EMPTY]
        room = height - len(said) - len(lines) - 1
        lines += self._facts(width, room)
        return Body([*lines, EMPTY, *said])

    def _facts(self, width: int, room: int) -> list[Line]:
        """Return the facts; where there is no room for all of them, the ones that matter most."""
        if self._standing is None:
            return []
        known = [(label, words) for label, words in facts(self._standing) if words]
        for most, keep in ((3, None), (2, None), (1, _WORTH)):
            lines: list[Line] = []
            for label, words in known:
                if keep is None or label in keep:
                    rows = max(most, 2) if label == "changed" else most
                    how = Ink.LOUD if label in ("NOT WHOLE", "differs") else Ink.DIM
                    lines += hang(row("   ", ink(f"{label:{_LABEL - 3}}", how)), words, width - 1, at=_LABEL, most=rows)
            if len(lines) <= room:
                break
        return lines[: max(0, room)]

    def _said(self, width: int) -> list[Line]:
        reply, holder = self._reply, self._holder
        if reply.may_take:
            why = f"the process of {holder} is gone" if reply.stage is Stage.GONE else f"{holder} does not answer"
            says = f"{why}. Their console can send nothing more once you take over."
            return [
                ink(f" {says}", Ink.WARNING),
                self._line("Reason", self._why, width, active=not self._on_name),
                self._line(f"Then type the name, {holder}", self._typed, width, active=self._on_name, token=holder),
            ]
        if reply.stage is Stage.WAITING:
            return [ink(f" {holder} is asked, and has {reply.left:.0f} s to answer.", Ink.ACCENT)]
        if reply.stage is Stage.HANDING:
            words = f": {reply.words}" if reply.words else ""
            return [ink(f" {holder} hands over once the running step has ended{words}", Ink.ACCENT)]
        if reply.stage is Stage.FREE:
            return [ink(f" {holder} has let go of it: taking it up.", Ink.ACCENT)]
        lead = f" {holder} goes on driving: {reply.words}" if reply.stage is Stage.DECLINED else f" {reply.words}"
        head = [fit(ink(lead, Ink.LOUD), width)] if lead.strip() else []
        return [*head, self._line(f"Ask {holder} for the run, with a note", self._words, width, active=True)]

    def _line(self, label: str, entry: Entry, width: int, *, active: bool, token: str = "") -> Line:
        head = row(ink(f" {label}: ", Ink.BOLD if active else Ink.DIM))
        typed = entry.line(max(10, width - head.width - 2), token=token, active=active)
        return row(head, typed, ink(f"  dropped: {entry.dropped}", Ink.LOUD) if entry.dropped else "")

    def usual(self) -> Line:
        """Return what enter does now."""
        if self._words_wanted:
            return ink(" enter takes over, once a reason is given and the name typed.", Ink.DIM)
        if self._reply.stage in (Stage.WAITING, Stage.HANDING):
            return ink(" Nothing to press. esc takes the question back.", Ink.CALM)
        return ink(" enter asks. Who drives sees it, and can hand over or decline.", Ink.DIM)

    def labels(self) -> dict[str, str]:
        """Return what enter does now."""
        if self._words_wanted:
            return {"say": "Take over"}
        return {"say": "" if self.entry is None else "Ask", "next-field": ""}

    # ------------------------------------------------------------ doing

    def do_next_field(self) -> None:
        """Go to the other line."""
        self._on_name = not self._on_name

    def do_say(self) -> None:
        """Ask; or, once nobody has answered, take over."""
        if self._taking:
            return
        self._tried = False
        if self._reply.stage is Stage.FREE:
            self._take()
            return
        if not self._words_wanted:
            if self.entry is not None:
                self.desk.desk_api.ask(self.card, self._words.value.strip())
                self.tick()
            return
        if not self._why.value.strip():
            self._on_name = False
            self.tell("Reason: it cannot be left empty")
        elif not self._on_name and not self._typed.value:
            self._on_name = True
        elif self._typed.value.strip() != self._holder:
            self._on_name = True
            self.tell(f"that is not {self._holder}")
        else:
            self._take(self._why.value.strip(), self._typed.value.strip())

    def _take(self, reason: str = "", typed: str = "") -> None:
        """Take the run, once; where it needs secrets that are in no file, they are asked for first."""
        if not self._tried:
            self._tried = True
            self.desk.with_secrets(self.card, lambda secrets: self.desk.own(self._taken(reason, typed, secrets)))

    async def _taken(self, reason: str, typed: str, secrets: dict[str, str]) -> None:
        if self._taking:
            return
        self._taking = True
        try:
            session = await self.desk.desk_api.resume(self.card, reason, typed, secrets)
        except Trouble as wrong:
            self._taking = self._tried = False
            self._standing = None
            self._typed.clear()
            self.desk.say_trouble(wrong)
            return
        self.desk.desk_api.withdraw(self.card)
        self.dismiss(session)

    def do_back(self) -> None:
        """Take the question back, and leave the run to who drives it."""
        self.desk.desk_api.withdraw(self.card)
        if self._alone:
            self.desk.own_quit(130)
        else:
            self.dismiss(None)
