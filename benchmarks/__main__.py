"""`python -m benchmarks [PART...]`: measures all parts, or some; all of them together are written to benchmarks/results.md."""

from __future__ import annotations

import argparse
import compileall
import os
import sys
import time
import traceback
from importlib import import_module

from benchmarks.measured import Part
from benchmarks.page import lines, page
from benchmarks.place import HERE, SOURCE, place

PARTS = ("failover", "fan_out", "start", "journal", "latency", "stream", "names", "adoption", "estate")


def measured(name: str, *, quick: bool) -> Part:
    """Return one part, measured in a place of its own."""
    with place(quick=quick) as here:
        part = import_module(f"benchmarks.parts.{name}").measure(here)
    assert isinstance(part, Part)
    return part


def measured_or_said(name: str) -> Part:
    """Return one part, measured; one that breaks says so on the page, and does not cost the others."""
    try:
        return measured(name, quick=False)
    except Exception as error:  # noqa: BLE001 - the border: whatever breaks in a part
        traceback.print_exc()
        return Part(name, "", (), missing=(f"it broke: {type(error).__name__}",))


def as_installed() -> None:
    """Let Handrail have its bytecode beside it, as all others do: pip compiles what it installs, not what is edited in place."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for folder in (SOURCE, HERE):
        compileall.compile_dir(folder, quiet=1)


def main(argv: list[str]) -> int:
    """Measure, and say what came of it."""
    options = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    options.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}; without one all of them")
    options.add_argument("--quick", action="store_true", help="prove that it works, at tiny sizes; nothing is written")
    told = options.parse_args(argv)
    unknown = set(told.parts) - set(PARTS)
    if unknown:
        options.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    as_installed()
    begun, parts = time.monotonic(), []
    for name in told.parts or PARTS:
        since = time.monotonic()
        parts.append(measured(name, quick=True) if told.quick else measured_or_said(name))
        sys.stdout.write("\n".join(lines(parts[-1])) + f"\n  in {time.monotonic() - since:.0f} s\n")
        sys.stdout.flush()
    if not told.parts and not told.quick:
        (HERE / "results.md").write_text(page(parts, time.monotonic() - begun), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
