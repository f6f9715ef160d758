"""The picture of the table: docs/states.md, drawn by `python -m handrail.engine.picture`. It states nothing of its own."""

from __future__ import annotations

import sys

from handrail.engine.table import TABLE
from handrail.engine.words import StepWord

_HEAD = """# The states of a step

Drawn from `src/handrail/engine/table.py` by `python -m handrail.engine.picture > docs/states.md`; a test fails when it is stale.
Nothing but these causes changes a step's word.
"""


def _name(word: StepWord) -> str:
    return word.name.lower()


def diagram() -> str:
    """Return the moves as a mermaid state diagram; causes that lead the same way share an arrow."""
    arrows: dict[tuple[StepWord, StepWord], list[str]] = {}
    for (word, cause), after in TABLE.items():
        if word is not after:
            arrows.setdefault((word, after), []).append(cause.value)
    lines = ["stateDiagram-v2", f"    [*] --> {_name(StepWord.PENDING)}"]
    lines += [f'    state "{word.value}" as {_name(word)}' for word in StepWord]
    lines += [f"    {_name(a)} --> {_name(b)}: {' / '.join(causes)}" for (a, b), causes in arrows.items()]
    return "\n".join(lines)


def rows() -> str:
    """Return the moves as a table, in the order of the words."""
    lines = ["| from | cause | to |", "|---|---|---|"]
    for word in StepWord:
        mine = [(cause, after) for (before, cause), after in TABLE.items() if before is word]
        lines += [f"| {word.value} | {cause.value} | {after.value} |" for cause, after in mine]
    return "\n".join(lines)


def page() -> str:
    """Return docs/states.md."""
    return f"{_HEAD}\n```mermaid\n{diagram()}\n```\n\n{rows()}\n"


if __name__ == "__main__":  # pragma: no cover
    sys.stdout.write(page())
