"""A drill's scenario, as the console knows it: a file that is handed to the estate's own program, and what that tells at the end.

It imports nothing of that program, and learns of an unannounced scenario no more than a person does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from handrail.base.safe import safe
from handrail.engine.events import ScenarioTold
from handrail.engine.messages import ScenarioNews
from handrail.engine.results import Check
from handrail.report.data import UNANNOUNCED
from handrail.runbook.scenario import read_scenario
from handrail.session import simulator
from handrail.store.run_folder import RunFolder


def name_of(scenario: Path | None) -> str:
    """Return what the first record says of a scenario: its name, or that it is not announced."""
    if scenario is None:
        return ""
    head = read_scenario(scenario).head
    return head.id if head.told else UNANNOUNCED


def needs(scenario: Path) -> str:
    """Return which kind of simulated estate a scenario needs; nothing when it can be played on any."""
    return read_scenario(scenario).head.needs or ""


def told(scenario: Path) -> str:
    """Return what the operator is told, on one line; nothing for one that is not announced."""
    return " ".join((read_scenario(scenario).head.told or "").split())


async def news(folder: RunFolder) -> ScenarioNews | None:
    """Return what the scenario of a run tells, judged now; None when its estate is gone."""
    where = Path(str(folder.inputs().get("sim_dir") or "/nowhere"))
    if not where.is_dir():
        return None
    return ScenarioNews(_told(await simulator.judge(where, folder.path)))


def _told(answer: dict[str, Any]) -> ScenarioTold:
    checks = tuple(Check(safe(str(c["what"])), bool(c["holds"]), safe(str(c["seen"]))) for c in answer["checks"])
    acts = tuple(safe(_act(act)) for act in answer["acts"])
    good = safe(" ".join(str(answer["good"]).split()), 2000)
    return ScenarioTold(
        0.0, safe(str(answer["id"])), safe(str(answer["title"])), checks, acts, good, float(answer["par"])
    )


def _act(act: dict[str, Any]) -> str:
    mended = "put right: " if act["mends"] else ""
    refused = f" (it was refused: {act['problem']})" if act["problem"] else ""
    return f"{mended}{act['title']}{refused}"
