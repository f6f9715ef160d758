"""`handrail coverage`: what of a runbook was drilled, forward and back, at the digest that its file has now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.base.safe import Safe, safe
from handrail.cli import options

if TYPE_CHECKING:
    from handrail.session.coverage import Coverage, Drilled


@click.command()
@click.argument("runbook", default=options.RUNBOOK)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def coverage(runbook: str, as_json: bool) -> None:
    """Show which steps of RUNBOOK, and which of their undos, were drilled since the file was last changed."""
    from handrail.runbook.document import digest
    from handrail.runbook.read import read_runbook
    from handrail.runbook.shipped import find_runbook
    from handrail.session import coverage as folded
    from handrail.session.preflight import with_preflight
    from handrail.store.home import Home

    path = find_runbook(runbook, Path.cwd())
    made = folded.coverage(Home.locate().make(), with_preflight(read_runbook(path)), digest(path.read_bytes()))
    if as_json:
        click.echo(json.dumps(folded.as_json(made), indent=1))
        return
    for line in coverage_lines(made):
        click.echo(line)


def coverage_lines(made: Coverage) -> Iterator[Safe]:
    """Yield it in words: a line for each step, then what was never drilled."""
    yield safe(f"{made.runbook} at digest {made.digest[:12]}: {made.runs} drills since the file was changed")
    wide = max((len(f"{step.number} {step.title}") for step in made.steps), default=0)
    wide = min(wide, 58)
    for step in made.steps:
        name = safe(f"{step.number} {step.title}", wide)
        back = f"   undo {_when(step.back)}" if step.undoable else ""
        yield safe(f"{name:<{wide}}  {_when(step.forward):<32}{back}".rstrip(), 200)
    yield safe(f"forward {made.forward} of {len(made.steps)} steps, undo {made.back} of {made.undoable}")
    never = [step.number for step in made.steps if step.undoable and not step.back]
    if never:
        yield safe(f"never undone at this digest: {', '.join(never)}; prove it with: handrail drill --turn-back STEP")
    for run in made.unreadable:
        yield safe(f"not counted, its record is not whole: {run}")


def _when(one: Drilled | None) -> str:
    if one is None:
        return "never"
    scenario = f", {one.scenario}" if one.scenario else ""
    return f"{one.when[:16].replace('T', ' ')}Z by {one.by}{scenario}"
