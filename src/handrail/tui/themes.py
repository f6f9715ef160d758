"""Themes: dark, light and high contrast, and the variables that every ink needs. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.theme import Theme

DARK: Final[Mapping[str, str]] = {
    "ink-dim": "#9aa5b1",
    "ink-muted": "#7b8794",
    "ink-accent": "#6cb6ff",
    "ink-warning": "#e3b341",
    "ink-error": "#ff7b72",
    "ink-second": "#b9a2f0",
    "ink-key": "#a5d0ff",
    "ink-rule": "#4b5661",
    "mode-ink": "#0b0e12",
    "mode-drill": "#6cb6ff",
    "mode-check": "#b8c0c8",
    "mode-rehearsal": "#c4a6ff",
    "mode-live": "#ff9e3d",
}
LIGHT: Final[Mapping[str, str]] = {
    "ink-dim": "#4a535c",
    "ink-muted": "#66707a",
    "ink-accent": "#0550ae",
    "ink-warning": "#7a4b00",
    "ink-error": "#b31d28",
    "ink-second": "#5a32a3",
    "ink-key": "#0550ae",
    "ink-rule": "#a8b0b8",
    "mode-ink": "#ffffff",
    "mode-drill": "#0550ae",
    "mode-check": "#4a535c",
    "mode-rehearsal": "#6639ba",
    "mode-live": "#a83b00",
}
CONTRAST: Final[Mapping[str, str]] = {
    "ink-dim": "#ffffff",
    "ink-muted": "#d8d8d8",
    "ink-accent": "#9cdcff",
    "ink-warning": "#ffd75f",
    "ink-error": "#ffa8a0",
    "ink-second": "#dcc8ff",
    "ink-key": "#9cdcff",
    "ink-rule": "#d8d8d8",
    "mode-ink": "#000000",
    "mode-drill": "#9cdcff",
    "mode-check": "#ffffff",
    "mode-rehearsal": "#dcc8ff",
    "mode-live": "#ffaf5f",
}
ANSI: Final[Mapping[str, str]] = {
    "ink-dim": "ansi_default",
    "ink-muted": "ansi_default",
    "ink-accent": "ansi_cyan",
    "ink-warning": "ansi_yellow",
    "ink-error": "ansi_red",
    "ink-second": "ansi_magenta",
    "ink-key": "ansi_cyan",
    "ink-rule": "ansi_default",
    "mode-ink": "ansi_black",
    "mode-drill": "ansi_blue",
    "mode-check": "ansi_white",
    "mode-rehearsal": "ansi_magenta",
    "mode-live": "ansi_yellow",
}

BACKGROUNDS: Final[Mapping[str, str]] = {"dark": "#0f1318", "light": "#ffffff", "high-contrast": "#000000"}


def themes() -> tuple[Theme, ...]:
    """Return our own themes; Textual's are there beside them."""
    return (
        _theme("dark", DARK, "#dde3ea", dark=True),
        _theme("light", LIGHT, "#1b1f24", dark=False),
        _theme("high-contrast", CONTRAST, "#ffffff", dark=True),
    )


def _theme(name: str, inks: Mapping[str, str], foreground: str, *, dark: bool) -> Theme:
    ground = BACKGROUNDS[name]
    return Theme(
        name,
        primary=inks["ink-accent"],
        secondary=inks["ink-second"],
        warning=inks["ink-warning"],
        error=inks["ink-error"],
        success=inks["ink-accent"],
        accent=inks["ink-accent"],
        foreground=foreground,
        background=ground,
        surface=ground,
        panel=ground,
        dark=dark,
        text_alpha=1.0,
        variables=dict(inks),
    )


def defaults(*, ansi: bool, dark: bool) -> dict[str, str]:
    """Return the inks of a theme that is not ours."""
    return dict(ANSI if ansi else DARK if dark else LIGHT)
