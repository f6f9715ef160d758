"""A copy whose console is killed, or whose host is rebooted, at any point: the live trees are all old or all new."""

from __future__ import annotations

import pytest
from tests.actions.trees import content, hold, lay, lay_both, leftovers, let_go, reached, seen, sync_step
from tests.session.world import Drive, World
from tests.ssh.bench import until

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.words import StepWord

DIRS = '["{{ here.root }}/ssl", "{{ here.root }}/ca"]'


def lay_two(world: World) -> None:
    """Lay two trees on both sides."""
    lay_both(world)
    lay(world["primary"].root, {"ca/serial": "0B"})
    lay(world["dr"].root, {"ca/serial": "0A"})


def all_new(world: World) -> bool:
    one, two = world["primary"].root, world["dr"].root
    return content(one / "ssl") == content(two / "ssl") and content(one / "ca") == content(two / "ca")


async def killed_at(world: World, host: str, program: str, *, job_too: bool) -> Drive:
    """Return a console that took the run up again after another one was killed while a program was held."""
    drive = world.open(sync_step(dirs=DIRS))
    await drive.go(2)
    assert drive.submit(m.Go()) == ""
    hold(world, host, program)
    await until(lambda: reached(world, host, program))
    await drive.crash()
    if job_too:
        world.reboot(host)  # as a reboot does
    let_go(world, host, program)
    return await world.resume(drive.run).rest()


POINTS = [
    ("primary", "sha256sum", False),
    ("dr", "cp", False),
    ("dr", "cp", True),
    ("primary", "tar", True),
    ("dr", "tar", False),
    ("dr", "tar", True),
    ("dr", "python3", False),
    ("dr", "python3", True),
]


@pytest.mark.parametrize(("host", "program", "job_too"), POINTS)
async def test_killed_anywhere_it_is_taken_up_and_ends_well(
    world: World, host: str, program: str, job_too: bool
) -> None:
    lay_two(world)
    before = seen(world["dr"].root)
    again = await killed_at(world, host, program, job_too=job_too)
    assert again.word() is StepWord.PASSED, again.detail()
    assert all_new(world)
    await again.undo()
    left = {k: v for k, v in seen(world["dr"].root).items() if not k.startswith("bin")}
    assert left == before | {".": left["."]}


@pytest.mark.parametrize(("host", "program"), [("dr", "tar"), ("dr", "python3")])
async def test_killed_and_undone_without_finishing(world: World, host: str, program: str) -> None:
    """Whoever comes after may also go back at once; an exchange that was begun is finished or turned back as a whole."""
    lay_two(world)
    before = seen(world["dr"].root)
    drive = world.open(sync_step(dirs=DIRS))
    await drive.go(2)
    assert drive.submit(m.Go()) == ""
    hold(world, host, program)
    await until(lambda: reached(world, host, program))
    assert drive.submit(m.StopStep("s/x")) == ""
    await drive.until(lambda state: not order.busy(state))
    assert drive.word() is StepWord.FAILED, drive.detail()
    let_go(world, host, program)
    await drive.undo()
    assert drive.word() is StepWord.PENDING, drive.detail()
    left = {k: v for k, v in seen(world["dr"].root).items() if not k.startswith("bin")}
    assert left == before | {".": left["."]}


async def test_an_undo_is_killed_twice_and_still_ends(world: World) -> None:
    lay_two(world)
    before = seen(world["dr"].root)
    drive = await world.open(sync_step(dirs=DIRS)).go(3)
    assert drive.word() is StepWord.PASSED
    hold(world, "dr", "python3")
    assert drive.submit(m.Undo()) == ""
    for _ in range(2):
        await until(lambda: reached(world, "dr", "python3"))
        (world["dr"].root / "at.python3").unlink()
        await drive.crash()
        world.reboot("dr")
        drive = world.resume(drive.run)
    await until(lambda: reached(world, "dr", "python3"))
    let_go(world, "dr", "python3")
    await drive.rest()
    assert drive.word() is StepWord.PENDING, drive.detail()
    left = {k: v for k, v in seen(world["dr"].root).items() if not k.startswith("bin")}
    assert left == before | {".": left["."]}
    assert leftovers(world) == []


async def test_a_staged_tree_that_vanished_is_no_disaster(world: World) -> None:
    """Somebody tidies up between the staging and the exchange: the live tree stays."""
    lay_two(world)
    drive = world.open(sync_step(dirs=DIRS))
    await drive.go(2)
    assert drive.submit(m.Go()) == ""
    hold(world, "dr", "stat")  # the exchange begins with it; the manifest asks before
    await until(lambda: reached(world, "dr", "stat"))
    let_go(world, "dr", "stat")
    await drive.rest()
    assert drive.word() is StepWord.PASSED, drive.detail()


async def test_without_renameat2_the_exchange_still_holds(world: World) -> None:
    lay_two(world)
    before = seen(world["dr"].root)
    hold(world, "dr", "python3")
    (world["dr"].root / "bin/python3").write_text("#!/bin/sh\nexit 1\n")
    drive = await world.open(sync_step(dirs=DIRS)).go(3)
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert all_new(world)
    await drive.undo()
    left = {k: v for k, v in seen(world["dr"].root).items() if not k.startswith(("bin", "hold"))}
    assert left == before | {".": left["."]}


async def test_the_three_moves_of_a_host_without_renameat2_killed_between(world: World) -> None:
    for round_, skip in enumerate((1, 2)):
        place = world["dr"].root
        for name in ("ssl", "ca"):
            lay(world["primary"].root, {f"{name}{round_}/serial": "new"})
            lay(place, {f"{name}{round_}/serial": "old"})
        hold(world, "dr", "python3", "mv")
        (place / "bin/python3").write_text("#!/bin/sh\nexit 1\n")
        let_go(world, "dr", "mv")
        gate = (place / "bin/mv").read_text()
        counted = f'case "$*" in *swap*) echo x >> $HOME/moves; [ $(wc -l < $HOME/moves) -ne {skip + 1} ] || : > $HOME/hold.mv;; esac\n'
        (place / "bin/mv").write_text(gate.replace("if [", counted + "if [", 1))
        drive = world.open(sync_step(dirs=f'["{{{{ here.root }}}}/ssl{round_}", "{{{{ here.root }}}}/ca{round_}"]'))
        await drive.go(2)
        assert drive.submit(m.Go()) == ""
        await until(lambda: reached(world, "dr", "mv"))
        await drive.crash()
        world.reboot("dr")
        let_go(world, "dr", "mv")
        (place / "bin/mv").unlink()
        (place / "moves").unlink()
        again = await world.resume(drive.run).rest()
        assert again.word() is StepWord.PASSED, again.detail()
        assert [(place / f"{n}{round_}/serial").read_text() for n in ("ssl", "ca")] == ["new", "new"]
        await again.undo()
        assert [(place / f"{n}{round_}/serial").read_text() for n in ("ssl", "ca")] == ["old", "old"]
        await again.session.close()
