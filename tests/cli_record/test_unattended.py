"""What timers run: check and an unattended LIVE run, as programs of their own against real SSH servers in this process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.session.world import World, a_world

from handrail.cli.metrics import number
from handrail.runbook.document import digest
from handrail.store.drills import Drill, add_drill

BOOK = """
format = 1
[runbook]
id = "small"
title = "A small one"
unattended = true
roles = { primary = "one", dr = "one" }
headline = [
  { label = "good copy", value = "{{ dr.age }}", metric = "copy_age_seconds" },
  { label = "at risk", value = "{{ dr.late }}", metric = "certificates_at_risk" },
]

[[stage]]
id = "look"
title = "Look"
reads = true
together = true

[[stage.step]]
id = "age"
title = "Age of the copy"
on = "dr"
script = 'echo "age 11m00s"; echo "late web01 db01"'
capture = { age = '^age (\\S+)$', late = '^late (.+)$' }

[[stage.step]]
id = "held"
title = "Nothing is held"
on = "dr"
script = 'test ! -e "$1/hold"'
args = ["{{ dr.root }}"]
wrong = [{ exit = 1, means = "Copies are held.", next = "look at the hold file" }]

[[stage]]
id = "go"
title = "Go"

[[stage.step]]
id = "mark"
title = "Leave a mark"
on = "dr"
script = 'echo x >> "$1/mark"'
args = ["{{ dr.root }}"]
probe = { script = 'test -e "$1/mark"', args = ["{{ dr.root }}"], done = { exit = 0 }, not_done = { exit = 1 } }
undo = { script = 'rm -f "$1/mark"', args = ["{{ dr.root }}"] }
"""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two hosts whose keys are no simulated ones, an estate file, a runbook, and a home that has drilled it."""
    async with a_world(tmp_path) as one:
        one.pin(forget=True)
        one.estate()
        (tmp_path / "small.toml").write_text(BOOK)
        yield one


async def run(world: World, *words: str) -> tuple[int, str, str]:
    """Run the command as a timer does: without a terminal; return exit status, stdout, stderr."""
    env = {**os.environ, "HANDRAIL_HOME": str(world.home.path)}
    argv = [words[0], str(world.place / "small.toml"), "--estate", str(world.place / "estate.toml"), *words[1:]]
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handrail", *argv),
        env=env, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await program.communicate()
    assert program.returncode is not None
    return program.returncode, out.decode(), err.decode()


async def test_a_check_that_is_well_says_nothing_and_writes_its_figures(world: World) -> None:
    file = world.place / "puppet.prom"
    assert await run(world, "check", "--quiet", "--prometheus", str(file)) == (0, "", "")
    text = file.read_text()
    own = 'runbook="small",estate="small"'
    assert f"handrail_ready{{{own}}} 1\n" in text
    assert f"handrail_copy_age_seconds{{{own}}} 660\n" in text
    assert f"handrail_certificates_at_risk{{{own}}} 2\n" in text
    assert f'handrail_check{{{own},check="look/held"}} 1\n' in text
    assert re.search(rf"handrail_check_timestamp_seconds{{{own}}} \d{{10}}\n", text)
    assert "last_drill" not in text
    assert file.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in world.place.iterdir() if "prom" in p.name] == ["puppet.prom"]
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) handrail_\w+ .+|handrail_\w+\{(\w+="[^"]*",?)+\} [\d.e+]+', line), line


async def test_a_check_that_is_not_well_says_what_it_means_and_what_to_do(world: World) -> None:
    file = world.place / "puppet.prom"
    (world["dr"].root / "hold").touch()
    add_drill(world.home, Drill("d", "other", "2026-11-01T00:00:00.000Z", "me", "done"))
    code, out, err = await run(world, "check", "--quiet", "--prometheus", str(file))
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "NOT  1.3 Nothing is held: dr: exit 1, expected 0",
        "     Copies are held. Next: look at the hold file",
        "NOT READY: good copy 11m00s, at risk web01 db01",
    ]
    text = file.read_text()
    assert 'handrail_ready{runbook="small",estate="small"} 0\n' in text
    assert 'check="look/held"} 0\n' in text
    assert 'check="look/age"} 1\n' in text
    assert 'handrail_last_drill_timestamp_seconds{runbook="other"} 1793491200\n' in text
    code, out, _ = await run(world, "check", "--json")
    told = json.loads(out)
    held = next(one for one in told["checks"] if one["id"] == "look/held")
    assert (code, told["ready"], held["holds"]) == (1, False, False)
    assert held["means"] == "Copies are held. Next: look at the hold file"


async def test_a_check_that_cannot_ask_never_leaves_an_old_ready_behind(world: World) -> None:
    file = world.place / "puppet.prom"
    assert (await run(world, "check", "--prometheus", str(file)))[0] == 0
    await world.off("dr")
    code, out, _ = await run(world, "check", "--quiet", "--prometheus", str(file))
    assert code == 3, out
    assert 'handrail_ready{runbook="small",estate="small"} 0\n' in file.read_text()
    file.write_text("handrail_ready 1\n")
    (world.place / "estate.toml").write_text("format = 1\n[estate")
    code, _, err = await run(world, "check", "--prometheus", str(file))
    assert (code, bool(err)) == (2, True)
    assert 'handrail_ready{runbook="small",estate=""} 0\n' in file.read_text()


async def test_only_the_last_checks_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.place / "sitecustomize.py").write_text("import handrail.cli.checking as c\nc.KEPT = 2\n")
    monkeypatch.setenv("PYTHONPATH", str(world.place))
    for _ in range(4):
        assert (await run(world, "check", "--quiet"))[0] == 0
    assert len(list(world.home.runs.iterdir())) == 2


async def test_an_unattended_run_is_silent_when_done_and_closed_when_nothing_was_changed(world: World) -> None:
    assert (await run(world, "run", "--unattended"))[0] == 6  # never drilled
    book = (world.place / "small.toml").read_bytes()
    add_drill(world.home, Drill(digest(book), "small", "2026-11-01T00:00:00.000Z", "me", "done"))
    assert await run(world, "run", "--unattended") == (0, "", "")
    assert (world["dr"].root / "mark").read_text() == "x\n"

    (world["dr"].root / "hold").touch()
    code, out, err = await run(world, "run", "--unattended")
    assert (code, out) == (1, "")
    assert "Copies are held. Next: look at the hold file" in err
    assert "nothing was changed" in err
    runs = json.loads(await _runs(world))
    assert [one["outcome"] for one in runs] == ["closed", "done"]


async def _runs(world: World) -> str:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "handrail", "runs", "--json"),
        env={**os.environ, "HANDRAIL_HOME": str(world.home.path)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    return (await program.communicate())[0].decode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("none", 0.0),
        ("web01 db01", 2.0),
        ("web01.example.test", 1.0),
        ("11m00s", 660.0),
        ("12", 12.0),
        ("-", None),
        ("never", None),
    ],
)
def test_a_headline_is_a_number(text: str, value: float | None) -> None:
    assert number(text) == value
