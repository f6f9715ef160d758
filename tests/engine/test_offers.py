"""Offers say what the engine says, at most one of them is proposed, and due work fits a held console."""

from __future__ import annotations

import pytest
from tests.engine.rig import TOKEN, Rig, bad, lost

from handrail.engine import messages as m
from handrail.engine.codec import encode
from handrail.engine.decide import RULES
from handrail.engine.offers import offer, offers
from handrail.engine.words import Way


def proposed(rig: Rig) -> str:
    """Return the verb that is proposed."""
    found = [o.verb for o in offers(rig.state) if o.proposed]
    assert len(found) <= 1
    return found[0] if found else ""


def test_one_thing_is_proposed_all_along() -> None:
    rig = Rig()
    assert proposed(rig) == "go"
    rig.through("checks")
    rig.ends("sync/mask", Way.FORWARD, bad("p"))
    rig.must(m.Go())
    assert proposed(rig) == ""
    rig.work()
    assert proposed(rig) == "retry"
    rig.ends("sync/mask", Way.FORWARD, lost("p"))
    rig.must(m.Retry("sync/mask"))
    rig.work()
    assert proposed(rig) == "probe"
    rig.do_probe("sync/mask")
    rig.work()
    rig.must(m.GateSeen("switch/dns", rig.gate("switch/dns")))
    assert proposed(rig) == "confirm"
    rig.must(m.Confirm("switch/dns", TOKEN))
    rig.must(m.Leave())
    assert proposed(rig) == ""


@pytest.mark.parametrize("ending", ["held", "closed"])
def test_a_run_that_nobody_drives_offers_only_what_it_takes(ending: str) -> None:
    rig = Rig().through("switch")
    rig.must(m.Leave() if ending == "held" else m.Close("x"))
    granted = {o.verb for o in offers(rig.state) if o.granted}
    assert granted == ({"note", "close"} if ending == "held" else {"note"})


def test_the_undo_that_is_offered_is_the_nearest_and_wants_what_it_puts_back() -> None:
    rig = Rig().through("switch")
    found = offer(rig.state, "undo")
    assert found is not None
    assert found.granted
    assert found.intent == m.Undo("switch")
    assert found.wants == ("value",)
    rig.must(m.GuardNews("keep", tripped=True))
    found = offer(rig.state, "undo")
    assert found is not None
    assert not found.granted


def test_every_message_has_its_rule() -> None:
    def leaves(kind: type[m.Message]) -> set[type[m.Message]]:
        below = kind.__subclasses__()
        return {kind} if not below else set().union(*map(leaves, below))

    assert set(RULES) == leaves(m.Message)


def test_intents_can_be_written_down() -> None:
    assert encode(m.Go("2", at=1.0, by="ana")) == {"at": 1.0, "by": "ana", "to": "2"}
