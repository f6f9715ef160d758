"""The account that is kept of single steps: where a change may stand, which links are gone, what is noted and by whom."""

from __future__ import annotations

import pytest
from tests.engine.rig import Rig, bad, lost, unreachable
from tests.engine.test_asking import both

from handrail.engine import due as acts
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.results import Owed, Question, Result
from handrail.engine.words import How, ResultKind, StepWord, Verdict, Way

W = StepWord
BOTH = "two/both"


def account(rig: Rig, name: str = BOTH) -> tuple[list[str], list[str], list[str]]:
    """Return where a step is to be undone, where it has passed, and where it was undone."""
    now = rig.now(name)
    return sorted(now.touched), sorted(now.passed_on), sorted(now.undone_on)


def sent_to(rig: Rig, *results: Result) -> None:
    """Let the change go on its way (again), with these answers."""
    rig.ends(BOTH, Way.FORWARD, *results)
    rig.must(m.Retry(BOTH) if rig.now(BOTH).attempts and rig.word(BOTH) is W.FAILED else m.Go())
    rig.work()


@pytest.mark.parametrize(
    ("first", "again", "touched"),
    [
        ((unreachable("p"), unreachable("d")), None, ()),
        ((bad("p"), unreachable("d")), None, ("p",)),
        ((bad("p", sent=False), bad("d", sent=False)), None, ()),
        ((bad("p"), unreachable("d")), (unreachable("p"), unreachable("d")), ("p",)),
        ((unreachable("p"), unreachable("d")), (unreachable("p"), bad("d")), ("d",)),
        ((bad("p"), bad("d")), (unreachable("p"), bad("d", sent=False)), ("d", "p")),
    ],
)
def test_a_host_that_was_reached_once_is_to_be_undone_and_one_never_reached_is_not(
    first: tuple[Result, ...], again: tuple[Result, ...] | None, touched: tuple[str, ...]
) -> None:
    rig = Rig(both())
    sent_to(rig, *first)
    if again:
        sent_to(rig, *again)
    assert rig.now(BOTH).touched == frozenset(touched)
    assert rig.state.started == ((BOTH,) if touched else ())
    if touched:
        rig.undo()
        assert sorted(rig.undone) == [f"{BOTH}@{host}" for host in touched]


def test_where_the_undo_has_passed_a_later_attempt_that_reaches_nothing_leaves_nothing_to_undo() -> None:
    rig = Rig(both())
    rig.stage()
    rig.ends(BOTH, Way.BACK, bad("d"))
    rig.undo()
    assert rig.word(BOTH) is W.UNDO_FAILED
    assert account(rig) == (["d"], [], ["p"])
    rig.must(m.GoForward(BOTH))
    rig.ends(BOTH, Way.FORWARD, unreachable("p"), unreachable("d"))
    rig.work()
    assert rig.now(BOTH).touched == {"d"}, "the undo passed on the primary, and nothing was sent there since"


def test_a_link_that_is_gone_is_kept_with_its_time_until_it_is_back_or_its_host_has_answered() -> None:
    rig = Rig(both())
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.LinkNews(BOTH, "p", up=False, why="no answer for 20 s"))
    gone = rig.at
    assert rig.journal[-1:] == [e.LinkLost(gone, BOTH, "p", "no answer for 20 s")]
    assert rig.refused(m.LinkNews(BOTH, "p", up=False)).startswith("too late")
    assert rig.refused(m.LinkNews(BOTH, "d", up=True)).startswith("too late")
    rig.must(m.LinkNews(BOTH, "d", up=False))
    assert dict(rig.now(BOTH).no_link) == {"p": gone, "d": rig.at}
    rig.must(m.LinkNews(BOTH, "p", up=True))
    assert rig.journal[-1:] == [e.LinkBack(rig.at, BOTH, "p")]
    assert list(rig.now(BOTH).no_link) == ["d"]
    rig.must(m.Ended(BOTH, 1, Result("d", ResultKind.EXITED, sent=True, exit=0)))
    assert dict(rig.now(BOTH).no_link) == {}


def test_what_an_action_must_find_again_is_kept_by_host_and_added_to() -> None:
    rig = Rig(both())
    for host, data in (("p", {"was": "7"}), ("d", {"was": "8"}), ("p", {"then": "9"}), ("p", {"was": "6"})):
        rig.must(m.Remember(BOTH, host, data))
    assert rig.now(BOTH).notes == {"p": {"was": "6", "then": "9"}, "d": {"was": "8"}}


def test_lateness_and_a_question_belong_to_the_attempt_under_way() -> None:
    rig = Rig(both())
    question = Question("which?", "this one")
    assert rig.refused(m.Late(BOTH)).startswith("too late")
    assert rig.refused(m.Asks(BOTH, question)).startswith("too late")
    rig.must(m.Go())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.must(m.Late(BOTH))
    assert rig.refused(m.Late(BOTH)).startswith("too late")
    rig.must(m.Asks(BOTH, question))
    assert (rig.now(BOTH).late, rig.now(BOTH).question) == (True, question)
    rig.must(m.Reply(BOTH, "this one"))
    assert (rig.now(BOTH).question, rig.now(BOTH).reply) == (None, "this one")
    rig.work()
    assert (rig.now(BOTH).late, rig.now(BOTH).stopping, rig.now(BOTH).no_link) == (False, False, {})


def test_a_note_is_kept_whole() -> None:
    rig = Rig(both())
    note = m.Note("the fan is loud", BOTH, "ana", "2026-12-01", "with both sites", by="tom")
    rig.must(note)
    assert rig.journal[-1:] == [
        e.NoteMade(rig.at, "the fan is loud", "tom", BOTH, "ana", "2026-12-01", "with both sites")
    ]


