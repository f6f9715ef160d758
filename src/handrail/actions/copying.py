"""How far a copy is, for whoever watches it: a bar that moves, and now and then a line in the output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from handrail.actions.port import Port
from handrail.base.durations import show_duration

EVERY: Final = 5.0  # seconds between two lines


def show_size(count: float) -> str:
    """Return a number of bytes for people: "512 B", "3.4 kB", "120 MB"."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.4g} GB"


@dataclass
class Copying:
    """One stream of files to a host."""

    port: Port
    host: str
    entries: int
    done: int = 0
    began: float = field(default=0.0, init=False)
    told: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Note when it began, and show that it has."""
        self.began = self.told = self.port.clock.mono()
        self.port.progress(0, 0, f"packing {self.entries} entries")

    def moved(self, done: int, total: int) -> None:
        """Show how many bytes have been handed on, of how many; after a lost link it begins anew."""
        self.done = done
        words = f"{show_size(done)} of {show_size(total)}, {self.entries} entries"
        share = 100 * done // total if total else 100
        self.port.progress(share, 100, f"% copied: {words}")
        now = self.port.clock.mono()
        if now - self.told >= EVERY:
            self.told = now
            self.port.say(self.host, f"copied {words} ({share} %)")

    def over(self) -> None:
        """Write down what was copied, and how long it took."""
        took = self.port.clock.mono() - self.began
        self.port.say(self.host, f"copied {self.entries} entries, {show_size(self.done)}, in {show_duration(took)}")
