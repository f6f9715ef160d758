"""Safe text: whatever comes in, nothing that acts on a terminal or hides what it says goes out."""

from __future__ import annotations

import random
import unicodedata

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from tests.sizes import sized

from handrail.base.safe import MARKS, REPLACEMENT, safe, safe_host, safe_line, safe_lines

INPUTS = sized(200, 100_000, 1_000_000)
ESC = "\x1b"
EXAMPLES = 200  # with which hypothesis looks for a smallest one; the masses are made by a generator that costs nothing
_PIECES = [
    ESC,
    f"{ESC}[",
    f"{ESC}[2J",
    f"{ESC}[?1049l",
    f"{ESC}]52;c;cm0=\x07",
    f"{ESC}]8;;http://x{ESC}\\",
    f"{ESC}]0;t",
    f"{ESC}Pq",
    f"{ESC}c",
    f"{ESC}[6n",
    "\x9b31m",
    "\x9d0;t\x9c",
    "\x9c",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u200d",
    "\U000e0041",
    "\ufe0f",
    "\U000e0101",
    "e\u0301",
    "\u0301" * 9,
    "\u1161" * 9,
    "\u3164",
    "\ud800",
    "\r",
    "\t",
    "\n",
    "\x00",
    "\x7f",
    "\xa0",
    "\u2028",
    "[/bold]",
    "[@click=app.quit]",
    "é",
    "漢",
    "50%",
]
PIECES = st.sampled_from(_PIECES)
texts = st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=12).map("".join)


def unsafe(char: str) -> bool:
    """Tell whether a character may act or hide something."""
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
        return True
    return char in "\u115f\u1160\u3164\uffa0\u2800\u034f\ufe0f" or 0xE0100 <= ord(char) <= 0xE01EF


def longest_stack(text: str) -> int:
    """Return how many marks stand on one base at most."""
    most = run = 0
    for char in text:
        run = run + 1 if unicodedata.category(char).startswith("M") or 0x1161 <= ord(char) < 0x1200 else 0
        most = max(most, run)
    return most


@given(st.one_of(texts, st.text(), st.binary()))
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_unsafe_code_point_ever_leaves(text: str | bytes) -> None:
    _nothing_unsafe_leaves(text)


@pytest.mark.torture("hostile text to the sanitiser", trials=INPUTS // 2)
@pytest.mark.parametrize("half", range(2))
def test_masses_of_hostile_text(half: int) -> None:
    dice = random.Random(half)
    for _ in range(INPUTS // 2):
        text = "".join([*dice.choices(_PIECES, k=dice.randrange(8)), chr(dice.randrange(0x3000)), dice.choice(_PIECES)])
        data = text.encode("utf-8", "replace") if dice.random() < 0.8 else dice.randbytes(dice.randrange(12))
        _nothing_unsafe_leaves(data)
        lines = safe_lines(data)
        assert lines == safe_lines(data.decode("utf-8", "replace"))
        assert [safe_line(line) for line in lines] == lines


def _nothing_unsafe_leaves(text: str | bytes) -> None:
    for line in (*safe_lines(text), safe(text), safe(text, 20), safe_line(text)):
        assert not [hex(ord(c)) for c in line if unsafe(c)]
        assert longest_stack(line) <= MARKS
        assert "\n" not in line
    assert len(safe(text, 20)) <= 20


@given(texts, st.integers(0, 30))
@settings(max_examples=EXAMPLES, deadline=None)
def test_bytes_and_text_come_out_the_same(text: str, limit: int) -> None:
    data = text.encode("utf-8", "replace")
    assert safe_lines(data) == safe_lines(data.decode())
    assert safe(data, limit) == safe(data.decode(), limit)


@given(texts)
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    once = safe_lines(text)
    assert [safe_line(line) for line in once] == once


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_not_touched(text: str) -> None:
    assert safe_line(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"a{ESC}[31mred{ESC}[0mb", "aredb"),
        (f"a{ESC}[2J{ESC}[H{ESC}[?1049lb", "ab"),
        (f"a{ESC}]52;c;cm0gLXJm\x07b", "ab"),
        (f"a{ESC}]8;;http://evil{ESC}\\link{ESC}]8;;{ESC}\\b", "alinkb"),
        (f"a{ESC}Pq#0{ESC}\\b", "ab"),
        (f"a{ESC}_apc{ESC}\\{ESC}^pm{ESC}\\{ESC}Xsos{ESC}\\b", "ab"),
        (f"a{ESC}cb{ESC}7{ESC}(Bc", "abc"),
        (f"a{ESC}", "a"),
        (f"a{ESC}[", "a"),
        ("a\x9b31mb\x9d0;title\x9cc", "abc"),
        ("a\x85b", f"a{REPLACEMENT}b"),
        ("user\u202etxt.exe", f"user{REPLACEMENT}txt.exe"),
        ("pass\u200bword", f"pass{REPLACEMENT}word"),
        ("\u2066x\u2069", f"{REPLACEMENT}x{REPLACEMENT}"),
        ("a\U000e0041\U000e007fb", f"a{REPLACEMENT * 2}b"),
        ("warn ⚠\ufe0f", "warn ⚠"),
        ("z\u0335\u0336\u0337\u0338\u0339\u033a", "z\u0335\u0336\u0337\u0338"),
        ("\u0301x", "x"),
        ("a\u00a0b\u3000c", "a b c"),
        ("a\tb", "a       b"),
        ("[bold]x[/] [@click=app.quit]y[/]", "[bold]x[/] [@click=app.quit]y[/]"),
        ("10%\r55%\r100%", "100%"),
        ("10%\r100%\r", "100%"),
        ("\r\r", ""),
        (b"bad \xff\xfe utf", f"bad {REPLACEMENT * 2} utf"),
        (b"nul \x00", f"nul {REPLACEMENT}"),
    ],
)
def test_what_becomes_of_it(text: str | bytes, shown: str) -> None:
    assert safe_line(text) == shown


def test_an_unterminated_sequence_leaves_the_next_line_visible() -> None:
    assert safe_lines(f"a{ESC}]0;never ends\nb\n") == ["a", "b", ""]
    assert safe_lines("a\x9dnever\r\nb") == ["a", "b"]


def test_one_line_shows_its_breaks_and_its_cut() -> None:
    assert safe("a\nb\n\n") == "a ⏎ b"
    assert safe("") == ""
    assert safe("x" * 50, 10) == "x" * 9 + "…"
    assert safe(f"{ESC}[0m" * 100 + "late", 4) == "…"
    assert safe(b"\xf0\x9f\x9a\x80" * 50, 8) == "🚀" * 7 + "…"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("puppet.example.test", "puppet.example.test"),
        ("pupp\u0435t.example.test", "xn--puppt-2we.example.test"),
        ("a\x1b[31m.b", "a.b"),
        ("xn--e1afmkfd.test", "xn--e1afmkfd.test"),
        ("", ""),
    ],
)
def test_a_host_name_cannot_pass_for_another(name: str, shown: str) -> None:
    assert safe_host(name) == shown


@given(st.text())
def test_a_host_name_is_always_shown_in_ascii(name: str) -> None:
    shown = safe_host(name).replace(REPLACEMENT, "")
    assert shown.replace(" ⏎ ", "").isascii()


def test_long_lines_take_no_time_worth_speaking_of() -> None:
    assert len(safe_line("é" * 4_000_000)) == 4_000_000
    assert safe_line(f"{ESC}[31m" * 200_000 + "x\r") == "x"
