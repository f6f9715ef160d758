"""The countdown of the old answer, as arithmetic."""

from __future__ import annotations

from handrail.dns.answer import Answer
from handrail.dns.caches import countdown, last_served, lowering_left, ttl_warning
from handrail.dns.survey import Survey
from handrail.dns.zone import NameServer

OLD, NEW = ("10.0.0.10",), ("10.0.0.20",)
NS = NameServer("ns", "127.0.0.1", 53)


def seen(at: float, *values: tuple[str, ...], problem: str = "") -> Survey:
    answers = tuple(Answer(NS, "A", v, 60, 1, problem, asked_at=at) for v in values)
    return Survey("puppet.example.test", "A", answers, at, at + 1)


def cache(values: tuple[str, ...], ttl: int, at: float, problem: str = "") -> Answer:
    return Answer(NameServer("r1", "127.0.0.1", 53), "A", values, ttl, problem=problem, asked_at=at)


def test_the_old_answer_ends_when_every_server_is_seen_without_it() -> None:
    assert last_served([], OLD) is None
    assert last_served([seen(0, OLD, OLD), seen(10, NEW, OLD)], OLD) is None
    assert last_served([seen(0, OLD, OLD), seen(10, NEW, OLD), seen(20, NEW, NEW), seen(30, NEW, NEW)], OLD) == 21


def test_an_old_answer_that_comes_back_starts_it_again() -> None:
    assert last_served([seen(0, NEW), seen(10, OLD), seen(20, NEW)], OLD) == 21
    assert last_served([seen(0, NEW), seen(10, OLD)], OLD) is None


def test_a_server_that_does_not_answer_may_still_serve_it() -> None:
    assert last_served([seen(0, NEW), seen(10, (), problem="does not answer")], OLD) is None


def test_the_bound_is_the_old_ttl_from_then() -> None:
    count = countdown(OLD, 300, 100.0, (), 250.0)
    assert (count.until, count.left, count.over) == (400.0, 150.0, False)
    assert str(count) == "caches may hold the old answer for 2m30s more"
    assert countdown(OLD, 300, 100.0, (), 400.0).over
    assert str(countdown(OLD, 300, 100.0, (), 1000.0)) == "no cache holds the old answer any more"


def test_it_has_not_begun_while_the_old_is_served() -> None:
    count = countdown(OLD, 300, None, (cache(OLD, 20, 0),), 5.0)
    assert (count.until, count.left, count.over) == (None, None, False)
    assert "not begun" in str(count)
    assert count.caches[0].left == 15


def test_a_watched_cache_ages_and_is_believed_beyond_the_bound() -> None:
    count = countdown(
        OLD, 60, 100.0, (cache(OLD, 200, 110), cache(NEW, 500, 110), cache((), -1, 110, "is silent")), 120.0
    )
    assert [c.left for c in count.caches] == [190.0, 0.0, 0.0]
    assert count.caches[2].problem == "is silent"
    assert count.left == 190.0
    assert countdown(OLD, 60, 100.0, (cache(OLD, 5, 110),), 120.0).left == 40.0


def test_a_ttl_that_is_too_long_or_lowered_too_late_is_a_warning() -> None:
    assert ttl_warning(60, 60) is None
    long = ttl_warning(3600, 60)
    assert long is not None
    assert (long.code, long.severity) == ("dns-ttl", "warning")
    assert "1h" in long.message
    fresh = ttl_warning(60, 60, previous_ttl=3600, lowered_at=1000.0, now=1600.0)
    assert fresh is not None
    assert fresh.hint.startswith("wait 50m")
    assert ttl_warning(60, 60, previous_ttl=3600, lowered_at=1000.0, now=4600.0) is None
    assert lowering_left(3600, 1000.0, 5000.0) == 0.0
