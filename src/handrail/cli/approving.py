"""The command of a colleague: approve, which signs that a runbook may run LIVE on an estate with these inputs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from handrail.base.durations import parse_duration
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.cli import options

if TYPE_CHECKING:
    from handrail.session.approvals import Asked
    from handrail.ssh.signing import Signer


@click.command()
@click.argument("runbook")
@options.estate
@options.settings
@click.option("--route", default="planned", help="The route that is approved.")
@click.option("--key", type=click.Path(path_type=Path), help="Your SSH key (~/.ssh/id_ed25519).")
@click.option("--as", "name", default="", help="Your name in the estate's allowed_signers (who you are here).")
@click.option("--for", "lasts", default="8h", help="How long it holds, such as 30m or 8h.")
@click.option("--yes", is_flag=True, help="Sign without being asked: you have read the plan.")
def approve(
    runbook: str,
    estate: Path,
    values: tuple[tuple[str, str], ...],
    route: str,
    key: Path | None,
    name: str,
    lasts: str,
    yes: bool,
) -> None:
    """Sign that RUNBOOK may run LIVE on an estate, with these inputs, by somebody else than you."""
    from handrail.base.clock import SystemClock
    from handrail.session import approvals
    from handrail.session.people import operator
    from handrail.store.home import Home

    by, now = name or operator(), SystemClock().now()
    what, signers = _asked(runbook, estate, values, route)
    for line in _said(what, by, lasts):
        click.echo(line)
    if not yes and click.prompt("Read `handrail plan` first. Type the runbook's id to sign (or no)") != what.runbook:
        raise trouble("not-signed", "nothing was signed")
    private = _key(key or Path.home() / ".ssh" / "id_ed25519")
    home = Home.locate().make()
    path = approvals.write(
        home,
        what,
        by,
        timedelta(seconds=parse_duration(lasts)),
        lambda text: private.sign(text, approvals.NAMESPACE),
        now,
    )
    click.echo(f"signed: {path}")
    if not any(one.by == by for one in approvals.signed(home, what, signers, now)):
        hint = f"add a line to {signers}: {safe(by)} {private.public}"
        raise trouble("not-counted", f"it does not count: {safe(by)} has no such key in allowed_signers", hint)


def _asked(word: str, estate: Path, values: tuple[tuple[str, str], ...], route: str) -> tuple[Asked, Path]:
    """Return what is to be approved, and the file that says whose approval counts."""
    from handrail.runbook.bind import bind
    from handrail.runbook.estate import read_estate
    from handrail.runbook.files import read_file
    from handrail.runbook.read import digest, read_runbook
    from handrail.runbook.shipped import find_runbook
    from handrail.session.approvals import asked
    from handrail.session.preflight import with_preflight

    path, found = find_runbook(word, Path.cwd()), read_estate(estate)
    binding = bind(with_preflight(read_runbook(path)), found, dict(values))
    if route not in binding.runbook.routes:
        raise trouble(
            "route", f"there is no route {safe(route, 40)}", f"its routes: {', '.join(binding.runbook.routes)}"
        )
    if found.allowed_signers is None:
        hint = (
            'write allowed_signers = "allowed_signers" under [estate]: a line for each colleague, as in ssh-keygen(1)'
        )
        raise trouble("no-signers", f"the estate {found.name} does not say whose approval counts", hint)
    return asked(binding, digest(read_file(path)), route), found.allowed_signers


def _said(what: Asked, by: str, lasts: str) -> list[str]:
    inputs = ", ".join(f"{name}={value}" for name, value in what.values.items()) or "none"
    return [
        safe(f"{what.runbook}, digest {what.digest[:16]}…, route {what.route}"),
        safe(f"LIVE on {what.estate}, inputs: {inputs}", 2000),
        safe(f"approved by {by}, for {lasts}"),
    ]


def _key(path: Path) -> Signer:
    """Return the key that signs, asking for its passphrase where it has one."""
    from handrail.ssh.signing import read_key

    try:
        return read_key(path)
    except Trouble as err:
        if err.problems[0].code != "signing-passphrase":
            raise
    return read_key(path, Secret(click.prompt(f"Passphrase of {safe(str(path))}", hide_input=True)))
