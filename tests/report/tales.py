"""Tales for reports: runs of the engine's rig, told as reports with clocks that stand still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

from tests.engine.rig import BACK, C1, C2, DNS, D, P, Rig, bad, step

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.outline import Outline, StageOutline
from handrail.engine.results import Output, Result
from handrail.engine.state import State
from handrail.engine.words import Line, ResultKind, UndoKind, Way
from handrail.report.build import build
from handrail.report.data import Facts, Happening, Report

BEGAN = datetime(2026, 11, 23, 3, 10, 0, tzinfo=UTC)
NAMES = {"p": "puppet-primary", "d": "puppet-dr", "c1": "web01", "c2": "web02", "c3": "db01"}
FACTS = Facts(
    rto=900.0,
    simulated="namespaces",
    shortened="the TTL is 5 s here",
    names=NAMES,
    records=42,
    head="ab" * 32,
)


def happenings(journal: Sequence[e.Event]) -> tuple[Happening, ...]:
    """Return events as the records that hold them."""
    return tuple(
        Happening(seq, BEGAN + timedelta(seconds=event.at), "ana", "b1", 1, event)
        for seq, event in enumerate(journal, 1)
    )


def report_of(rig: Rig, facts: Facts = FACTS) -> Report:
    """Return the report of a rig's run."""
    return told(rig.state, rig.journal, facts)


def told(state: State, journal: Sequence[e.Event], facts: Facts = FACTS) -> Report:
    """Return the report of a state and the events that led to it."""
    return build(state, happenings(journal), facts)


def small() -> Outline:
    """Return an outline that fits on a page."""
    mask = step("sync/mask", "1.2", (P,), undo=UndoKind.ACTION, probe=True)
    dns = step("switch/dns", "2.1", (DNS,), undo=UndoKind.RESTORE, confirm=True, recheck=("sync/a",))
    return Outline(
        "failover",
        "Fail over",
        (
            StageOutline("sync", "1", "Sync", (step("sync/a", "1.1", (D,)), mask)),
            StageOutline("switch", "2", "Switch", (dns,), line=Line.CLIENTS_MOVE),
            StageOutline("clients", "3", "Clients", (step("clients/seen", "3.1", (C1, C2)),)),
        ),
        {"planned": frozenset(), "emergency": frozenset({"primary"})},
    )


def opened(mode: str = "DRILL", **more: object) -> Rig:
    """Return a rig whose run was opened in a mode."""
    rig = Rig(small())
    first = rig.journal.pop(0)
    assert isinstance(first, e.RunOpened)
    rig.state = replace(rig.state, opened=None)
    rig.take(replace(first, mode=mode, **more))  # type: ignore[arg-type]
    return rig


def done() -> Report:
    """Return the report of a drill that went well; a note was left."""
    rig = opened().through("sync")
    rig.must(m.Note("network says all is quiet", by="tom"))
    for _ in rig.outline.stages[1:]:
        rig.stage()
    return report_of(rig, replace(FACTS, restored=8.0))


def undone() -> Report:
    """Return the report of a LIVE run whose last step before the line failed, and that was taken back."""
    rig = opened("LIVE", incident="INC-7", disrupted="03:04Z")
    rig.through("sync")
    output = Output("out/switch-dns.1.dns.log", 12, "cd" * 32)
    rig.ends("switch/dns", Way.FORWARD, Result("dns", ResultKind.EXITED, sent=True, exit=2, output=output))
    rig.stage()
    rig.undo("", BACK)
    rig.must(m.Leave(by="ana"))
    return report_of(rig, replace(FACTS, simulated="", shortened=""))


def emergency() -> Report:
    """Return the report of a rehearsal in which the primary was lost: things are owed, and it was closed."""
    rig = opened("REHEARSAL").through("switch")
    rig.ends("clients/seen", Way.FORWARD, bad("c1"))
    rig.stage()
    rig.must(m.Declare("emergency", "the site is dark", by="ana"))
    rig.must(m.Leave(by="ana"))
    rig.must(m.Close("we go on with the vendor", by="tom"))
    return report_of(rig, replace(FACTS, simulated=""))


class Balance(HTMLParser):
    """Reads HTML, and says which tags, attributes and texts are in it; a tag that is not closed is a failure."""

    EMPTY = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read_html(text: str) -> Balance:
    """Return what is in an HTML text whose tags balance."""
    reader = Balance()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader
