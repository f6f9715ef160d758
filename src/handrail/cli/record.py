"""The commands that look at the record: status, report, audit, runs. They read; only `runs prune` removes anything."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.base.problems import trouble
from handrail.base.safe import safe

if TYPE_CHECKING:
    from handrail.session.view import Snapshot
    from handrail.store.home import Home
    from handrail.store.run_folder import RunFolder

_ENDINGS = {"text": "txt", "junit": "junit.xml"}
_BROKEN = 1  # the exit code of an audit that found something


def _home() -> Home:
    from handrail.store.home import Home

    return Home.locate()


def _found(word: str) -> RunFolder:
    from handrail.store.run_folder import find_run

    return find_run(_home(), word)


def _shown(folder: RunFolder) -> Snapshot:
    """Return a run as its journal says it is now: where somebody drives it, its clock goes on."""
    from handrail.base.clock import SystemClock, unstamp
    from handrail.engine.table import ImpossibleError
    from handrail.session.opening import reading_trouble, replayed
    from handrail.session.snapshots import still
    from handrail.store.lock import holder_of

    try:
        now, run = SystemClock().now(), replayed(folder)
    except (LookupError, ValueError, TypeError, ImpossibleError) as err:
        raise reading_trouble(folder.run_id, "its journal is not of the runbook that lies beside it") from err
    driven = holder_of(folder.path) is not None and not run.state.held
    away = max(0.0, (now - unstamp(run.records[-1].ts)).total_seconds()) if driven else 0.0
    return still(run, 1, run.state.at + away, now)


@click.command()
@click.argument("run", default="")
def status(run: str) -> None:
    """Print where RUN stands (default: the last), in one sentence; what is owed follows, a line each."""
    from handrail.session.status import status_text

    click.echo(status_text(_shown(_found(run))), nl=False)


@click.command()
@click.argument("run", default="")
@click.option("--format", "form", type=click.Choice(["md", "json", "html", "text", "junit", "cast"]), default="md")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write it there instead; in a folder it gets a name that tells the mode.",
)
def report(run: str, form: str, out: Path | None) -> None:
    """Print the report of RUN (default: the last)."""
    from handrail.session.reports import FORMS, file_name, report_of

    folder = _found(run)
    made = report_of(folder, _shown(folder))
    text = _cast(folder) if form == "cast" else FORMS[form](made)
    if out is None:
        click.echo(text, nl=False)
        return
    place = out / file_name(made, _ENDINGS.get(form, form)) if out.is_dir() else out
    _write(place, text)
    click.echo(f"{made.mode} report of run {made.run}: {safe(str(place))}", err=True)


def _cast(folder: RunFolder) -> str:
    """Return the run as an asciicast: its replay, painted without a terminal."""
    from handrail.session.desk import Desk
    from handrail.session.replaying import Replaying
    from handrail.tui.cast import cast_of

    return cast_of(Replaying(folder, paused=True), Desk(_home()))


def _write(place: Path, text: str) -> None:
    try:
        place.write_text(text, encoding="utf-8")
    except OSError as err:
        raise trouble("report-unwritable", f"{safe(str(place))} cannot be written: {safe(str(err.strerror))}") from err


@click.command()
@click.argument("run", default="")
def audit(run: str) -> None:
    """Recompute the journal of RUN (default: the last), its runbook's digest and its output's digests.

    Exits 0 when everything is as it was written, 1 when not: each problem names the record that is damaged.
    """
    from handrail.store.audit import audit as recompute

    folder = _found(run)
    found = recompute(folder.path)
    for problem in found.problems:
        click.echo(str(problem))
    word = "ok" if found.ok else "NOT OK"
    click.echo(f"{word}: run {folder.run_id}, {found.records} records, head {found.head}")
    sys.exit(0 if found.ok else _BROKEN)


# ------------------------------------------------------------------ all runs


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="As JSON: a list, newest first.")
@click.pass_context
def runs(ctx: click.Context, as_json: bool) -> None:
    """List all runs, newest first; or prune and export them."""
    if ctx.invoked_subcommand is not None:
        return
    from handrail.cli.kept import as_data
    from handrail.cli.listing import run_line
    from handrail.session.desk import Desk

    desk = Desk(_home())
    cards = desk.runs()
    if as_json:
        click.echo(json.dumps([as_data(card) for card in cards], indent=1))
        return
    for card in cards:
        click.echo(run_line(card))
    for line in desk.unreadable():
        click.echo(safe(line), err=True)
    if not cards:
        click.echo("no runs yet: begin with handrail drill", err=True)


@runs.command()
@click.option("--older-than", "age", required=True, metavar="TIME", help='Such as "30d"; counted from the start.')
@click.option("--yes", is_flag=True, help="Do not ask.")
def prune(age: str, yes: bool) -> None:
    """Remove the record of runs that began long ago.

    Kept, whatever their age: runs that somebody drives, runs that owe something, and runs on real hosts that are not
    done, undone or closed.
    """
    from handrail.base.durations import parse_duration
    from handrail.cli.kept import old_runs, remove

    gone, kept = old_runs(_home(), parse_duration(age))
    for run, why in kept:
        click.echo(f"kept {run}: {why}", err=True)
    if not gone:
        click.echo("nothing to prune")
        return
    for card in gone:
        click.echo(f"{card.run}  {card.mode.value} {safe(card.runbook)} on {safe(card.estate)}, {card.outcome}")
    if not yes:
        _ask(len(gone))
    for card in gone:
        remove(card)
    click.echo(f"pruned {len(gone)}")


def _ask(count: int) -> None:
    if not sys.stdin.isatty():
        raise trouble("usage", f"nobody is there to ask whether {count} runs may go", "say it with --yes")
    if not click.confirm(f"Remove {count} runs for good?"):
        raise click.Abort


@runs.command()
@click.argument("run")
@click.argument("file", type=click.Path(path_type=Path))
def export(run: str, file: Path) -> None:
    """Pack RUN into FILE (tar.gz): journal, runbook, inputs, output and fresh reports.

    Where FILE is a folder, the archive gets a name that tells the mode.
    """
    from handrail.cli.kept import pack
    from handrail.session.reports import file_name, report_of

    folder = _found(run)
    made = report_of(folder, _shown(folder))
    place = file / file_name(made, "tar.gz") if file.is_dir() else file
    pack(folder, made, place)
    click.echo(f"{made.mode} run {made.run}: {safe(str(place))}")
