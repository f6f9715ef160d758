"""Take the pictures in this folder from the running application: a real drill, with two faults put in on the way.

`make screenshots` runs it. It brings a simulated estate up, walks the shipped failover by keyboard, and writes SVG, and PNG where
resvg_py is installed (pip install resvg-py).
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from textual.pilot import Pilot

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.state import State
from handrail.engine.words import Remarks, StepWord
from handrail.plain.auto import walk
from handrail.plain.turning import TurnBack
from handrail.runbook.scenario import find_scenario
from handrail.runbook.shipped import find_runbook
from handrail.session import simulator
from handrail.session.api import BriefingApi, SessionApi
from handrail.session.cards import Start
from handrail.session.desk import Desk
from handrail.session.instructing import Instructor
from handrail.session.levels import Level
from handrail.session.view import Mode
from handrail.store.home import Home
from handrail.tui.app import HandrailApp
from handrail.tui.dialogs import Box
from handrail.tui.pages.covering import CoveragePage
from handrail.tui.pages.instructing import InstructPage

HERE = Path(__file__).parent
SMALL, LARGE = (80, 24), (160, 48)


class Camera:
    """Drives the application and takes its picture."""

    def __init__(self, app: HandrailApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def state(self) -> State:
        assert self.app.session is not None
        return self.app.session.snapshot.state

    async def shoot(self, name: str, size: tuple[int, int] = SMALL) -> None:
        """Write one picture at one size."""
        await self.pilot.resize_terminal(*size)
        await self.pilot.pause(0.3)
        columns, rows = size
        svg = self.app.export_screenshot(title=f"handrail {columns}x{rows}")
        svg = re.sub(r"@font-face\s*\{[^}]*\}", "", svg)
        svg = svg.replace("Fira Code", "DejaVu Sans Mono").replace("terminal-", "t-")
        path = HERE / f"{name}-{columns}x{rows}.svg"
        path.write_text(svg, encoding="utf-8")
        _png(path, svg)
        sys.stdout.write(f"{path.name}\n")
        await self.pilot.resize_terminal(*SMALL)

    async def until(self, holds: Callable[[State], bool], seconds: float = 60.0) -> None:
        """Wait until the run is as wanted."""
        async with asyncio.timeout(seconds):
            while self.app.session is None or not holds(self.state):
                await self.pilot.pause(0.05)

    async def press(self, *keys: str) -> None:
        """Press keys at a person's speed."""
        for key in keys:
            await self.pilot.pause(0.08)
            await self.pilot.press(key)
        await self.pilot.pause(0.2)

    async def go(self) -> None:
        """Press enter for the next stage, once enter is alive again."""
        await self.pilot.pause(1.0)
        await self.press("enter")

    async def close_boxes(self) -> None:
        """Close every box that is in front."""
        while isinstance(self.app.screen, Box):
            await self.pilot.pause(0.8)
            await self.press("enter")

    async def rest(self, seconds: float = 120.0) -> None:
        """Wait until the run stands: at a pause, at a gate, at a failure or at its end."""
        await self.until(_rests, seconds)
        await self.pilot.pause(1.0)


def _rests(state: State) -> bool:
    if order.busy(state):
        return False
    step = order.next_step(state)
    return step is None or not order.permitted(state, step) or bool(order.standing(state) or order.awaiting(state))


def _past(state: State, stage: str) -> bool:
    return all(order.finished(state, step) for step in state.outline.stage(stage).steps)


def _png(path: Path, svg: str) -> None:
    try:
        import resvg_py
    except ImportError:
        return
    data: Any = resvg_py.svg_to_bytes(svg_string=svg, zoom=1, monospace_family="DejaVu Sans Mono")
    path.with_suffix(".png").write_bytes(bytes(data))


async def take(home: Path) -> None:
    """Walk a drill and take every picture."""
    desk = Desk(Home(home).make(), cwd=home)
    card = desk.card(find_runbook("puppet-failover", home))
    briefing: list[BriefingApi] = []

    async def first() -> BriefingApi:
        briefing.append(await desk.brief(card, Mode.DRILL, lambda _line: None))
        return briefing[0]

    app = HandrailApp(desk, first)
    async with app.run_test(size=SMALL) as pilot:
        camera = Camera(app, pilot)
        while not briefing or any(p.reached is None for p in briefing[0].view.pulses):
            await pilot.pause(0.1)
        await camera.shoot("briefing")
        await camera.press("enter")
        await camera.until(lambda _s: True)
        await drill(camera, next(home.glob("estates/*")))
    await played_again(desk, max(path.name for path in home.glob("runs/*")))
    app = HandrailApp(desk)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause(0.5)
        await Camera(app, pilot).shoot("home")


