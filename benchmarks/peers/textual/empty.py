"""The smallest Textual application that shows one word: what the first paint of Handrail is measured beside."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Empty(App[None]):
    """One word."""

    def compose(self) -> ComposeResult:
        """Yield it."""
        yield Static("ready")


if __name__ == "__main__":
    Empty().run()
