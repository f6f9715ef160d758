"""JSON Schema of both files, from the same models that read them: editors complete and check what lint would say.

`python -m handrail.runbook.schema FOLDER` writes them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from handrail.runbook.estate_model import EstateFile
from handrail.runbook.model import Runbook
from handrail.runbook.values import Table

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
FILES: Final = {"runbook": "runbook.schema.json", "estate": "estate.schema.json"}


def runbook_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a runbook file."""
    return _schema(Runbook, "Handrail runbook")


def estate_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an estate file."""
    return _schema(EstateFile, "Handrail estate")


def schema_texts() -> dict[str, str]:
    """Return both schemas as they stand in `runbooks/schema`, by file name."""
    schemas = {FILES["runbook"]: runbook_schema(), FILES["estate"]: estate_schema()}
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def _schema(model: type[Table], title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, **model.model_json_schema(by_alias=True), "title": title}


def main(folder: Path) -> None:
    """Write both files into a folder."""
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
