"""A shipped runbook on a simulated estate, driven by the real engine: runs, a person's few words, and what the estate looks like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any, cast

import dns.message
import dns.query
import dns.rdatatype
import tomli

from handrail.base.frozen import dataclass
from handrail.dns.zone import parse_server
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.outcome import outcome
from handrail.engine.state import State
from handrail.engine.words import Outcome, StepWord
from handrail.plain.auto import Auto
from handrail.runbook.samples import Held, sample_of
from handrail.session import simulator
from handrail.session.api import SessionApi
from handrail.session.opening import Opening, open_run
from handrail.session.session import Session
from handrail.session.simulator import Simulated
from handrail.session.view import Mode
from handrail.store.home import Home

RUNBOOKS = Path(__file__).parents[2] / "runbooks"
# Who asks for a certificate does so at a moment of its own: what waits in `requests` is no trace of a failover.
TREE = r"""
cd "$1" && find . -path './requests/*' -prune -o \( -type l -printf 'l %p -> %l\n' -o -printf '%y %m %u:%g %p\n' \) | LC_ALL=C sort &&
find . -path './requests/*' -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort -k2
"""


@dataclass(frozen=True)
class Bed:
    """An estate that is up, and the home of the runs on it."""

    home: Home
    up: Simulated

    @property
    def file(self) -> dict[str, Any]:
        """Return the estate file."""
        return tomli.loads(self.up.estate.read_text())

    def fact(self, role: str, name: str) -> str:
        """Return a fact of a role, as the estate file has it: in folders mode, with the host's folder before it."""
        return str(self.file["roles"][role]["vars"][name])

    def address(self, role: str) -> str:
        """Return the address of a role."""
        return str(self.file["roles"][role]["address"])

    async def control(self, *words: str) -> dict[str, Any]:
        """Ask the estate something; it must say yes."""
        answer = await simulator.control(self.up.folder, *words)
        assert answer["ok"], answer
        return answer

    async def sh(self, host: str, command: str) -> str:
        """Return what a command on a host prints; it must end well."""
        answer = await self.control("exec", host, command)
        assert answer["rc"] == 0, answer
        return str(answer["out"])

    async def said(self, host: str, command: str) -> str:
        """Return what a command on a host prints, however it ends."""
        return str((await self.control("exec", host, f"{command}; true"))["out"]).strip()

    def open(self, runbook: str, route: str = "planned", **values: str) -> Session:
        """Open a drill of a shipped runbook; the estate outlives it."""
        path = RUNBOOKS / f"{runbook}.toml"
        told = Opening(path, self.up.estate, Mode.DRILL, route=route, values=values, simulated=self.up.mode)
        return open_run(self.home, told)

    def answers(self, fqdn: str) -> dict[str, tuple[str, int]]:
        """Return what every authoritative server answers for a name: address and TTL."""
        found = {}
        table = self.file["dns"]
        for text in table["servers"]:
            server = parse_server(text, table["port"])
            reply = dns.query.tcp(dns.message.make_query(fqdn, "A"), server.address, timeout=5, port=server.port)
            (rrset,) = reply.answer
            assert rrset.rdtype == dns.rdatatype.A
            found[server.label] = (" ".join(sorted(r.to_text() for r in rrset)), int(rrset.ttl))
        return found

    async def files(self, host: str, role: str, *folders: str) -> str:
        """Return every file below some folders of a host, by mode, owner and content, as text."""
        root = self.fact(role, "sync_hold").removesuffix("/etc/puppet-ssl-sync.hold")
        return await self.sh(
            host, "\n".join(f'(set -- {root}{folder}\n[ ! -d "$1" ] || {{ {TREE} }})' for folder in folders)
        )

    async def looks(self) -> dict[str, str]:
        """Return everything that a failover changes and its undo puts back, as text by name."""
        seen = {}
        for role, host in (("primary", "puppet-primary"), ("dr", "puppet-dr")):
            for fact in ("ca_dir", "ssl_dir"):
                folder = self.fact(role, fact)
                seen[f"{role} {fact}"] = await self.sh(host, f"set -- {folder}\n{TREE}")
                seen[f"{role} beside {fact}"] = await self.sh(host, f"ls -A $(dirname {folder})")
            hold = self.fact(role, "sync_hold")
            seen[f"{role} etc"] = await self.sh(host, f"ls -A $(dirname {hold}); cat {self.fact(role, 'puppet_conf')}")
            for unit in ("puppetserver", "puppet-ssl-sync.timer", "puppet-ssl-sync.service"):
                ask = f"systemctl is-enabled {unit}; systemctl is-active {unit}"
                seen[f"{role} {unit}"] = await self.said(host, ask)
        seen["dns"] = repr(sorted(self.answers(self.file["vars"]["fqdn"]).items()))
        return seen


