"""Orders: one attempt at one step, fully resolved for every host it goes to. Pure; raises `Trouble` for unknown names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from handrail.actions.work import Ask, ProbeAsk, SyncSides, Work
from handrail.base.frozen import dataclass
from handrail.base.problems import trouble
from handrail.engine.state import Attempt, State
from handrail.engine.words import Way
from handrail.runbook.bind import Binding
from handrail.runbook.checks import Command, Undo, Verify
from handrail.runbook.estate import Host
from handrail.runbook.model import Step
from handrail.runbook.resolved import Part, resolve_part, resolve_step
from handrail.session.outline import HOSTLESS, how_many

READ_LIMIT: Final = 60.0
CHANGE_LIMIT: Final = 600.0
LAG: Final = 300.0


@dataclass(frozen=True)
class Orders:
    """A binding with what the run has captured so far."""

    binding: Binding
    run: str
    state: State

    def _names(self, host: Host | None, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return self.binding.names_for(host, {**self.state.values, **(more or {})})

    def spot(self, step: str) -> Step:
        """Return a step as the runbook has it."""
        return self.binding.runbook.place(step).step

    def host(self, key: str) -> Host | None:
        """Return a host of the estate; None for dns, person and clock."""
        return None if key in HOSTLESS.values() else self.binding.estate.host(key)

    def part(self, part: Part, host: Host | None, more: Mapping[str, str] | None = None) -> Part:
        """Return a verify, probe, guard or undo for one host; secrets stand in its standard input alone."""
        resolved = resolve_part(self._no_stdin(part), self._names(host, more))
        return self._stdin(part, resolved, host)

    def step(self, step: Step, host: Host | None) -> Step:
        """Return a step for one host."""
        return self._stdin(step, resolve_step(self._no_stdin(step), self._names(host)), host)

    @staticmethod
    def _no_stdin(part: Part) -> Part:
        return part.model_copy(update={"stdin": None}) if getattr(part, "stdin", None) else part

    def _stdin(self, part: Part, resolved: Part, host: Host | None) -> Part:
        text = getattr(part, "stdin", None)
        if not text:
            return resolved
        names = self.binding.stdin_names(host, self.state.values)
        only = resolve_part(Command(run=("cat",), stdin=text), names)
        return resolved.model_copy(update={"stdin": only.stdin})

    def forward(self, step_id: str, hosts: tuple[str, ...], attempt: int, *, attach: bool = False) -> Work:
        """Return a forward attempt."""
        step = self.spot(step_id)
        mine = {key: self.step(step, self.host(key)) for key in hosts}
        return Work(
            step=step_id,
            run=self.run,
            attempt=attempt,
            way=Way.FORWARD,
            hosts=mine,
            kind=step.action_kind,
            changes=step.changes,
            limit=step.limit,
            attach=attach,
            at_once=step.at_once,
            need=how_many(step.need, len(hosts)),
            within=step.within or 0.0,
            every=step.every,
            probe=self.probe(step),
            verifies=self.verifies(step.verify, step, hosts),
            sync=self._sides(step),
            captures={key: dict(one.capture) for key, one in mine.items()},
            lag=self._lag(),
            lost=bool(self.state.lost),
        )

    def _lag(self) -> float:
        """Return how long clients may be left behind by a switch: a third of the time the runbook gives itself."""
        rto = self.binding.runbook.head.rto
        return rto.target / 3 if rto is not None else LAG

    def _sides(self, step: Step) -> SyncSides | None:
        if step.sync is None:
            return None
        source = self.binding.estate.hosts(step.sync.from_)[0]
        target = self.binding.estate.hosts(step.sync.to)[0]
        return SyncSides(source.key, target.key, self.part(step.sync, source), self.part(step.sync, target))

    def probe(self, step: Step) -> ProbeAsk | None:
        """Return a step's probe for the hosts it asks; those of a lost role are left out."""
        if step.probe is None:
            return None
        hosts = self.binding.hosts_for(step.probe, step, tuple(self.state.lost))
        return ProbeAsk({h.key: self.part(step.probe, h) for h in hosts}) if hosts else None

    def verifies(
        self, verifies: tuple[Verify, ...], step: Step, hosts: tuple[str, ...]
    ) -> Callable[[Mapping[str, Mapping[str, str]]], tuple[Ask, ...]]:
        """Return what makes the questions of a step's verifies, once it is known what each host captured."""

        def asks(captured: Mapping[str, Mapping[str, str]]) -> tuple[Ask, ...]:
            only = tuple(captured) if captured else hosts
            found = {f"{self._role(h)}.{k}": v for h, values in captured.items() for k, v in values.items()}
            made = (self._ask(verify, step, only, found) for verify in verifies)
            return tuple(ask for ask in made if ask is not None)

        return asks

    def _role(self, key: str) -> str:
        host = self.host(key)
        return host.role if host else key

    def _ask(self, verify: Verify, step: Step, only: tuple[str, ...], captured: Mapping[str, str]) -> Ask | None:
        """Return one question; a verify with roles of its own is asked there, else where the step was done."""
        hosts = self.binding.hosts_for(verify, step, tuple(self.state.lost))
        if not verify.on and not step.sync:
            hosts = tuple(h for h in hosts if h.key in only)
        if not hosts:
            return None
        each = {h.key: self.part(verify, h, captured) for h in hosts}
        return Ask(
            title=verify.title or ("the same everywhere" if verify.expect.same else _short(next(iter(each.values())))),
            each=each,
            expects={key: one.expect for key, one in each.items()},
            need=how_many(verify.need, len(each)),
            within=verify.within or 0.0,
            every=verify.every,
            limit=verify.timeout or READ_LIMIT,
            same=verify.expect.same,
        )

    def undo(self, step_id: str, key: str) -> Undo | Step:
        """Return what undoes a step on one host: its undo, or for a restore the step itself."""
        step = self.spot(step_id)
        if isinstance(step.undo, Undo):
            return self.part(step.undo, self.host(key))
        return self.step(step, self.host(key))

    def journalled(self, step_id: str, key: str, attempt: Attempt | None) -> Undo | Step:
        """Return a step's undo as it was resolved and journalled before the step was sent; resolved now for a by-hand step."""
        text = attempt.order.get(f"undo:{key}") if attempt else None
        if text is None:
            return self.undo(step_id, key)
        undo = Undo.model_validate_json(text)
        original = self.spot(step_id).undo
        if isinstance(original, Undo) and original.stdin:
            return self._stdin(original, undo, self.host(key))
        return undo

    def back(self, step_id: str, hosts: tuple[str, ...], attempt: int, *, attach: bool = False) -> Work:
        """Return an attempt at a step's undo."""
        step = self.spot(step_id)
        first = self.state.step(step_id).first
        mine = {key: self.journalled(step_id, key, first) for key in hosts}
        undo = step.undo if isinstance(step.undo, Undo) else None
        return Work(
            step=step_id,
            run=self.run,
            attempt=attempt,
            way=Way.BACK,
            hosts=mine,
            kind=undo.action_kind if undo else step.action_kind,
            changes=True,
            limit=(undo.timeout if undo else None) or CHANGE_LIMIT,
            attach=attach,
            at_once=step.at_once,
            need=len(hosts),
            probe=self.probe(step),
            verifies=self.verifies(undo.verify, step, hosts) if undo else lambda _captured: (),
            sync=self._sides(step),
            lost=bool(self.state.lost),
        )

    def probed(self, step_id: str) -> Work:
        """Return the work whose probe is to be asked."""
        step = self.spot(step_id)
        hosts = tuple(p.key for p in self.state.outline.places(self.state.outline.step(step_id), self.state.route))
        if step.probe is None and step.action_kind not in ("sync", "dns"):
            raise trouble("no-probe", f"{step_id} has no probe")
        return self.forward(step_id, hosts, 0)

    def titled(self, step_id: str) -> str:
        """Return a step's title with the names that are known."""
        return self.state.outline.step(step_id).title


def _short(command: Command) -> str:
    text = " ".join(command.run) if command.run else (command.script or "").strip().splitlines()[0]
    return text if len(text) <= 60 else text[:59] + "…"
