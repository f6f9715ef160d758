"""Times as the screen says them. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from handrail.base.durations import show_clock, show_duration


def zulu(when: datetime, *, seconds: bool = False) -> str:
    """Return "03:12Z"."""
    return when.astimezone(UTC).strftime("%H:%M:%SZ" if seconds else "%H:%MZ")


def clock(seconds: float) -> str:
    """Return "03:12"."""
    return show_clock(seconds)


def lasted(seconds: float) -> str:
    """Return "0:50", as the way back is counted; hours from sixty minutes on."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def ago(when: datetime | None, now: datetime) -> str:
    """Return "3 days ago"; "never" when there is no such time."""
    if when is None:
        return "never"
    seconds = max(0.0, (now - when).total_seconds())
    days = int(seconds // 86400)
    if days:
        return f"{days} day{'s' if days > 1 else ''} ago"
    return f"{show_duration(seconds - seconds % 60 if seconds >= 60 else seconds)} ago"


def day(when: datetime) -> str:
    """Return "29 Nov"."""
    return f"{when.day} {when:%b}"


def silence(since: float, at: float) -> str:
    """Return "last output 00:02 ago"."""
    return f"last output {clock(at - since)} ago"


__all__ = ["ago", "clock", "day", "lasted", "show_duration", "silence", "zulu"]
