"""run and script against real shells: what is expected, captured, probed and verified."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.session.world import Drive, World, a_world, runbook, step
from tests.ssh.bench import until

from handrail.engine import messages as m
from handrail.engine.words import How, StepWord
from handrail.runbook.read import parse_runbook
from handrail.session.view import LiveStep

UNDO = 'undo = { run = ["rm", "-f", "made"] }\n'


async def walked(world: World, table: str, *, verify: str = "", more: str = "", reads: bool = False) -> Drive:
    """Return a run of one step `s/x` after it has been gone through."""
    drive = world.open(runbook(step(table, verify=verify, head="reads = true" if reads else "") + more))
    return await drive.go(2)


async def test_a_change_runs_once_and_is_judged_by_its_exit(world: World) -> None:
    table = 'on = "dr"\nrun = ["sh", "-c", "echo x >> made; exit 3"]\nexpect = { exit = [2, 3] }\n' + UNDO
    drive = await walked(world, table)
    assert drive.word() is StepWord.PASSED
    assert (world["dr"].root / "made").read_text() == "x\n"
    assert not (world["primary"].root / "made").exists()
    await drive.undo()
    assert drive.word() is StepWord.PENDING
    assert not (world["dr"].root / "made").exists()


@pytest.mark.parametrize(
    ("expect", "script", "says"),
    [
        ("{ exit = 0 }", "echo went wrong >&2; exit 1", "exit 1, expected 0; went wrong"),
        ('{ stdout = "yes" }', "echo no", "answers 'yes': no"),
        ('{ match = "^ready$" }', "echo not ready", "has a line like ^ready$"),
        ('{ absent = "ERROR" }', "echo fine; echo ERROR x", "has no line like ERROR"),
        ("{ exit = 0 }", "kill -9 $$", "ended by signal"),
    ],
)
async def test_what_is_not_as_expected_has_failed(world: World, expect: str, script: str, says: str) -> None:
    drive = await walked(world, f'on = "dr"\nscript = "{script}"\nexpect = {expect}\n' + UNDO)
    assert drive.word() is StepWord.FAILED
    assert says in drive.detail()
    assert drive.state.started == ("s/x",)


async def test_what_is_as_expected_has_passed(world: World) -> None:
    expect = '{ exit = 0, match = ["^a", "c$"], absent = "d" }'
    drive = await walked(world, f'on = "dr"\nscript = "echo abc"\nexpect = {expect}\n' + UNDO)
    assert drive.word() is StepWord.PASSED


async def test_a_verify_of_all_hosts_is_asked_once_the_change_is_on_all_of_them(world: World) -> None:
    (world["primary"].root / "slow").touch()
    table = 'on = ["primary", "dr"]\nscript = "if [ -e slow ]; then sleep 0.7; fi; touch made"\n' + UNDO
    verify = 'on = ["primary", "dr"]\nrun = ["ls", "made"]\nexpect = { same = true }'
    drive = await walked(world, table, verify=verify)
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert [check.seen for at in drive.at().attempts for r in at.results.values() for check in r.checks] == [
        "2 of 2"
    ] * 2


async def test_output_is_judged_up_to_one_mebibyte_and_kept_whole(world: World) -> None:
    script = "head -c 1048576 /dev/zero | tr '\\\\0' 'a'; echo; echo needle"
    drive = await walked(world, f'on = "dr"\nscript = "{script}"\nexpect = {{ absent = "needle" }}\n' + UNDO)
    assert drive.word() is StepWord.PASSED  # it stands beyond the first MiB
    assert b"needle" in drive.spooled()


async def test_a_capture_is_one_value_a_role_and_reaches_later_steps(world: World) -> None:
    capture = 'on = ["primary", "dr"]\nscript = "echo noise; echo dir=$HOME"\ncapture = { dir = "^dir=(.*)$" }'
    first = step(capture, stage="look", head="reads = true")
    touch = 'on = "dr"\nonly = "planned"\nrun = ["touch", "{{ primary.dir }}/was", "{{ here.dir }}/made"]\n'
    second = step(touch + UNDO)
    drive = await world.open(runbook(first + second)).go(3)
    assert drive.word() is StepWord.PASSED, drive.detail()
    assert drive.state.values == {"primary.dir": str(world["primary"].root), "dr.dir": str(world["dr"].root)}
    assert (world["primary"].root / "was").exists()
    assert (world["dr"].root / "made").exists()


async def test_a_capture_that_is_not_found_is_a_failure(world: World) -> None:
    drive = await walked(world, 'on = "dr"\nrun = ["echo", "x"]\ncapture = { dir = "^dir=(.*)$" }', reads=True)
    assert drive.word() is StepWord.FAILED
    assert "says its dir: x" in drive.detail()


async def test_a_read_is_asked_again_within_its_time(world: World) -> None:
    script = "echo x >> asked; [ $(wc -l < asked) -ge 3 ]"
    drive = await walked(world, f"on = 'dr'\nscript = '''{script}'''\nwithin = '20s'\nevery = '50ms'", reads=True)
    assert drive.word() is StepWord.PASSED
    assert (world["dr"].root / "asked").read_text() == "x\n" * 3


async def test_a_read_that_never_holds_fails_when_its_time_is_up(world: World) -> None:
    drive = await walked(world, 'on = "dr"\nrun = ["false"]\nwithin = "300ms"\nevery = "100ms"', reads=True)
    assert drive.word() is StepWord.FAILED
    assert not drive.state.started


async def test_a_read_is_stopped_at_its_time_and_leaves_nothing_behind(world: World) -> None:
    drive = await walked(world, 'on = "dr"\nscript = "echo $$ > pid; exec sleep 600"\ntimeout = "1s"', reads=True)
    assert drive.word() is StepWord.FAILED
    assert "timed out" in drive.detail()
    pid = int((world["dr"].root / "pid").read_text())
    assert not Path(f"/proc/{pid}/cmdline").exists()


SAME = 'on = ["primary", "dr"]\nrun = ["cat", "{{ here.root }}/serial"]\nexpect = { same = true }'


async def test_the_same_everywhere(world: World) -> None:
    for host, text in (("primary", "0A\n"), ("dr", "0A")):
        (world[host].root / "serial").write_text(text)
    drive = await walked(world, SAME, reads=True)
    assert drive.word() is StepWord.PASSED
    await drive.session.close()
    (world["dr"].root / "serial").write_text("0B")
    drive = await walked(world, SAME, reads=True)
    assert drive.word() is StepWord.FAILED
    assert "0A" in drive.detail()
    assert "0B" in drive.detail()


async def test_the_same_everywhere_needs_every_answer(world: World) -> None:
    (world["primary"].root / "serial").write_text("0A")
    drive = await walked(world, SAME, reads=True)
    assert drive.word() is StepWord.FAILED  # dr has no such file


PROBE = (
    'on = "dr"\nscript = "echo ran >> log; touch made"\n'
    'probe = { run = ["test", "-e", "made"], done = { exit = 0 }, not_done = { exit = 1 } }\n' + UNDO
)


async def test_what_is_so_already_is_not_sent(world: World) -> None:
    (world["dr"].root / "made").touch()
    drive = await walked(world, PROBE)
    assert drive.word() is StepWord.PASSED
    assert drive.at().how is How.ALREADY
    assert not (world["dr"].root / "log").exists()
    assert not drive.state.started  # nothing to undo


async def test_the_probe_is_asked_after_it_and_after_its_undo(world: World) -> None:
    drive = await walked(world, PROBE)
    assert drive.at().how is How.RAN
    assert [c.what for c in drive.at().attempts[0].results["dr"].checks] == ["the probe says it is in place"]
    await drive.undo()
    back = drive.at().attempts[-1].results["dr"]
    assert [c.what for c in back.checks] == ["the probe says it is not in place"]


async def test_exit_0_with_a_probe_that_says_no_is_a_failure(world: World) -> None:
    table = PROBE.replace("touch made", "true")
    drive = await walked(world, table)
    assert drive.word() is StepWord.FAILED
    assert "the probe says it is in place" in drive.detail()


async def test_exit_0_with_a_probe_that_cannot_tell_is_unknown(world: World) -> None:
    table = PROBE.replace("not_done = { exit = 1 }", "not_done = { exit = 9 }").replace("touch made", "true")
    drive = await walked(world, table)
    assert drive.word() is StepWord.UNKNOWN


async def test_an_undo_that_did_not_help_has_failed_and_can_be_retried(world: World) -> None:
    undo = 'undo = { script = "[ -e allowed ] && rm made", timeout = "5s", verify = [{ run = ["test", "!", "-e", "made"], within = "1s" }] }'
    drive = await walked(world, PROBE.replace(UNDO.strip(), undo))
    await drive.undo()
    assert drive.word() is StepWord.UNDO_FAILED, drive.detail()
    (world["dr"].root / "allowed").touch()
    await drive.ask(m.Retry("s/x"))
    assert drive.word() is StepWord.PENDING
    assert not (world["dr"].root / "made").exists()


async def test_a_verify_on_several_hosts_needs_all_or_as_many_as_said(tmp_path: Path) -> None:
    async with a_world(tmp_path, clients=3) as world:
        roles = 'primary = "one", dr = "one", clients = "many"'
        (world["c2"].root / "bad").touch()
        verify = 'on = "clients"\nrun = ["test", "!", "-e", "bad"]\ntitle = "clients are well"'
        table = 'on = "dr"\nrun = ["touch", "made"]\n' + UNDO
        drive = await world.open(runbook(step(table, verify=verify), roles)).go(2)
        assert drive.word() is StepWord.FAILED
        assert "2 of 3, 3 needed" in drive.detail()
        assert "clients@c2" in drive.detail() or "c2" in drive.detail()
        await drive.undo()
        await drive.session.close()
        drive = await world.open(runbook(step(table, verify=verify + "\nneed = 2"), roles)).go(2)
        assert drive.word() is StepWord.PASSED, drive.detail()
        await drive.undo()
        (world["c2"].root / "bad").unlink()
        await drive.go(2)
        assert drive.word() is StepWord.PASSED


async def test_a_fan_out_retries_and_undoes_only_where_it_must(tmp_path: Path) -> None:
    async with a_world(tmp_path, clients=3) as world:
        roles = 'primary = "one", dr = "one", clients = "many"'
        (world["c2"].root / "bad").touch()
        table = (
            'on = "clients"\nscript = "echo x >> made; [ ! -e bad ]"\nat_once = 2\n'
            'undo = { script = "echo u >> undone; rm made" }'
        )
        drive = await world.open(runbook(step(table), roles)).go(2)
        assert drive.word() is StepWord.FAILED
        (world["c2"].root / "bad").unlink()
        await drive.ask(m.Retry("s/x"))
        assert drive.word() is StepWord.PASSED
        made = {n: (world[n].root / "made").read_text() for n in ("c1", "c2", "c3")}
        assert made == {"c1": "x\n", "c2": "x\nx\n", "c3": "x\n"}
        await drive.undo()
        assert [(world[n].root / "undone").read_text() for n in ("c1", "c2", "c3")] == ["u\n"] * 3


async def test_the_next_host_has_its_turn_when_the_one_before_is_verified(tmp_path: Path) -> None:
    async with a_world(tmp_path, clients=3) as world:
        roles = 'primary = "one", dr = "one", clients = "many"'
        log = tmp_path / "log"
        table = f'on = "clients"\nscript = "echo made >> {log}"\nat_once = 1\n{UNDO}'
        drive = world.open(runbook(step(table, verify=f'run = ["sh", "-c", "echo verified >> {log}"]'), roles))
        await drive.go(2)
        assert drive.word() is StepWord.PASSED, drive.detail()
        assert log.read_text().split() == ["made", "verified"] * 3


async def test_a_fan_out_whose_verify_asks_one_host_from_all(tmp_path: Path) -> None:
    """Several questions to the same host at once, one of them too slow: each is stopped by itself."""
    async with a_world(tmp_path, clients=3) as world:
        roles = 'primary = "one", dr = "one", clients = "many"'
        verify = 'on = "dr"\nrun = ["sleep", "60"]\ntimeout = "1s"'
        table = 'on = "clients"\nrun = ["touch", "made"]\n' + UNDO
        drive = await world.open(runbook(step(table, verify=verify), roles)).go(2)
        results = drive.at().attempts[0].results
        assert [r.kind.value for r in results.values()] == ["exited"] * 3, [r.sentence for r in results.values()]
        assert drive.word() is StepWord.UNKNOWN  # it ran; that it holds could not be asked


async def test_arguments_arrive_as_they_are(world: World) -> None:
    ugly = "a b'c\"d$(touch hacked);`x`*\\\\ é"
    more = f"\n[vars.ugly]\ntype = \"text\"\ndefault = '''{ugly}'''\n"
    table = "on = 'dr'\nscript = 'printf %s \"$1\" > made'\nargs = ['{{ ugly }}']\n" + UNDO
    drive = await world.open(runbook(step(table), more=more)).go(2)
    assert drive.word() is StepWord.PASSED
    assert (world["dr"].root / "made").read_text() == ugly
    assert sorted(p.name for p in world["dr"].root.iterdir()) == ["made"]


async def test_hostile_bytes_are_kept_and_do_no_harm(world: World) -> None:
    script = r"printf '\377\376\000\033]52;c;AAAA\007[/bold]\n'; exit 7"
    drive = await walked(world, f"on = 'dr'\nscript = '''{script}'''\n" + UNDO)
    assert drive.word() is StepWord.FAILED
    assert b"\xff\xfe\x00\x1b]52;c;AAAA\x07[/bold]\n" in drive.spooled()


def test_the_runbook_head_is_valid() -> None:
    parse_runbook(runbook(step('on = "dr"\nrun = ["true"]\n' + UNDO)).encode(), "x.toml")


async def test_the_same_everywhere_is_asked_again_until_it_is(world: World) -> None:
    """`within` counts for what the hosts say together, not only for each of them."""
    for host, text in (("primary", "000A"), ("dr", "0009")):
        (world[host].root / "serial").write_text(text)
    look = step(SAME + '\nwithin = "30s"\nevery = "200ms"', head="reads = true")
    drive = world.open(runbook(look))
    assert drive.submit(m.Go()) == ""
    await until(lambda: "asking again" in drive.session.snapshot.live.get("s/x", LiveStep()).text)
    (world["dr"].root / "serial").write_text("000A")
    await drive.rest()
    assert drive.word() is StepWord.PASSED, drive.detail()
