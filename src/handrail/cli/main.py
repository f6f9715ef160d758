"""The command line: one group, its commands in lazily imported modules, and the one border where trouble becomes an exit code."""

from __future__ import annotations

import io
import os
import pwd
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from handrail import __version__
from handrail.base.problems import Trouble
from handrail.base.safe import safe

COMMANDS: Final = {
    "drill": ("handrail.cli.start", "drill"),
    "run": ("handrail.cli.start", "run"),
    "check": ("handrail.cli.start", "check"),
    "approve": ("handrail.cli.approving", "approve"),
    "plan": ("handrail.cli.author", "plan"),
    "lint": ("handrail.cli.author", "lint"),
    "schema": ("handrail.cli.author", "schema"),
    "explain": ("handrail.cli.author", "explain"),
    "init": ("handrail.cli.author", "init"),
    "resume": ("handrail.cli.again", "resume"),
    "undo": ("handrail.cli.again", "undo"),
    "close": ("handrail.cli.again", "close"),
    "watch": ("handrail.cli.again", "watch"),
    "note": ("handrail.cli.again", "note"),
    "status": ("handrail.cli.record", "status"),
    "report": ("handrail.cli.record", "report"),
    "replay": ("handrail.cli.replaying", "replay"),
    "audit": ("handrail.cli.record", "audit"),
    "runs": ("handrail.cli.record", "runs"),
    "coverage": ("handrail.cli.covered", "coverage"),
    "instruct": ("handrail.cli.instructing", "instruct"),
    "training": ("handrail.cli.trained", "training"),
    "trust": ("handrail.cli.trusting", "trust"),
    "doctor": ("handrail.cli.machines", "doctor"),
    "estate": ("handrail.cli.machines", "estate"),
}
UNREACHABLE: Final = 3
REFUSED: Final = 6
_REFUSALS: Final = frozenset(
    {
        "drill-on-real",
        "live-on-simulated",
        "run-locked",
        "not-asked",
        "declined",
        "no-answer",
        "takeover-refused",
        "undrilled",
        "not-approved",
        "estate-gone",
        "run-closed",
        "close",
        "not-a-drill",
    }
)


class Lazy(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        found = getattr(import_module(place[0]), place[1])
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from this table alone: help imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, or say which one may have been meant."""
        if args and args[0] not in COMMANDS:
            import difflib

            near = difflib.get_close_matches(args[0], list(COMMANDS), 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            ctx.fail(f"there is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


SUMMARIES: Final = {
    "drill": "rehearse a runbook on the simulated estate",
    "run": "run a runbook LIVE on an estate",
    "check": "ask whether an estate is ready; reads only",
    "approve": "sign that a runbook may run LIVE with these inputs",
    "plan": "print every command, host, confirmation and undo; opens no connection",
    "resume": "drive a held run again",
    "undo": "walk a run back",
    "close": "end a held run that nobody will finish",
    "watch": "look on, read only, live",
    "status": "print where a run stands, in one sentence",
    "note": "leave a note on a run",
    "report": "print a run's report: text, json or html",
    "replay": "play a run again on the same screen; reads only",
    "audit": "recompute a run's journal; says which record is damaged",
    "runs": "list all runs",
    "coverage": "show which steps and which undos were drilled since a runbook was changed",
    "instruct": "look on all drills of this machine, make faults, halt, send messages",
    "lint": "report every problem of runbooks and estate files",
    "schema": "print the JSON Schema of runbooks or estates",
    "explain": "explain a problem's code",
    "init": "write a runbook and an estate file to begin with",
    "training": "list who drills at which level, and when the next drill is due",
    "trust": "compare and pin the host keys of an estate",
    "doctor": "say what stands between you and a run",
    "estate": "bring simulated estates up, list them, take them down",
}


@click.group(cls=Lazy, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="handrail")
@click.option("--plain", is_flag=True, help="Line by line, without the full screen.")
@click.pass_context
def cli(ctx: click.Context, plain: bool) -> None:
    """Guided failover over SSH: in order, with a way back at every stage.

    Without a command: home, with runbooks, last drills, runs to resume and what is owed.
    """
    if ctx.invoked_subcommand is None:
        from handrail.cli.start import home

        ctx.exit(home(plain=plain))


def main() -> None:
    """Run the command line; whatever goes wrong ends in a sentence and an exit code, never in a traceback of values."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character, or sends none, ends nothing
            stream.reconfigure(errors="replace")
    try:
        name_the_nameless()
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as err:
        err.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except Trouble as err:
        click.echo(str(err), err=True)
        sys.exit(_code(err))
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as err:
        click.echo(safe(f"{err.strerror or err}: {err.filename or ''}".rstrip(": ")), err=True)
        sys.exit(2)
    except Exception as err:  # noqa: BLE001  the last border: its text is shown safely, its values are not
        where = traceback.extract_tb(err.__traceback__)[-1]
        click.echo(safe(f"a fault of Handrail's own: {type(err).__name__}: {err}", 400), err=True)
        place = f"{Path(where.filename).name}:{where.lineno}"
        click.echo(f"in {place}. A run is safe on disk: handrail resume takes it up again.", err=True)
        sys.exit(1)


def name_the_nameless() -> None:
    """Give a user whom this machine does not list (a container's number) a name; raise `UsageError` where no home is set."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        if "HOME" not in os.environ:
            raise click.UsageError(f"user {os.getuid()} has no home here: set HOME") from None
        if not any(os.environ.get(name) for name in ("LOGNAME", "USER", "LNAME", "USERNAME")):
            os.environ["LOGNAME"] = f"uid{os.getuid()}"


def _code(err: Trouble) -> int:
    codes = {problem.code for problem in err.problems}
    if codes & _REFUSALS:
        return REFUSED
    return UNREACHABLE if any(c.startswith("ssh-") or c == "estate" for c in codes) else 2
