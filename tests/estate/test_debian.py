"""Debian's own folders, the CA beside ssl/: from nothing to a standby, there, a late node, and home."""

from __future__ import annotations

from pathlib import Path

from tests.estate import layouts, story
from tests.estate.estate import Estate

PUPPET = layouts.DEBIAN
CLIENTS = ("web01", "db01")


async def test_the_whole_story(desk: Estate, tmp_path: Path) -> None:
    await story.tell(desk, tmp_path, PUPPET, back=False)
