"""The source tree as these tests see it: files of a floor, and what stands in their syntax trees."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"


def modules(*floors: str) -> Iterator[Path]:
    """Yield the Python files of some floors (of the whole package without one), by name."""
    for floor in floors or ("",):
        folder = SRC / "handrail" / floor
        assert folder.is_dir(), floor
        yield from sorted(folder.rglob("*.py"))


def tree(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def place(path: Path, node: ast.AST) -> str:
    """Return where a node stands, as a line one can click on."""
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def called(node: ast.Call) -> tuple[str, str]:
    """Return what a call is made on, and its name: ("asyncio", "run"); the first is empty for a plain name."""
    if isinstance(node.func, ast.Attribute):
        return ast.unparse(node.func.value), node.func.attr
    return "", node.func.id if isinstance(node.func, ast.Name) else ""


def committed() -> list[Path]:
    """Return every file that belongs to the project: those git knows, or in an unpacked archive all that is no cache."""
    if not (ROOT / ".git").exists():
        return [p for p in sorted(ROOT.rglob("*")) if p.is_file() and not {".venv", "__pycache__"} & set(p.parts)]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]
