"""The floors: import-linter's contracts hold, each of them a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import tomli
from tests.house.source import ROOT

FLOORS = {"base", "runbook", "engine", "report", "ssh", "dns", "store", "actions", "session", "tui", "plain", "cli"}


def test_the_contracts_hold() -> None:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_a_contract_that_is_broken_is_noticed(tmp_path: Path) -> None:
    """The same contracts over a tree where base looks up: so that "0 broken" is known to mean something."""
    copy = tmp_path / "src"
    program = f"""
import sys
sys.path.insert(0, {str(copy)!r})
from importlinter.cli import lint_imports
sys.exit(lint_imports(no_cache=True))
"""
    subprocess.run(["cp", "-r", str(ROOT / "src"), str(copy)], check=True)
    (copy / "handrail" / "base" / "upwards.py").write_text("import handrail.engine.words\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert "handrail.base.upwards -> handrail.engine.words" in done.stdout


def test_every_floor_stands_in_the_contracts() -> None:
    found = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in found if contract["type"] == "layers")
    named = {name.strip().removeprefix("handrail.") for layer in layers for name in layer.split("|")}
    there = {path.name for path in (ROOT / "src" / "handrail").iterdir() if (path / "__init__.py").exists()}
    assert named == there == FLOORS
