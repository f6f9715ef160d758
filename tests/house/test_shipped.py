"""What is shipped with the program: stand-ins stay programs, whoever unpacks them."""

from __future__ import annotations

from pathlib import Path

from tests.house.source import ROOT

from handrail.runbook.shipped import shipped
from handrail_sim import laying

STAND_INS = [path for path in (ROOT / "runbooks" / "sim").rglob("*bin/*") if path.is_file()]


def test_runbooks_are_found_in_the_checkout() -> None:
    assert shipped() == ROOT / "runbooks"


def test_every_stand_in_says_what_runs_it() -> None:
    assert len(STAND_INS) >= 9
    assert [path.name for path in STAND_INS if not path.read_bytes().startswith(b"#!")] == []


def test_a_script_is_a_program_even_where_its_bit_was_lost(tmp_path: Path) -> None:
    """Wheels keep the bit, but not every installer, archive or mount does."""
    for name, text in (("script", "#!@python@ -IS\n"), ("data", "# not a script\n")):
        (tmp_path / name).write_text(text, encoding="ascii")
        (tmp_path / name).chmod(0o644)
    modes = {path: mode for path, _, mode, _ in laying.tree(tmp_path)}
    assert modes == {"data": 0o644, "script": 0o755}
