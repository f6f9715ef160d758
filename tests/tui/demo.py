"""Look at the screens with your own eyes: `python -m tests.tui.demo [live|drill|home|flood|unknown]`. Nothing is real."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from tests.tui.desk import FakeDesk, held_run
from tests.tui.fake import Clock, FakeSession, failed, lost

from handrail.base.clock import SystemClock
from handrail.engine import due as acts
from handrail.engine.results import Question
from handrail.engine.words import Answer, StepWord, Way
from handrail.session.view import LiveHost, LiveStep, Mode
from handrail.tui.drive import run_app


class RealClock(Clock):
    """Time as it passes."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = SystemClock()

    def mono(self) -> float:
        return self._clock.mono()


class World:
    """Answers what is due, as hosts would, only faster."""

    def __init__(self, session: FakeSession, what: str) -> None:
        self.session, self.what = session, what
        self.doing: set[str] = set()
        self.failed_once = False
        self.tasks: set[asyncio.Task[None]] = set()

    async def go(self) -> None:
        """Do what is due, for ever."""
        while not self.session.closed:
            for act in acts.due(self.session.state):
                work = self.work(act)
                if work is not None and repr(act) not in self.doing:
                    self.doing.add(repr(act))
                    task = asyncio.get_running_loop().create_task(self.done(repr(act), work))
                    self.tasks.add(task)
                    task.add_done_callback(self.tasks.discard)
            await asyncio.sleep(0.1)

    async def done(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        await work()
        self.doing.discard(name)

    def work(self, act: acts.Act) -> Callable[[], Awaitable[None]] | None:
        if isinstance(act, acts.TakeClaim):
            return self.claim
        if isinstance(act, acts.WatchGate):
            return lambda: self.gate(act.step)
        if isinstance(act, acts.Prepare):
            return lambda: self.start(act.step, act.way)
        if isinstance(act, acts.Perform):
            return lambda: self.perform(act.step, act.attempt, act.way)
        if isinstance(act, acts.Ask):
            return lambda: self.asked(act.step)
        return None

    async def claim(self) -> None:
        await asyncio.sleep(0.3)
        self.session.claim()

    async def gate(self, step: str) -> None:
        self.session.open_gate(step)
        await asyncio.sleep(5)

    async def start(self, step: str, way: Way) -> None:
        await asyncio.sleep(0.3)
        back = "10.0.0.10" if step == "switch/dns" and way is Way.FORWARD else ""
        self.session.begin(step, way, back)

    async def asked(self, step: str) -> None:
        await asyncio.sleep(2)
        state = self.session.state.step(step)
        if state.asking is Way.PROBE:
            self.session.probed(step, Answer.DONE, "the unit is masked")

    async def perform(self, step: str, attempt: int, way: Way) -> None:
        session = self.session
        hosts = session.state.step(step).attempts[attempt - 1].hosts
        count = 20_000 if self.what == "flood" and step == "sync/hold" else 60
        for n in range(count):
            for host in hosts:
                for k in range(50 if count > 1000 else 1):
                    session.say(step, host, f"{n}.{k} compared ssl/ca/signed/web{n:03}.example.test.pem  1.2 kB\n")
                if n % 17 == 16:
                    session.say(step, host, "warning: certificate is about to expire\n", "err")
                if n == 30:
                    session.say(step, host, "staging 4 files, live tree untouched", None)
            if n % 5 == 0:
                seen = {h: LiveHost(h, "", session.at) for h in hosts}
                session.live(step, LiveStep(n, count, "compared by content", seen))
            await asyncio.sleep(0.05 if count < 1000 else 0)
        if session.state.step(step).word not in (StepWord.RUNNING, StepWord.UNDOING):
            return
        if step == "sync/look" and way is Way.FORWARD:
            names = (
                "pass: the lights are green",
                "fail: red, or dark",
                "cannot: nobody is there",
                "who looked, and when",
            )
            session.ask(step, Question("Look at rack 4: which lights are on at the old primary?", "", names))
            while session.state.step(step).question is not None:
                await asyncio.sleep(0.1)
        if step == "sync/copy" and not self.failed_once:
            self.failed_once = True
            host = hosts[0]
            session.end(
                step, lost(host, "no exit status") if self.what == "unknown" else failed(host, 1, "1 file differs")
            )
            return
        session.end(step)


def main() -> int:
    """Show a run, or home."""
    what = sys.argv[1] if len(sys.argv) > 1 else "drill"
    folder = Path(tempfile.mkdtemp(prefix="handrail-demo-"))
    mode = Mode.LIVE if what == "live" else Mode.DRILL
    session = FakeSession(folder, mode=mode, clock=RealClock())
    desk = FakeDesk((held_run(),), session=session)
    desk.runs = (replace(held_run(), driven=True, holder="maria"), *desk.runs) if what == "home" else desk.runs

    async def opened() -> FakeSession:
        session.world = asyncio.get_running_loop().create_task(World(session, what).go())  # type: ignore[attr-defined]
        return session

    first = None if what == "home" else opened
    return run_app(desk, first, mode_hint=mode.value, theme=sys.argv[2] if len(sys.argv) > 2 else "")


if __name__ == "__main__":
    sys.exit(main())
