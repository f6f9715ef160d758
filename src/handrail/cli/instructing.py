"""`handrail instruct`: all drills on this machine, and what an instructor does to them, from a second terminal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from handrail.base.durations import show_clock
from handrail.base.safe import Safe, safe

if TYPE_CHECKING:
    from handrail.session.cards import DrillView
    from handrail.session.instructing import Instructor

_REFUSED = 1


def _instructor() -> Instructor:
    from handrail.session.instructing import Instructor
    from handrail.store.home import Home

    return Instructor(Home.locate().make())


@click.group(invoke_without_command=True)
@click.option("--plain", is_flag=True, help="A list, without the full screen.")
@click.option("--json", "as_json", is_flag=True, help="The list as JSON.")
@click.pass_context
def instruct(ctx: click.Context, plain: bool, as_json: bool) -> None:
    """Look on the drills of this machine, and teach: faults, halts, messages, notes.

    DRILL is a run's id or its beginning, the name of who walks it, or `all`. Runs on real hosts are out of reach.
    """
    if ctx.invoked_subcommand is not None:
        return
    from handrail.cli.front import full_screen

    if full_screen(plain or as_json):
        from handrail.session.desk import Desk
        from handrail.tui.drive import run_app
        from handrail.tui.pages.instructing import InstructPage

        instructor = _instructor()
        ctx.exit(run_app(Desk(instructor.home), page=lambda: InstructPage(instructor)))
    drills = _instructor().look()
    if as_json:
        click.echo(json.dumps([_as_data(drill) for drill in drills], indent=1))
        return
    for line in drill_lines(drills):
        click.echo(line)


def drill_lines(drills: tuple[DrillView, ...]) -> Iterator[Safe]:
    """Yield the drills in words, two lines each."""
    if not drills:
        yield Safe("no drill goes on here: handrail drill begins one")
    for drill in drills:
        counts = ((drill.slips, "slips"), (drill.faults, "faults made"), (drill.cards, "messages not answered"))
        told = "".join(f", {count} {what}" for count, what in counts if count)
        about = f" ({drill.scenario})" if drill.scenario else ""
        yield safe(
            f"{drill.run}  {drill.who}  {drill.runbook}{about}  T+{show_clock(drill.at)}  {drill.where}{told}", 240
        )
        halted = f"HALTED by {drill.halted}; " if drill.halted else ""
        yield safe(f"    {halted}waits for {drill.waits}; silent {show_clock(drill.silent)}", 240)


def _as_data(drill: DrillView) -> dict[str, Any]:
    found = asdict(drill)
    return {key: str(value) if key in ("folder", "estate") and value else value for key, value in found.items()}


def _each(word: str, do: Callable[[Instructor, DrillView], str]) -> None:
    """Do something to each drill that a word means, and say what came of it."""
    instructor = _instructor()
    for drill in instructor.find(word):
        click.echo(safe(f"{drill.run} ({drill.who}): {do(instructor, drill)}", 300))


@instruct.command(context_settings={"ignore_unknown_options": True})
@click.argument("drill")
@click.argument("what", nargs=-1, required=True)
@click.pass_context
def fault(ctx: click.Context, drill: str, what: tuple[str, ...]) -> None:
    """Do something to the estate of DRILL, such as: power primary off. Its operator is not told; the record is.

    As in a scenario: power HOST on|off, link HOST up|cut|stall, site SITE up|down, part SITE SITE on|off, rtt 250ms,
    drop-ssh HOST, fill HOST on|off, stop-service HOST NAME, exec HOST COMMAND. A role stands for its hosts.
    """
    line, refusals = " ".join(what), []

    def do(instructor: Instructor, view: DrillView) -> str:
        refused = asyncio.run(instructor.fault(view, line))
        refusals.extend([refused] * bool(refused))
        return f"REFUSED {refused}" if refused else f"done: {line}"

    _each(drill, do)
    ctx.exit(_REFUSED if refusals else 0)


@instruct.command()
@click.argument("drill")
@click.argument("why")
def halt(drill: str, why: str) -> None:
    """Have DRILL stand still: what runs ends, nothing else begins. Its operator reads WHY."""

    def do(instructor: Instructor, view: DrillView) -> str:
        instructor.halt(view, why)
        return "asked to stand still; its console takes it up within seconds"

    _each(drill, do)


@instruct.command()
@click.argument("drill")
def go(drill: str) -> None:
    """Let DRILL go on."""

    def do(instructor: Instructor, view: DrillView) -> str:
        instructor.go_on(view)
        return "may go on"

    _each(drill, do)


@instruct.command()
@click.argument("drill")
@click.argument("words")
@click.option("--by", default="", help="Who says it, such as the CTO (default: you).")
def say(drill: str, words: str, by: str) -> None:
    """Send a message to the operator of DRILL; it waits for an answer."""

    def do(instructor: Instructor, view: DrillView) -> str:
        instructor.say(view, words, by)
        return "message sent"

    _each(drill, do)


@instruct.command()
@click.argument("drill")
@click.argument("words")
def note(drill: str, words: str) -> None:
    """Leave a note in the record of DRILL."""

    def do(instructor: Instructor, view: DrillView) -> str:
        instructor.note(view, words)
        return "note left"

    _each(drill, do)
