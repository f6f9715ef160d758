"""Rules of the promise: every change has a way back, gates ask for the right thing, reads only read. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from handrail.base.safe import safe
from handrail.runbook.checks import Undo
from handrail.runbook.finding import Finding, Rule, at, warn
from handrail.runbook.model import Place, Runbook
from handrail.runbook.names import resolve_known

LONGEST_TYPED: Final = 20  # characters; more than that is not typed well at four in the morning


def way_back(runbook: Runbook) -> Iterator[Finding]:
    """A changing step can be undone, or says why not."""
    for place in runbook.places:
        step = place.step
        if not step.action_kinds:
            continue
        if step.changes and step.undo_kind == "none":
            hint = 'write `undo = {...}`, or `irreversible = "why"`; a step that only reads says `reads = true`'
            yield Finding("no-way-back", f"step {place.name} changes something and has no way back", hint, place.path)
        if step.undo is not None and step.irreversible is not None:
            hint = "keep the one that is true"
            message = f"step {place.name} has an undo and is irreversible"
            yield Finding("undo-and-irreversible", message, hint, at(place, "undo"), key=True)
        if step.undo == "nothing" and step.stays is None:
            hint = 'say what is left behind: stays = "..."'
            yield Finding("undo-nothing-needs-stays", '`undo = "nothing"` demands `stays`', hint, at(place, "undo"))
        if step.undo == "restore" and step.sync is None and step.dns is None:
            message = f"`{step.action_kind}` does not know its own way back"
            hint = 'only sync and dns do: write `undo = { run = ["..."] }`'
            yield Finding("restore-unknown", message, hint, at(place, "undo"))


def irreversible(runbook: Runbook) -> Iterator[Finding]:
    """A wall says which runbook goes on, is typed for, and stands behind its line."""
    for place in runbook.places:
        step = place.step
        if step.irreversible is None:
            if step.instead is not None:
                hint = "it names the runbook that goes on where undo stops"
                yield Finding("key-unfit", "`instead` without `irreversible`", hint, at(place, "instead"), key=True)
            continue
        if step.instead is None:
            hint = 'instead = "app-failback"'
            message = f"undo stops above {place.name}, and nothing says how to go on"
            yield warn("instead-missing", message, hint, at(place, "irreversible"))
        if step.confirm is None:
            message = f"{place.name} cannot be undone, and nobody types anything before it"
            yield warn("irreversible-unconfirmed", message, 'confirm = "sign"', at(place, "irreversible"))
        if place.stage.line != "no way back":
            message = f"{place.name} cannot be undone, and its stage draws no line"
            yield warn(
                "wall-without-line", message, 'write line = "no way back" in its stage', at(place, "irreversible")
            )


def reads(runbook: Runbook) -> Iterator[Finding]:
    """What only reads has nothing to undo, and is not one of the actions that change."""
    for place in runbook.places:
        step = place.step
        if not step.action_kinds or step.changes:
            continue
        if step.sync is not None:
            message = f"`{step.action_kind}` changes things, and {place.name} says that it only reads"
            yield Finding("reads-changes", message, "take `reads` away", at(place, step.action_kind), key=True)
        for key in ("undo", "irreversible", "probe", "stays"):
            if key in step.model_fields_set:
                message = f"{place.name} changes nothing: `{key}` has no meaning"
                yield Finding("reads-undo", message, f"take `{key}` away, or `reads`", at(place, key), key=True)
        if step.confirm is not None:
            message = f"{place.name} changes nothing: nothing is confirmed"
            yield warn("confirm-on-read", message, "put `confirm` on the step that changes", at(place, "confirm"))


def together(runbook: Runbook) -> Iterator[Finding]:
    """Steps that may run at the same time only read, and ask nobody."""
    for place in runbook.places:
        if not place.stage.together:
            continue
        if place.step.changes and place.step.action_kinds:
            message = f"{place.name} changes something, and its stage runs together"
            hint = "say `reads = true` if it only reads; else take `together` away"
            yield Finding("together-changes", message, hint, place.path)
        for key in ("confirm", "manual"):
            if getattr(place.step, key) is not None:
                message = f"{place.name} asks a person, and its stage runs together"
                yield Finding("together-confirm", message, "take `together` away", at(place, key), key=True)


def asked_again(runbook: Runbook) -> Iterator[Finding]:
    """Only what reads is asked again by itself."""
    for place in runbook.places:
        step = place.step
        if step.within is not None and step.changes and step.action_kinds:
            message = f"{place.name} changes something: it is never sent twice by itself"
            hint = "put `within` into a verify"
            yield Finding("within-on-change", message, hint, at(place, "within"), key=True)
        if step.attached and step.changes:
            message = f"{place.name} runs attached: after a lost connection nobody can tell how it ended"
            yield warn("attached-change", message, "give it a probe, or run it without a PTY", at(place, "attached"))


def gates(runbook: Runbook) -> Iterator[Finding]:
    """A confirm is short enough to type; what is rechecked reads."""
    defaults = {name: var.default for name, var in runbook.vars.items() if var.default is not None}
    for place in runbook.places:
        step = place.step
        typed = resolve_known(step.confirm or "", defaults)
        if len(typed) > LONGEST_TYPED and "{{" not in typed:
            message = f"{len(typed)} characters are to be typed: {safe(typed, 60)}"
            yield warn("confirm-long", message, f"at most {LONGEST_TYPED}: a shorter token", at(place, "confirm"))
        if step.recheck and step.confirm is None:
            message = "`recheck` runs behind the typing of a `confirm`, and there is none"
            yield Finding("recheck-needs-confirm", message, "add `confirm`", at(place, "recheck"), key=True)
        if step.shows and step.confirm is None:
            message = "`shows` stands on the gate of a `confirm`, and there is none"
            yield Finding("key-unfit", message, "add `confirm`", at(place, "shows"), key=True)
        yield from _rechecks(runbook, place)


def _rechecks(runbook: Runbook, place: Place) -> Iterator[Finding]:
    for number, name in enumerate(place.step.recheck):
        named = runbook.find(name)
        if named is None or not named.step.action_kinds:
            continue
        asks = named.step.run is not None or named.step.script is not None
        if named.step.changes or not asks:
            message = f"{name} is no read that can be asked again"
            hint = "recheck names steps with `reads = true` and a run or script"
            yield Finding("recheck-not-read", message, hint, at(place, "recheck", number))


def evidence(runbook: Runbook) -> Iterator[Finding]:
    """A change can be asked about, before, after and when nobody knows; so can its undo."""
    for place in runbook.places:
        step = place.step
        if not step.changes or not (step.run is not None or step.script is not None):
            continue
        if step.probe is None:
            message = f"{place.name} has no probe: after a crash only a person can say whether it was done"
            hint = "probe = { run = [...], done = { exit = 0 }, not_done = { exit = 1 } }"
            yield warn("probe-missing", message, hint, place.path)
            if isinstance(step.undo, Undo) and not step.undo.verify and step.undo.manual is None:
                message = f"nothing checks that the undo of {place.name} has worked"
                yield warn("undo-unchecked", message, "give the step a probe, or the undo a verify", at(place, "undo"))


def unattended(runbook: Runbook) -> Iterator[Finding]:
    """A runbook that may run alone asks nobody."""
    if not runbook.head.unattended:
        return
    for place in runbook.places:
        if place.step.manual is not None:
            message = f"{place.name} asks a person, and the runbook may run unattended"
            yield Finding("unattended-manual", message, "take `unattended` away", at(place, "manual"), key=True)


RULES: Final[tuple[Rule, ...]] = (way_back, irreversible, reads, together, asked_again, gates, evidence, unattended)
