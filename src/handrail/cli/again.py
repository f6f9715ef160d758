"""The commands for a run that was begun: resume, undo, close, watch, note."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click

from handrail.base.problems import trouble
from handrail.cli import options
from handrail.cli.start import _desk

if TYPE_CHECKING:
    from handrail.cli.front import Typing
    from handrail.session.cards import RunCard
    from handrail.session.desk import Desk


def card_of(desk: Desk, word: str) -> RunCard:
    """Return the run a person means; the default is the last one."""
    from handrail.store.run_folder import find_run

    folder = find_run(desk.store, word)
    found = next((run for run in desk.runs() if run.run == folder.run_id), None)
    if found is None:
        raise trouble("run-unreadable", f"run {folder.run_id} cannot be read", f"look with: handrail audit {word}")
    return found


def secrets_again(desk: Desk, card: RunCard) -> dict[str, str]:
    """Return the secrets a run needs again, asked of the person here; refuse to go on without them where nobody is."""
    lacking = desk.lacks(card)
    if lacking and not desk.given.person:
        names = ", ".join(wanted.name for wanted in lacking)
        hint = f"give it with --secret {lacking[0].name}=@FILE"
        raise trouble("missing-value", f"these secrets are in no file of a run, and needed again: {names}", hint)
    from handrail.cli.sources import typed_here

    return {wanted.name: typed_here(wanted.name, wanted.help) for wanted in lacking}


@click.command()
@click.argument("run", default="")
@options.front
@click.option("--auto", is_flag=True, help="In a drill: go on to the end by itself.")
@click.option("--note", default="", help="To whoever drives it now: they are asked first, and have 30 s to answer.")
@click.option("--reason", default="", help="Why, when it is taken over from somebody.")
@click.option("--take-over-from", "typed", default="", metavar="NAME", help="The name of who drives it now, typed.")
@options.secrets
def resume(
    run: str,
    plain: bool,
    as_json: bool,
    auto: bool,
    note: str,
    reason: str,
    typed: str,
    secrets: tuple[str, ...],
    sudo: tuple[str, ...],
) -> None:
    """Drive RUN again (default: the last). One that somebody drives is asked for first."""
    from handrail.cli.terminals import full_screen
    from handrail.tui.threshold import GETTING_READY, Threshold

    on_screen = full_screen(plain or as_json or auto)
    # What a secret's own program asks is asked on the shell's screen.
    with Threshold(GETTING_READY, shown=on_screen and not (secrets or sudo)) as threshold:
        from handrail.cli.taking import take_up
        from handrail.session.api import SessionApi
        from handrail.session.view import Mode

        desk = _desk(secrets=secrets, sudo=sudo, person=not auto)
        card = card_of(desk, run)
        if auto and card.mode is not Mode.DRILL:
            raise trouble("undrilled", "--auto answers for itself on the simulated estate only")
        if not card.driven and desk.lacks(card):
            threshold.leave()
        secret = {} if on_screen and card.driven else secrets_again(desk, card)

        async def make(_typing: Typing | None = None) -> SessionApi:
            if card.driven and (note or typed or sys.stdin.isatty()):
                return await take_up(desk, card, note, reason, typed, secret)
            return await desk.resume(card, reason, typed, secret)

        if on_screen:
            from handrail.tui.drive import run_app

            threshold.cross()
            sys.exit(run_app(desk, card if card.driven else make))
    from handrail.cli.front import run_plain
    from handrail.plain.auto import Auto

    sys.exit(run_plain(make, answers=Auto() if auto else None, json=as_json, asks=not auto))


@click.command()
@click.argument("run", default="")
@click.option(
    "--to", default="", metavar="STAGE", help="Back to the pause point before this stage (default: the start)."
)
@click.option("--confirm", "typed", default="", metavar="VALUE", help="The value that is put back.")
@click.option("--json", "as_json", is_flag=True, help="Write events as JSON lines on stdout.")
@options.secrets
def undo(run: str, to: str, typed: str, as_json: bool, secrets: tuple[str, ...], sudo: tuple[str, ...]) -> None:
    """Walk RUN back (default: the last), newest step first."""
    from handrail.cli.front import run_plain
    from handrail.engine import order
    from handrail.engine.decide_back import stage_of
    from handrail.plain.auto import Auto
    from handrail.session.api import SessionApi
    from handrail.session.recorded import replayed
    from handrail.store.run_folder import RunFolder

    desk = _desk(secrets=secrets, sudo=sudo)
    card = card_of(desk, run)
    state = replayed(RunFolder.open(desk.store, card.run)).state
    target = stage_of(state, to)
    if target is None:
        raise trouble("usage", f"there is no stage {to!r} to go back to")
    wanted = order.put_back(state, order.to_undo(state, target))
    if wanted and not typed:
        if not sys.stdin.isatty():
            raise trouble("undrilled", f"this undo asks for {' and '.join(wanted)}: give it with --confirm")
        typed = click.prompt(f"This puts {' and '.join(wanted)} back. Type it")

    secret = secrets_again(desk, card)

    async def make(_typing: Typing | None) -> SessionApi:
        return await desk.resume(card, secrets=secret)

    sys.exit(run_plain(make, answers=Auto({"undo": typed}, undo_to=target), json=as_json))


@click.command()
@click.argument("run", default="")
@click.option("--reason", required=True, help="Why nobody will finish it.")
def close(run: str, reason: str) -> None:
    """Close RUN (default: the last): its report lists what stays changed and owed."""
    desk = _desk()
    card = card_of(desk, run)
    for line in asyncio.run(desk.close_run(card, reason)):
        click.echo(line)
    sys.exit(8)


@click.command()
@click.argument("run", default="")
@click.option("--plain", is_flag=True, help="Line by line, without the full screen.")
def watch(run: str, plain: bool) -> None:
    """Look on RUN (default: the last), read only, live."""
    from handrail.cli.terminals import full_screen
    from handrail.tui.threshold import GETTING_READY, Threshold

    on_screen = full_screen(plain)
    with Threshold(GETTING_READY, shown=on_screen) as threshold:
        from handrail.cli.looking import watch_plain
        from handrail.session.api import SessionApi

        desk = _desk()
        card = card_of(desk, run)
        if on_screen:
            from handrail.tui.drive import run_app

            async def look() -> SessionApi:
                return await desk.watch(card)

            threshold.cross()
            sys.exit(run_app(desk, look))
    sys.exit(asyncio.run(watch_plain(desk, card)))


@click.command()
@click.argument("text")
@click.argument("run", default="")
@click.option("--owner", default="", metavar="NAME", help="Who sees to it: the note is then a finding in the report.")
@click.option("--due", default="", metavar="DATE", help="Until when, such as 2026-12-01.")
@click.option("--next-test", default="", metavar="DATE", help="When the runbook is to be tested next.")
def note(text: str, run: str, owner: str, due: str, next_test: str) -> None:
    """Leave a note on RUN (default: the last), while it is driven or when it is over; no host is asked."""
    from handrail.engine import messages as m
    from handrail.session.afterwards import write_note
    from handrail.session.mailbox import leave_note
    from handrail.session.people import operator
    from handrail.store.run_folder import RunFolder

    if due and not owner:
        raise trouble("usage", "--due needs --owner: somebody has to see to it")
    for date in filter(None, (due, next_test)):
        _check_date(date)
    desk = _desk()
    card = card_of(desk, run)
    if card.driven and (owner or next_test):
        raise trouble(
            "usage", f"{card.holder} drives {card.run}", "findings are noted when it is over; a plain note now"
        )
    if card.driven:
        leave_note(card.folder, text, operator())
        click.echo(f"left for {card.holder}, who drives {card.run}")
        return
    write_note(RunFolder.open(desk.store, card.run), m.Note(text, owner=owner, due=due, next_test=next_test))
    click.echo(f"noted on {card.run}")


def _check_date(text: str) -> None:
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError as err:
        raise trouble("usage", f"{text!r} is no date", "write it as 2026-12-01") from err
