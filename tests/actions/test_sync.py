"""sync between two real hosts: what differs is found by content, nothing is written before all is well, and it goes back."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from tests.actions.trees import SSL, content, hold, lay, lay_both, leftovers, let_go, seen, sync_step
from tests.session.world import Drive, World

from handrail.actions import copying, sync
from handrail.engine import messages as m
from handrail.engine.words import How, StepWord


async def copied(world: World, more: str = "", dirs: str = '["{{ here.root }}/ssl"]') -> Drive:
    """Return a run whose sync step has been gone through."""
    return await world.open(sync_step(more, dirs)).go(3)


def spoken(drive: Drive) -> str:
    """Return all that is kept of what a copy said."""
    return "".join(p.read_text(errors="replace") for p in sorted((drive.folder / "out").iterdir()) if p.is_file())


async def test_both_sides_hold_the_same_afterwards_and_undo_restores_exactly(world: World) -> None:
    one, two = lay_both(world)
    before = seen(two)
    drive = await copied(world)
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert content(one) == content(two)
    await drive.undo()
    assert drive.word() is StepWord.PENDING
    assert seen(two) == before  # content, modes and the very same inodes
    assert leftovers(world) == []


async def test_same_size_and_time_and_other_content_is_found(world: World) -> None:
    one, two = lay_both(world)
    lay(one, {**SSL, "crl.pem": "crl B"})
    lay(two, {**SSL, "crl.pem": "crl A"})
    for side in (one, two):
        os.utime(side / "crl.pem", (1_700_000_000, 1_700_000_000))
        (side / "private_keys/a.pem").chmod(0o600)
    drive = await copied(world)
    assert drive.at().how is How.RAN
    assert (two / "crl.pem").read_text() == "crl B"


async def test_nothing_to_do_is_already_so(world: World) -> None:
    one, two = lay_both(world)
    lay(two, SSL)
    (two / "private_keys/a.pem").chmod(0o600)
    drive = await copied(world)
    assert drive.at().how is How.ALREADY, drive.detail()
    assert not drive.state.started
    assert leftovers(world) == []
    assert content(one) == content(two)


async def test_odd_names_modes_links_and_kinds_arrive(world: World) -> None:
    one, two = lay_both(world)
    odd = {
        "a name/with  two.pem": "1",
        "é ü 鍵.pem": "2",
        "-rf": "3",
        ".hidden/-x": "4",
        "$(touch hacked)`x`": "5",
        "back\\slash": "6",
        "tab\there and \x0b \x85 \u2028": "10",
        "cr\r.pem": "11",
        " lead and trail ": "12",
        "link": "->certs/a.pem",
        "broken": "->nowhere",
        "empty": None,
        "was-file": None,
        "was-file/in": "7",
        "was-folder": "8",
        "[x]*?": "9",
    }
    lay(one, odd)
    (one / "certs/a.pem").chmod(0o444)
    (one / "certs").chmod(0o750)
    one.chmod(0o711)
    (one / "empty").chmod(0o2750)
    lay(two, {"was-file": "x", "was-folder/in": "y", "link": "->serial"})
    drive = await copied(world)
    assert drive.word() is StepWord.AWAITING or drive.at().question is not None, drive.detail()
    await drive.ask(m.Reply("s/x", "1"))  # was-folder/in vanishes
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert content(one) == content(two)


async def test_names_that_are_not_utf8_arrive(world: World) -> None:
    one, two = lay_both(world)
    Path(os.fsdecode(os.fsencode(one) + b"/caf\xe9.pem")).write_text("x")
    Path(os.fsdecode(os.fsencode(two) + b"/g\xff.pem")).write_text("y")
    drive = await copied(world, "removed = { ask = 5 }")
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert content(one) == content(two)


async def test_a_name_with_a_line_break_is_refused(world: World) -> None:
    one, two = lay_both(world)
    (one / "a\nb").write_text("x")
    before = seen(two)
    drive = await copied(world)
    assert drive.word() is StepWord.FAILED
    assert "line break" in drive.detail()
    assert seen(two) == before


@pytest.mark.parametrize(
    ("more", "spoil", "says"),
    [
        ("", "rm -rf $P/ssl", "is missing"),
        ("", "rm -rf $P/ssl; mkdir $P/ssl", "holds 0 files, at least 1"),
        ("at_least = 9", "true", "holds 4 files, at least 9"),
        ('require = ["serial", "ca_key.pem"]', "true", "lacks ca_key.pem"),
        ('forward = ["serial"]', "echo 000F > $D/ssl/serial", "serial is 000A, the copy is 000F already"),
        ('forward = ["{{ here.root }}/ssl/serial"]', "echo 000F > $D/ssl/serial", "000F already"),
        ('forward = ["certs/list.txt"]', "echo a>$P/ssl/certs/list.txt; seq 2 >$D/ssl/certs/list.txt", "has 1 lines"),
        ('not_onto = "{{ here.root }}/active"', "touch $D/active", "wrong direction"),
        ("removed = { ask = 0, stop = 2 }", "touch $D/ssl/1 $D/ssl/2 $D/ssl/3", "3 files would vanish"),
        ("", "rm -rf $D/ssl", "is missing"),
    ],
)
async def test_what_is_not_sane_stops_before_any_write(world: World, more: str, spoil: str, says: str) -> None:
    lay_both(world)
    env = {**os.environ, "P": str(world["primary"].root), "D": str(world["dr"].root)}
    os.spawnlpe(os.P_WAIT, "sh", "sh", "-c", spoil, env)
    before = seen(world["dr"].root)
    drive = await copied(world, more)
    assert drive.word() is StepWord.FAILED
    assert says in drive.detail()
    assert seen(world["dr"].root) == before
    assert not drive.state.started  # nothing was sent: nothing to undo


async def test_a_file_that_never_goes_backwards_must_be_found(world: World) -> None:
    lay_both(world)
    drive = await copied(world, 'forward = ["/etc/elsewhere/serial"]')
    assert drive.word() is StepWord.FAILED
    assert "in none of the directories" in drive.detail()


async def test_removals_are_named_and_the_count_is_typed(world: World) -> None:
    one, two = lay_both(world)
    for name in ("signed-here.pem", "and me.pem"):
        (two / name).write_text("x")
    drive = await copied(world, "removed = { ask = 1, stop = 5 }")
    question = drive.at().question
    assert question is not None
    assert sorted(Path(n).name for n in question.names) == ["and me.pem", "signed-here.pem"]
    assert "not 2" in drive.submit(m.Reply("s/x", "3"))
    await drive.ask(m.Reply("s/x", ""))
    assert drive.word() is StepWord.FAILED
    assert not drive.state.started
    await drive.ask(m.Retry("s/x"))
    assert drive.at().question is not None
    await drive.ask(m.Reply("s/x", "2"))
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert content(one) == content(two)


async def test_what_is_excluded_is_neither_copied_nor_removed(world: World) -> None:
    one, two = lay_both(world)
    lay(one, {"mine.tmp": "x", "cache/a": "x"})
    lay(two, {"theirs.tmp": "y"})
    drive = await copied(world, 'exclude = ["*.tmp", "cache"]')
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert (two / "theirs.tmp").exists()
    assert not (two / "mine.tmp").exists()
    assert not (two / "cache").exists()


async def test_nested_and_linked_directories_are_exchanged_once(world: World) -> None:
    """As Puppet 7 lays it: ssl/ca is a link to a CA elsewhere; one more path leads into ssl."""
    for host in ("primary", "dr"):
        root = world[host].root
        serial = "000A" if host == "primary" else "0009"
        lay(root, {"ssl/certs/a.pem": host, "server/ca/serial": serial, "ssl/ca": f"->{root}/server/ca"})
        (root / "door").symlink_to(root / "ssl")
    for host in ("primary", "dr"):  # the links' targets differ between the hosts: a fact, not a difference to copy
        (world[host].root / "ssl/ca").unlink()
        (world[host].root / "ssl/ca").symlink_to("../server/ca")
    before = seen(world["dr"].root)
    dirs = '["{{ here.root }}/door", "{{ here.root }}/ssl/certs", "{{ here.root }}/ssl/ca"]'
    drive = await copied(world, dirs=dirs)
    assert drive.word() is StepWord.PASSED, drive.detail()
    dr = world["dr"].root
    assert (dr / "ssl/certs/a.pem").read_text() == "primary"
    assert (dr / "server/ca/serial").read_text() == "000A"
    assert (dr / "door").is_symlink()
    assert (dr / "ssl/ca").is_symlink()
    await drive.undo()
    assert dict(seen(dr).items()) == before


@pytest.mark.parametrize(("theirs", "says"), [("000A", ""), ("000C", "is 000A, the copy is 000C already")])
async def test_files_are_found_in_a_directory_that_lies_in_another(world: World, theirs: str, says: str) -> None:
    """As Puppet 4 to 6 lay it: the CA is a folder inside ssl/, named beside it."""
    for host, serial in (("primary", "000A"), ("dr", theirs)):
        lay(world[host].root, {"ssl/ca/serial": serial, "ssl/certs/a.pem": host})
    more = 'require = ["serial"]\nforward = ["serial"]'
    drive = await copied(world, more, dirs='["{{ here.root }}/ssl", "{{ here.root }}/ssl/ca"]')
    assert drive.word() is (StepWord.FAILED if says else StepWord.PASSED), drive.detail()
    assert says in drive.detail()


async def test_a_file_that_is_in_neither_of_two_such_directories_is_missed(world: World) -> None:
    for host in ("primary", "dr"):
        lay(world[host].root, {"ssl/ca/serial": host, "ssl/certs/a.pem": host})
    drive = await copied(world, 'require = ["ca_key.pem"]', dirs='["{{ here.root }}/ssl", "{{ here.root }}/ssl/ca"]')
    assert "lacks ca_key.pem" in drive.detail()


async def test_directories_that_nest_on_one_side_only_are_refused(world: World) -> None:
    lay_both(world)
    lay(world["primary"].root, {"ssl/ca/serial": "1"})
    lay(world["dr"].root, {"ca/serial": "1", "ssl/ca": "->../ca"})
    before = seen(world["dr"].root)
    drive = await copied(world, dirs='["{{ here.root }}/ssl", "{{ here.root }}/ssl/ca"]')
    assert drive.word() is StepWord.FAILED
    assert "on one side only" in drive.detail()
    assert seen(world["dr"].root) == before


async def test_a_mount_point_is_refused(world: World) -> None:
    lay_both(world)
    mount = next(p for p in map(Path, ("/dev/shm", "/dev/pts", "/dev/mqueue")) if p.is_mount())
    (world["dr"].root / "ssl").rename(world["dr"].root / "was")
    (world["dr"].root / "ssl").symlink_to(mount)
    drive = await copied(world)
    assert drive.word() is StepWord.FAILED
    assert "is a mount point" in drive.detail()
    assert not drive.state.started


async def test_two_attempts_and_one_undo(world: World) -> None:
    one, two = lay_both(world)
    before = seen(two)
    text = sync_step() + '[[stage.step.verify]]\non = "dr"\nrun = ["test", "-e", "ok"]\n'
    drive = await world.open(text).go(3)
    assert drive.word() is StepWord.FAILED  # copied, and the verify does not hold
    assert content(one) == content(two)
    (one / "serial").write_text("000B\n")
    (world["dr"].root / "ok").touch()
    await drive.ask(m.Retry("s/x"))
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert (two / "serial").read_text() == "000B\n"
    await drive.undo()
    assert seen(two) == before
    assert leftovers(world) == []


async def test_forth_and_back_twice(world: World) -> None:
    one, two = lay_both(world)
    before = seen(two)
    drive = await copied(world)
    for _ in range(2):
        await drive.undo()
        assert seen(two) == before
        await drive.go_all()
        assert drive.word() is StepWord.PASSED, drive.detail()
        assert content(one) == content(two)


async def test_a_full_disk_leaves_the_live_tree_untouched_and_says_so(world: World) -> None:
    _, two = lay_both(world)
    (world["primary"].root / "ssl/big.pem").write_bytes(b"x" * 300_000)
    before = seen(two)
    world["dr"].server.argv = lambda command: ["/bin/sh", "-c", f"ulimit -f 200; {command}"]
    drive = await copied(world)
    assert drive.word() is StepWord.FAILED, drive.detail()
    assert "the live tree is untouched" in drive.detail()
    assert seen(two) == before
    world["dr"].server.argv = lambda command: ["/bin/sh", "-c", command]
    await drive.undo()
    assert leftovers(world) == []
    assert seen(two) == before


async def test_key_material_is_in_no_artefact(world: World) -> None:
    lay_both(world)
    canary = "CANARYKEYMATERIAL"
    (world["primary"].root / "ssl/private_keys/b.pem").write_text(canary)
    drive = await copied(world)
    assert drive.word() is StepWord.PASSED
    places = [world.home.path, *(one.work for one in world.machines.values())]
    for path in (p for place in places for p in place.rglob("*")):  # nor beside the jobs on the hosts
        assert not path.is_file() or canary.encode() not in path.read_bytes(), path


async def test_a_long_copy_says_how_far_it_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "EVERY", 0.0)
    one, two = lay_both(world)
    (one / "big.bin").write_bytes(os.urandom(3_000_000))
    drive = await copied(world)
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert content(one) == content(two)
    said = spoken(drive)
    assert re.search(r"copied \d[\d.]* [kM]B of 3\.\d+ MB, 3 entries \(\d+ %\)", said), said
    assert re.search(r"copied 3 entries, 3\.\d+ MB, in ", said), said
    live = drive.session.snapshot.live["s/x"]
    assert (live.done, live.total) == (100, 100)


async def test_a_list_of_files_longer_than_a_command_may_say_is_read_whole(world: World) -> None:
    """Two thousand certificates with long names: more than the first MiB of an answer."""
    one, two = lay_both(world)
    for side, last in ((one, 2000), (two, 1990)):
        for number in range(last):
            (side / f"certs/{number:04}-{'x' * 200}.pem").write_text(str(number))
    drive = await copied(world)
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert content(one) == content(two)
    assert "+ and" not in spoken(drive)  # ten are new, and all of them are named


async def test_a_list_of_files_that_is_cut_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sync, "LONGEST", 100)
    _, two = lay_both(world)
    before = seen(two)
    drive = await copied(world)
    assert drive.word() is StepWord.FAILED
    assert "holds too many files" in drive.detail()
    assert seen(two) == before


async def test_snapshots_of_runs_that_are_over_are_taken_away_but_for_the_last_ones(world: World) -> None:
    """An undo of what is over last, or of what is not over, still finds its snapshot."""
    one, two = lay_both(world)
    open_run, strange = "20260101-0000-abcdef", two.parent / "ssl.handrail-notes"
    (world["dr"].work / "runs" / open_run).mkdir(parents=True)
    for name in (f"ssl.handrail-{open_run}-1", "ssl.handrail-notes"):
        (two.parent / name).mkdir()
    runs = []
    for serial in ("000B", "000C", "000D"):
        (one / "serial").write_text(serial)
        drive = await copied(world)
        assert drive.word() is StepWord.PASSED, drive.detail()
        await drive.session.close()
        runs.append(drive)
    left = {name.removeprefix("ssl.handrail-").removesuffix(".old").rpartition("-")[0] for name in leftovers(world)}
    assert left == {open_run, "", *(d.run for d in runs[-2:])}
    assert strange.exists()  # no copy has made it
    assert f"taken away: {two}.handrail-{runs[0].run}-1" in spoken(runs[-1])
    assert f"  {two}.handrail-{runs[-1].run}-1" in spoken(runs[-1])  # where its own is
    for run in runs[-2:]:
        kept = two.parent / f"ssl.handrail-{run.run}-1"
        assert kept.stat().st_mode == two.stat().st_mode
        assert (kept / "private_keys/a.pem").stat().st_mode & 0o777 == 0o600
        assert (two.parent / f"{kept.name}.old").stat().st_mode & 0o077 == 0


async def test_an_undo_whose_snapshot_is_gone_says_so(world: World) -> None:
    """It must not be taken for a copy that was never exchanged."""
    one, two = lay_both(world)
    drive = await copied(world)
    assert drive.word() is StepWord.PASSED
    for name in leftovers(world):
        path = two.parent / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
    await drive.undo()
    assert drive.word() is StepWord.UNDO_FAILED
    assert "the snapshot of" in drive.detail()
    assert "is gone" in drive.detail()
    assert content(one) == content(two)


@pytest.mark.parametrize("spoil", ["chmod -R go+r .", "printf x >> crl.pem", "rm -f serial"])
async def test_a_staged_tree_that_is_not_the_sources_is_never_exchanged(world: World, spoil: str) -> None:
    """A target that unpacks with other modes, other bytes or not all: proven before the exchange, not after it."""
    _, two = lay_both(world)
    before = seen(two)
    hold(world, "dr", "tar")
    let_go(world, "dr", "tar")
    gate = world["dr"].root / "bin/tar"
    gate.write_text(gate.read_text().replace("exec ", "") + f"code=$?\n{spoil}\nexit $code\n")
    drive = await copied(world)
    assert drive.word() is StepWord.FAILED
    assert "the staged tree is not equal to the source" in drive.detail()
    assert "the live tree is untouched" in drive.detail()
    assert seen(two) == before
    await drive.undo()
    assert leftovers(world) == []
