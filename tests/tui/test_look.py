"""Looks: states are never colour alone, contrast is what it says, ASCII holds."""

from __future__ import annotations

import itertools

import pytest
from rich.cells import cell_len
from textual.color import Color

from handrail.tui.look import Look, Mark, wants_ascii
from handrail.tui.text import Ink
from handrail.tui.themes import ANSI, BACKGROUNDS, CONTRAST, DARK, LIGHT, themes


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, 1.4.3)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2)."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in Color.parse(colour).normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


BESIDE = [m for m in Mark if m not in (Mark.CHOSEN, Mark.ASKING)]


def test_states_differ_by_word() -> None:
    words = [mark.word for mark in BESIDE]
    assert len(set(words)) == len(words)


def test_glyphs_are_one_cell_and_ascii_glyphs_two() -> None:
    for mark in Mark:
        assert cell_len(Look().glyph(mark)) == 1, mark
        assert len(Look(ascii=True).glyph(mark)) == 2, mark
        assert Look(ascii=True).glyph(mark).isascii()


@pytest.mark.parametrize(("inks", "name"), [(DARK, "dark"), (LIGHT, "light")])
def test_text_can_be_read(inks: dict[str, str], name: str) -> None:
    for ink_name, value in inks.items():
        if ink_name.startswith("ink-") and ink_name != "ink-rule":
            assert contrast(BACKGROUNDS[name], value) >= 4.5, (name, ink_name)


def test_high_contrast_is_seven_to_one() -> None:
    name = "high-contrast"
    for ink_name, value in CONTRAST.items():
        if ink_name.startswith("ink-"):
            assert contrast(BACKGROUNDS[name], value) >= 7, ink_name


@pytest.mark.parametrize("inks", [DARK, LIGHT, CONTRAST])
def test_banners_can_be_read_and_told_apart(inks: dict[str, str]) -> None:
    modes = [inks[f"mode-{m}"] for m in ("drill", "check", "rehearsal", "live")]
    assert len(set(modes)) == 4
    for mode in modes:
        assert contrast(inks["mode-ink"], mode) >= 4.5


def test_every_theme_has_every_ink() -> None:
    needed = {part[1:] for ink in Ink for part in ink.value.split() if part.startswith("$")}
    for inks in (DARK, LIGHT, CONTRAST, ANSI):
        assert needed <= set(inks)
    assert [t.name for t in themes()] == ["dark", "light", "high-contrast"]


def test_ascii_is_chosen_by_itself() -> None:
    assert wants_ascii({"TERM": "linux", "LANG": "C.UTF-8"})
    assert wants_ascii({"TERM": "xterm", "LANG": "C"})
    assert wants_ascii({"TERM": "xterm", "LC_ALL": "POSIX", "LANG": "C.UTF-8"})
    assert not wants_ascii({"TERM": "xterm-256color", "LANG": "de_DE.UTF-8"})


def test_ascii_text_keeps_its_width() -> None:
    text = "│─┬ … ▸ → 日 ✔ ◷ €"
    for char in text:
        assert len(Look(ascii=True).terminal(char)) == 1
    assert Look(ascii=True).terminal(text).isascii()
    assert Look().terminal(text) == text


def test_modes_have_their_own_ink() -> None:
    pairs = itertools.combinations([Ink.DRILL, Ink.CHECK, Ink.REHEARSAL, Ink.LIVE], 2)
    assert all(a.value != b.value for a, b in pairs)
