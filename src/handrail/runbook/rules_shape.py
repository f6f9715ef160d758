"""Rules for one table at a time: exactly one action, keys that fit it, patterns that can hold. Pure; no order, no routes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from handrail.base.patterns import explodes
from handrail.base.safe import safe
from handrail.runbook.checks import Command, Guard, Outcome, Undo, Verify
from handrail.runbook.finding import Finding, Rule, at, warn
from handrail.runbook.model import KINDS, Place, Runbook
from handrail.runbook.names import references, without
from handrail.runbook.positions import Path
from handrail.runbook.samples import MOST, sample_of
from handrail.runbook.variables import value_problem

COMMANDS: Final = frozenset({"run", "script"})
UNDO_KINDS: Final = ("run", "script", "dns", "manual")
SHELLS: Final = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh"})


def one_action(runbook: Runbook) -> Iterator[Finding]:
    """Every step, verify, probe, guard and undo does exactly one thing."""
    for number, guard in enumerate(runbook.guards):
        yield from _exactly_one(guard, ("run", "script"), ("guard", number), "this guard")
    for place in runbook.places:
        step = place.step
        yield from _exactly_one(step, KINDS, place.path, f"step {place.name}")
        for path, command in commands(place):
            kinds = UNDO_KINDS if isinstance(command, Undo) else ("run", "script")
            if command is not step:
                yield from _exactly_one(command, kinds, path, f"`{path[-1] if path[-1] != 0 else path[-2]}`")


def commands(place: Place) -> Iterator[tuple[Path, Command]]:
    """Yield every table of a step that may hold a command, the step itself first."""
    step = place.step
    yield place.path, step
    if step.probe is not None:
        yield at(place, "probe"), step.probe
    for number, verify in enumerate(step.verify):
        yield at(place, "verify", number), verify
    if isinstance(step.undo, Undo):
        yield at(place, "undo"), step.undo
        for number, verify in enumerate(step.undo.verify):
            yield at(place, "undo", "verify", number), verify


def _exactly_one(table: Command | Guard, kinds: Iterable[str], path: Path, what: str) -> Iterator[Finding]:
    kinds = tuple(kinds)
    found = [kind for kind in kinds if getattr(table, kind) is not None]
    if not found:
        yield Finding("no-action", f"{what} does nothing", f"write one of: {', '.join(kinds)}", path)
    for extra in found[1:]:
        message = f"{what} has `{found[0]}` and `{extra}`"
        yield Finding("two-actions", message, "a step does one thing: make two steps of it", (*path, extra), key=True)


def keys_fit(runbook: Runbook) -> Iterator[Finding]:
    """Keys that mean something only for a command stand beside a command."""
    for number, guard in enumerate(runbook.guards):
        yield from _args(guard, ("guard", number))
    for place in runbook.places:
        step = place.step
        for path, command in commands(place):
            yield from _args(command, path)
        if step.action_kinds and step.action_kind not in COMMANDS:
            for key in ("expect", "capture", "attached", "stdin"):
                if key in step.model_fields_set:
                    message = f"`{key}` means nothing for `{step.action_kind}`"
                    yield Finding("key-unfit", message, "it belongs to run and script", at(place, key), key=True)
        if step.remember is not None and not step.capture:
            yield Finding(
                "key-unfit", "`remember` without `capture`", "capture something", at(place, "remember"), key=True
            )


def _args(table: Command | Guard, path: Path) -> Iterator[Finding]:
    if table.args and table.script is None:
        hint = "a command's arguments stand in `run` itself"
        yield Finding("key-unfit", "`args` without `script`", hint, (*path, "args"), key=True)


def hosts(runbook: Runbook) -> Iterator[Finding]:
    """What is sent has somebody it is sent to."""
    many = {role for role, kind in runbook.roles.items() if kind == "many"}
    for place in runbook.places:
        step = place.step
        needs_host = step.run is not None or step.script is not None or step.meter is not None
        if needs_host and not step.on:
            yield Finding("no-host", f"step {place.name} runs nowhere", 'say where: on = "dr"', place.path)
        for path, command in commands(place):
            on = getattr(command, "on", ())
            sends = command.run is not None or command.script is not None
            if command is not step and sends and not (on or step.on):
                yield Finding("no-host", f"`{path[-1]}` runs nowhere", 'say where: on = "dr"', path)
        if step.pick is not None and step.on and not many.intersection(step.on):
            message = f"`pick` in {place.name}, which speaks to no role of many"
            yield warn("pick-on-one", message, "leave it out", at(place, "pick"))


def sync_and_dns(runbook: Runbook) -> Iterator[Finding]:
    """A sync has two different hosts and whole paths; a name moves from one value to another."""
    for place in runbook.places:
        sync, dns = place.step.sync, place.step.dns
        if sync is not None:
            yield from _sync(runbook, place)
        if dns is not None and dns.from_ == dns.to:
            yield Finding("dns-same", "`from` and `to` are the same", "nothing would move", at(place, "dns", "to"))


def _sync(runbook: Runbook, place: Place) -> Iterator[Finding]:
    sync = place.step.sync
    if sync is None:
        return
    for key, role in (("from", sync.from_), ("to", sync.to)):
        if runbook.roles.get(role) == "many":
            message = f"`sync` speaks to one host on each side, and `{role}` is many"
            yield Finding("sync-many", message, "name a role of one", at(place, "sync", key))
    if sync.from_ == sync.to:
        yield Finding("sync-same", "`from` and `to` are the same role", "name two", at(place, "sync", "to"))
    if set(place.step.on) != {sync.from_, sync.to}:
        hint = "leave `on` out: a sync speaks to `from` and `to`"
        yield Finding("key-unfit", "`on` differs from the sync's roles", hint, at(place, "on"), key=True)
    for number, directory in enumerate(sync.dirs):
        if not directory.startswith(("/", "{{")):
            message = f'"{safe(directory, 60)}" is not a whole path'
            yield Finding("sync-dir", message, "begin it with /", at(place, "sync", "dirs", number))
    if sync.removed.ask > sync.removed.stop:
        message = "`ask` is above `stop`: it could never ask"
        yield Finding("sync-removed", message, "ask = 0, stop = 20", at(place, "sync", "removed"))


def captures(runbook: Runbook) -> Iterator[Finding]:
    """A capture has a group, and a role of one host to belong to."""
    for place in runbook.places:
        for name, pattern in place.step.capture.items():
            path = at(place, "capture", name)
            if not _groups(pattern):
                hint = "put round brackets around what is wanted: '^serial (\\d+)$'"
                yield Finding("capture-group", f"`{name}` captures nothing: the regex has no group", hint, path)
            for role in place.step.on:
                if runbook.roles.get(role) == "many":
                    message = f"`{name}` would have one value for each host of `{role}`"
                    yield Finding("capture-many", message, "capture on a role of one", path)


def _groups(pattern: str) -> int:
    return re.compile(without(pattern)).groups


def meters(runbook: Runbook) -> Iterator[Finding]:
    """A meter counts a group that exists, against names or up to a number."""
    for place in runbook.places:
        meter = place.step.meter
        if meter is None:
            continue
        named = re.compile(without(meter.match)).groupindex
        if meter.distinct not in named:
            known = ", ".join(named) or "none"
            message = f"`match` has no group named `{safe(meter.distinct, 40)}`"
            hint = f"write (?P<{safe(meter.distinct, 40)}>...); it has: {known}"
            yield Finding("meter-group", message, hint, at(place, "meter", "distinct"))
        if meter.names is None and isinstance(meter.need, str):
            message = "without `names` nobody knows how many are all"
            yield Finding("meter-need", message, "give `names`, or `need` as a count", at(place, "meter", "need"))


def waits(runbook: Runbook) -> Iterator[Finding]:
    """A wait has one end."""
    for place in runbook.places:
        wait = place.step.wait
        if wait is not None and (wait.for_ is None) == (wait.until is None):
            hint = 'write wait = { for = "30s" } or wait = { until = "switch/dns" }'
            yield Finding("wait-form", "a wait has either `for` or `until`", hint, at(place, "wait"))


def outcomes(runbook: Runbook) -> Iterator[Finding]:
    """An answer that is asked for says something, and two answers differ."""
    for number, guard in enumerate(runbook.guards):
        yield from _outcome(guard.trip, ("guard", number, "trip"))
    for place in runbook.places:
        step = place.step
        for number, wrong in enumerate(step.wrong):
            if wrong.exit is None and wrong.match is None:
                hint = "write `exit` or `match`"
                yield Finding(
                    "outcome-empty", "nothing tells this result from others", hint, at(place, "wrong", number)
                )
        if step.probe is not None:
            yield from _outcome(step.probe.done, at(place, "probe", "done"))
            yield from _outcome(step.probe.not_done, at(place, "probe", "not_done"))
            if step.probe.done == step.probe.not_done:
                message = "`done` and `not_done` are the same answer"
                yield Finding("probe-same", message, "the probe could tell nothing", at(place, "probe", "not_done"))
        yield from _same(runbook, place)


def _outcome(outcome: Outcome, path: Path) -> Iterator[Finding]:
    if not outcome.model_fields_set:
        yield Finding("outcome-empty", "every answer would do", "write `exit`, `stdout`, `match` or `absent`", path)


def _same(runbook: Runbook, place: Place) -> Iterator[Finding]:
    asked = [(at(place, "expect"), place.step.expect, place.step.on)]
    for number, verify in enumerate(place.step.verify):
        asked.append((at(place, "verify", number, "expect"), verify.expect, verify.on or place.step.on))
    for path, expect, roles in asked:
        if expect.same and len(roles) == 1 and runbook.roles.get(roles[0]) == "one":
            message = f"`same` in {place.name} compares one host with itself"
            yield warn("same-alone", message, 'ask two: on = ["primary", "dr"]', (*path, "same"))
    step = place.step
    several = len(step.on) > 1 or any(runbook.roles.get(role) == "many" for role in step.on)
    for number, verify in enumerate(step.verify):
        if verify.expect.same and not verify.on and several and step.sync is None:
            message = f"a verify of {place.name} is asked at each host alone: `same` compares it with itself"
            named = ", ".join(f'"{role}"' for role in step.on)
            yield warn("same-alone", message, f"say whom to compare: on = [{named}]", at(place, "verify", number))


def regexes(runbook: Runbook) -> Iterator[Finding]:
    """No pattern takes forever on some output; the run would end it after a moment, and know nothing."""
    for path, pattern in _patterns(runbook):
        pump = explodes(without(pattern))
        if pump:
            message = f"this pattern takes forever on a long row of {safe(pump, 4)!r}"
            yield warn("regex-slow", message, "no repetition inside a repetition: (a+)+ is a+", path)


def _patterns(runbook: Runbook) -> Iterator[tuple[Path, str]]:
    for number, guard in enumerate(runbook.guards):
        yield from _outcome_patterns(guard.trip, ("guard", number, "trip"))
    for place in runbook.places:
        step = place.step
        yield from _outcome_patterns(step.expect, at(place, "expect"))
        yield from ((at(place, "capture", name), pattern) for name, pattern in step.capture.items())
        if step.meter is not None:
            yield at(place, "meter", "match"), step.meter.match
        for number, wrong in enumerate(step.wrong):
            if wrong.match is not None:
                yield at(place, "wrong", number, "match"), wrong.match
        for path, command in commands(place):
            if isinstance(command, Verify):
                yield from _outcome_patterns(command.expect, (*path, "expect"))
        if step.probe is not None:
            yield from _outcome_patterns(step.probe.done, at(place, "probe", "done"))
            yield from _outcome_patterns(step.probe.not_done, at(place, "probe", "not_done"))


def _outcome_patterns(outcome: Outcome, path: Path) -> Iterator[tuple[Path, str]]:
    yield from (((*path, "match"), pattern) for pattern in outcome.match)
    yield from (((*path, "absent"), pattern) for pattern in outcome.absent)


def ids(runbook: Runbook) -> Iterator[Finding]:
    """An id stands once among its like."""
    yield from _twice([stage.id for stage in runbook.stages], "stage", ())
    yield from _twice([guard.id for guard in runbook.guards], "guard", ())
    for number, stage in enumerate(runbook.stages):
        yield from _twice([step.id for step in stage.steps], "step", ("stage", number))
        if not stage.steps:
            hint = "write [[stage.step]] below it"
            yield Finding("empty-stage", f"stage `{stage.id}` has no step", hint, ("stage", number))
    if not runbook.stages:
        yield Finding("empty-stage", "there is no stage", "write [[stage]] and [[stage.step]]", ("runbook",))


def _twice(names: list[str], key: str, base: Path) -> Iterator[Finding]:
    counts = Counter(names)
    seen: set[str] = set()
    for number, name in enumerate(names):
        if counts[name] > 1 and name in seen:
            message = f"there is another {key} with the id `{name}`"
            yield Finding("duplicate-id", message, "give it an id of its own", (*base, key, number, "id"))
        seen.add(name)


def variables(runbook: Runbook) -> Iterator[Finding]:
    """A default is of the type; choices go with choice; a secret is never written down."""
    for name, var in runbook.vars.items():
        path: Path = ("vars", name)
        if (var.type == "choice") != bool(var.choices):
            hint = 'type = "choice" and choices = ["a", "b"] go together'
            yield Finding("var-choices", f'`{name}` has one of `type = "choice"` and `choices`', hint, path)
        elif var.default is not None and var.type == "secret":
            hint = "leave it out: it is asked for in the briefing"
            yield Finding("secret-written", f"`{name}` is a secret with a default", hint, (*path, "default"))
        elif var.default is not None and (wrong := value_problem(var, var.default)):
            yield Finding("var-type", f'"{safe(var.default, 60)}" {wrong}', var.help or "", (*path, "default"))


def shell_text(runbook: Runbook) -> Iterator[Finding]:
    """No value ever becomes part of a shell's program text."""
    for number, guard in enumerate(runbook.guards):
        yield from _shell(guard, ("guard", number))
    for place in runbook.places:
        for path, command in commands(place):
            yield from _shell(command, path)


