"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

RUNBOOK: Final = "puppet-failover"  # what is meant where none is named
F = TypeVar("F", bound=Callable[..., Any])


def _pairs(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return NAME=VALUE options as pairs."""
    made = []
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{text!r} is not NAME=VALUE")
        made.append((name, value))
    return tuple(made)


def front(command: F) -> F:
    """Add --plain and --json."""
    command = click.option("--json", "as_json", is_flag=True, help="Write events as JSON lines on stdout.")(command)
    return click.option("--plain", is_flag=True, help="Line by line, without the full screen.")(command)


def settings(command: F) -> F:
    """Add --set NAME=VALUE."""
    return click.option(
        "--set", "values", multiple=True, metavar="NAME=VALUE", callback=_pairs, help="Give a variable its value."
    )(command)


def secrets(command: F) -> F:
    """Add --secret and --sudo-password: where secrets are, never the secrets themselves."""
    command = click.option(
        "--sudo-password",
        "sudo",
        multiple=True,
        metavar="[GROUP=]@FILE",
        help="Where sudo's password is: @FILE (mode 0600), or !PROGRAM that prints it. Without it you are asked.",
    )(command)
    return click.option(
        "--secret",
        "secrets",
        multiple=True,
        metavar="NAME=@FILE",
        help="Where a secret variable's value is: @FILE (mode 0600), or !PROGRAM. Without it you are asked.",
    )(command)


def scenario(command: F) -> F:
    """Add what chooses a scenario: --scenario, --random with --seed, and --scenarios, which lists them."""
    for option in (
        click.option("--scenarios", "list_scenarios", is_flag=True, help="List the scenarios, and begin nothing."),
        click.option(
            "--seed",
            type=int,
            default=None,
            help="With --random or --level faults: the same number is the same scenario.",
        ),
        click.option("--random", "at_random", is_flag=True, help="A scenario that you do not know beforehand."),
        click.option("--scenario", default="", metavar="NAME", help="What goes wrong in this drill."),
    ):
        command = option(command)
    return command


def level(command: F) -> F:
    """Add what says how a drill teaches: --level and --predict."""
    command = click.option(
        "--predict", is_flag=True, help="Be asked before each step what it will print, and what undoes it."
    )(command)
    return click.option(
        "--level",
        default=None,
        type=click.Choice(["guided", "titles", "faults", "none"]),
        help="How much you are helped (guided in your first drill, then none).",
    )(command)


def estate(command: F) -> F:
    """Add --estate FILE."""
    return click.option(
        "--estate", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The estate file."
    )(command)
