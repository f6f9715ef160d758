"""One run, driven: intents in, events onto the disk, acts into the world, snapshots out. It owns the tasks of the run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Final

from handrail.base.failpoint import boundary
from handrail.base.problems import Trouble
from handrail.base.spacing import Spacing
from handrail.engine import due as d
from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.changed import replace
from handrail.engine.codec import decode_event, encode_event
from handrail.engine.decide import decide
from handrail.engine.events import Event
from handrail.engine.evolve import evolve
from handrail.engine.messages import Intent, Observation, Refused
from handrail.engine.offers import Offer, offers
from handrail.engine.outcome import is_over, outcome
from handrail.engine.words import Outcome, Remarks, StepWord
from handrail.session import claims, coverage, lessons, mailbox, record, status
from handrail.session.acts import Acts
from handrail.session.core import Core
from handrail.session.handing import Handing
from handrail.session.moving import Keeper
from handrail.session.output import FolderOutput
from handrail.session.post import Post
from handrail.session.reach import Reach, away_hosts, proposing
from handrail.session.snapshots import Shown, moved, snapshot
from handrail.session.view import Mode, Snapshot
from handrail.store.asking import Said
from handrail.store.journal import Journal
from handrail.store.lock import Lock
from handrail.store.run_folder import RunFolder

STATUS: Final = 0.1  # seconds by which the note for people who look on may lag behind
BEAT: Final = 2.0
LETTERS: Final = 0.5  # seconds between two looks for what others have left
DRAIN: Final = 3.0


Farewell = Callable[[Snapshot], Awaitable[None]]
"""What is done with a run's surroundings when its console has left."""


@dataclass
class Files:
    """The files of a run that is being driven."""

    folder: RunFolder
    journal: Journal
    lock: Lock


