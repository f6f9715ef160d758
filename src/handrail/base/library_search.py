"""Spares every start the search for libraries that asyncssh can do without. It may not hide one that is there.

It looks for them while it is imported, and where one is not there `ctypes.util.find_library` runs ldconfig, the compiler and the
linker: a tenth of a second of processor. What neither the loader's own list nor LD_LIBRARY_PATH names could not be loaded anyway.
"""

from __future__ import annotations

import ctypes.util
import os
from pathlib import Path
from typing import Final

LISTED: Final = Path("/etc/ld.so.cache")  # ld.so(8)
_SPARED: Final = ("oqs", "liboqs", "nettle", "libnettle", "libnettle-6")


def search_swiftly() -> None:
    """Let these libraries be searched for only where they may be; all others are searched for as ever."""
    search = ctypes.util.find_library
    if getattr(search, "swift", False):
        return

    def find_library(name: str) -> str | None:
        return None if name in _SPARED and surely_none(name) else search(name)

    find_library.swift = True  # type: ignore[attr-defined]
    ctypes.util.find_library = find_library


def surely_none(name: str, listed: Path = LISTED) -> bool:
    """Tell whether the loader's list can be read and names no such library, and nothing else says where to look."""
    try:
        return "LD_LIBRARY_PATH" not in os.environ and f"lib{name}.so".encode() not in listed.read_bytes()
    except OSError:
        return False