def _shell(table: Command | Guard, path: Path) -> Iterator[Finding]:
    hint = 'give the value in `args` and write "$1" in the script'
    for ref in references(table.script or "")[:1]:
        if ref.legal:
            message = f"`{{{{ {ref.name} }}}}` is not replaced in a script"
            yield Finding("shell-value-in-script", message, hint, (*path, "script"))
    argv = table.run or ()
    if argv and argv[0].rpartition("/")[2] in SHELLS and "-c" in argv:
        text = argv.index("-c") + 1
        if text < len(argv) and references(argv[text]):
            message = "a value would become part of a shell's program"
            yield Finding("shell-value-in-script", message, f"use `script`; {hint}", (*path, "run", text))


def samples(runbook: Runbook) -> Iterator[Finding]:
    """A sample is of a command's output, is short, and each of its lines says something."""
    for place in runbook.places:
        text, path = place.step.sample, at(place, "sample")
        if text is None:
            continue
        if not set(place.step.action_kinds) & COMMANDS:
            hint = "only run and script have lines of output; say it with `good`"
            yield Finding("key-unfit", f"`sample` with {'/'.join(place.step.action_kinds)}", hint, path, key=True)
        lines = sample_of(without(text)).lines
        if not lines or not all(line.says for line in lines):
            message = "every line would be as this sample says" if lines else "this sample is empty"
            yield Finding("sample-empty", message, "write what is always there, and `...` for what differs", path)
        if len(lines) > MOST:
            message = f"a sample of {len(lines)} lines: nobody compares so many"
            yield warn("sample-long", message, f"keep what tells good from bad: at most {MOST} lines", path)


RULES: Final[tuple[Rule, ...]] = (
    one_action,
    keys_fit,
    hosts,
    sync_and_dns,
    captures,
    regexes,
    meters,
    waits,
    outcomes,
    ids,
    variables,
    shell_text,
    samples,
)
