"""`handrail explain CODE`: what a problem means, why it is one, and what to write instead. Words only.

The words of this floor stand in the `explain_*` modules; other floors add theirs with `register`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.runbook import explain_estate, explain_files, explain_rules, explain_scenario, explain_values

EXPLANATIONS: Final[dict[str, str]] = {
    **explain_files.TEXTS,
    **explain_values.TEXTS,
    **explain_rules.TEXTS,
    **explain_estate.TEXTS,
    **explain_scenario.TEXTS,
}


def explain(code: str) -> str:
    """Return the explanation of a code: a paragraph, then an example; raise `Trouble` for a code nobody uses."""
    text = EXPLANATIONS.get(code.strip().strip("[]"))
    if text is None:
        near = difflib.get_close_matches(code[:60], EXPLANATIONS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else "`handrail explain` alone lists all codes"
        raise trouble("unknown-code", f"there is no problem `{safe(code, 60)}`", hint)
    return f"{code.strip().strip('[]')}\n\n{text}"


def codes() -> tuple[str, ...]:
    """Return every code that is explained, in order."""
    return tuple(sorted(EXPLANATIONS))


def register(texts: Mapping[str, str]) -> None:
    """Add another floor's explanations; raise ValueError for a code that is explained differently already."""
    for code, text in texts.items():
        if EXPLANATIONS.setdefault(code, text) != text:
            raise ValueError(f"{code} is explained twice")
