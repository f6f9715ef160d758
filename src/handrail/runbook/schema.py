"""JSON Schema of the files, from the same models that read them: editors complete and check what lint would say.

`python -m handrail.runbook.schema FOLDER` writes them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from handrail.base.durations import show_duration
from handrail.runbook.coach_model import CoachFile
from handrail.runbook.estate_model import EstateFile
from handrail.runbook.model import Runbook
from handrail.runbook.scenario_model import ScenarioFile
from handrail.runbook.values import Table

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FILES: Final = {name: f"{name}.schema.json" for name in ("runbook", "estate", "scenario", "coach")}


def runbook_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a runbook file."""
    return _schema(Runbook, "Handrail runbook")


def estate_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an estate file."""
    return _schema(EstateFile, "Handrail estate")


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file."""
    return _schema(ScenarioFile, "Handrail scenario")


def coach_schema() -> dict[str, Any]:
    """Return the JSON Schema of a coach's file."""
    return _schema(CoachFile, "Handrail coach")


def schema_texts() -> dict[str, str]:
    """Return the schemas as they stand in `runbooks/schema`, by file name."""
    schemas = {
        FILES["runbook"]: runbook_schema(),
        FILES["estate"]: estate_schema(),
        FILES["scenario"]: scenario_schema(),
        FILES["coach"]: coach_schema(),
    }
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def _schema(model: type[Table], title: str) -> dict[str, Any]:
    schema = {"$schema": DIALECT, **model.model_json_schema(by_alias=True), "title": title}
    _defaults_as_written(schema)
    return schema


def _defaults_as_written(node: object) -> None:
    """Turn defaults in seconds into the texts an author would write, all the way down; absent keys get no default."""
    if isinstance(node, dict):
        default = node.get("default")
        if isinstance(default, float):
            node["default"] = show_duration(default)
        elif "default" in node and (default is None or default == []):
            del node["default"]
        for inner in node.values():
            _defaults_as_written(inner)
    elif isinstance(node, list):
        for inner in node:
            _defaults_as_written(inner)


def main(folder: Path) -> None:
    """Write the files into a folder."""
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