async def bring_up(home: Path, mode: str, clients: int, estate: str = "puppet") -> Bed:
    """Bring a Puppet estate up with so many clients."""
    store = Home(home).make()
    template = RUNBOOKS / "sim" / estate / "estate.toml"
    return Bed(store, await simulator.up(store, "bed", template, "--mode", mode, "--clients", str(clients)))


async def drive(session: Session, auto: Auto | None = None, until: Callable[[State], bool] = lambda _: False) -> State:
    """Answer everything that is proposed until a person has to decide, or `until`; return the state then."""
    auto = auto or Auto()
    while True:
        shown = session.snapshot
        assert not shown.trouble, shown.trouble
        if until(shown.state) or auto.is_over(shown.state):
            return shown.state
        intent = auto.next_intent(session)
        if intent is None:
            await session.changed(shown.seq)
        else:
            assert session.submit(intent) is None


@dataclass(frozen=True)
class Counted(Auto):
    """Answers as ever, and keeps what was asked of a person: a stage's enter, an answer, a typed word; nothing else."""

    asked: list[str] = field(default_factory=list)

    def next_intent(self, session: SessionApi) -> m.Intent | None:
        """Return what is answered, and keep it as "enter", "STEP: WORD"."""
        intent = super().next_intent(session)
        match intent:
            case m.Go():
                self.asked.append("enter")
            case m.Confirm(step=step, typed=word):
                self.asked.append(f"{step}: {word}")
            case m.Reply(step=step):
                self.asked.append(f"{step}: answered")
            case None:
                pass
            case _:
                self.asked.append(str(intent))
        return intent


async def retry(session: Session, step: str) -> None:
    """Send a failed step again, and wait until it has begun."""
    assert session.submit(m.Retry(step)) is None
    while (shown := session.snapshot).state.step(step).word is StepWord.FAILED:
        await session.changed(shown.seq)


async def to_the_end(session: Session, auto: Auto | None = None) -> State:
    """Drive a run until it is over, and close its console."""
    try:
        return await drive(session, auto)
    finally:
        await session.close()


def stands_at(state: State) -> tuple[str, str]:
    """Return the failed step at which a run stands, and everything its hosts said about it."""
    step = order.standing(state)
    assert step is not None, {s.id: now.word for s, now in state.walked()}
    now = state.step(step.id)
    assert now.word is StepWord.FAILED, now
    last = now.attempt
    told = [r.sentence for r in last.results.values()] if last else []
    return step.id, "\n".join([now.detail, *told])


def words(state: State) -> dict[str, StepWord]:
    """Return the word of every step the route needs."""
    return {step.id: now.word for step, now in state.walked() if state.needed(step)}


def is_done(state: State) -> bool:
    """Tell whether everything the route needs has passed."""
    return outcome(state) is Outcome.DONE and set(words(state).values()) == {StepWord.PASSED}


def deviating(session: Session) -> list[str]:
    """Return what a walk's hosts said that is not as its runbook's samples say; nothing where all of it is."""
    shown, found = session.snapshot, []
    for step, _ in shown.state.walked():
        sample, output = shown.texts[step.id].sample, session.output(step.id)
        for host in output.hosts() if sample else ():
            held, reader = Held(sample_of(sample)), output.reader(host)
            assert reader is not None
            reader.refresh()
            held.take(line.raw.decode() for line in reader.lines(0, 5_000, 4096) if line.stream == "out")
            reader.close()
            if not held.as_expected:
                found.append(f"{step.id} on {host}: {held.deviating} deviate, missing: {held.missing}")
    return found


def answers_of(state: State, step: str) -> str:
    """Return what the verdict of a step rests on: captures and checks of its last attempt."""
    last = state.step(step).attempt
    assert last is not None
    return "\n".join(f"{r.sentence} {cast('dict[str, str]', dict(r.captures))}" for r in last.results.values())
