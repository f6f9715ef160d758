"""A newcomer's first drill, whole, on a terminal: guided, shut out at the gate, turned back, done; then the debrief."""

from __future__ import annotations

from pathlib import Path

from tests.stories.terminal import Terminal, run

ADDRESS = "10.77.2.10"
WHO = "ana"
STEPS = ("1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", *(f"2.{n}" for n in range(1, 8)))
CHANGES = ("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.8", "3.9", "3.10", "3.11", "3.12", "3.15", "3.16")


def by_step(console: Terminal) -> None:
    """Press enter for each step, once it is said which one is next."""
    for step in (*STEPS, *CHANGES):
        console.expect(f"next: {step} ")
        console.type("")


def test_the_first_drill_is_guided_and_turning_back_is_right(tmp_path: Path) -> None:
    with Terminal(tmp_path, "drill", "--plain", HANDRAIL_OPERATOR=WHO) as console:
        console.expect("COACH: You are about to move")
        by_step(console)
        console.expect("next: 4.1 ")
        console.type("")
        console.expect("COACH: This is the one gate.")
        console.expect("COACH: The DR server refuses a client's certificate")
        console.type("no")
        console.expect("enter: ")
        console.type("hint 4.1")
        console.expect("hint for 4.1")
        console.type("undo start")
        console.expect("COACH: Everything you changed is as it was")
        console.type("pace stage")
        console.type("")  # reads lead on to reads
        console.expect("Start stage 3")
        console.type("")  # and every stage to the gate of the next
        console.expect(f"Type {ADDRESS} to go on")
        console.type(ADDRESS)
        console.expect("done 4.1")
        console.expect("enter: ")
        console.type("")
        console.expect("COACH: Done: clients are served")
        console.type("debrief")
        console.expect("DEBRIEF, guided drill 1 of ana")
        console.expect("What surprised you?")
        for answer in ("that the gate did not open", "", ""):
            console.type(answer)
        console.type("leave")
        assert console.end() == 0
        console.expect("as it should be")
    listed = run(tmp_path, "training", HANDRAIL_OPERATOR=WHO).stdout.decode()
    assert "ana" in listed
    assert "guided" in listed
    told = run(tmp_path, "report", HANDRAIL_OPERATOR=WHO).stdout.decode()
    assert "production" in told
    assert b"deleted" in run(tmp_path, "training", "--forget", HANDRAIL_OPERATOR=WHO).stdout
