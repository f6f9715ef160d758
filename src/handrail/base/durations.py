"""Durations: "90s", "15m", "1h30m" to seconds and back. It knows nothing of clocks."""

from __future__ import annotations

import re

from handrail.base.problems import trouble

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")


def parse_duration(text: str) -> float:
    """Return the seconds of "90s", "1h30m" or "2d"; raise `Trouble` for anything else."""
    parts = _PART.findall(text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise trouble("duration", f"{text!r} is not a duration", 'write it as "90s", "15m", "1h30m" or "2d"')
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def show_duration(seconds: float) -> str:
    """Return a short form for people: "45s", "4m02s", "1h30m", "3d"."""
    if 0 < seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms"
    whole = max(0, int(seconds + 0.0005))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s" if whole % 60 else f"{whole // 60}m"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86400}d"


def show_clock(seconds: float) -> str:
    """Return a stopwatch form: "03:12", or "1:03:12" from an hour on."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60:02}:{rest % 60:02}"
