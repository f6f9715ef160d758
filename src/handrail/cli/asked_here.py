"""Asking on the terminal itself, outside a run: for `trust` and `doctor`. What is typed is not shown and not kept."""

from __future__ import annotations

import asyncio
import getpass
import sys

from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.ssh.asking import Ask, Question, nobody


def asker() -> Ask:
    """Return what asks the person at this terminal; nobody is asked when there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return nobody
    turn = asyncio.Lock()

    async def ask(question: Question) -> Secret | None:
        async with turn:
            return await asyncio.to_thread(_typed, question)

    return ask


def _typed(question: Question) -> Secret | None:
    if question.wrong:
        sys.stderr.write(f"{safe(question.wrong)}\n")
    prompt = f"{safe(question.title)}: {safe(question.text)} (empty: leave it): "
    try:
        said = input(prompt) if question.echo else getpass.getpass(prompt)
    except (EOFError, KeyboardInterrupt):
        return None
    except UnicodeDecodeError:
        sys.stderr.write("what was typed is not UTF-8 text, and was left: does the terminal speak UTF-8?\n")
        return None
    return Secret(said) if said else None