def test_a_guard_says_what_it_saw_and_is_told_once() -> None:
    rig = Rig().through("sync")
    assert rig.refused(m.GuardNews("back", tripped=False)).startswith("too late")
    rig.must(m.GuardNews("back", tripped=True, seen="it serves catalogs"))
    assert rig.journal[-1:] == [e.GuardTripped(rig.at, "back", "it serves catalogs")]
    assert rig.refused(m.GuardNews("back", tripped=True)).startswith("too late")
    assert list(rig.state.tripped) == ["back"]
    rig.must(m.GuardNews("back", tripped=False))
    assert rig.journal[-1:] == [e.GuardCleared(rig.at, "back")]
    assert list(rig.state.tripped) == []


def test_another_holder_of_the_claim_ends_the_walk_back_where_it_is() -> None:
    rig = Rig().through("sync")
    rig.must(m.Undo())
    rig.work(until=lambda act: isinstance(act, acts.Perform))
    rig.crash()
    rig.must(m.ClaimNews(holder="bob", detail="on d"))
    lost = Result("d", ResultKind.LOST, sent=True, detail="the estate is claimed by bob")
    attempt = rig.now("sync/copy").attempts[-1].number
    assert [event for event in rig.journal if event.at == rig.at] == [
        e.ClaimRefused(rig.at, "bob", "on d"),
        e.HostEnded(rig.at, "sync/copy", attempt, lost),
        e.AttemptEnded(
            rig.at, "sync/copy", attempt, Way.BACK, Verdict.UNKNOWN, How.NONE, "d: lost; the estate is claimed by bob"
        ),
    ]
    assert rig.state.walk is None
    assert rig.word("sync/copy") is W.UNDO_UNKNOWN


def test_another_holder_of_the_claim_ends_what_is_being_settled() -> None:
    rig = Rig().through("sync")
    rig.must(m.Declare("emergency", "dark"))
    rig.must(m.Settle("sync/mask@p"))
    rig.crash()
    rig.must(m.ClaimNews(holder="bob"))
    assert e.SettleFailed(rig.at, "sync/mask@p", "the estate is claimed by bob") in rig.journal
    assert (rig.state.settling, rig.owed()) == ("", ["sync/mask@p"])


def test_what_a_run_before_this_one_owes_touches_no_step_of_this_one() -> None:
    rig = Rig(both())
    item = Owed(f"{BOTH}@p", BOTH, "p", "undo both on p", "its host is lost", 1.0, "back", "r0")
    rig.must(m.Go())
    rig.must(m.ClaimNews(("p", "d"), inherited=(item,)))
    rig.work()
    assert rig.owed() == [f"r0/{BOTH}@p"]
    rig.must(m.Settle(f"r0/{BOTH}@p", "scrapped"))
    assert rig.owed() == []
    assert account(rig) == (["d", "p"], ["d", "p"], [])


def test_an_undo_that_is_settled_on_one_host_leaves_the_other_to_be_undone() -> None:
    rig = Rig(both())
    rig.stage()
    rig.must(m.Declare("emergency", "dark"))
    assert rig.owed() == [f"{BOTH}@p"]
    rig.must(m.Settle(f"{BOTH}@p", "scrapped"))
    assert account(rig) == (["d"], ["d"], ["p"])
    assert rig.state.settled[-1][1] == "scrapped"
    rig.undo()
    assert rig.undone == [f"{BOTH}@d"]


def test_what_was_not_possible_and_is_done_later_is_to_be_undone_like_any_other() -> None:
    rig = Rig().through("switch")
    no = Result("person", ResultKind.NOT_POSSIBLE, sent=False, detail="nobody is there")
    rig.ends("clients/fence", Way.FORWARD, no)
    rig.stage()
    assert (rig.word("clients/fence"), rig.owed()) == (W.SKIPPED, ["clients/fence@person"])
    assert "clients/fence" not in rig.state.started
    rig.must(m.Settle("clients/fence@person", "pulled the cable at 03:10", by="tom"))
    now = rig.now("clients/fence")
    assert (now.word, now.how, now.reason, now.by) == (W.PASSED, How.BY_HAND, "pulled the cable at 03:10", "tom")
    assert account(rig, "clients/fence") == (["person"], ["person"], [])
    assert rig.state.started[-1] == "clients/fence"


def test_a_persons_word_that_it_is_done_stands_for_every_host_and_is_to_be_undone() -> None:
    rig = Rig(both())
    rig.ends(BOTH, Way.FORWARD, lost("p"), unreachable("d"))
    rig.must(m.Go())
    rig.work()
    rig.must(m.Resolve(BOTH, Verdict.PASSED, "seen on the screen", "is-active: no", by="tom"))
    now = rig.now(BOTH)
    assert (now.word, now.how, now.detail, now.by) == (W.PASSED, How.BY_HAND, "is-active: no", "tom")
    assert account(rig) == (["d", "p"], ["d", "p"], [])
    assert rig.state.started == (BOTH,)


@pytest.mark.parametrize(
    ("holds", "words"), [(True, ""), (False, "serial 7, not 8"), (None, "could not be asked: serial 7, not 8")]
)
def test_what_differs_since_it_passed_is_kept_in_words(holds: bool | None, words: str) -> None:
    rig = Rig().through("sync")
    rig.crash()
    rig.must(m.Recalled("sync/copy", holds=holds, seen="serial 7, not 8"))
    assert (rig.now("sync/copy").differs, rig.state.recall) == (words, ())
