"""Lines of text: what is put in only shows, and widths are exact."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from handrail.tui.text import Ink, beside, block, fit, hang, ink, row, rule, spread, wrap

HOSTILE = (
    "[bold]x[/bold] [/] [@click=app.quit]quit[/] [$x] [link=http://x]",
    "\x1b]52;c;aGVsbG8=\x07 after",
    "\x1b[2J\x1b[?1049l\x1bc\x1b[6n\x9b31m",
    "a\rb\x08c\x00d\x7f\x85e",
    "user\u202egpj.exe \u2066x\u2069 \u200bzero \U000e0041tag",
    "e" + "\u0301" * 50,
    "wide 日本語 テキスト 🎉",
)


@given(st.text(max_size=60), st.integers(1, 50))
def test_fit_is_exact(text: str, width: int) -> None:
    assert fit(ink(text), width).width == width


@given(st.text(max_size=60), st.text(max_size=40), st.integers(1, 60))
def test_spread_is_exact(left: str, right: str, width: int) -> None:
    assert spread(ink(left), ink(right), width).width == width


@given(st.text(max_size=200), st.integers(2, 40))
def test_wrapped_lines_fit(text: str, width: int) -> None:
    assert all(line.width <= width for line in wrap(text, width))


@given(st.text(max_size=80))
def test_nothing_acts(text: str) -> None:
    plain = ink(text).plain
    assert all(char.isprintable() or char == " " for char in plain if not char.isspace())
    assert "\x1b" not in plain
    assert "\n" not in plain


def test_hostile_text_is_shown_and_nothing_else() -> None:
    for text in HOSTILE:
        plain = ink(text).plain
        assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in plain)
        assert not any(char in plain for char in "\u202e\u2066\u2069\u200b")
    assert ink(HOSTILE[0]).plain == HOSTILE[0]


def test_wide_characters_are_cut_on_a_cell() -> None:
    line = fit(ink("日本語テキスト"), 6)
    assert line.width == 6
    assert line.plain.endswith("…") or line.plain.endswith("… ")


def test_inks_survive_cutting() -> None:
    line = fit(row(ink("red", Ink.ERROR), ink("blue", Ink.CALM)), 5)
    assert [span.ink for span in line.spans] == [Ink.ERROR, Ink.CALM]


def test_a_hanging_text_stays_in_its_column() -> None:
    lines = hang(ink("Undo"), "puts the old address back as caches run out", 24, at=6)
    assert [line.plain[:6] for line in lines] == ["Undo  "] + ["      "] * (len(lines) - 1)


def test_blocks_and_columns() -> None:
    assert [line.plain for line in block([ink("a")], 2)] == ["a", ""]
    assert beside([ink("a")], [ink("b")], 3, ink("|"))[0].plain == "a  |b"
    assert rule(10, "x").plain == "─ x ──────"
    assert cell_len(rule(10).plain) == 10


def test_a_limit_on_lines_marks_what_is_cut() -> None:
    lines = wrap("one two three four five six", 9, most=2)
    assert len(lines) == 2
    assert lines[-1].plain.endswith("…")
