"""The frame of every page: header, body, one sentence, key bar. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from handrail.base.frozen import dataclass
from handrail.tui.keys import Key, Keys, shown
from handrail.tui.sizes import LEAST
from handrail.tui.text import EMPTY, Ink, Line, block, fit, ink, row, wrap


@dataclass(frozen=True)
class Body:
    """The body's rows; `joints` are the columns in which upright rules meet the frame."""

    rows: Sequence[Line]
    joints: tuple[int, ...] = ()


def framed(top: Sequence[Line], body: Body, says: Sequence[Line], bar: Line, width: int, height: int) -> list[Line]:
    """Return a whole screen, exactly `height` rows."""
    room = height - len(top) - 3 - len(says)
    return [
        *top,
        _rule(width, body.joints, "┬"),
        *block(list(body.rows), max(0, room)),
        _rule(width, body.joints, "┴"),
        *says,
        bar,
    ][:height]


def sentence(said: Line, width: int, most: int) -> list[Line]:
    """Return what stands above the key bar: a sentence that is too long for one row takes the next one, it is not cut."""
    if said.width <= width or len(said.spans) != 1:
        return [fit(said, width)]
    return [fit(row(" ", line), width) for line in wrap(said.plain.strip(), width - 2, said.spans[0].ink, most)]


def _rule(width: int, joints: tuple[int, ...], joint: str) -> Line:
    return ink("".join(joint if at in joints else "─" for at in range(width)), Ink.RULE)


def too_small(width: int, height: int) -> list[Line]:
    """Return what is shown below the least size."""
    words = f"needs {LEAST[0]}x{LEAST[1]}, has {width}x{height}"
    return [*([EMPTY] * max(0, height // 2 - 1)), ink(words[:width], Ink.LOUD), ink("keys stay alive"[:width], Ink.DIM)]


def key_bar(keys: Keys, scope: str, labels: dict[str, str], dimmed: set[str], width: int) -> Line:
    """Return the key bar: as many keys as fit; help and leaving are always there. `labels` "" leaves a key out."""
    wanted = [k for k in keys.bar(scope) if labels.get(k.action, "-")]
    items = [(k, _item(k, labels.get(k.action, k.label), dimmed=k.action in dimmed)) for k in wanted]
    fixed = [i for i in items if i[0].action in ("help", "leave")]
    room = width - 1 - sum(i[1].width + 2 for i in fixed)
    kept: list[tuple[Key, Line]] = []
    for item in items:
        if item in fixed:
            kept.append(item)
        elif item[1].width + 2 <= room:
            kept.append(item)
            room -= item[1].width + 2
    line = ink(" ")
    for at, (_, shape) in enumerate(kept):
        line = row(line, "  " if at else "", shape)
    return line


def _item(key: Key, label: str, *, dimmed: bool) -> Line:
    arrows = [k for k in key.keys if k in ("left", "right", "up", "down")]
    names = "".join(map(shown, arrows)) if len(arrows) > 1 else shown(key.keys[0])
    if dimmed:
        return ink(f"{names} {label}", Ink.MUTED, f"key:{key.action}")
    return row(ink(names, Ink.KEY, f"key:{key.action}"), ink(f" {label}", Ink.TEXT, f"key:{key.action}"))
