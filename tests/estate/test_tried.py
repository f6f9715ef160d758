"""The pages of what was tried are what the logs of the walks say; and what a person had to press and type is what was promised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.estate.tried import page

DOCS = Path(__file__).parents[2] / "docs"
LOGS = Path(__file__).parent / "logs"
LIGHT = {
    "Puppet 7 and later, OpenVox (CA beside ssl/, with a link to it)": LOGS / "light-beside.jsonl",
    "Debian 12 (the same, in Debian's folders)": LOGS / "light-debian.jsonl",
}
PAGES = {"tried": (LOGS / "inside.jsonl", "tried.md", LIGHT), "debian": (LOGS / "debian.jsonl", "tried-debian.md", {})}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_its_log_says(name: str) -> None:
    log, file, others = PAGES[name]
    assert (DOCS / file).read_text() == page(name, log, others)


def pressed(log: Path, phase: str) -> list[str]:
    """Return the keys of one phase of a walk; an estate's name and an address stand for themselves."""
    found, here = list[str](), ""
    for line in map(json.loads, log.read_text().splitlines()):
        here = line["what"] if line["kind"] == "phase" else here
        if here == phase and line["kind"] == "key":
            found.append(line["key"])
    return ["NAME" if key.endswith("-lab") else "ADDRESS" if key.startswith("10.") else key for key in found]


@pytest.mark.parametrize("log", sorted(LOGS.glob("*.jsonl")), ids=lambda log: log.stem)
def test_a_planned_failover_asks_for_a_name_an_address_and_an_enter_each(log: Path) -> None:
    briefing, checks, copy, sent, clients = ["Enter"] * 5
    assert pressed(log, "Planned failover") == ["NAME", briefing, checks, copy, "ADDRESS", sent, clients, "q"]
