"""First contact: a host key is pinned by somebody who typed its fingerprint, and by no single key."""

from __future__ import annotations

import pytest
from tests.tui.desk import FakeBriefing, FakeDesk, cards, strange
from tests.tui.stage import matches, playing

from handrail.session.view import Mode

SIZES = {"80x24": (80, 24), "60x18": (60, 18)}


def met(desk: FakeDesk, *, changed: bool = False) -> FakeBriefing:
    briefing = FakeBriefing(cards()[0], Mode.LIVE, desk)
    briefing.view = strange(briefing.view, changed=changed)
    return briefing


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("changed", [False, True])
async def test_the_screen(size: str, *, changed: bool) -> None:
    async with playing(briefing=met(FakeDesk(), changed=changed), size=SIZES[size]) as stage:
        assert "F6 compares: puppet-dr" in stage.rows()[-2]
        await stage.press("f6")
        text = " ".join(stage.text().split())
        assert "SHA256:oJm5dnXUDoHYb6JcN8m4pQKSsyUTFLxTqEUEcIKVsB8" in text
        assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in text
        assert ("SHA256:4iKJmMvYpKDJ8rVfKtBwEOTX0iNC1bVMDkQ9pNqZl3g" in text) is changed
        matches(stage, f"contact-{'changed' if changed else 'first'}-{size}")


async def test_no_single_key_pins() -> None:
    desk = FakeDesk()
    async with playing(briefing=met(desk)) as stage:
        await stage.press("f6", "enter", "y", "enter", "enter")
        assert "nothing was pinned" in stage.rows()[-2]
        assert desk.asked == []
        await stage.press("ctrl+u")
        await stage.type("IKVsB8")
        await stage.press("enter")
        await stage.settle()
        assert desk.asked == [("trust", "h-dr", "IKVsB8", "")]
        assert "BRIEFING" in stage.text()
        assert "F6" not in stage.text()


async def test_a_changed_key_wants_a_reason_too() -> None:
    desk = FakeDesk()
    async with playing(briefing=met(desk, changed=True)) as stage:
        await stage.press("f6")
        await stage.type("IKVsB8")
        await stage.press("enter")
        assert "say why it changed" in stage.rows()[-2]
        assert desk.asked == []
        await stage.type("tom rebuilt it")
        await stage.press("enter")
        await stage.settle()
        assert desk.asked == [("trust", "h-dr", "IKVsB8", "tom rebuilt it")]
