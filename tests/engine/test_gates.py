"""Gates and guards: what is typed, what it is worth, and what closes the way on or back."""

from __future__ import annotations

import pytest
from tests.engine.rig import BACK, TOKEN, Rig, bad

from handrail.engine import due as acts
from handrail.engine import messages as m
from handrail.engine.results import Gate, Recheck
from handrail.engine.words import StepWord, Way

W = StepWord


@pytest.mark.parametrize("holds", [False, None])
def test_a_gate_closes_when_a_recheck_does_not_hold_or_could_not_be_asked(holds: bool | None) -> None:
    rig = Rig().through("sync")
    rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns", holds=holds)))
    assert "1.2" not in rig.refused(m.Confirm("switch/dns", TOKEN, "a reason"))
    rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns")))
    rig.must(m.Confirm("switch/dns", TOKEN))


def test_a_gate_takes_only_the_new_value_and_fresh_rechecks() -> None:
    rig = Rig().through("sync")
    rig.must(m.GateSeen("switch/dns", Gate(TOKEN)))
    assert rig.refused(m.Confirm("switch/dns", TOKEN)) == "1.2 b has not been asked again yet"
    rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns")))
    for typed in ("", "yes", "10.9.0.1", "10.9.0.100"):
        assert "nothing was sent" in rig.refused(m.Confirm("switch/dns", typed))
    rig.at += 20
    assert "it is being asked again" in rig.refused(m.Confirm("switch/dns", TOKEN))
    blocked = Gate(TOKEN, blocked="ns2 does not answer", rechecks=rig.gate("switch/dns").rechecks)
    rig.must(m.GateSeen("switch/dns", blocked))
    assert rig.refused(m.Confirm("switch/dns", TOKEN)) == "ns2 does not answer"
    rig.must(m.LeaveGate("switch/dns"))
    assert (rig.word("switch/dns"), rig.due()) == (W.PENDING, ()), "it does not open again by itself"
    assert "no open gate" in rig.refused(m.Confirm("switch/dns", TOKEN))


def test_a_clock_that_was_not_filled_in_does_not_make_rechecks_fresh() -> None:
    rig = Rig().through("sync")
    rig.must(m.GateSeen("switch/dns", Gate(TOKEN, rechecks=(Recheck("checks/b", "b", True, "", rig.at - 60),))))
    from handrail.engine.decide import decide

    assert isinstance(decide(rig.state, m.Confirm("switch/dns", TOKEN)), m.Refused)


def test_a_typed_word_is_void_once_the_gate_shows_something_else() -> None:
    for gate in ("false", "token", "guard"):
        rig = Rig().through("sync")
        rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns")))
        rig.must(m.Confirm("switch/dns", TOKEN))
        assert "confirmed already" in rig.refused(m.Confirm("switch/dns", TOKEN))
        if gate == "guard":
            rig.must(m.GuardNews("back", tripped=True))
        else:
            shown = rig.gate("switch/dns", holds=gate != "false", token="10.9.0.99" if gate == "token" else "")
            rig.must(m.GateSeen("switch/dns", shown))
        assert rig.word("switch/dns") is W.PENDING
        rig.refused(m.Ready("switch/dns", Way.FORWARD, ("dns",)))
        assert rig.due() == ()


def test_a_gate_left_in_a_retry_is_still_a_failed_step() -> None:
    rig = Rig().through("sync")
    rig.ends("switch/dns", Way.FORWARD, bad("dns"))
    rig.stage()
    assert rig.word("switch/dns") is W.FAILED
    rig.must(m.Retry("switch/dns"))
    rig.work()
    assert rig.word("switch/dns") is W.AWAITING
    rig.must(m.LeaveGate("switch/dns"))
    assert rig.word("switch/dns") is W.FAILED
    rig.must(m.Retry("switch/dns"))
    rig.work()
    rig.undo("switch", BACK)
    assert rig.undone == ["switch/dns@dns"]
    assert rig.word("switch/dns") is W.PENDING


def test_a_tripped_guard_closes_the_way_it_guards_and_only_while_it_watches() -> None:
    rig = Rig().through("sync")
    rig.must(m.LeaveGate("switch/dns"))
    rig.must(m.GuardNews("back", tripped=True, seen="200"))
    assert rig.refused(m.Go()) == "The old primary answers. Fence it."
    rig.crash()
    rig.work()
    assert rig.refused(m.Go()) == "The old primary answers. Fence it."  # still so, until it is asked again
    rig.must(m.Undo("sync"))
    rig.work()
    rig.must(m.Go())  # its step is undone: nobody watches
    rig.work(until=lambda act: isinstance(act, acts.Prepare) and act.step == "sync/copy")
    rig.must(m.GuardNews("back", tripped=False))


def test_a_guard_on_the_way_back_holds_the_undo() -> None:
    rig = Rig().through("switch")
    rig.must(m.GuardNews("keep", tripped=True))
    assert rig.refused(m.Undo("switch", (BACK,))) == "The copy is newer. It would be lost."
    rig.must(m.Go())
