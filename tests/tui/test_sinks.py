"""No text reaches the screen but through `tui/text.py`: no widget that parses markup, no span made elsewhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TUI = Path(__file__).parents[2] / "src" / "handrail" / "tui"
FILES = sorted(TUI.rglob("*.py"))
SINKS = frozenset({"Static", "Label", "Button", "OptionList", "DataTable", "Tree", "Log", "RichLog", "Markdown"})
SINKS |= {"Input", "TextArea", "Tooltip", "Toast", "ListItem", "Header", "Footer", "Select", "Content", "Text"}
MARKED_UP = frozenset({"notify", "from_markup", "from_ansi", "panic", "log"})
ASSIGNED = frozenset({"border_title", "border_subtitle", "tooltip", "sub_title"})


def names(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(TUI)))
def test_no_sink_that_parses_markup(path: Path) -> None:
    for node in names(path):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert not node.module.startswith("textual.widgets"), f"{path}:{node.lineno}: a Textual widget shows text"
            made = {alias.name for alias in node.names}
            if node.module.startswith(("textual", "rich")):
                assert not made & SINKS, f"{path}:{node.lineno}: {made & SINKS}"
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert name not in MARKED_UP, f"{path}:{node.lineno}: {name} parses markup"
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            assert node.attr not in ASSIGNED, f"{path}:{node.lineno}: {node.attr} parses markup"


@pytest.mark.parametrize("path", [p for p in FILES if p.name != "text.py"], ids=lambda p: str(p.relative_to(TUI)))
def test_only_text_makes_spans(path: Path) -> None:
    for node in names(path):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("Span", "Safe"), f"{path}:{node.lineno}: a span made outside text.py"


def test_what_is_written_to_the_terminal_past_textual_is_the_title_and_the_first_frame() -> None:
    found = []
    for path in FILES:
        if path.name == "cast.py":  # it makes a file for asciinema, and writes to no terminal
            continue
        words = [node.value for node in names(path) if isinstance(node, ast.Constant)]
        found += [(path.name, word) for word in words if isinstance(word, str) and "\x1b" in word]
    frame = [("threshold.py", "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"), ("threshold.py", "\x1b[?25h\x1b[?1049l")]
    assert found == [("app.py", "\x1b]2;"), *frame]  # nothing of which a host or a runbook says a word
