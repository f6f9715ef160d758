"""The first-contact page: a host key is pinned only by a person who typed the fingerprint that the host printed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from handrail.base.problems import Trouble
from handrail.session.cards import HostKey, RolePulse
from handrail.tui.contact_view import contact_rows
from handrail.tui.entry import Entry
from handrail.tui.frame import Body
from handrail.tui.page import Page
from handrail.tui.text import EMPTY, Ink, Line, ink

Trust = Callable[[str, str, str], Coroutine[Any, Any, None]]


class ContactPage(Page[None]):
    """Shows one host after the other whose key is not pinned; one key press pins nothing."""

    scope_name = "contact"

    def __init__(
        self, lead: Callable[[int], Line], hosts: Callable[[], Sequence[tuple[RolePulse, HostKey]]], trust: Trust
    ) -> None:
        super().__init__()
        self._lead, self._hosts, self._trust = lead, hosts, trust
        self.at = 0
        self._on_why = self._asking = False
        self._typed, self._why = Entry(), Entry()

    @property
    def entry(self) -> Entry | None:
        """Return what is typed into."""
        return self._why if self._on_why else self._typed

    @property
    def now(self) -> tuple[RolePulse, HostKey] | None:
        """Return the host that is shown; None when none is left."""
        hosts = self._hosts()
        self.at = max(0, min(self.at, len(hosts) - 1))
        return hosts[self.at] if hosts else None

    def top(self, width: int) -> list[Line]:
        """Return the briefing's own header: the mode is on every screen."""
        return [self._lead(width)]

    def body(self, width: int, height: int) -> Body:
        """Return the host and what is to be compared."""
        shown = self.now
        if shown is None:
            return Body([EMPTY, ink(" Every host that answers shows the key that is pinned for it.", Ink.BOLD)])
        tight = width < 76 or height < 17
        rows = contact_rows(*shown, self._typed, self._why, width, on_why=self._on_why, tight=tight)
        return Body([*([EMPTY] if len(rows) < height else []), *rows][:height])

    def usual(self) -> Line:
        """Return how many there are, and what enter does."""
        hosts = self._hosts()
        if self._asking:
            return ink(" Pinned. The host is being asked again.", Ink.CALM)
        if not hosts:
            return ink(" esc goes back to the briefing.", Ink.DIM)
        more = f" {self.at + 1} of {len(hosts)}, ↑ ↓ the others." if len(hosts) > 1 else ""
        return ink(f" Nothing is pinned until what you type is the same.{more}", Ink.ACCENT)

    def labels(self) -> dict[str, str]:
        """Leave out what there is nothing to do with."""
        shown = self.now
        none = dict.fromkeys(("pin", "other-entry"), "") if shown is None else {}
        return {**none, **({} if shown is not None and shown[1].pinned else {"other-entry": ""})}

    def do_pin(self) -> None:
        """Pin it, if what was typed is the same."""
        shown = self.now
        if shown is None or self._asking:
            return
        pulse, key = shown
        if not self._typed.value.strip():
            self.tell("type what the host printed: its last 6 characters, or all of it")
        elif key.pinned and not self._why.value.strip():
            self._on_why = True
            self.tell("it had another key: say why it changed")
        else:
            self._asking = True
            self.desk.own(self._pin(pulse.host))

    async def _pin(self, host: str) -> None:
        try:
            await self._trust(host, self._typed.value, self._why.value)
        except Trouble as wrong:
            self.desk.say_trouble(wrong)
        else:
            self._clear()
            if not self._hosts():
                self.dismiss(None)
        finally:
            self._asking = False

    def _clear(self) -> None:
        self._typed, self._why, self._on_why = Entry(), Entry(), False

    def do_other_entry(self) -> None:
        """Go to the reason, or back."""
        shown = self.now
        self._on_why = shown is not None and bool(shown[1].pinned) and not self._on_why

    def do_up(self) -> None:
        """The host before."""
        self.at -= 1
        self._clear()

    def do_down(self) -> None:
        """The next host."""
        self.at += 1
        self._clear()

    def do_leave(self) -> None:
        """Back to the briefing."""
        self.dismiss(None)
