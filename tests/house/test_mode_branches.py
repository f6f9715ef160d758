"""No branch on the mode where it is decided and acted: a drill that took another way would rehearse nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.house.source import modules, place, tree

FLOORS = ("engine", "actions", "ssh", "dns")
NAMES = {"Mode", "auto", "Auto", "simulated", "simulation", "is_drill", "is_live", "drill", "rehearsal", "dry_run"}
WORDS = {"DRILL", "CHECK", "REHEARSAL", "LIVE", "REPLAY"}


def names(node: ast.AST) -> Iterator[str]:
    """Yield every name that a node brings."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            yield name
        case ast.keyword(arg=str(name)):
            yield name
        case ast.alias(name=name):
            yield name.rpartition(".")[2]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case _:
            return


def said(module: ast.Module) -> list[str]:
    """Return every mode that a module names, as a name or as a word."""
    return [text for _, text in offences(module)]


def offences(module: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield every node that names a mode, with what it names."""
    for node in ast.walk(module):
        yield from ((node, name) for name in sorted(NAMES.intersection(names(node))))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in WORDS:
            yield node, repr(node.value)


def test_nobody_who_decides_or_acts_knows_a_mode() -> None:
    found = [f"{place(path, node)}: {text}" for path in modules(*FLOORS) for node, text in offences(tree(path))]
    assert found == []


def test_the_engine_records_the_mode_and_never_reads_it() -> None:
    read = [
        place(path, node)
        for path in modules("engine")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "mode"
    ]
    assert read == []


TAUGHT = {"level", "predict", "remarks"}  # what a drill teaches: written down, and read by who shows it


def read_by(module: ast.Module) -> list[str]:
    """Return what of a drill's teaching a module reads."""
    loads = (node for node in ast.walk(module) if isinstance(node, ast.Attribute))
    return [node.attr for node in loads if node.attr in TAUGHT]


def test_nobody_who_decides_or_acts_knows_a_level() -> None:
    """The fold adds a remark to those there are, one module gathers them for who tells; nothing else below the session looks."""
    may = ("evolve.py", "foretold.py")
    found = [
        f"{path.name}: {name}" for path in modules(*FLOORS) if path.name not in may for name in read_by(tree(path))
    ]
    assert found == []


def test_the_rule_sees_who_reads_a_level() -> None:
    assert read_by(ast.parse("def send(run):\n    return run.opened.level == 'guided'\n")) == ["level"]


def test_the_rule_sees_a_branch() -> None:
    inside = "from x import Mode as M\ndef send(mode: str, *, dry_run: bool) -> bool:\n    return mode == 'LIVE'\n"
    assert sorted(said(ast.parse(inside))) == ["'LIVE'", "Mode", "dry_run"]
