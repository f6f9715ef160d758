"""The commands about machines: trust, doctor, and the simulated estates."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.base.problems import Trouble
from handrail.base.safe import safe
from handrail.cli.start import _desk

if TYPE_CHECKING:
    from handrail.runbook.estate import Estate


@click.command()
@click.argument("estate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--yes-i-compared", "compared", default="", metavar="FINGERPRINT", help="Pin the one key with this fingerprint."
)
def trust(estate: Path, compared: str) -> None:
    """Show the fingerprint of every host of ESTATE that has no pinned key, and pin those you compared."""
    from handrail.runbook.estate import read_estate

    found = read_estate(estate)
    sys.exit(asyncio.run(_trust(found, compared)))


async def _trust(estate: Estate, given: str) -> int:
    from handrail.session.core import target_of
    from handrail.ssh.contact import LAST, compared, first_contact, pin

    assert estate.known_hosts is not None
    have = estate.known_hosts.read_text(encoding="utf-8").splitlines() if estate.known_hosts.exists() else []
    known = {line.split()[0] for line in have if line.strip()}
    left = 0
    for host in estate.every_host():
        target = target_of(estate, host)
        if {target.pinned_as, f"[{target.host}]:{target.port}"} & known:
            continue
        try:
            seen = await first_contact(target)
        except Trouble as err:
            click.echo(str(err), err=True)
            left += 1
            continue
        click.echo(safe(f"{host.name} ({host.host}) shows {seen.algorithm} {seen.fingerprint}"))
        typed = given or click.prompt(f"Compare it, then type its last {LAST} characters (or no)", default="no")
        if compared(typed, seen.fingerprint):
            pin(seen)
            click.echo(f"pinned in {estate.known_hosts}")
        else:
            left += 1
    click.echo("every host is pinned" if not left else f"{left} not pinned")
    return 1 if left else 0


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
        found += asyncio.run(_estate(estate))
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
    yield True, "an SSH agent answers" if agent else "no SSH agent: keys come from the estate file"


def _simulator(said: dict[str, object]) -> Iterator[tuple[bool, str]]:
    mode = str(said.get("mode", "none"))
    reason = str(said.get("reason", ""))
    if mode == "namespaces":
        yield True, "drills run in namespaces: every simulated host is a machine of its own"
    else:
        yield True, f"drills run in plain folders, shipped runbooks only: {reason}"


async def _estate(path: Path) -> list[tuple[bool, str]]:
    from handrail.base.clock import SystemClock
    from handrail.runbook.estate import read_estate
    from handrail.session.core import target_of, zone_of
    from handrail.ssh.contact import ignored_options
    from handrail.ssh.links import Links

    estate = read_estate(path)
    found = [(False, str(warning)) for warning in estate.warnings]
    if estate.ssh_config:
        found += [(True, f"ignored in {estate.ssh_config}: {option}") for option in ignored_options(estate.ssh_config)]
    links = Links()
    try:
        for host in estate.every_host():
            try:
                seconds = await links.round_trip(target_of(estate, host))
                found.append((True, f"{host.name} answers with its pinned key, {seconds * 1000:.0f} ms"))
            except Trouble as err:
                found.append((False, f"{host.name}: {err.problems[0].message}"))
    finally:
        await links.close()
    if estate.dns:
        name = estate.vars.get("fqdn", estate.dns.zone)
        _, provider = zone_of(estate, SystemClock())
        survey = await provider.survey(name)
        found.append((survey.agreed, f"{name}: " + ("; ".join(survey.differences) or ", ".join(survey.value))))
        problem = await provider.prove(name, survey.value) if survey.value else None
        found.append((problem is None, str(problem) if problem else "the DNS key is accepted (nothing was changed)"))
    return found


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
