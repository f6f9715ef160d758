"""The commands about machines: doctor, and the simulated estates."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from handrail.base.problems import Trouble
from handrail.base.safe import safe
from handrail.cli.start import _desk


@click.command()
@click.option(
    "--estate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Ask this estate's hosts too."
)
@click.option("--json", "as_json", is_flag=True)
def doctor(estate: Path | None, as_json: bool) -> None:
    """Say what stands between you and a run."""
    from handrail.session import simulator

    found = [*_machine(), *_simulator(asyncio.run(simulator.doctor()))]
    if estate:
        from handrail.cli.examining import examine

        found += asyncio.run(examine(estate))
    if as_json:
        click.echo(json.dumps([{"ok": ok, "what": what} for ok, what in found], indent=2))
    else:
        for ok, what in found:
            click.echo(safe(f"{'ok  ' if ok else 'LOOK'} {what}"))
    sys.exit(0 if all(ok for ok, _ in found) else 1)


def _machine() -> Iterator[tuple[bool, str]]:
    from handrail.store.home import Home

    home = Home.locate()
    try:
        home.make()
        home.refuse_network()
        yield True, f"runs are kept in {home.path}"
    except Trouble as err:
        yield False, str(err)
    free = shutil.disk_usage(home.path if home.path.exists() else Path.home()).free
    yield free > 200 << 20, f"{free >> 20} MiB free there"
    inside = bool(os.environ.get("TMUX") or os.environ.get("STY"))
    yield (
        True,
        "inside tmux or screen" if inside else "not inside tmux: if the line drops, the run is held and can be resumed",
    )
    agent = os.environ.get("SSH_AUTH_SOCK")
    yield True, "there is an SSH agent" if agent else "no SSH agent: keys come from files, passphrases from you"


def _simulator(said: dict[str, object]) -> Iterator[tuple[bool, str]]:
    mode = str(said.get("mode", "none"))
    reason = str(said.get("reason", ""))
    if mode == "namespaces":
        yield True, "drills run in namespaces: every simulated host is a machine of its own"
    else:
        yield True, f"drills run in plain folders, shipped runbooks only: {reason}"


@click.group()
def estate() -> None:
    """Bring simulated estates up, list them, take them down."""


@estate.command("up")
@click.argument("name", default="mine")
@click.option("--template", type=click.Path(exists=True, path_type=Path), help="An estate file with sim tables.")
@click.option("--clients", type=click.IntRange(1, 200))
@click.option("--rtt", default="")
@click.option("--mode", type=click.Choice(["auto", "namespaces", "folders"]), default="auto")
def up(name: str, template: Path | None, clients: int | None, rtt: str, mode: str) -> None:
    """Bring an estate up and leave it up."""
    from handrail.runbook.shipped import shipped
    from handrail.session import simulator

    options = ["--mode", mode, *(["--clients", str(clients)] if clients else []), *(["--rtt", rtt] if rtt else [])]
    chosen = template or shipped() / "sim" / "puppet" / "estate.toml"
    made = asyncio.run(simulator.up(_desk().store, name, chosen, *options))
    click.echo(f"{made.mode}, up in {made.seconds:.1f} s: {made.estate}")
    if made.reason:
        click.echo(safe(f"not in namespaces: {made.reason}"))
    for warning in made.warnings:
        click.echo(safe(f"warning: {warning}"))


@estate.command("ls")
def ls() -> None:
    """List the estates that are up."""
    home = _desk().store
    os.execv(sys.executable, [sys.executable, "-m", "handrail_sim", "ls", "--root", str(home.estates)])  # noqa: S606


@estate.command("down")
@click.argument("name", default="mine")
def down(name: str) -> None:
    """Take an estate down."""
    from handrail.session import simulator

    folder = _desk().store.estates / name
    if not folder.exists():
        raise click.ClickException(f"there is no estate {name!r}: see handrail estate ls")
    asyncio.run(simulator.down(folder))
    click.echo(f"{name} is down")