async def played_again(desk: Desk, run: str) -> None:
    """Replay the run, and stand in the middle of its copy."""
    replay = await desk.replay(run)
    app = HandrailApp(desk, replay)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause(0.3)
        replay.toggle()
        replay.begin_at("copy/sync")
        replay.skip(3.0)
        await Camera(app, pilot).shoot("replay")


async def drill(camera: Camera, estate: Path) -> None:
    """The drill itself: forward, a failure, an unknown, and all the way back."""
    conf = "/etc/puppetlabs/puppet/puppet.conf"
    wrong = f"cp {conf} {conf}.right; sed -i 's/^certname.*/certname = puppet-dr.example.test/' {conf}"
    await simulator.control(estate, "exec", "puppet-dr", wrong)
    await camera.go()
    await camera.rest()
    await camera.shoot("failure")
    await simulator.control(estate, "exec", "puppet-dr", f"mv {conf}.right {conf}")
    await recover(camera)
    await camera.rest()
    await unknown(camera, estate)
    await camera.until(lambda s: bool(s.step("copy/sync").attempts), 120)
    await pause_for_output(camera)
    await camera.shoot("run")
    await camera.shoot("run", LARGE)
    await camera.until(lambda s: order.awaiting(s) is not None, 120)
    await camera.pilot.pause(1.0)
    await camera.press(*[{".": "full_stop"}.get(c, c) for c in "10.77.2.1"])
    await camera.shoot("confirm")
    await camera.press("0", "enter")
    await camera.until(lambda s: _past(s, "switch"))
    await camera.rest()
    await camera.press("u")
    await camera.pilot.pause(1.0)
    await camera.shoot("undo-plan")
    await camera.press("escape")
    await camera.go()
    await camera.until(lambda s: order.next_step(s) is None, 120)
    await camera.pilot.pause(1.5)
    await camera.press("enter")
    await camera.shoot("debrief")


async def lesson(home: Path) -> None:
    """A guided drill in which each step is foretold: the coach, a step beside what the one before said, the debrief."""
    desk = Desk(Home(home).make(), cwd=home, person=True, scenario=find_scenario("signed-after-copy", home))
    card = desk.card(find_runbook("puppet-failover", home))
    told = Start(level=Level.GUIDED, predict=True)

    async def first() -> SessionApi:
        briefing = await desk.brief(card, Mode.DRILL, lambda _line: None, told)
        await briefing.settled()
        return await briefing.start(told)

    app = HandrailApp(desk, first)
    async with app.run_test(size=SMALL) as pilot:
        camera = Camera(app, pilot)
        await camera.until(lambda s: any(r.kind is Remarks.COACH for r in s.remarks))
        await pilot.pause(0.5)
        await camera.shoot("coach")
        await camera.press("enter")
        while not _foretells(app):
            await camera.go()
            await camera.rest()
        await camera.go()
        await camera.press(*"one", "space", *"address", "tab", *"nothing")
        await camera.shoot("prediction")
        await camera.press("enter")
        await camera.until(lambda s: _passed(s, "look/name-dns"))
        foretell(camera, ("nobody knows", "nothing"))
        while not _passed(camera.state, "look/paths"):
            await camera.go()
            await camera.rest()
        await pilot.pause(0.5)
        await camera.shoot("guided")
        await camera.press("full_stop")
        await to_the_end(camera)
        await camera.press("enter")
        await camera.press("enter", *"that", "space", *"it", "space", *"says", "space", *"why", "enter")
        await camera.shoot("debrief-lesson")


def _foretells(app: HandrailApp) -> bool:
    """Tell whether the next step is to be foretold: what only reaches a role is not."""
    assert app.session is not None
    return bool(app.session.snapshot.foretell)


def foretell(camera: Camera, words: tuple[str, str]) -> None:
    """Foretell everything that is still to come, in the same words."""
    session = camera.app.session
    assert session is not None
    for step, _ in camera.state.walked():
        for kind, said in zip((Remarks.PREDICTED, Remarks.PREDICTED_UNDO), words, strict=True):
            session.submit(m.Remark(kind, said, step.id))


