"""The scene: the engine's words in the words of people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tui.fake import FakeSession

from handrail.tui.scene import Scene


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("primary: gone", "puppet-primary: gone"),
        ("puppet-primary: gone", "puppet-primary: gone"),
        ("nothing ran on primary.", "nothing ran on puppet-primary."),
        ("nothing ran on primary-old", "nothing ran on primary-old"),
        ("the zone on primary.example", "the zone on primary.example"),
        ("upon primary", "upon primary"),
    ],
)
def test_only_a_whole_key_is_told_by_its_name(tmp_path: Path, words: str, shown: str) -> None:
    snap = replace(FakeSession(tmp_path).snapshot, names={"primary": "puppet-primary"})
    assert Scene(snap, snap.at, snap.wall).named(words) == shown
