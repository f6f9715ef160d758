"""Secrets on the command line: never the value itself, only where it is: a private file, a program, or the person here."""

from __future__ import annotations

import getpass
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from handrail.base.problems import trouble
from handrail.base.program import TooLong, TooMuch, printed
from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.runbook.files import read_file
from handrail.runbook.model import Var
from handrail.session.asking import Given

LARGEST: Final = 16 * 1024  # bytes of one secret
PATIENCE: Final = 60.0  # seconds for a program; a password manager may ask for a touch
HOW: Final = "write NAME=@FILE for a private file, or NAME=!PROGRAM for what a program prints"


def given(secrets: Iterable[str], sudo: Iterable[str], *, person: bool) -> Given:
    """Return what was given on the command line; raise `Trouble` for a value in clear, or a source that fails."""
    named: dict[str, Secret] = {}
    for text in secrets:
        name, sign, source = text.partition("=")
        if not sign or not name:
            raise trouble("secret-source", "--secret is not NAME=@FILE or NAME=!PROGRAM", HOW)
        named[name] = _from(source, name)
    groups: dict[str, Secret] = {}
    for text in sudo:
        group, source = ("", text) if text[:1] in ("@", "!") else text.split("=", 1) if "=" in text else ("", "")
        groups[group] = _from(source, "sudo")
    return Given(groups, named, person)


def _from(source: str, name: str) -> Secret:
    """Return the secret a source holds; one line break at its end is not part of it."""
    if source.startswith("@"):
        data = read_file(Path(source[1:]).expanduser(), LARGEST, private=True)
    elif source.startswith("!"):
        data = _printed(source[1:], name)
    else:
        said = "the value itself would stand in the list of processes, and in your shell's history"
        raise trouble("secret-source", f"{safe(name, 60)}: {said}", HOW)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise trouble(
            "secret-source", f"{safe(name, 60)}: what was read is not UTF-8 text", "is it the right file?"
        ) from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise trouble("secret-source", f"{safe(name, 60)}: what was read is empty", "is it the right source?")
    return Secret(text)


def _printed(line: str, name: str) -> bytes:
    """Return what a program prints; nothing of that is ever in a message."""
    who = safe(name, 60)
    try:
        argv = shlex.split(line)
        done = printed(argv, folder=Path.cwd(), seconds=PATIENCE, most=LARGEST)
    except TooLong:
        raise trouble(
            "secret-source", f"{who}: its program did not end in {PATIENCE:.0f} s", "run it by hand"
        ) from None
    except TooMuch:
        raise trouble(
            "secret-source", f"{who}: its program prints more than {LARGEST} bytes", "run it by hand"
        ) from None
    except (OSError, ValueError, IndexError) as error:
        why = safe(getattr(error, "strerror", None) or str(error), 80)
        raise trouble("secret-source", f"{who}: its program cannot be run: {why}", "check its path") from None
    if done.status != 0:
        raise trouble("secret-source", f"{who}: its program ended with {done.status}", "run it by hand")
    return done.stdout


def refuse_in_clear(kinds: Mapping[str, Var], values: Iterable[tuple[str, str]]) -> None:
    """Refuse a secret that was given with --set."""
    for name, _ in values:
        if name in kinds and kinds[name].type == "secret":
            why = f"{safe(name, 60)} is a secret: with --set it stands in the list of processes"
            raise trouble("secret-source", why, f"--secret {safe(name, 60)}=@FILE, or leave it out and be asked")


def typed_here(name: str, about: str) -> str:
    """Return a secret that the person at this terminal types, unseen; raise `Trouble` when they type none."""
    if about:
        sys.stderr.write(f"{safe(about)}\n")
    said = getpass.getpass(f"{safe(name)} (a secret; it is not shown): ")
    if not said:
        raise trouble("missing-secret", f"{safe(name)} has no value", "give it when you are asked")
    return said
