"""A person's file: readable, deletable, without a score; a damaged one is nobody's."""

from __future__ import annotations

from pathlib import Path

import tomli

from handrail.store.home import Home
from handrail.store.training import Practised, forget, keep, place_of, trainee, trainees

DRILL = Practised("puppet-failover", "2026-11-22T12:00:00.000Z", "guided", "done", "2026-11-29", 7, "r1")


def test_what_is_kept_is_read_again_by_people_and_by_us(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    keep(home, "ana", DRILL)
    keep(home, "ana", Practised("dns-only", "2026-11-23T12:00:00.000Z", "titles", "undone", "2026-12-23", 30))
    assert [drill.runbook for drill in trainee(home, "ana").drills] == ["puppet-failover", "dns-only"]
    text = place_of(home, "ana").read_text()
    assert text.startswith("# What Handrail keeps")
    kept = set(tomli.loads(text)["drill"][0])
    assert kept == {"runbook", "when", "level", "outcome", "due", "every", "run"}, "no score stands in it"


def test_two_people_never_share_a_file(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    for person in ("ana b", "ana/b", "../ana", "ana"):
        keep(home, person, DRILL)
    assert sorted(one.person for one in trainees(home)) == ["../ana", "ana", "ana b", "ana/b"]
    assert all(path.parent == home.training for path in home.training.iterdir())


def test_it_is_deleted_when_its_person_says_so(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    keep(home, "ana", DRILL)
    assert forget(home, "ana")
    assert not forget(home, "ana")
    assert trainees(home) == ()


def test_a_file_that_cannot_be_read_is_nobodys(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    keep(home, "ana", DRILL)
    path = place_of(home, "ana")
    for text in (b"\xff\xfe", b"person = 3", b"[[drill]]\n", b'person = "ana"\ndrill = [1]', b"x = " + b"[" * 5000):
        path.write_bytes(text)
        assert trainee(home, "ana").drills == ()
    path.write_text('person = "ana"\n[[drill]]\nrunbook = "x"\nevery = "often"\n')
    assert trainee(home, "ana").drills == ()