async def to_the_end(camera: Camera) -> None:
    """Close what the coach says, start what is next, type the address where it is asked."""
    while order.next_step(camera.state) is not None:
        if order.awaiting(camera.state) is not None:
            await camera.pilot.pause(1.5)
            await camera.close_boxes()
            await camera.press(*[{".": "full_stop"}.get(c, c) for c in "10.77.2.10"], "enter")
            await camera.until(lambda s: order.awaiting(s) is None)
        await camera.close_boxes()
        await camera.go()
        await camera.rest()
    await camera.pilot.pause(1.5)
    await camera.close_boxes()


def _passed(state: State, step: str) -> bool:
    return state.step(step).word is StepWord.PASSED


async def unknown(camera: Camera, estate: Path) -> None:
    """The primary is switched off in the middle of a command, and comes back without knowing of it."""
    await simulator.control(estate, "exec", "puppet-primary", "pkill -STOP -f puppetserver")
    await camera.go()
    await camera.until(lambda s: s.step("copy/mask").word is StepWord.RUNNING)
    await camera.pilot.pause(1.0)
    await simulator.control(estate, "power", "puppet-primary", "off")
    await simulator.control(estate, "power", "puppet-primary", "on")
    await camera.until(lambda s: s.step("copy/mask").word is not StepWord.RUNNING)
    await camera.pilot.pause(1.0)
    await camera.shoot("unknown")
    await camera.press("b")
    await camera.until(lambda s: s.step("copy/mask").word is not StepWord.UNKNOWN)
    await recover(camera)


async def pause_for_output(camera: Camera) -> None:
    """Wait until the copy has said something."""
    assert camera.app.session is not None
    async with asyncio.timeout(30):
        while not _lines(camera) and camera.state.step("copy/sync").word is StepWord.RUNNING:
            await camera.pilot.pause(0.05)


def _lines(camera: Camera) -> int:
    assert camera.app.session is not None
    output = camera.app.session.output("copy/sync")
    reader = next((r for h in output.hosts() if (r := output.reader(h))), None)
    if reader is None:
        return 0
    reader.refresh()
    count = reader.line_count
    reader.close()
    return count


async def recover(camera: Camera) -> None:
    """Retry whatever stands, as a person would, until nothing does."""
    while (step := order.standing(camera.state)) is not None:
        await camera.pilot.pause(1.0)
        await camera.press("r")
        await camera.until(lambda s, step=step: s.step(step.id).word in (StepWord.PASSED, StepWord.FAILED), 120)  # type: ignore[misc]


async def teaching(home: Path) -> None:
    """Two people drill on estates of their own, one of them there and back; a third one teaches. Then what was rehearsed."""
    desk = Desk(Home(home).make(), cwd=home, simulator_options=("--clients", "3"))
    card = desk.card(find_runbook("puppet-failover", home))
    sessions = []
    for who in ("ben", "ana"):
        os.environ["HANDRAIL_OPERATOR"] = who
        briefing = await desk.brief(card, Mode.DRILL, lambda _line: None)
        sessions.append(await briefing.start(Start(step_by_step=True)))
    ben, ana = sessions
    await walk(ben, TurnBack(step="copy/hold"))
    teacher = Instructor(desk.store, who="tom")
    mine = next(drill for drill in teacher.look() if drill.who == "ana")
    await teacher.fault(mine, "rtt 125ms")
    teacher.say(mine, "How long until everybody is back?", "the CTO")
    await ana.core.until(lambda state: bool(state.open_cards and state.faults))
    app = HandrailApp(desk, page=lambda: InstructPage(teacher))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause(2.5)
        await Camera(app, pilot).shoot("instruct")
    teacher.halt(mine, "what undoes the next step?")
    await ana.core.until(lambda state: state.halted is not None)
    app = HandrailApp(desk, ana)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause(0.5)
        await Camera(app, pilot).shoot("halted")
    for session in sessions:
        session.submit(m.Leave("the lesson is over"))
        await session.close()
    app = HandrailApp(desk, page=lambda: CoveragePage(desk.coverage(card)))
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause(0.5)
        camera = Camera(app, pilot)
        await camera.press("ctrl+d")
        await camera.shoot("coverage")
    for estate in home.glob("estates/*"):
        await simulator.down(estate)


ALBUMS: Final = {"drill": take, "lesson": lesson, "teaching": teaching}


def main() -> None:
    """Take the pictures of the albums that are named, else all; each in a home of its own."""
    os.environ.setdefault("HANDRAIL_OPERATOR", "ana")
    wanted = sys.argv[1:] or list(ALBUMS)
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="handrail-pictures-") as folder:
            asyncio.run(ALBUMS[name](Path(folder)))


if __name__ == "__main__":
    main()
