"""The commands for authors: plan, lint, schema, explain, init. None of them opens a connection."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.base.problems import Problem, Trouble, trouble
from handrail.base.safe import safe
from handrail.cli import options

if TYPE_CHECKING:
    from handrail.session.cards import PlanLine


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
def lint(files: tuple[Path, ...], as_json: bool) -> None:
    """Report every problem of runbooks, estate files and scenarios at once. Exit 2 if there is an error."""
    from handrail.runbook.lint import lint_file

    found = [problem for path in files for problem in _linted(lint_file, path)]
    if as_json:
        click.echo(json.dumps([_as_data(p) for p in found], indent=2))
    else:
        for problem in found:
            click.echo(str(problem))
    errors = sum(1 for p in found if p.severity == "error")
    if not as_json:
        click.echo(_summary(errors, len(found) - errors), err=bool(errors))
    sys.exit(2 if errors else 0)


def _linted(check: Callable[[Path], tuple[Problem, ...]], path: Path) -> tuple[Problem, ...]:
    try:
        return check(path)
    except Trouble as err:
        return err.problems


def _as_data(problem: Problem) -> dict[str, object]:
    where = problem.where
    return {
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
        "file": where.file if where else "",
        "line": where.line if where else 0,
        "column": where.column if where else 0,
    }


def _summary(errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return "no problems"
    more = "; `handrail explain CODE` says more about a code" if errors or warnings else ""
    return f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}{more}"


@click.command()
@click.argument("kind", type=click.Choice(["runbook", "estate", "scenario", "coach"]), default="runbook")
def schema(kind: str) -> None:
    """Print the JSON Schema of runbooks, estates, scenarios or coaches, for editors."""
    from handrail.runbook.schema import coach_schema, estate_schema, runbook_schema, scenario_schema

    made = {"runbook": runbook_schema, "estate": estate_schema, "scenario": scenario_schema, "coach": coach_schema}
    click.echo(json.dumps(made[kind](), indent=2))


@click.command()
@click.argument("code", default="")
def explain(code: str) -> None:
    """Explain a problem's CODE; without one, list them all."""
    import handrail.cli.explained  # noqa: F401  registers the codes of the other floors
    from handrail.runbook.explain import codes
    from handrail.runbook.explain import explain as explained

    if not code:
        click.echo("\n".join(codes()))
        return
    click.echo(explained(code))


@click.command()
@click.argument("runbook")
@options.estate
@options.settings
@click.option("--route", default="", help="The route (default: the first).")
def plan(runbook: str, estate: Path, values: tuple[tuple[str, str], ...], route: str) -> None:
    """Print every command, host, confirmation and undo of RUNBOOK on an estate. Opens no connection."""
    from handrail.runbook.bind import bind
    from handrail.runbook.estate import read_estate
    from handrail.runbook.read import read_runbook
    from handrail.runbook.routes import needed
    from handrail.runbook.shipped import find_runbook
    from handrail.session.preflight import with_preflight
    from handrail.session.texts import plan_lines

    book = with_preflight(read_runbook(find_runbook(runbook, Path.cwd())))
    binding = bind(book, read_estate(estate), dict(values))
    taken = route or book.first_route
    if taken not in book.routes:
        raise trouble("route", f"{book.id} has no route {taken!r}", f"its routes: {', '.join(book.routes)}")
    wanted = frozenset(p.name for p in book.places if needed(book, p.step, taken))
    click.echo(safe(f"{book.id}: {book.title}. Route {taken}. Estate {binding.estate.name}."))
    for name in binding.missing:
        click.echo(safe(f"needs a value: {name} ({book.vars[name].help or book.vars[name].type})"))
    for line in _plan_text(plan_lines(binding, taken, wanted)):
        click.echo(safe(line))


def _plan_text(lines: tuple[PlanLine, ...]) -> Iterator[str]:
    stage = ""
    for line in lines:
        if line.line:
            yield f"======== {line.line.upper()} ========"
        if line.stage != stage:
            stage = line.stage
            yield f"stage {stage}"
        if not line.needed:
            yield f"  {line.number} {line.title}: not needed on this route"
            continue
        yield f"  {line.number} {line.title}  [{line.where}]{'' if line.changes else '  reads'}"
        yield from (f"      {command}" for command in line.commands)
        if line.confirm:
            yield f"      confirm by typing: {line.confirm}"
        yield from (f"      undo: {undo}" for undo in line.undo)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
@click.option("--primary", prompt="Primary host (a management name or address)", help="The primary.")
@click.option("--dr", prompt="DR host (a management name or address)", help="The DR host.")
@click.option("--fqdn", prompt="The name clients connect to", help="The name that is switched.")
@click.option("--server", prompt="Authoritative name server that takes updates", help="The first name server.")
@click.option("--user", default="root", help="The user on the hosts.")
def init(folder: Path, primary: str, dr: str, fqdn: str, server: str, user: str) -> None:
    """Write a runbook and an estate file into FOLDER to begin with, and lint them."""
    from handrail.cli.starter import estate_text, runbook_text
    from handrail.runbook.lint import lint_file

    folder.mkdir(parents=True, exist_ok=True)
    made = {
        folder / "failover.toml": runbook_text(fqdn),
        folder / "estate.toml": estate_text(primary, dr, fqdn, server, user),
    }
    for path in made:
        if path.exists():
            raise trouble("exists", f"{safe(str(path))} is there already", "name another folder")
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
        click.echo(f"wrote {path}")
        for problem in lint_file(path):
            click.echo(str(problem))
    estate = folder / "estate.toml"
    click.echo("next, in this order:")
    click.echo(
        f"  1. put the key that may change the name into {folder / 'dr-switch.key'} (tsig-keygen dr-switch), mode 0600;"
    )
    click.echo("     a cloud, or a person, changes it? see provider in docs/dns-providers.md")
    click.echo(f"  2. handrail trust {estate}")
    click.echo(f"  3. handrail doctor --estate {estate}")
    click.echo(f"  4. handrail check {folder / 'failover.toml'} --estate {estate}")
