"""The menu of a step that stands: FAILED, UNKNOWN, UNDO FAILED. What can be done now, and why not the rest. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from handrail.engine import messages as m
from handrail.engine import order
from handrail.tui.choices import Choice
from handrail.tui.happened import names_of
from handrail.tui.keys import Keys, shown
from handrail.tui.scene import Scene
from handrail.tui.text import Ink, Line, fit, hang, ink, row

OFFERED = (
    "retry",
    "attach",
    "probe",
    "check",
    "by-hand",
    "not-done",
    "skip",
    "owe",
    "leave-undo",
    "forward-again",
    "undo",
    "declare",
)
VERBS = ("wait", *OFFERED)


def choices(scene: Scene, keys: Keys) -> list[Choice]:
    """Return the menu: what can be chosen, the proposed one first; then what cannot, each with its refusal."""
    found = [_wait(scene, keys)] if scene.away else []
    for verb in OFFERED:
        offer = scene.offer(verb)
        if offer is None:
            continue
        why = _short(scene, scene.why_not(verb))
        proposed = offer.proposed and offer.granted
        notes = ("proposed" if proposed else "", _note(scene, verb, offer.wants))
        note = "; ".join(part for part in notes if part)
        found.append(Choice(verb, _key(keys, verb), _label(scene, verb, offer.label), note, why, proposed))
    return sorted(found, key=lambda choice: (bool(choice.why), not choice.proposed))


def _key(keys: Keys, verb: str) -> str:
    key = keys.key("decide", verb)
    return shown(key.keys[0]) if key else " "


def _wait(scene: Scene, keys: Keys) -> Choice:
    proposed = not any(o.proposed and o.granted for o in scene.offers)
    note = "proposed; it is asked again, nothing is sent" if proposed else "it is asked again, nothing is sent"
    return Choice("wait", _key(keys, "wait"), f"Wait for {names_of(scene.away[:1])}", note, "", proposed)


def _short(scene: Scene, why: str) -> str:
    """Return a refusal without the name of the step, which stands above."""
    step = order.standing(scene.state)
    return why.removeprefix(step.name).lstrip(" :") if step else why


def _label(scene: Scene, verb: str, label: str) -> str:
    return {
        "retry": "Retry the undo" if "undo of" in label else "Retry where it did not pass",
        "skip": "Skip it",
        "by-hand": "Mark as done by hand",
        "declare": "Declare the emergency" if not scene.state.lost else label,
        "forward-again": "Go forward again with it",
        "leave-undo": "Leave the undo here",
        "owe": "Set the undo aside, owed",
    }.get(verb, label)


def _note(scene: Scene, verb: str, wants: tuple[str, ...]) -> str:
    if verb == "undo":
        return "shows the plan first"
    offer = scene.offer(verb)
    if verb == "declare" and offer is not None and isinstance(offer.intent, m.Declare):
        lost = ", ".join(sorted(scene.state.outline.lost(offer.intent.route)))
        return f"{lost} lost; asks for reason" if lost else "asks for reason"
    return f"asks for {', '.join(wants)}" if wants else ""


def split(found: Sequence[Choice]) -> tuple[list[Choice], list[Choice]]:
    """Return what can be chosen, and what cannot be now."""
    return [c for c in found if not c.why], [c for c in found if c.why]


def refused(found: Sequence[Choice], keys: Keys, width: int, height: int) -> list[Line]:
    """Return what cannot be chosen now: each with its reason where there is room, else by name in one row."""
    if not found:
        return []
    lines: list[Line] = []
    for choice in found:
        label = ink(f"   {choice.key}  {choice.label}: ", Ink.MUTED, f"mark:{choice.action}")
        lines += hang(label, choice.why, width - 1, at=min(label.width, width // 2), how=Ink.MUTED)
    if len(lines) <= height:
        return lines
    parts = [ink("   not now: ", Ink.MUTED)]
    for choice in found:
        key = keys.key("decide", choice.action)
        end = "" if choice is found[-1] else ", "
        parts.append(ink(f"{choice.key} {key.label if key else choice.label}{end}", Ink.MUTED, f"mark:{choice.action}"))
    return [fit(row(*parts, ink("  (the key says why)", Ink.MUTED)), width)]
