"""The commands that begin a run: drill, run, check; and home."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.base.problems import trouble
from handrail.cli import options

if TYPE_CHECKING:
    from handrail.cli.front import Make, Typing
    from handrail.session.api import SessionApi
    from handrail.session.cards import Start
    from handrail.session.desk import Desk
    from handrail.session.view import Mode


def _desk(
    estate: Path | None = None,
    simulator: tuple[str, ...] = (),
    *,
    secrets: tuple[str, ...] = (),
    sudo: tuple[str, ...] = (),
    person: bool = True,
) -> Desk:
    from handrail.cli.no_dumps import forbid_core_dumps
    from handrail.cli.sources import given
    from handrail.plain.auto import walk
    from handrail.session.desk import Desk
    from handrail.store.home import Home

    forbid_core_dumps()
    here = person and sys.stdin.isatty()
    found = given(secrets, sudo, person=here)
    home = Home.locate().make()
    return Desk(home, estate=estate, simulator_options=simulator, given=found, walk=walk, person=here)


def home(*, plain: bool) -> int:
    """Show home."""
    from handrail.cli.terminals import full_screen

    if full_screen(plain):
        from handrail.tui.threshold import Threshold

        with Threshold() as threshold:
            from handrail.tui.drive import run_app

            threshold.cross()
            return run_app(_desk)
    from handrail.cli.listing import home_lines

    for line in home_lines(_desk().home()):
        click.echo(line)
    return 0


def _opener(desk: Desk, word: str, mode: Mode, start: Start) -> Make:
    """Return what opens a run without a briefing on the screen: everything it asks for was given as options, or is typed."""

    async def make(typing: Typing | None) -> SessionApi:
        from handrail.cli.hearing import heard
        from handrail.cli.sources import refuse_in_clear
        from handrail.runbook.read import read_runbook
        from handrail.runbook.shipped import find_runbook

        card = desk.card(find_runbook(word, desk.cwd))
        if card.problems:
            raise trouble("runbook", card.problems[0], f"see all of them: handrail lint {card.path}")
        refuse_in_clear(read_runbook(card.path).vars, start.values)
        briefing = await desk.brief(card, mode, lambda line: click.echo(line, err=True), start)
        try:
            return await briefing.start(await heard(briefing, start, typing))
        except BaseException:
            await briefing.close()
            raise

    return make


@click.command()
@click.argument("runbook", default="")
@options.front
@click.option("--auto", is_flag=True, help="Answer everything; for CI. Exits 0 only if every step passes.")
@click.option("--undo", "then_undo", is_flag=True, help="With --auto: afterwards walk all the way back. Exits 4.")
@click.option("--clients", type=click.IntRange(1, 200), help="How many clients the estate has (6).")
@click.option("--rtt", default=None, help='Round trip between the sites, such as "40ms".')
@click.option("--estate-mode", type=click.Choice(["auto", "namespaces", "folders"]), default="auto")
@click.option("--route", default=None, help="planned or emergency.")
@options.settings
@options.secrets
@click.option("--by-step", is_flag=True, help="Stop before every step.")
@click.option(
    "--turn-back", default="", metavar="STEP", help="Walk to STEP, then back, and prove that all is as it was."
)
@options.scenario
@options.level
def drill(
    runbook: str,
    plain: bool,
    as_json: bool,
    auto: bool,
    then_undo: bool,
    clients: int | None,
    rtt: str | None,
    estate_mode: str,
    route: str | None,
    values: tuple[tuple[str, str], ...],
    secrets: tuple[str, ...],
    sudo: tuple[str, ...],
    by_step: bool,
    scenario: str,
    at_random: bool,
    seed: int | None,
    list_scenarios: bool,
    turn_back: str,
    level: str | None,
    predict: bool,
) -> None:
    """Rehearse RUNBOOK on the simulated estate: nothing real is touched."""
    from dataclasses import replace

    from handrail.session.cards import Start
    from handrail.session.view import Mode

    if list_scenarios:
        from handrail.cli.scenarios import listed

        click.echo("\n".join(listed()))
        return
    if (auto or turn_back) and (level or predict):
        raise click.UsageError("nobody practises with --auto or --turn-back: leave --level and --predict out")
    asked = {"--mode": estate_mode, "--clients": clients and str(clients), "--rtt": rtt}
    simulator = tuple(word for name, value in asked.items() if value for word in (name, value))
    desk = _desk(simulator=simulator, secrets=secrets, sudo=sudo, person=not (auto or turn_back))
    if scenario or at_random:
        from handrail.cli.scenarios import chosen
        from handrail.session.simulator import last_known as known_mode

        in_folders = estate_mode == "folders" or known_mode(desk.store).startswith("folders")
        picked = chosen(scenario, seed, runbook, folders=in_folders)
        desk.scenario, runbook, route = picked.path, picked.runbook, route or picked.route
    route, by_step = route or "planned", by_step or bool(turn_back)
    start = Start(route=route, values=values, step_by_step=by_step, emergency="drill" if route != "planned" else "")
    start = replace(start, level=level or "", predict=predict, seed=seed)
    if turn_back:
        from handrail.cli.front import full_screen
        from handrail.cli.turning import turn_back as turned

        make = _opener(desk, runbook or options.RUNBOOK, Mode.DRILL, start)
        shown = full_screen(plain or as_json or auto)
        sys.exit(turned(make, turn_back, as_json=as_json, desk=desk if shown else None))
    word = runbook or options.RUNBOOK
    sys.exit(_begin(desk, word, Mode.DRILL, start, plain=plain, as_json=as_json, auto=auto, then_undo=then_undo))


def _begin(
    desk: Desk,
    runbook: str,
    mode: Mode,
    start: Start,
    *,
    plain: bool,
    as_json: bool,
    auto: bool = False,
    then_undo: bool = False,
) -> int:
    from handrail.cli.front import full_screen

    if full_screen(plain or as_json or auto):
        from handrail.cli.screen import brief_on_screen

        return brief_on_screen(desk, runbook, mode, start)
    from handrail.cli.front import run_plain
    from handrail.plain.auto import Auto

    answers = Auto(then_undo=then_undo) if auto else None
    return run_plain(_opener(desk, runbook, mode, start), answers=answers, json=as_json, asks=not auto)


@click.command()
@click.argument("runbook")
@options.front
@options.estate
@options.settings
@options.secrets
@click.option("--route", default="planned", help="planned or emergency.")
@click.option(
    "--confirm", "confirms", multiple=True, metavar="STAGE/STEP=VALUE", help="A confirmation, given beforehand."
)
@click.option("--since", default="", help="When the disruption began.")
@click.option("--reason", default="", help="Why: for an emergency, or a runbook that was never drilled.")
@click.option("--incident", default="", help="The incident's number.")
@click.option("--estate-name", default="", help="The estate's name, typed: LIVE asks for it.")
@click.option("--successor-of", default="", help="Who holds the estate's claim: this run goes on from theirs.")
@click.option(
    "--unattended", is_flag=True, help="Nobody is there, terminal or not; for timers. Prints nothing when well."
)
def run(
    runbook: str,
    plain: bool,
    as_json: bool,
    estate: Path,
    values: tuple[tuple[str, str], ...],
    secrets: tuple[str, ...],
    sudo: tuple[str, ...],
    route: str,
    confirms: tuple[str, ...],
    since: str,
    reason: str,
    incident: str,
    estate_name: str,
    successor_of: str,
    unattended: bool,
) -> None:
    """Run RUNBOOK LIVE on an estate."""
    from handrail.cli.live import run_live

    sys.exit(
        run_live(
            _desk(estate, secrets=secrets, sudo=sudo),
            runbook,
            plain=plain,
            as_json=as_json,
            values=values,
            route=route,
            confirms=confirms,
            since=since,
            reason=reason,
            incident=incident,
            typed=estate_name,
            successor_of=successor_of,
            unattended=unattended,
        )
    )


@click.command()
@click.argument("runbook")
@options.estate
@options.settings
@options.secrets
@click.option("--route", default="planned", help="planned or emergency.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--prometheus", type=click.Path(dir_okay=False, path_type=Path), help="Write a textfile for node_exporter."
)
@click.option("--quiet", is_flag=True, help="Print nothing when ready, else what does not hold.")
def check(
    runbook: str,
    estate: Path,
    values: tuple[tuple[str, str], ...],
    secrets: tuple[str, ...],
    sudo: tuple[str, ...],
    route: str,
    as_json: bool,
    prometheus: Path | None,
    quiet: bool,
) -> None:
    """Ask whether an estate is ready for RUNBOOK: reads only. Exit 0: ready. 1: not ready. 3: a host cannot be reached."""
    from handrail.cli.checking import Wishes, run_check

    desk = _desk(estate, secrets=secrets, sudo=sudo)
    sys.exit(run_check(desk, runbook, route, values, Wishes(as_json, prometheus, quiet)))
