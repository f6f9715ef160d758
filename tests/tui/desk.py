"""A desk with two runbooks, a held run and a briefing; what it opens are fake sessions."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from tests.tui.fake import START, FakeSession

from handrail.base.problems import trouble
from handrail.engine import messages as m
from handrail.session.api import ReplayApi
from handrail.session.cards import BriefingView, Home, HostKey, PlanLine, RolePulse, RunbookCard, RunCard, Start, Wanted
from handrail.session.coverage import Coverage, Covered, Drilled
from handrail.session.standing import Reply, Stage, Standing
from handrail.session.status import changed_steps
from handrail.session.view import Mode


def cards() -> tuple[RunbookCard, ...]:
    """Return three runbooks: drilled, never drilled, unreadable."""
    return (
        RunbookCard(
            "puppet-failover",
            Path("/home/ana/dr/puppet-failover.toml"),
            "Fail Puppet over to the DR site",
            "Moves Puppet clients from puppet-primary to puppet-dr by changing one DNS name.",
            4,
            12,
            900.0,
            "d" * 64,
            derived=3,
            last_drill=START - timedelta(days=3),
            last_by="ana",
            restored=708.0,
            due=START + timedelta(days=7),
            undo_drilled=11,
            undoable=12,
            undo_never=("2.3 Copy CA",),
            took=781.0,
            changed=("2.3 Copy CA: removed = { ask = 0 }", "3.1 Point DNS: ttl = 60"),
        ),
        RunbookCard(
            "puppet-failback",
            Path("/home/ana/dr/puppet-failback.toml"),
            "Bring Puppet back",
            "The way home, after the failover.",
            3,
            9,
            1800.0,
            "e" * 64,
            undoable=9,
        ),
        RunbookCard(
            "broken",
            Path("/home/ana/dr/broken.toml"),
            "broken",
            "",
            0,
            0,
            0.0,
            "",
            problems=("broken.toml:3:1: there is no key 'titel' here [unknown-key]",),
        ),
    )


def held_run(**changes: object) -> RunCard:
    """Return a held LIVE run."""
    run = RunCard(
        "20261122-1104-k3f9q2",
        Mode.LIVE,
        "puppet-failover",
        "production",
        "held",
        "stage 2, 2.3 Copy CA",
        "maria",
        START - timedelta(minutes=56),
        owed=("mask puppetserver on puppet-primary",),
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def standing(**changes: object) -> Standing:
    """Return what stands in a run that maria drives: she copies, and has masked the server."""
    session = FakeSession(Path(tempfile.mkdtemp(prefix="handrail-fake-")), mode=Mode.LIVE)
    session.to_stage("sync")
    session.submit(m.Go())
    session.run("sync/hold", "sync/mask")
    session.begin("sync/copy")
    snap = session.snapshot
    found = Standing(
        snap=snap,
        holder="maria",
        host="bastion1",
        pid=4711,
        gone=False,
        since=START - timedelta(minutes=16),
        keyed=START - timedelta(minutes=5),
        silent=250.0,
        where="stage 2 of 5, 2.3 Copy certificates and CA (running)",
        last="11:55:08Z 2.3 Copy certificates and CA on puppet-dr",
        note='11:54Z maria: "network says fibre cut, ETA none"',
        flight=("2.3 Copy certificates and CA, running on puppet-dr since 11:55:08Z, goes on",),
        changed=changed_steps(snap),
        undo=("2.3 Copy certificates and CA", "2.2 Stop and mask the server", "2.1 Hold the 15-minute sync"),
        undo_seconds=50.0,
        owed=(),
        clients="not moved",
        differs=(),
    )
    return replace(found, **changes)  # type: ignore[arg-type]


@dataclass
class FakeDesk:
    """What the home screen asks; it remembers what it was asked."""

    runs: tuple[RunCard, ...] = ()
    runbooks: tuple[RunbookCard, ...] = field(default_factory=cards)
    folder: Path = Path("/tmp/handrail-fake")
    asked: list[tuple[object, ...]] = field(default_factory=list)
    session: FakeSession | None = None
    lacking: tuple[Wanted, ...] = ()
    replies: list[Reply] = field(default_factory=lambda: [Reply(Stage.UNASKED), Reply(Stage.WAITING, left=30.0)])
    standing: Standing | None = None
    replayed: ReplayApi | None = None

    def plan(self, card: RunbookCard) -> tuple[PlanLine, ...]:
        return plan()

    def changed(self, card: RunbookCard) -> tuple[str, ...]:
        return (*card.changed, "", "--- as drilled", "+++ now", "-ttl = 300", "+ttl = 60")

    def coverage(self, card: RunbookCard) -> Coverage:
        once = Drilled("2026-11-19T12:00:00.000Z", "ana", "20261119-1200-abcdef", "dr-disk-full")
        steps = (
            Covered("sync/hold", "2.1", "Hold the sync", True, once, once),
            Covered("sync/copy", "2.3", "Copy certificates and CA to the DR server", True, once),
            Covered("clients/canaries", "3.3", "Canaries", False),
        )
        return Coverage(card.id, card.digest, steps, 2)

    def home(self) -> Home:
        return Home(self.runbooks, self.runs, "namespaces", Path("/home/ana/dr"))

    async def brief(self, runbook: RunbookCard, mode: Mode, tell: Callable[[str], None]) -> FakeBriefing:
        self.asked.append(("brief", runbook.id, mode))
        tell("the simulated estate comes up: 4 of 6 machines")
        return FakeBriefing(runbook, mode, self)

    def lacks(self, run: RunCard) -> tuple[Wanted, ...]:
        return self.lacking

    async def resume(
        self, run: RunCard, reason: str = "", typed: str = "", secrets: Mapping[str, str] | None = None
    ) -> FakeSession:
        self.asked.append(("resume", run.run, reason, typed, *(secrets or {}).items()))
        return self.opened()

    def stand(self, run: RunCard) -> Standing:
        if not run.driven or self.replies[0].stage is Stage.FREE:
            raise trouble("run-free", "nobody drives it")
        return self.standing or standing()

    def ask(self, run: RunCard, note: str = "") -> None:
        self.asked.append(("ask", run.run, note))
        self.replies.pop(0)

    def reply(self, run: RunCard) -> Reply:
        return self.replies[0]

    def withdraw(self, run: RunCard) -> None:
        self.asked.append(("withdraw", run.run))

    async def replay(self, run: str) -> ReplayApi:
        self.asked.append(("replay", run))
        assert self.replayed is not None
        return self.replayed

    async def watch(self, run: RunCard) -> FakeSession:
        self.asked.append(("watch", run.run))
        session = self.opened()
        session.watching = True
        return session

    async def close_run(self, run: RunCard, reason: str) -> tuple[str, ...]:
        self.asked.append(("close", run.run, reason))
        self.runs = tuple(r for r in self.runs if r.run != run.run)
        return (f"Run {run.run} is closed, unfinished.", *(f"Owed: {what}" for what in run.owed))

    def opened(self) -> FakeSession:
        """Return the session that opening gives."""
        assert self.session is not None
        return self.session


class FakeBriefing:
    """A briefing whose pulses a test sets."""

    def __init__(self, runbook: RunbookCard, mode: Mode, desk: FakeDesk) -> None:
        self.desk, self.closed = desk, False
        self.started: Start | None = None
        self._news = asyncio.Event()
        live = mode is not Mode.DRILL
        self.view = BriefingView(
            1,
            mode,
            runbook,
            "production" if live else "simulated",
            "planned",
            (("planned", "Both sites answer"), ("emergency", "The primary is lost")),
            ("puppet-primary answers from here in 21 ms, and from puppet-dr",),
            (
                RolePulse("primary", "h-primary", "puppet-primary", "10.0.0.10", True, "", 0.021),
                RolePulse("dr", "h-dr", "puppet-dr", "10.9.0.10", None),
                RolePulse("clients", "h-web01", "web01", "10.1.0.1", False, "no route to host"),
            ),
            (Wanted("fqdn", "fqdn", "The name agents connect to", "puppet.example.test"),)
            + ((Wanted("sudo", "secret", "The password for sudo on puppet-dr", secret=True),) if live else ()),
            plan(),
            type_name="production" if live else "",
            needs_reason="This digest was never drilled." if live else "",
            warnings=("No tmux here: a lost line holds the run.",) if live else (),
        )

    async def changed(self, seq: int) -> BriefingView:
        while self.view.seq <= seq:
            await self._news.wait()
            self._news.clear()
        return self.view

    def show(self, **changes: object) -> None:
        """Change what the briefing shows."""
        self.view = replace(self.view, seq=self.view.seq + 1, **changes)  # type: ignore[arg-type]
        self._news.set()

    def answer(self, number: int, words: str | None) -> None:
        self.desk.asked.append(("answer", number, words))
        self.show(asked=tuple(one for one in self.view.asked if one.number != number))

    def ask_again(self) -> None:
        self.desk.asked.append(("again",))

    async def trust(self, host: str, typed: str, why: str = "") -> None:
        pulse = next(p for p in self.view.pulses if p.host == host)
        if pulse.key is None or not pulse.key.fingerprint.endswith(typed):
            raise trouble("ssh-fingerprint", "that is not the fingerprint: nothing was pinned")
        self.desk.asked.append(("trust", host, typed, why))
        now = replace(pulse, reached=True, words="answers, pinned key", key=None)
        self.show(pulses=tuple(now if p.host == host else p for p in self.view.pulses))

    async def start(self, start: Start) -> FakeSession:
        if dict(start.values).get("fqdn") == "refused.example.test":
            raise trouble("vars", "refused.example.test is not in the zone", "look at the estate file")
        self.started = start
        return self.desk.opened()

    async def close(self) -> None:
        self.closed = True


def strange(view: BriefingView, *, changed: bool = False) -> BriefingView:
    """Return a briefing in which the DR host shows a key that is not pinned."""
    pinned = ("ssh-ed25519 SHA256:4iKJmMvYpKDJ8rVfKtBwEOTX0iNC1bVMDkQ9pNqZl3g",) if changed else ()
    key = HostKey(
        "10.9.0.10",
        "10.9.0.10 port 22",
        "ssh-ed25519",
        "SHA256:oJm5dnXUDoHYb6JcN8m4pQKSsyUTFLxTqEUEcIKVsB8",
        Path("/home/ana/dr/known_hosts"),
        pinned,
    )
    words = "HOST KEY CHANGED" if changed else "host key not pinned"
    one = RolePulse("dr", "h-dr", "puppet-dr", "10.9.0.10", False, words, key=key)
    return replace(view, pulses=tuple(one if p.host == "h-dr" else p for p in view.pulses))


def plan() -> tuple[PlanLine, ...]:
    """Return a short plan."""
    return (
        PlanLine(
            "checks/ca", "1.1", "Where each server keeps its CA", "1 Pre-checks", "puppet-primary", ("cat x",), ()
        ),
        PlanLine(
            "sync/hold",
            "2.1",
            "Hold the 15-minute sync",
            "2 Final SSL sync",
            "puppet-dr",
            ("systemctl stop puppet-ssl-sync.timer",),
            ("systemctl start puppet-ssl-sync.timer",),
            changes=True,
        ),
        PlanLine(
            "switch/dns",
            "3.1",
            "Point puppet.example.test at the DR",
            "3 DNS switch",
            "ns1, ns2",
            ("update puppet.example.test. A 10.0.0.10 to 10.9.0.10",),
            ("update puppet.example.test. A 10.9.0.10 to 10.0.0.10",),
            "10.9.0.10",
            True,
            True,
            "clients move",
        ),
    )
