"""One way of counting steps: home, briefing and run say the same number, with the checks that are derived."""

from __future__ import annotations

from tests.session.test_session_contact import briefed
from tests.session.world import World, runbook, step

from handrail.session.cards import counted
from handrail.session.desk import Desk
from handrail.session.view import Mode


async def test_home_briefing_and_run_count_the_same_steps(world: World) -> None:
    path = world.place / "runbook.toml"
    text = runbook(step('on = ["primary", "dr"]\nrun = ["true"]\nreads = true'))
    path.write_text(text)
    card = Desk(world.home.make()).card(path)
    async with briefed(world, Mode.DRILL) as briefing:
        listed = len(briefing.view.plan)
    drive = world.open(text)
    await drive.rest()
    outline = drive.state.outline
    assert (card.steps, card.derived, card.stages) == (len(outline.steps), 2, len(outline.stages))
    assert listed == card.steps
    assert counted(card.steps, card.derived) == "3 steps, 2 of them checks of reach"