class Session:
    """A run that this console drives."""

    def __init__(
        self,
        files: Files,
        shown: Shown,
        make_core: Callable[[Session], Core],
        farewell: Farewell,
        scenario: Callable[[], Awaitable[m.ScenarioNews | None]] | None = None,
    ) -> None:
        self._files, self._shown, self._farewell = files, shown, farewell
        self.core = make_core(self)
        self._acts = Acts(self.core)
        self._tasks: dict[d.Act, asyncio.Task[None]] = {}
        self._others: set[asyncio.Task[None]] = set()
        self._seq = 1
        self._changed = asyncio.Event()
        self._trouble = ""
        self._scenario = scenario
        self._judged: Outcome | None = None
        self._hidden = self.core.secrets
        self._keeper = Keeper(files.folder.path)
        self._keeper.hide(self._hidden)
        self._hearing: asyncio.Task[None] | None = None
        self._nudged: asyncio.TimerHandle | None = None
        self._bumped = self._apart = 0.0
        self._spacing = Spacing()
        self._noting: asyncio.TimerHandle | None = None
        self._beside: asyncio.Handle | None = None
        self._pressed = False  # a key, since the lock's note was written
        self._closing = False
        self._leaving: asyncio.Task[None] | None = None
        self._told_hosts = self._for_hosts()
        self._telling: asyncio.Task[None] | None = None
        self.core.asking.tell = self.nudge
        self._reach = Reach(self.core)
        shown.asked = self._reach.asked
        self._handing = Handing(files.folder.path, self.core.clock)
        self._post = Post(files.folder.path, shown.info.sim_dir, taught=shown.info.mode is Mode.DRILL)
        self._own(self._beat())
        self._own(self._reach.keep_asking())
        self._pump()

    # ------------------------------------------------------------ what front ends know

    @property
    def snapshot(self) -> Snapshot:
        """Return the run as it is now."""
        return snapshot(self.core, self._shown, self._seq, self._trouble)

    async def changed(self, seq: int) -> Snapshot:
        """Return the next snapshot whose `seq` is greater."""
        while self._seq <= seq:
            await self._changed.wait()
        return self.snapshot

    def allowed(self) -> tuple[Offer, ...]:
        """Return everything that can be asked now."""
        if self._trouble:
            return tuple(replace(o, why=self._trouble, proposed=False) for o in offers(self.core.state))
        made = offers(replace(self.core.state, at=self.core.now()))
        return proposing(made, self.core.state, self.core.binding, away_hosts(self.core))

    def submit(self, intent: Intent) -> Refused | None:
        """Ask for something; it is on disk when this returns None."""
        self._pressed = True
        self._write_beside_soon()
        with boundary(f"intent.{type(intent).__name__.lower()}"):
            intent = replace(intent, by=intent.by or self.core.operator)
            if isinstance(intent, m.HandOver):
                return self._hand_over(replace(intent, to=self._handing.who))
            if isinstance(intent, m.Decline):
                return self._decline(replace(intent, to=self._handing.who))
            return self._slipped(intent, self._told(intent))

    def _slipped(self, intent: Intent, refused: Refused | None) -> Refused | None:
        """Keep what was refused to somebody who practises."""
        if refused is not None and self._is_slip(intent):
            step, words = lessons.slip(self.core.state, intent, refused.reason)
            self._told(m.Remark(Remarks.SLIP, words, step, by=intent.by))
        return refused

    def answer(self, number: int, words: str | None) -> None:
        """Answer what a connection asks."""
        self.core.asking.answer(number, words)

    def output(self, step: str) -> FolderOutput:
        """Return the output of a step."""
        return FolderOutput(self._files.folder, self.core, step)

    async def close(self) -> None:
        """End this console's part; the run stays as it is on disk."""
        if not self._closing:
            await asyncio.shield(self._leave())

    async def _close(self) -> None:
        if self._telling is not None:
            await asyncio.wait({self._telling}, timeout=BEAT)
        await self._release()
        await self._hear_to_the_end()
        self._closing = True
        tasks = [*self._tasks.values(), *self._others]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for spool in self.core.spools.values():
            spool.close()
        if self._noting is not None:
            self._noting.cancel()
            self._write_status()
        self._write_summary()
        with boundary("leave.links"):
            await self.core.links.close()
        self._files.journal.close()
        self._files.lock.release()
        self._keeper.close()
        self._bump()
        with boundary("leave.farewell"):
            await self._farewell(self.snapshot)

    # ------------------------------------------------------------ what acts know

    def tell(self, seen: Observation) -> Refused | None:
        """Tell what the world answered."""
        return self._told(seen)

    def nudge(self) -> None:
        """Let front ends look again: at once, but not too often while it never stops moving."""
        if self._nudged is None and not self._closing:
            loop = asyncio.get_running_loop()
            self._nudged = loop.call_at(max(loop.time(), self._bumped + self._apart), self._bump)

    # ------------------------------------------------------------ handing over

    def _leave(self) -> asyncio.Task[None]:
        if self._leaving is None:
            self._leaving = asyncio.get_running_loop().create_task(self._close())
        return self._leaving

    def _hand_over(self, intent: m.HandOver) -> Refused | None:
        """Leave for who asks: at once, or when the running step has ended."""
        state = self.core.state
        if intent.to and not intent.at_once and order.busy(state) and not order.asking(state):
            self._told(m.Pause(by=intent.by))
            self._handing.after = intent
            self._handing.answer(Said.HANDING, intent.note, intent.by)
            self._show_relief()
            return None
        refused = self._told(intent)
        if refused is None:
            self._leave()
        return refused

    def _decline(self, intent: m.Decline) -> Refused | None:
        refused = self._told(intent)
        if refused is None:
            self._handing.after = None
            self._handing.answer(Said.DECLINED, intent.words, intent.by)
            self._show_relief()
        return refused

    def _hand_over_once_it_ended(self) -> None:
        waiting, self._handing.after = self._handing.after, None
        if waiting is not None:
            self._hand_over(replace(waiting, at_once=True))

    def _show_relief(self) -> None:
        self._shown.relief = self._handing.view(self.core.now())
        self.nudge()

    # ------------------------------------------------------------ deciding, journalling, doing

    def _told(self, message: m.Message) -> Refused | None:
        if self._closing:
            return Refused("this console has left the run")
        if self._trouble:
            return Refused(self._trouble)
        message = replace(message, at=self.core.now())
        made = decide(self.core.state, message)
        if isinstance(made, Refused):
            return made
        try:
            self._files.lock.check()
            for event in made:
                self._write(event)
        except Trouble as err:
            self._stop_everything(str(err.problems[0]))
            return Refused(self._trouble)
        self._after(message)
        return None

    def _write(self, event: Event) -> None:
        """Put one event on the disk, and only then make it so."""
        name, body = encode_event(event)
        if self._hidden != self.core.hidden:  # a password became known
            self._hidden = self.core.hidden
            self._files.journal.hide(self._hidden)
            self._keeper.hide(self._hidden)
        with boundary(f"event.{name}"):
            record = self._files.journal.append(name, body)
        if self._hidden and record.body != body:  # masked: what is so is what the journal says
            event = decode_event(record.event, record.body) or event
        self.core.put(evolve(self.core.state, event))

    def _after(self, message: m.Message) -> None:
        if isinstance(message, m.StopStep):
            self._own(self._acts.stop(message.step))
        self._write_on_the_hosts()
        self._note_status()
        self._bump()
        self._pump()
        if self._handing.after and not order.busy(self.core.state):
            asyncio.get_running_loop().call_soon(self._hand_over_once_it_ended)
        if self._scenario and self.outcome is Outcome.DONE and self._judged is None:
            self._hearing = asyncio.create_task(self._hear_scenario())

    def _for_hosts(self) -> tuple[object, ...]:
        """Return what the hosts are to know of this run besides its claim: what is changed, and what is owed."""
        return self.core.state.started, self.core.state.owed

    def _write_on_the_hosts(self) -> None:
        """Write it beside the claim, one write at a time: whoever goes on without our folder reads it there."""
        if not self.core.state.claim or self._told_hosts == self._for_hosts() or self._telling is not None:
            return

        async def tell() -> None:
            try:
                while self._told_hosts != self._for_hosts():
                    self._told_hosts = self._for_hosts()
                    await claims.write_down(self.core)
            finally:
                self._telling = None

        self._telling = self._own(tell())

    def _stop_everything(self, why: str) -> None:
        """Send nothing more: the journal cannot be written, or another console drives."""
        self._trouble = why
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self._bump()

    def _pump(self) -> None:
        """Start what is due, and end what is not due any more."""
        if self._closing or self._trouble:
            return
        wanted = dict.fromkeys(d.due(self.core.state))
        for act in [a for a in self._tasks if a not in wanted]:
            task = self._tasks.pop(act)
            if task is not asyncio.current_task():
                task.cancel()
        for act in wanted:
            if act not in self._tasks:
                self._tasks[act] = asyncio.create_task(self._acts.do(act))

    def _own(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._others.add(task)
        task.add_done_callback(self._others.discard)
        return task

    def _bump(self) -> None:
        self._nudged = None
        self._bumped = asyncio.get_running_loop().time()
        self._apart = self._spacing.next(self._bumped)
        self._seq += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self._keeper.keep(self.core.now(), len(self._files.journal.records), moved(self.core, self._shown))
        self._write_beside_soon()

    async def _beat(self) -> None:
        """Every half second: what others have left. Every two: is the run still ours, and is a change past its time."""
        for look in count(1):
            await asyncio.sleep(LETTERS)
            self._take_letters()
            if look % round(BEAT / LETTERS):
                continue
            self._look_who_is_here()
            if self._trouble or self.core.state.held:
                continue
            try:
                self._files.lock.check()
            except Trouble as err:
                self._stop_everything(str(err.problems[0]))
                continue
            self._files.lock.pulse()
            self._look_for_late()

    def _is_slip(self, intent: Intent) -> bool:
        """Tell whether a refusal is kept of who practises: not what was pressed while an instructor had it stand still."""
        return bool(self._shown.info.level) and not isinstance(intent, m.Remark) and self.core.state.halted is None

    def _take_letters(self) -> None:
        """Tell the engine what others have left; what is in no journal stays where it was left."""
        for message in () if self._trouble else self._post.take():
            self._told(message)
            if self._trouble:
                break

    def _look_who_is_here(self) -> None:
        """Show who looks on, and who asks for the run."""
        folder = self._files.folder.path
        if self._handing.look():
            self._show_relief()
        watchers = mailbox.present(folder)
        if watchers != self._shown.watchers:
            self._shown.watchers = watchers
            self.nudge()

    def _look_for_late(self) -> None:
        for step, now in self.core.state.walked():
            attempt = now.attempt
            if now.word not in (StepWord.RUNNING, StepWord.UNDOING) or now.late or attempt is None or not step.changes:
                continue
            limit = self.core.orders.spot(step.id).limit
            if now.question is None and self.core.now() - attempt.started > limit:
                self.tell(m.Late(step.id))

    # ------------------------------------------------------------ the record beside the journal

    async def _release(self) -> None:
        """Give the claim back once the run is over and nothing is owed; a host that does not answer keeps it until later."""
        state = self.core.state
        if self._trouble or state.claim is None or not is_over(state):
            return
        try:
            with boundary("leave.release"):
                self.tell(await claims.release(self.core, DRAIN))
        except Trouble:
            return

    async def _hear_to_the_end(self) -> None:
        if self._hearing:
            await asyncio.gather(self._hearing, return_exceptions=True)
        if is_over(self.core.state):
            await self._hear_scenario()

    async def _hear_scenario(self) -> None:
        """Have the scenario of a drill tell what it was, and judge how the run has ended; once for each end."""
        if self._scenario is None or self._judged is self.outcome or self._trouble:
            return
        self._judged = self.outcome
        try:
            told = await self._scenario()
        except Trouble:
            return  # its estate is gone: the record says which scenario it was to be
        if told is not None:
            self.tell(told)

    def _write_beside_soon(self) -> None:
        if self._beside is None:
            self._beside = asyncio.get_running_loop().call_soon(self._write_beside)

    def _write_beside(self) -> None:
        """Write what nobody waits for: when the last key was pressed, and what moved."""
        self._beside = None
        if self._pressed:
            self._pressed = False
            self._files.lock.beat()
        self._keeper.write()

    def _note_status(self) -> None:
        """Have the status written soon: not between an event and what follows from it, and once for several."""
        if self._noting is None:
            self._noting = asyncio.get_running_loop().call_later(STATUS, self._write_status)

    def _write_status(self) -> None:
        self._noting = None
        try:
            self._files.folder.write_status(status.status_text(self.snapshot))
        except (OSError, Trouble):
            return  # a full disk stops the journal, not the note beside it

    def _write_summary(self) -> None:
        try:
            made = record.summary(self.core.state, self._shown)
            if self._shown.info.mode is Mode.DRILL:
                done = coverage.done_by(self._files.journal.records, self._files.folder.run_id)
                made["drilled"] = coverage.kept(done)
            self._files.folder.write_summary(self._files.journal.head, made)
        except (OSError, Trouble):
            return

    @property
    def outcome(self) -> Outcome:
        """Return what the run has come to."""
        return outcome(self.core.state)
