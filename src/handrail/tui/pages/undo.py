"""The undo page: how far back, what that does, and the value to type where it crosses CLIENTS MOVE."""

from __future__ import annotations

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.offers import undo_targets
from handrail.engine.typed import same_value
from handrail.tui.entry import Entry
from handrail.tui.frame import Body
from handrail.tui.page import OfRun
from handrail.tui.text import EMPTY, Ink, Line, ink, row, wrap
from handrail.tui.undo_plan import Target, plan_lines


class UndoPage(OfRun):
    """Shows the way back, then asks."""

    scope_name = "undo"

    def __init__(self) -> None:
        super().__init__()
        self.at = 0
        self.first = 0
        self.entries: list[Entry] = []
        self._for: tuple[str, ...] = ()
        self._height = 1

    @property
    def targets(self) -> tuple[Target, ...]:
        """Return how far one may go back, nearest first."""
        return undo_targets(self.now.state)

    @property
    def target(self) -> Target | None:
        """Return the chosen one."""
        targets = self.targets
        self.at = max(0, min(self.at, len(targets) - 1))
        return targets[self.at] if targets else None

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return the values to type, one after the other."""
        target = self.target
        return order.put_back(self.now.state, target[2]) if target and not target[3] else ()

    def _turn(self) -> None:
        wanted = self.wanted
        if wanted != self._for:
            self._for = wanted
            self.entries = [Entry(guarded=True) for _ in wanted]

    @property
    def entry(self) -> Entry | None:
        """Return the value that is being typed: the first that does not match yet."""
        self._turn()
        pairs = list(zip(self.entries, self._for, strict=True))
        return next((e for e, token in pairs if not same_value(e.value, token)), pairs[-1][0] if pairs else None)

    def body(self, width: int, height: int) -> Body:
        """Return the targets, the plan and what is to be typed."""
        self._turn()
        target = self.target
        if target is None:
            return Body([EMPTY, ink(" There is nothing to undo: nothing was changed.", Ink.BOLD)])
        asks = self._asks(width)
        choose = self._choose(width)
        room = height - len(asks) - len(choose) - 1
        plan = plan_lines(self.now, target, width)
        self._height = room
        self.first = max(0, min(self.first, len(plan) - room))
        shown = plan[self.first : self.first + room]
        left = len(plan) - self.first - len(shown)
        if left > 0:
            shown = [*shown[:-1], ink(f"   and {left + 1} more lines: ctrl+d", Ink.MUTED)]
        return Body([*choose, EMPTY, *shown, *([EMPTY] * (room - len(shown))), *asks])

    def _choose(self, width: int) -> list[Line]:
        targets = self.targets
        head = ink(f" UNDO  back to before stage  ({self.at + 1} of {len(targets)}, ↑ ↓)", Ink.BOLD)
        names = [
            ink(f" {name} ", Ink.CURSOR if at == self.at else (Ink.MUTED if why else Ink.DIM))
            for at, (_, name, _, why) in enumerate(targets)
        ]
        line, lines = ink("  "), []
        for name in names:
            if line.width + name.width + 2 > width:
                lines.append(line)
                line = ink("  ")
            line = row(line, name, " ")
        return [head, *lines, line]

    def _asks(self, width: int) -> list[Line]:
        lines: list[Line] = []
        typing = self.entry
        for entry, token in zip(self.entries, self._for, strict=True):
            said = f" This crosses CLIENTS MOVE. Type what it puts back, {token}: "
            lines += [*wrap(said, width - 1, Ink.LOUD)]
            lines.append(row("  > ", entry.line(max(8, width - 6), token=token, active=entry is typing)))
            if entry.dropped:
                lines.append(ink(f"   dropped: {entry.dropped}", Ink.LOUD))
        return lines

    def usual(self) -> Line:
        """Return what enter does."""
        target = self.target
        if target is None:
            return ink(" esc goes back.", Ink.DIM)
        if target[3]:
            return ink(f" {target[3]}", Ink.ERROR)
        if not self._matches():
            return ink(" Nothing is sent until it is typed. esc goes back.", Ink.ACCENT)
        return ink(" Nothing is sent yet. enter walks back, newest first.", Ink.ACCENT)

    def _matches(self) -> bool:
        self._turn()
        return all(same_value(e.value, token) for e, token in zip(self.entries, self._for, strict=True))

    def keeps(self, char: str) -> bool:
        """Keep help and the command line, where they are no part of what is typed."""
        return char in "?:" and not any(char in token for token in self._for)

    def labels(self) -> dict[str, str]:
        """Leave letters out of the bar while one types."""
        return dict.fromkeys(("status", "note", "leave"), "") if self.entry is not None else {}

    def why(self, action: str) -> str:
        """Return why it cannot be begun."""
        if action != "begin":
            return ""
        target = self.target
        if target is None:
            return "there is nothing to undo"
        if target[3]:
            return target[3]
        return "" if self._matches() else "type the value that it puts back first"

    def do_begin(self) -> None:
        """Walk back."""
        target = self.target
        if target and self.desk.submit(m.Undo(target[0], tuple(e.value for e in self.entries))):
            self.dismiss(None)

    def do_up(self) -> None:
        """Go back less far."""
        self.at, self.first = max(0, self.at - 1), 0

    def do_down(self) -> None:
        """Go back further."""
        self.at, self.first = self.at + 1, 0

    def do_page_down(self) -> None:
        """Half a page down."""
        self.first += max(1, self._height // 2)

    def do_page_up(self) -> None:
        """Half a page up."""
        self.first = max(0, self.first - max(1, self._height // 2))

    def scrolled(self, by: int) -> None:
        """Move the plan."""
        self.first = max(0, self.first + by)
        self.repaint()
