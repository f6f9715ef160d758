"""--auto gives up where only a person can help: a gate that is kept closed, a guard that closes the way forward."""

from __future__ import annotations

from tests.engine.rig import Rig

from handrail.engine import messages as m
from handrail.plain.auto import PATIENCE, Auto


def test_a_gate_that_does_not_hold_is_looked_at_again_for_a_while_and_then_left() -> None:
    rig = Rig().through("sync")
    rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns", holds=False)))
    assert not Auto().is_over(rig.state)
    rig.at += PATIENCE + 10
    rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns", holds=False)))
    assert Auto().is_over(rig.state)
    rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns")))
    assert not Auto().is_over(rig.state)


def test_a_guard_that_closes_the_way_forward_is_for_a_person() -> None:
    rig = Rig().through("sync")
    rig.must(m.GuardNews("back", tripped=True))
    assert Auto().is_over(rig.state)
    rig.must(m.GuardNews("back", tripped=False))
    assert not Auto().is_over(rig.state)
