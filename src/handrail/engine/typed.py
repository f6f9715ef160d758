"""What was typed against what had to be typed: the comparison at gates, in undo plans and in questions."""

from __future__ import annotations

from ipaddress import ip_address


def same_value(typed: str, token: str) -> bool:
    """Tell whether a typed value is the one asked for.

    IPv4 in full; any spelling of the same IPv6 address; names without regard to case or a final dot.
    """
    word, wanted = typed.strip(), token.strip()
    if not word or not wanted:
        return False
    try:
        address = ip_address(wanted)
    except ValueError:
        return word.casefold().removesuffix(".") == wanted.casefold().removesuffix(".")
    try:
        return ip_address(word) == address
    except ValueError:
        return False


def first_wrong(typed: str, token: str) -> int | None:
    """Return the position of the first wrong character of what is being typed; None while all is right so far."""
    if same_value(typed, token):
        return None
    for at, char in enumerate(typed):
        if at >= len(token) or char.casefold() != token[at].casefold():
            return at
    return None
