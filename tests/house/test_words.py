"""Words that the source may not know: what is particular to one service belongs into runbooks."""

from __future__ import annotations

import re

from tests.house.source import ROOT, SRC

SERVICE = re.compile("puppet", re.IGNORECASE)
TRADE = re.compile(r"\b\w+(Manager|Helper|Util|Utils|Handler)\b|\bclass Base\w*")


def lines_with(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Return file and text of every line of the source that a pattern is found in."""
    files = [path for path in sorted(SRC.rglob("*")) if path.suffix in (".py", ".sh") and path.is_file()]
    assert len(files) > 150
    return [
        (str(path.relative_to(ROOT / "src")), line.strip())
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if pattern.search(line)
    ]


def test_the_source_knows_no_service() -> None:
    """The command line alone names the shipped example: as the default of a drill, and of an estate to bring up."""
    found = lines_with(SERVICE)
    assert [each for each in found if not each[0].startswith("handrail/cli/")] == []
    assert len(found) <= 3, found


def test_no_class_is_named_after_nothing() -> None:
    assert [each for each in lines_with(TRADE) if each[1].startswith("class ")] == []
