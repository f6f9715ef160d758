"""The run folder is lost with the laptop: who goes on learns from the claim on the hosts what was done, and what is owed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.session.test_session_people import UNDO, other_home
from tests.session.world import Drive, World, runbook, step
from tests.ssh.bench import until

from handrail.engine import messages as m
from handrail.engine.words import How, StepWord

FIRST = step('on = "dr"\nrun = ["touch", "first"]\nundo = { run = ["rm", "-f", "first"] }\n', stage="a")
PROBED = 'probe = { run = ["test", "-e", "made"], done = { exit = 0 }, not_done = { exit = 1 } }\n'
WAITS = 'on = "dr"\nscript = "echo x >> made; while [ ! -e go ]; do sleep 0.02; done"\n' + PROBED + UNDO
BOOK = runbook(FIRST + step(WAITS, stage="b"))


@pytest.fixture(autouse=True)
def ann(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_OPERATOR", "ann")


def told(world: World, host: str) -> dict[str, object]:
    """Return what a host was told of the run, beside its claim."""
    path = world[host].work / "claim" / "owed.json"
    found: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
    return found


async def lost_in_the_middle(world: World) -> Drive:
    """Ann's laptop goes while a step runs; nothing but the hosts knows of her run any more."""
    drive = await world.open(BOOK).go(2)
    assert drive.submit(m.Go()) == ""
    await until(lambda: (world["dr"].root / "made").exists())
    await until(lambda: told(world, "primary").get("started") == ["a/x", "b/x"] == told(world, "dr").get("started"))
    await drive.crash()
    shutil.rmtree(drive.folder)
    world.drives.clear()
    return drive


async def test_a_successor_starts_knowing_what_was_done(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await lost_in_the_middle(world)
    monkeypatch.setenv("HANDRAIL_OPERATOR", "bob")
    twin = other_home(world, tmp_path / "twin")
    refused = await twin.open(BOOK).go(2)
    assert refused.state.claim_refused.startswith("ann")
    detail = refused.events("claim_refused")[0].body["detail"]
    assert f"run {first.run} on " in detail
    assert "stage 3 of 3, 3.1 X (running)" in detail
    await refused.session.close()
    (world["dr"].root / "go").touch()
    second = await twin.open(BOOK, successor_of="ann", reason="laptop lost").go(2)
    assert second.word("a/x") is StepWord.PASSED, second.state.claim_refused
    notes = [note.text for note in second.state.notes]
    assert notes[0].startswith(f"run {first.run} of ann, as it was at 20")
    assert notes[0].endswith("stage 3 of 3, 3.1 X (running)")
    assert notes[1:] == [
        f"run {first.run} changed 3.1 X on dr; its undo: rm -f made",
        f"run {first.run} changed 2.1 X on dr; its undo: rm -f first",
    ]
    assert {note.by for note in second.state.notes} == {m.ON_THE_HOSTS}
    await second.go()
    assert second.word("b/x") is StepWord.PASSED
    assert second.at("b/x").how is How.ALREADY
    assert (world["dr"].root / "made").read_text() == "x\n"


async def test_a_third_one_still_knows_of_the_first(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await lost_in_the_middle(world)
    (world["dr"].root / "go").touch()
    monkeypatch.setenv("HANDRAIL_OPERATOR", "bob")
    twin = other_home(world, tmp_path / "twin")
    second = await twin.open(BOOK, successor_of="ann", reason="laptop lost").go(2)
    await until(lambda: told(world, "dr").get("run") == second.run)
    await second.crash()
    twin.drives.clear()
    monkeypatch.setenv("HANDRAIL_OPERATOR", "carol")
    third = await other_home(world, tmp_path / "third").open(BOOK, successor_of="bob", reason="his, too").go(2)
    notes = [note.text for note in third.state.notes]
    assert notes[0].startswith(f"run {second.run} of bob")
    assert f"run {first.run} changed 2.1 X on dr; its undo: rm -f first" in notes


async def test_what_was_undone_is_not_told_as_changed(world: World) -> None:
    drive = await world.open(runbook(FIRST)).go(2)
    await until(lambda: told(world, "dr").get("started") == ["a/x"])
    await drive.undo()
    await until(lambda: told(world, "dr").get("started") == [])
    assert told(world, "dr")["changed"] == []
