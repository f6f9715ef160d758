"""Judging output: whether an answer is as the runbook says it must be. Pure; facts only, the engine makes the verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handrail.actions.port import Said
from handrail.base.patterns import SlowPatternError, first_match
from handrail.engine.results import Check
from handrail.engine.words import Answer, ResultKind
from handrail.runbook.checks import Expect, Outcome, Probe

LONGEST_VALUE = 4096  # characters of a captured value: it goes into command lines and the journal
TOO_SLOW = "the pattern takes too long on this output: make it simpler (no repetition inside a repetition)"
SHOWN = 120  # characters of an answer that a check quotes


def text_of(stdout: bytes) -> str:
    """Return output as text; what is not UTF-8 becomes U+FFFD."""
    return stdout.decode("utf-8", "replace")


def lines_of(text: str) -> list[str]:
    """Return the lines of an output: ended by a line feed alone, not by what else Python takes for an end."""
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []


def quote(stdout: bytes) -> str:
    """Return the first line of an answer that says something, cut."""
    lines = (line.strip() for line in lines_of(text_of(stdout[:8192])))
    first = next((line for line in lines if line), "nothing")
    return first if len(first) <= SHOWN else first[: SHOWN - 1] + "…"


def _found(what: str, pattern: str, lines: Iterable[str], stdout: bytes, *, wanted: bool) -> Check:
    """Return whether some line is like a pattern, as it should be; open when that cannot be told in a moment."""
    try:
        holds = (first_match(pattern, lines) is not None) is wanted
    except SlowPatternError:
        return Check(f"{what} {pattern}", None, TOO_SLOW)
    return Check(f"{what} {pattern}", holds, quote(stdout))


def output_checks(wanted: Outcome, stdout: bytes) -> tuple[Check, ...]:
    """Return a check for everything that must be true of the output."""
    text = text_of(stdout)
    lines = lines_of(text)
    made = []
    if wanted.stdout is not None:
        made.append(Check(f"answers {wanted.stdout!r}", text.strip() == wanted.stdout.strip(), quote(stdout)))
    made += [_found("has a line like", p, lines, stdout, wanted=True) for p in wanted.match]
    made += [_found("has no line like", p, lines, stdout, wanted=False) for p in wanted.absent]
    return tuple(made)


def holds(wanted: Outcome, said: Said, exits: tuple[int, ...] | None) -> bool:
    """Tell whether an answer is exactly as wanted: everything that is written must hold."""
    if said.kind is not ResultKind.EXITED or said.exit is None:
        return False
    if exits is not None and said.exit not in exits:
        return False
    return all(check.holds for check in output_checks(wanted, said.stdout))


def answer(probe: Probe, said: Said) -> Answer:
    """Return what a probe's answer means; neither holds, or both do: don't know."""
    done, not_done = holds(probe.done, said, probe.done.exit), holds(probe.not_done, said, probe.not_done.exit)
    if done == not_done:
        return Answer.DONT_KNOW
    return Answer.DONE if done else Answer.NOT_DONE


def captured(patterns: Mapping[str, str], stdout: bytes) -> tuple[dict[str, str], tuple[Check, ...]]:
    """Return the first group of the first matching line for each name; one that is not found is a check that fails."""
    found: dict[str, str] = {}
    missing: list[Check] = []
    lines = lines_of(text_of(stdout))
    for name, pattern in patterns.items():
        try:
            hit = first_match(pattern, lines)
        except SlowPatternError:
            missing.append(Check(f"says its {name}", None, TOO_SLOW))
            continue
        value = ((hit.group(1) if hit.re.groups else hit.group()) or "") if hit else None
        if value is None:
            missing.append(Check(f"says its {name}", holds=False, seen=quote(stdout)))
        elif len(value) > LONGEST_VALUE:
            missing.append(
                Check(f"says its {name}", holds=False, seen=f"{len(value)} characters, too long for a value")
            )
        else:
            found[name] = value
    return found, tuple(missing)


def same(answers: Mapping[str, Said]) -> Check:
    """Return whether all hosts gave the same answer; one that could not be asked leaves it open."""
    asked = {host: said for host, said in answers.items() if said.kind is ResultKind.EXITED}
    values = {host: text_of(said.stdout).strip() for host, said in asked.items()}
    shown = ", ".join(f"{host}: {quote(said.stdout)}" for host, said in asked.items())
    if len(set(values.values())) > 1:
        return Check("is the same everywhere", holds=False, seen=shown)
    if len(asked) < len(answers):
        silent = ", ".join(sorted(set(answers) - set(asked)))
        return Check("is the same everywhere", holds=None, seen=f"no answer from {silent}")
    return Check("is the same everywhere", holds=True, seen=shown)


def exits_of(wanted: Outcome) -> tuple[int, ...]:
    """Return the exit statuses that are good for an expect: as declared, else 0 alone."""
    return wanted.exits if isinstance(wanted, Expect) else (wanted.exit or (0,))
