"""Three small reports as people and programs read them. HANDRAIL_GOLDEN=write writes them anew: read the difference."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.report import tales

from handrail.report.data import Report
from handrail.report.json_form import to_text
from handrail.report.markdown import to_markdown
from handrail.report.text import to_plain

HERE = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("name", "tale", "form"),
    [
        ("done.txt", tales.done, to_plain),
        ("emergency.md", tales.emergency, to_markdown),
        ("undone.json", tales.undone, to_text),
    ],
)
def test_it_reads_as_it_did(name: str, tale: Callable[[], Report], form: Callable[[Report], str]) -> None:
    text = form(tale())
    if os.environ.get("HANDRAIL_GOLDEN") == "write":
        (HERE / name).write_text(text, encoding="utf-8")
    assert text == (HERE / name).read_text(encoding="utf-8")
