"""`handrail training`: who drills, at which level, and when the next drill is due. No score of anybody is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from handrail.base.safe import Safe, safe

if TYPE_CHECKING:
    from handrail.store.training import Trainee


@click.command()
@click.option("--mine", is_flag=True, help="Print all that is kept of you.")
@click.option("--forget", is_flag=True, help="Delete what is kept of you.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def training(mine: bool, forget: bool, as_json: bool) -> None:
    """List who drills which runbook at which level, and when it is due again."""
    from handrail.session.people import operator
    from handrail.store import training as kept
    from handrail.store.home import Home

    home, me = Home.locate(), operator()
    place = kept.place_of(home, me)
    if forget:
        gone = kept.forget(home, me)
        click.echo(safe(f"what was kept of {me} is deleted" if gone else f"nothing is kept of {me}"))
    elif mine:
        text = place.read_text(encoding="utf-8", errors="replace") if place.exists() else f"nothing is kept of {me}"
        for line in text.splitlines():
            click.echo(safe(line))
    elif as_json:
        click.echo(_json(kept.trainees(home)))
    else:
        for line in listed(kept.trainees(home), datetime.now(UTC)):
            click.echo(line)
        if place.exists():
            click.echo(safe(f"yours, to read and to delete: {place}", 300))


def listed(people: tuple[Trainee, ...], now: datetime) -> Iterator[Safe]:
    """Yield a line for each person and runbook: the last drill, its level, and when the next is due."""
    from handrail.session.practice import is_due

    if not people:
        yield safe("nobody has finished a drill here: handrail drill")
    for one in people:
        for runbook in dict.fromkeys(drill.runbook for drill in one.drills):
            last = one.of(runbook)[-1]
            when = "DUE NOW, since" if is_due(last, now) else "due"
            many = len(one.of(runbook))
            head = f"{one.person:<12} {runbook:<18} {last.level:<7} {many:>3} drill{'s' * (many != 1)}"
            yield safe(f"{head}, last {last.when[:10]}, {when} {last.due}")


def _json(people: tuple[Trainee, ...]) -> str:
    import json
    from dataclasses import asdict

    return json.dumps({"format": 1, "people": [asdict(one) for one in people]}, indent=1)
