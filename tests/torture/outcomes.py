"""The table of failpoints in docs/robustness.md, written from the log of a torture.

    HANDRAIL_TORTURE_LOG=LOG make torture && python -m tests.torture.outcomes LOG

A side that was not hit, or not survived, is written down as just that.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from tests.torture.failpoints import ENDLESS, places

PAGE: Final = Path(__file__).parents[2] / "docs" / "robustness.md"
BEGIN: Final = "<!-- failpoints: python -m tests.torture.outcomes LOG -->\n"
END: Final = "<!-- end of failpoints -->\n"
_LINE: Final = re.compile(r"(failpoint|failpoint in a failover): (\S+):(before|after) (survived|BROKEN)")


def read(log: str) -> dict[tuple[str, str, str], str]:
    """Return the outcome of each kind, name and side; one that broke once is broken."""
    found: dict[tuple[str, str, str], str] = {}
    for kind, name, side, word in _LINE.findall(log):
        key = (kind, name, side)
        found[key] = word if found.get(key) != "BROKEN" else "BROKEN"
    return found


def table(found: dict[tuple[str, str, str], str]) -> str:
    """Return the table, as Markdown."""
    rows = ["| failpoint | named in | killed before | killed after | in the real failover |", "|---|---|---|---|---|"]
    for name, file in places().items():
        small = [
            "has no end" if f"{name}:{side}" in ENDLESS else found.get(("failpoint", name, side), "not hit")
            for side in ("before", "after")
        ]
        whole = [
            found[key] for side in ("before", "after") if (key := ("failpoint in a failover", name, side)) in found
        ]
        there = "-" if not whole else ("survived" if set(whole) == {"survived"} else "BROKEN")
        rows.append(f"| `{name}` | `{file}` | {small[0]} | {small[1]} | {there} |")
    return "\n".join(rows) + "\n"


def put(page: str, rows: str) -> str:
    """Return the page with this table in it."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{rows}\n{END}{after}"


if __name__ == "__main__":
    log = "\n".join(Path(name).read_text(encoding="utf-8") for name in sys.argv[1:])
    PAGE.write_text(put(PAGE.read_text(encoding="utf-8"), table(read(log))), encoding="utf-8")
