"""trust: show the host keys of an estate that are not pinned yet, and pin those a person has compared."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.base.problems import Trouble
from handrail.base.safe import safe

if TYPE_CHECKING:
    from handrail.runbook.estate import Estate
    from handrail.ssh.links import Links
    from handrail.ssh.target import Target


@click.command()
@click.argument("estate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--yes-i-compared",
    "compared",
    multiple=True,
    metavar="FINGERPRINT",
    help="Pin the key with this fingerprint, without asking. May be given several times.",
)
def trust(estate: Path, compared: tuple[str, ...]) -> None:
    """Show the fingerprint of every host of ESTATE that has no pinned key, and pin those you compared."""
    from handrail.runbook.estate import read_estate

    sys.exit(asyncio.run(_trust(read_estate(estate), compared)))


async def _trust(estate: Estate, compared: tuple[str, ...]) -> int:
    from handrail.cli.asked_here import asker
    from handrail.session.core import target_of
    from handrail.ssh.contact import way_to
    from handrail.ssh.links import Links

    assert estate.known_hosts is not None
    links = Links(ask=asker())
    done: dict[str, bool] = {}
    try:
        for host in estate.every_host():
            target = target_of(estate, host)
            for each in (*way_to(target), target):
                if each.key not in done:
                    done[each.key] = await _one(links, each, compared)
    finally:
        await links.close()
    left = sum(not pinned for pinned in done.values())
    click.echo("every host is pinned" if not left else f"{left} not pinned")
    return 1 if left else 0


async def _one(links: Links, target: Target, given: tuple[str, ...]) -> bool:
    """Return whether a host is pinned now."""
    from handrail.ssh.contact import first_contact, is_pinned, pin

    try:
        if target.known_hosts.exists() and is_pinned(target):
            return True
        seen = await first_contact(links, target)
    except Trouble as err:
        click.echo(str(err), err=True)
        return False
    if seen is None:
        return True
    click.echo(safe(f"{target.name} ({seen.host} port {seen.port}) shows {seen.algorithm}"))
    click.echo(safe(f"  {seen.fingerprint}"))
    kind = seen.algorithm.removeprefix("ssh-").partition("-")[0]
    click.echo(safe(f"  on its own console: ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub"))
    if not _compared(seen.fingerprint, given):
        return False
    pin(seen)
    click.echo(safe(f"pinned in {seen.known_hosts} as {seen.name}"))
    return True


def _compared(fingerprint: str, given: tuple[str, ...]) -> bool:
    """Tell whether a person says that this is the host's own fingerprint."""
    from handrail.ssh.contact import LAST, compared

    if given:
        return any(compared(one, fingerprint) for one in given)
    if not sys.stdin.isatty():
        click.echo(safe(f"not pinned: compare it, then add --yes-i-compared {fingerprint}"), err=True)
        return False
    typed = click.prompt(f"Compare all of it, then type its last {LAST} characters (or no)", default="no")
    return compared(typed, fingerprint)
