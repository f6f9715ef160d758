"""The CA inside ssl/, as up to Puppet 6: from nothing to a standby, there and back, there, and home."""

from __future__ import annotations

from pathlib import Path

from tests.estate import layouts, story
from tests.estate.estate import Estate

PUPPET = layouts.INSIDE
CLIENTS = ("web01", "db01")


async def test_the_whole_story(desk: Estate, tmp_path: Path) -> None:
    await story.tell(desk, tmp_path, PUPPET, back=True)
