"""The body of the run screen: columns by the room there is. Pure but for the output window, which it asks for its rows."""

from __future__ import annotations

from collections.abc import Callable

from handrail.base.frozen import dataclass
from handrail.engine import order
from handrail.engine.outline import StepOutline
from handrail.engine.words import StepWord
from handrail.tui.by_step import before_step, ended_last, is_by_step
from handrail.tui.debrief_view import debrief_rows
from handrail.tui.expected import told
from handrail.tui.frame import Body
from handrail.tui.output import OutputView
from handrail.tui.rail import Viewed, folded_rail, rail
from handrail.tui.scene import Scene, current, going_on, stage_of
from handrail.tui.side import side
from handrail.tui.sizes import LOW, NARROW, WIDE
from handrail.tui.step_pane import attempts, before_stage, checks, step_head
from handrail.tui.text import EMPTY, Ink, Line, block, fit, ink, row, rule

NOWHERE = Viewed()
RAIL, RAIL_WIDE, SIDE = 30, 42, 42


@dataclass(frozen=True)
class Looking:
    """What the operator looks at; `zoomed` gives the middle the whole width, `on_output` gives it the arrows."""

    viewed: Viewed = NOWHERE
    zoomed: bool = False
    on_output: bool = False
    host: str = ""


class Memo:
    """Keeps the columns at the sides while nothing in them has changed: output alone streams many times a second."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[object, ...], list[Line]]] = {}

    def of(self, name: str, key: tuple[object, ...], paint: Callable[[], list[Line]]) -> list[Line]:
        """Return the column as it was painted for an equal key, or paint it; objects are equal when they are the same."""
        kept = self._kept.get(name)
        if kept is None or len(kept[0]) != len(key) or any(_differ(a, b) for a, b in zip(kept[0], key, strict=True)):
            kept = self._kept[name] = (key, paint())
        return kept[1]


def _differ(one: object, other: object) -> bool:
    return one is not other and not (isinstance(one, (int, str, Viewed)) and one == other)


def run_body(scene: Scene, looking: Looking, output: OutputView, width: int, height: int, memo: Memo) -> Body:
    """Return the body: one, two or three columns."""
    if looking.zoomed:
        return Body(middle(scene, looking, output, width, height))
    if width < NARROW or height < LOW - 9:
        lead = folded_rail(scene, width)
        below = height - len(lead) - 1
        return Body([*lead, rule(width), *middle(scene, looking, output, width, below)])
    wide = width >= WIDE
    left_width = RAIL_WIDE if wide else RAIL
    right_width = SIDE if wide else 0
    mid_width = width - left_width - 1 - (right_width + 1 if wide else 0)
    bar = ink("│", Ink.RULE)
    key = (scene.state, scene.snap.undo_seconds, int(scene.at), looking.viewed, left_width, height)
    left = memo.of("left", key, lambda: rail(scene, looking.viewed, left_width, height, times=wide))
    mid = [fit(line, mid_width) for line in middle(scene, looking, output, mid_width, height)]
    rows = [a + bar + b for a, b in zip(left, mid, strict=True)]
    joints: tuple[int, ...] = (left_width,)
    if wide:
        step = looked_at(scene, looking.viewed)
        third_key = (scene.state, scene.snap.headline, scene.snap.hosts, int(scene.at), looking.viewed, height)
        third = memo.of("right", third_key, lambda: side(scene, step, right_width, height))
        rows = [a + bar + b for a, b in zip(rows, third, strict=True)]
        joints = (left_width, left_width + 1 + mid_width)
    return Body(rows, joints)


def looked_at(scene: Scene, viewed: Viewed) -> StepOutline | None:
    """Return the step that is looked at: the chosen one, the first of a chosen stage, else the one things turn on."""
    outline = scene.state.outline
    if viewed.step and outline.has_step(viewed.step):
        return outline.step(viewed.step)
    now = current(scene.state)
    if viewed.stage and (now is None or now.stage != viewed.stage):
        return outline.stage(viewed.stage).steps[0]
    return now or outline.steps[-1]


def speaks(scene: Scene, viewed: Viewed) -> StepOutline | None:
    """Return the step whose output is shown: the one that is looked at; before the next step, the one that ended last."""
    if is_by_step(scene) and announces(scene, viewed) and not viewed.stage:
        return ended_last(scene)
    return looked_at(scene, viewed)


def announces(scene: Scene, viewed: Viewed) -> bool:
    """Tell whether the middle lists what enter would start, instead of a step."""
    state = scene.state
    if viewed.step or going_on(state) or order.standing(state) or state.held or state.closed:
        return False
    if viewed.stage and all(order.finished(state, s) for s in state.outline.stage(viewed.stage).steps):
        return False
    return order.next_step(state) is not None and not order.awaiting(state)


def middle(scene: Scene, looking: Looking, output: OutputView, width: int, height: int) -> list[Line]:
    """Return the middle column: exactly `height` rows."""
    step = looked_at(scene, looking.viewed)
    if current(scene.state) is None and looking.viewed == NOWHERE:
        return block(debrief_rows(scene, width), height)
    if announces(scene, looking.viewed):
        if is_by_step(scene) and not looking.viewed.stage and order.interrupted(scene.state) is None:
            return before_step(scene, output, width, height, looking.host)
        stage = stage_of(scene.state, current(scene.state))
        if looking.viewed.stage:
            stage = scene.state.outline.stage(looking.viewed.stage)
        return block(before_stage(scene, stage, width, height), height)
    if step is None:
        return [EMPTY] * height
    head = step_head(scene, step, width, roomy=height >= 28)
    head = head[: max(2, height // 2)]
    foot = _foot(scene, step, output, width, max(2, height // 3))
    room = height - len(head) - (len(foot) + 1 if foot else 0) - 1
    if scene.state.step(step.id).word is StepWord.PENDING and not scene.state.step(step.id).attempts:
        return block(head, height)
    shown = output.rows(width, max(0, room))
    body = block(shown, max(0, room))
    made = [*head, _output_rule(scene, looking, output, width), *body, *([rule(width)] if foot else []), *foot]
    return block(made, height)


def _output_rule(scene: Scene, looking: Looking, output: OutputView, width: int) -> Line:
    name = scene.host(looking.host) if looking.host else "no output"
    how = Ink.ACCENT if looking.on_output else Ink.DIM
    where = output.where
    end = ink(f" {where} ─", Ink.LOUD if where and not output.at.follow else Ink.RULE) if where else ink("─", Ink.RULE)
    head = row(ink("─ ", Ink.RULE), ink(name, how), " ")
    return head + ink("─" * max(0, width - head.width - end.width), Ink.RULE) + end


def _foot(scene: Scene, step: StepOutline, output: OutputView, width: int, most: int) -> list[Line]:
    ended = scene.state.step(step.id).word not in order.BUSY
    held = output.held(ended=ended)
    compared = told(held, width, ended=ended)[: max(1, most // 2)] if held else []
    lines = [*compared, *checks(scene, step, width, most - len(compared))]
    history = attempts(scene, step, width)
    if len(history) > 1 and len(lines) + len(history) < most:
        lines += history
    return lines
