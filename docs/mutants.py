"""Writes docs/mutants.md: what became of each mutant, and every one that lived. It tries none itself.

    make mutation && python docs/mutants.py build/mutation

It reads what mutmut left there: the trees of functions and their mutants, and how the tests of each ended. Several folders are
put together, when modules were tried apart.
"""

from __future__ import annotations

import ast
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).with_name("mutants.md")
MEANS: Final = {0: "lived", 1: "found", 3: "found", 24: "no end", -24: "no end", 36: "no end", 33: "not run"}
KINDS: Final = ("found", "no end", "lived", "letters only", "not run", "not tried")
HEAD: Final = """# Mutants

<!-- Written by `python docs/mutants.py FOLDER...` from what `make mutation` left. -->

The code that the promise rests on, broken in small ways, one at a time: did a test of its own notice? Here is what became of them, and
every one that lived, but for those that change nothing but the letters of a sentence. What it means stands in
[robustness](robustness.md#branches-and-mutants).
"""


@dataclass(frozen=True)
class Mutant:
    """One mutant: the module and the function it stands in, what became of it, and the lines that differ."""

    module: str
    function: str
    became: str
    lines: tuple[str, ...] = ()


class _NoLetters(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node


def mutants(folder: Path) -> Iterator[Mutant]:
    """Yield every mutant of a folder in which mutmut has worked."""
    root = folder / "mutants" / "src"
    for meta in sorted(root.rglob("*.meta")):
        exits = json.loads(meta.read_text())["exit_code_by_key"]
        if exits:
            source = meta.with_suffix("")
            tree = ast.parse(source.read_text())
            trees = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
            yield from (_mutant(str(source.relative_to(root)), key, code, trees) for key, code in exits.items())


def _mutant(
    module: str, key: str, code: int | None, trees: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]
) -> Mutant:
    name = key.rpartition(".")[2]
    stem = name.partition("__mutmut_")[0]
    function = stem.replace("ǁ", ".").removeprefix("x.").removeprefix("x_")
    became = "not tried" if code is None else MEANS.get(code, "found")
    if became != "lived":
        return Mutant(module, function, became)
    before, after = (ast.unparse(trees[each]).replace(each, "f") for each in (f"{stem}__mutmut_orig", name))
    if _plain(before) == _plain(after):
        return Mutant(module, function, "letters only")
    differ = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return Mutant(module, function, became, tuple(line for line in differ if line[:2] not in ("--", "++", "@@")))


def _plain(text: str) -> str:
    return ast.dump(_NoLetters().visit(ast.parse(text)))


def page(found: list[Mutant]) -> str:
    """Return the page."""
    counted = Counter((mutant.module, mutant.became) for mutant in found)
    modules = sorted({mutant.module for mutant in found})
    rows = [f"| {m} | {' | '.join(str(counted[m, kind]) for kind in KINDS)} |" for m in modules]
    total = Counter(mutant.became for mutant in found)
    whole = f"| all {len(found)} | {' | '.join(str(total[kind]) for kind in KINDS)} |"
    table = ["| | " + " | ".join(KINDS) + " |", "|---" * (len(KINDS) + 1) + "|", *rows, whole]
    lived = [mutant for mutant in found if mutant.lines]
    parts: list[str] = []
    for module in modules:
        mine = [mutant for mutant in lived if mutant.module == module]
        if mine:
            parts += ["", f"## {module}", "", "```diff"]
            for at, mutant in enumerate(mine):
                parts += [f"@@ {mutant.function}"] if not at or mine[at - 1].function != mutant.function else []
                parts += [f"{line[0]} {line[1:].strip()}" for line in mutant.lines]
            parts.append("```")
    return "\n".join([HEAD, *table, *parts, ""])


if __name__ == "__main__":
    PAGE.write_text(page([each for folder in sys.argv[1:] for each in mutants(Path(folder))]), encoding="utf-8")
