"""A runbook on an estate: roles have hosts, variables have values, and names can be told for each host.

It decides nothing about a run; what was captured while running is handed in by the caller.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Final, Literal, Protocol

from handrail.base.frozen import dataclass
from handrail.base.problems import Problem, Trouble
from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.runbook.estate import Estate, Host
from handrail.runbook.model import Runbook, Step
from handrail.runbook.names import resolve_known
from handrail.runbook.uses import facts_used
from handrail.runbook.variables import value_problem

Source = Literal["runbook", "estate", "set", "answer"]


class Asks(Protocol):
    """What says on which roles it runs: a step, verify, probe, undo or guard."""

    @property
    def on(self) -> tuple[str, ...]:
        """The roles; empty for the step's own."""


@dataclass(frozen=True)
class Binding:
    """A runbook and an estate that fit together. Secrets are apart and stand in no other field."""

    runbook: Runbook
    estate: Estate
    values: Mapping[str, str]
    sources: Mapping[str, Source]
    missing: tuple[str, ...]  # variables nobody has given a value
    unknown_facts: tuple[str, ...]  # "role.fact" that neither estate nor any capture gives
    secrets: Mapping[str, Secret] = field(default_factory=dict)

    def hosts_of(self, step: Step, lost: Sequence[str] = ()) -> tuple[Host, ...]:
        """Return the hosts a step runs on, role by role, without lost roles; `pick` spreads over sites."""
        return self._hosts(step.on, step.pick, lost)

    def hosts_for(self, part: Asks, step: Step, lost: Sequence[str] = ()) -> tuple[Host, ...]:
        """Return the hosts that a step's verify, probe or undo speaks to: its own roles, else the step's hosts."""
        pick: int | None = getattr(part, "pick", None)
        return self._hosts(part.on, pick, lost) if part.on else self._hosts(step.on, pick or step.pick, lost)

    def _hosts(self, roles: Sequence[str], pick: int | None, lost: Sequence[str]) -> tuple[Host, ...]:
        return tuple(host for role in roles if role not in lost for host in picked(self.estate.hosts(role), pick))

    def base_names(self) -> dict[str, str]:
        """Return every name known before anything ran: variables (no secrets) and the estate's facts of roles."""
        return dict(self._base_names)

    @cached_property
    def _base_names(self) -> dict[str, str]:
        names = dict(self.values)
        for role, kind in self.runbook.roles.items():
            hosts = self.estate.hosts(role)
            if kind == "one" and hosts:
                names |= {f"{role}.{fact}": value for fact, value in hosts[0].facts().items()}
            elif kind == "many":
                names[f"{role}.names"] = " ".join(host.name for host in hosts)
                names[f"{role}.count"] = str(len(hosts))
        return names

    def names_for(self, host: Host | None, captures: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return every name as it stands for one host, `here.x` included; `captures` is flat: {"dr.ca_dir": "/x"}."""
        names = {**self.base_names(), **(captures or {})}
        if host is None:
            return names
        own = dict(host.facts())
        if self.runbook.roles.get(host.role) == "one":
            prefix = f"{host.role}."
            own |= {name.removeprefix(prefix): value for name, value in names.items() if name.startswith(prefix)}
        return names | {f"here.{fact}": value for fact, value in own.items()}

    def stdin_names(self, host: Host | None, captures: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the names for standard input, the only place where secrets stand in clear."""
        return self.names_for(host, captures) | {name: secret.reveal() for name, secret in self.secrets.items()}

    def answered(self, answers: Mapping[str, str]) -> Binding:
        """Return the binding with the operator's answers; raise `Trouble` for every one that does not fit."""
        problems = [problem for name, value in answers.items() for problem in _doubts(self.runbook, name, value)]
        if problems:
            raise Trouble(*problems)
        return _bound(self, answers)


def picked(hosts: Sequence[Host], count: int | None) -> tuple[Host, ...]:
    """Return the first `count` hosts, one from each site in turn, in estate order; all of them for None."""
    if count is None or count >= len(hosts):
        return tuple(hosts)
    queues: dict[str, list[Host]] = {}
    for host in hosts:
        queues.setdefault(host.site, []).append(host)
    chosen: list[Host] = []
    while len(chosen) < count:
        for queue in queues.values():
            if queue and len(chosen) < count:
                chosen.append(queue.pop(0))
    keys = {host.key for host in chosen}
    return tuple(host for host in hosts if host.key in keys)


def bind(runbook: Runbook, estate: Estate, settings: Mapping[str, str] | None = None) -> Binding:
    """Return the runbook on the estate, variables from default < estate < `settings`; raise `Trouble` with all misfits."""
    settings = settings or {}
    problems = [*_role_problems(runbook, estate), *_setting_problems(runbook, settings)]
    given: dict[str, tuple[str, Source]] = {}
    for name, var in runbook.vars.items():
        if var.default is not None:
            given[name] = (var.default, "runbook")
        if name in estate.vars:
            given[name] = (estate.vars[name], "estate")
        if name in settings:
            given[name] = (settings[name], "set")
    for name, (value, source) in given.items():
        problems += _doubts(runbook, name, value, source)
    problems += _dns_problems(runbook, estate, {name: value for name, (value, _) in given.items()})
    if problems:
        raise Trouble(*problems)
    values = {name: value for name, (value, _) in given.items() if runbook.vars[name].type != "secret"}
    secrets = {name: Secret(value) for name, (value, _) in given.items() if runbook.vars[name].type == "secret"}
    return Binding(
        runbook=runbook,
        estate=estate,
        values=values,
        sources={name: source for name, (_, source) in given.items()},
        missing=tuple(name for name in runbook.vars if name not in given),
        unknown_facts=_unknown_facts(runbook, estate),
        secrets=secrets,
    )


def _bound(binding: Binding, answers: Mapping[str, str]) -> Binding:
    kinds = binding.runbook.vars
    plain = {name: value for name, value in answers.items() if kinds[name].type != "secret"}
    secret = {name: Secret(value) for name, value in answers.items() if kinds[name].type == "secret"}
    sources: dict[str, Source] = {**binding.sources, **dict.fromkeys(answers, "answer")}
    return Binding(
        runbook=binding.runbook,
        estate=binding.estate,
        values={**binding.values, **plain},
        sources=sources,
        missing=tuple(name for name in binding.missing if name not in answers),
        unknown_facts=binding.unknown_facts,
        secrets={**binding.secrets, **secret},
    )


def _role_problems(runbook: Runbook, estate: Estate) -> list[Problem]:
    problems = []
    for role, kind in runbook.roles.items():
        if role not in estate.roles:
            near = difflib.get_close_matches(role, list(estate.roles), n=1)
            hint = (
                f"it has `{near[0]}`: is that meant?" if near else f"add [roles.{role}] to {safe(str(estate.path), 80)}"
            )
            message = f"estate {safe(estate.name, 60)} has no role `{role}`, which {runbook.id} needs"
            problems.append(Problem("role-missing", message, hint))
        elif kind == "one" and role in estate.many:
            message = f"role `{role}` is one host in {runbook.id}, and written as many in the estate"
            problems.append(Problem("role-shape", message, f"write `host` in [roles.{role}], not `hosts`"))
        elif kind == "many" and role not in estate.many:
            message = f"role `{role}` is many hosts in {runbook.id}, and written as one in the estate"
            problems.append(Problem("role-shape", message, f"write hosts = [...] in [roles.{role}]"))
    return problems


def _dns_problems(runbook: Runbook, estate: Estate, values: Mapping[str, str]) -> list[Problem]:
    """Refuse a switch without DNS servers, and hosts that are reached by the very name that is switched."""
    moving = moving_names(runbook, values)
    problems = []
    if moving and estate.dns is None:
        message = f"{next(iter(moving.values()))} changes a name, and estate {safe(estate.name, 60)} has no [dns]"
        problems.append(Problem("dns-missing", message, "say which servers answer for the zone"))
    for host in estate.every_host():
        step = moving.get(host.host.lower().rstrip("."))
        if step is not None:
            message = f"{safe(host.name, 60)} is reached by {safe(host.host, 80)}, the name that {step} switches"
            problems.append(Problem("host-moves", message, HOST_MOVES, host.at))
    return problems


HOST_MOVES: Final = "give it a management name or an address: after the switch this would be another machine"


def moving_names(runbook: Runbook, values: Mapping[str, str]) -> dict[str, str]:
    """Return the names that a runbook switches, in small letters and without a final dot, each with the step that does."""
    names = [(place.name, place.step.dns.name) for place in runbook.places if place.step.dns is not None]
    return {resolve_known(name, values).lower().rstrip("."): step for step, name in reversed(names)}


def _setting_problems(runbook: Runbook, settings: Mapping[str, str]) -> list[Problem]:
    problems = []
    for name in settings:
        if name not in runbook.vars:
            near = difflib.get_close_matches(name[:60], list(runbook.vars), n=1)
            known = ", ".join(runbook.vars) or "none"
            hint = f"did you mean `{near[0]}`?" if near else f"its variables: {known}"
            problems.append(Problem("unknown-setting", f"{runbook.id} has no variable `{safe(name, 60)}`", hint))
    return problems


_SOURCES: Mapping[Source, str] = {
    "runbook": "the runbook's default",
    "estate": "the estate's value",
    "set": "--set",
    "answer": "the answer",
}


def _doubts(runbook: Runbook, name: str, value: str, source: Source = "answer") -> list[Problem]:
    var = runbook.vars.get(name)
    if var is None:
        return _setting_problems(runbook, {name: value})
    wrong = value_problem(var, value)
    if not wrong:
        return []
    shown = "…" if var.type == "secret" else safe(value, 60)
    return [Problem("var-type", f"`{name}` from {_SOURCES[source]}, {shown!r}, {wrong}", var.help or "")]


def _unknown_facts(runbook: Runbook, estate: Estate) -> tuple[str, ...]:
    """Return the facts that a runbook uses and that neither the estate nor any capture can give."""
    captured = {f"{role}.{name}" for place in runbook.places for role in place.step.on for name in place.step.capture}
    missing: dict[str, None] = {}
    for role, fact in facts_used(runbook):
        hosts = estate.hosts(role)
        given = {"names", "count"} if runbook.roles.get(role) == "many" else set()
        lacking = [host for host in hosts if fact not in host.facts()]
        if hosts and lacking and fact not in given and f"{role}.{fact}" not in captured:
            missing[f"{role}.{fact}"] = None
    return tuple(missing)
