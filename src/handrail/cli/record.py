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
    from handrail.base.problems import Problem
    from handrail.report.data import Report
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
    from handrail.session.recorded import reading_trouble, replayed
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
@click.option(
    "--bundle", type=click.Path(path_type=Path), metavar="FILE", help="Pack journal, runbook, output and reports."
)
@click.option(
    "--sign",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[=KEY]",
    help="Sign it with your SSH key (~/.ssh/id_ed25519): the bundle, else the run where it lies.",
)
def report(run: str, form: str, out: Path | None, bundle: Path | None, sign: str | None) -> None:
    """Print the report of RUN (default: the last); or pack and sign its record.

    cast is an asciicast for asciinema, junit for what shows test results. --bundle writes one tar file that handrail audit
    checks.
    """
    from handrail.session.reports import FORMS, file_name, report_of

    folder = _found(run)
    made = report_of(folder, _shown(folder))
    if bundle is not None or sign is not None:
        _hand_on(folder, made, bundle, sign)
        return
    text = _cast(folder) if form == "cast" else FORMS[form](made)
    if out is None:
        click.echo(text, nl=False)
        return
    place = out / file_name(made, _ENDINGS.get(form, form)) if out.is_dir() else out
    _write(place, text)
    click.echo(f"{made.mode} report of run {made.run}: {safe(str(place))}", err=True)


def _hand_on(folder: RunFolder, made: Report, bundle: Path | None, sign: str | None) -> None:
    """Pack a run, sign it, or both."""
    from handrail.session import bundles
    from handrail.session.reports import file_name

    key = None if sign is None else Path(sign).expanduser() if sign else Path.home() / ".ssh" / "id_ed25519"
    if bundle is None:
        assert key is not None
        click.echo(f"{made.mode} run {made.run} signed: {safe(str(bundles.sign(folder, key)))}", err=True)
        return
    place = bundle / file_name(made, "tar") if bundle.is_dir() else bundle
    digest = bundles.pack(folder, made, place, key)
    signed = ", signed" if key else ""
    click.echo(f"{made.mode} run {made.run} packed{signed}: {safe(str(place))}", err=True)
    click.echo(f"sha256 {digest}", err=True)


def _cast(folder: RunFolder) -> str:
    """Return the run as an asciicast: its replay, painted without a terminal."""
    from handrail.base.clock import StillClock
    from handrail.session.desk import Desk
    from handrail.session.replaying import Replaying
    from handrail.tui.cast import cast_of

    return cast_of(Replaying(folder, StillClock()), Desk(_home()))


def _write(place: Path, text: str) -> None:
    try:
        place.write_text(text, encoding="utf-8")
    except OSError as err:
        raise trouble("report-unwritable", f"{safe(str(place))} cannot be written: {safe(str(err.strerror))}") from err


@click.command()
@click.argument("run", default="")
@click.option(
    "--allowed-signers",
    "allowed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Whose signatures count, as in ssh-keygen(1); an unsigned record is then refused.",
)
@click.option("--signer", default="", metavar="NAME", help="With --allowed-signers: it must be this one's.")
@click.option("--ask-hosts", is_flag=True, help="Ask the hosts, too, what they hold of this journal; reads only.")
def audit(run: str, allowed: Path | None, signer: str, ask_hosts: bool) -> None:
    """Recompute the journal of RUN (default: the last), its digests, its manifest and its signature; or those of a bundle.

    RUN may be a bundle's file (report --bundle). Exits 0 when everything is as it was written, 1 when not: each problem
    names its place.
    """
    from handrail.session import bundles

    if signer and allowed is None:
        raise trouble("usage", "--signer needs --allowed-signers", "it says which key is whose")
    place = Path(run)
    if ask_hosts and run and place.is_file():
        raise trouble("usage", "a bundle knows no hosts", "--ask-hosts is for a run of this console")
    if run and (place.is_file() or place.suffix == ".tar"):
        checked = bundles.check_bundle(place, _retold, allowed, signer)
    else:
        checked = bundles.check_folder(_found(run), allowed, signer)
    for problem in checked.found.problems:
        click.echo(str(problem))
    anchors, strange = _anchors(_found(run)) if ask_hosts else ("not asked", [])
    for problem in strange:
        click.echo(str(problem))
    found, sound = checked.found, checked.found.ok and not strange
    word = "ok" if sound else "NOT OK"
    mode = checked.mode or "MODE UNKNOWN"
    what = f"{safe(mode, 20)} {'bundle' if place.is_file() else 'run'} {safe(checked.name, 200)}"
    click.echo(f"{word}: {what}, {found.records} records, head {found.head}, {checked.signed}")
    if ask_hosts:
        click.echo(f"anchors on the hosts: {anchors}")
    sys.exit(0 if sound else _BROKEN)


def _anchors(folder: RunFolder) -> tuple[str, list[Problem]]:
    """Return what the hosts say of a run's journal, and what does not match."""
    import asyncio

    from handrail.cli.sources import given
    from handrail.session.anchors import ask_hosts

    return asyncio.run(ask_hosts(folder, given((), (), person=sys.stdin.isatty())))


def _retold(folder: RunFolder) -> Report:
    """Return the report of a run as its folder alone tells it."""
    from handrail.session.reports import report_of

    return report_of(folder, _shown(folder))


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
