"""What can be asked from any page of a run: status, notes, the four verbs, the emergency, leaving. It submits intents."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine import outcome as ends
from handrail.engine.words import Outcome, Remarks
from handrail.session.api import SessionApi
from handrail.session.status import status_sentence, status_text
from handrail.session.view import Snapshot
from handrail.tui.choices import Choice
from handrail.tui.dialogs import AskWords, Choose, Field
from handrail.tui.pages.commands import CommandsPage
from handrail.tui.pages.debrief import DebriefPage
from handrail.tui.pages.help import HelpPage
from handrail.tui.pages.learning import note_box
from handrail.tui.pages.log import LogPage
from handrail.tui.pages.plan import PlanPage
from handrail.tui.pages.relief import intent_of, relief_page, sentences, words_page
from handrail.tui.pages.run import RunPage
from handrail.tui.pages.undo import UndoPage
from handrail.tui.scene import Scene, going_on

if TYPE_CHECKING:
    from handrail.tui.app import HandrailApp


class Verbs:
    """The actions that every page has; mixed into the application."""

    session: SessionApi | None
    _snap: Snapshot | None
    _code: int
    _offered: str = ""  # the question of who asks for the run that was opened by itself

    @property
    def _app(self) -> HandrailApp:
        return cast("HandrailApp", self)

    @property
    def _scene(self) -> Scene | None:
        return self._app.scene()

    # ------------------------------------------------------------ words

    def do_help(self) -> None:
        """Show the keys of this page, and the words."""
        page = self._app.screen
        scope = getattr(page, "scope", "run")
        self._app.push_screen(HelpPage(scope))

    def do_palette(self) -> None:
        """Show everything that can be done here."""
        self._open_commands("")

    def do_commands(self) -> None:
        """Open the command line."""
        self._open_commands(":")

    def _open_commands(self, prompt: str) -> None:
        page = self._app.screen
        scope = str(getattr(page, "scope", "run"))
        self._app.push_screen(CommandsPage(scope, prompt), self._commanded)

    def _commanded(self, action: str | None) -> None:
        page = self._app.screen
        take = getattr(page, "try_to", None)
        if action and take is not None:
            take(action)

    def do_status(self) -> None:
        """Show the sentence for the channel, in a box and in status.txt."""
        app, scene = self._app, self._scene
        if scene is None:
            return
        if app.replaying:
            app.say("this is a replay: the sentence for the channel belongs to a run that goes on")
            return
        sentence = status_sentence(scene.snap)
        where = app.write_beside("status.txt", status_text(scene.snap).rstrip("\n"))
        app.box("Status, for the channel", sentence, f"y copies it. Also in {where}" if where else "y copies it.")

    def do_note(self) -> None:
        """Keep a note."""
        app = self._app
        if app.replaying:
            app.say(f"this is a replay: note it with handrail note TEXT {app.run_shown}")
            return
        page = AskWords("Note", ["It stands in the record with its time and your name."], [Field("text", "Note")])
        app.ask(page, lambda said: self._noted(said["text"]))

    def _noted(self, text: str) -> None:
        if self._app.submit(m.Note(text)):
            self._app.say("noted")

    def do_log(self) -> None:
        """Show the full output."""
        self.open_log()

    def do_plan(self) -> None:
        """Show every step, its commands and what undoes them."""
        self._app.push_screen(PlanPage())

    # ------------------------------------------------------------ pages

    def _run_page(self) -> RunPage | None:
        return next((p for p in reversed(self._app.screen_stack) if isinstance(p, RunPage)), None)

    def open_log(self, *, find: bool = False) -> None:
        """Show the full output of the step that is looked at."""
        page, session = self._run_page(), self.session
        if page is None or session is None:
            return
        self._app.push_screen(LogPage(page.spoken_step(), page.looking.host, find=find))

    def open_undo(self) -> None:
        """Show the way back."""
        self._app.push_screen(UndoPage())

    def open_debrief(self) -> None:
        """Show what the run came to."""
        self._app.push_screen(DebriefPage())

    def do_replay(self) -> None:
        """Play this run again, once it is over: its console leaves it first."""
        app, scene = self._app, self._scene
        if scene is None:
            return
        over = ends.outcome(scene.state) in (Outcome.DONE, Outcome.UNDONE, Outcome.CLOSED)
        if order.busy(scene.state) or not (over or scene.state.held or app.watching or app.replaying):
            app.say(f"this run goes on: handrail replay {app.run_shown} in another terminal")
            return
        app.own(self._replay(app.run_shown))

    async def _replay(self, run: str) -> None:
        app = self._app
        await app.close_session()
        app.open_session(await app.desk_api.replay(run))

    # ------------------------------------------------------------ the emergency, what is owed

    def open_declare(self) -> None:
        """Ask for the reason, then declare the other route."""
        app, scene = self._app, self._scene
        offer = scene.offer("declare") if scene else None
        if scene is None or offer is None or not isinstance(offer.intent, m.Declare):
            app.say("this runbook has no other route")
            return
        route = offer.intent.route
        lost = sorted(scene.state.outline.lost(route))
        says = [
            f"From here on the route is {route}. It changes only which steps are needed; nothing is sent by this.",
            f"Lost, and never contacted again: {', '.join(lost)}. What was changed there stays, and is owed."
            if lost
            else "Nothing counts as lost any more.",
        ]
        page = AskWords(offer.label, says, [Field("reason", "Why? Say who told you, and what was seen")])
        app.ask(page, lambda said: app.submit(m.Declare(route, said["reason"])))

    def open_owed(self) -> None:
        """Show what is owed, and settle one of them."""
        app, scene = self._app, self._scene
        if scene is None or not scene.state.owed:
            app.say("nothing is owed")
            return
        offers = [o for o in scene.offers if o.verb == "settle" and isinstance(o.intent, m.Settle)]
        choices = [Choice("", "", "Back", "everything stays owed")]
        says = ["It stands here until it is done, or somebody says that it was.", ""]
        for number, offer in enumerate(offers, 1):
            owed = cast(m.Settle, offer.intent).owed
            item = next((o for o in scene.state.owed if o.id == owed), None)
            says.append(f"{number}  {scene.named(item.what)}: {item.why}" if item else f"{number}  {owed}")
            choices.append(Choice(f"run {owed}", "", f"Do {number} now", "sends it to its host", offer.why))
            choices.append(Choice(f"say {owed}", "", f"Say that {number} is settled", "asks for your word"))
        app.push_screen(Choose("What is owed", says, choices), self._settled)

    def _settled(self, chosen: str | None) -> None:
        app = self._app
        verb, _, owed = (chosen or "").partition(" ")
        if verb == "run":
            app.submit(m.Settle(owed))
        elif verb == "say":
            page = AskWords(
                "Settle it by your word", [owed], [Field("word", "What was done, by whom, and how you know")]
            )
            app.ask(page, lambda said: app.submit(m.Settle(owed, said["word"])))

    # ------------------------------------------------------------ somebody asks for the run

    def offer_answer(self) -> None:
        """Open the question of who asks for this run, once for each, where nobody is in the middle of typing."""
        app, scene = self._app, self._scene
        asked = scene.snap.relief if scene else None
        front = app.front
        if asked is None or asked.id == self._offered or not isinstance(front, RunPage):
            return
        if front.scope in ("run", "decide"):
            self._offered = asked.id
            self.do_answer_relief()

    def do_answer_relief(self) -> None:
        """Answer who asks for this run, or else the message that waits: hand it over, decline, or say a word."""
        app, scene = self._app, self._scene
        asked = scene.snap.relief if scene else None
        if scene is not None and asked is None and scene.state.open_cards:
            self._answer_card(scene)
            return
        if scene is None or asked is None:
            app.say("nobody asks for this run, and no message waits")
            return
        busy = order.busy(scene.state)

        def says() -> tuple[str, ...]:
            now = self._scene
            return sentences(now.snap.relief, now.at) if now else ()

        def chosen(choice: str | None) -> None:
            if choice:
                page = words_page(asked, choice)
                app.ask(page, lambda said: app.submit(intent_of(choice, said["words"])))

        app.push_screen(relief_page(asked, says, busy[0].number if busy else ""), chosen)

    def _answer_card(self, scene: Scene) -> None:
        """Answer the message that waits longest, in one's own words."""
        app, card = self._app, scene.state.open_cards[0]
        page = AskWords(
            f"{card.by} writes", [card.says, "", "It stands in the record."], [Field("words", "Your answer")]
        )
        app.ask(page, lambda said: app.submit(m.AnswerCard(said["words"], card.card)))

    # ------------------------------------------------------------ the coach

    def offer_note(self) -> None:
        """Show the coach's note that is due, once nothing else is in front; that it was shown is kept."""
        app, scene = self._app, self._scene
        if scene is None or not scene.snap.notes or app.watching or not isinstance(app.front, RunPage):
            return
        note = scene.snap.notes[0]
        if not app.submit(m.Remark(Remarks.COACH, note.say, note.step, note.id)):
            return
        step = scene.state.outline.step(note.step).name if scene.state.outline.has_step(note.step) else ""
        app.deaden()
        app.push_screen(note_box(note, "" if note.when == "undone" else step))

    # ------------------------------------------------------------ the four verbs, leaving

    def do_verbs(self) -> None:
        """Open the four verbs; by itself it does nothing."""
        scene = self._scene
        if scene is None or self._app.replaying:
            self.do_leave()
            return
        busy = order.busy(scene.state)
        stop = f"Stop {busy[0].number}" if busy else "Stop step"
        choices = [
            Choice("", "", "Go on", "nothing happens"),
            Choice("pause", "p", "Pause", "finish this step, then stand", scene.why_not("pause")),
            Choice("stop", "x", stop, "end the remote command, and prove it", scene.why_not("stop")),
            Choice("undo", "u", "Undo", "shows the plan first", scene.why_not("undo")),
            Choice("leave", "l", "Leave", "the run is held; what runs at a host goes on there"),
        ]
        page = Choose("ctrl+c does nothing by itself", ["Pause, stop the step, undo, or leave?"], choices)
        self._app.push_screen(page, self._verb)

    def _verb(self, chosen: str | None) -> None:
        app, scene = self._app, self._scene
        if scene is None or not chosen:
            return
        if chosen == "pause":
            app.submit(m.Pause())
        elif chosen == "stop":
            busy = order.busy(scene.state)
            if busy:
                app.submit(m.StopStep(busy[0].id))
        elif chosen == "undo":
            self.open_undo()
        else:
            self.do_leave()

    def do_leave(self) -> None:
        """Go away; a run that is not over is held, and it says so first."""
        app, scene = self._app, self._scene
        if scene is None:
            app.own_quit(self._code)
            return
        if app.replaying:
            app.own(self._let_go(leave=False))
            return
        state = scene.state
        over = ends.outcome(state) in (Outcome.DONE, Outcome.UNDONE, Outcome.CLOSED)
        if app.watching or state.held or (over and not order.busy(state)):
            app.own(self._let_go(leave=not app.watching and not state.held and not state.closed))
            return
        choices = [
            Choice("", "", "Stay", "go on driving"),
            Choice("leave", "l", "Leave", "the run is held: handrail resume goes on"),
        ]
        app.push_screen(Choose("Leave this run?", self._stays, choices), self._left)

    def _stays(self) -> list[str]:
        """Return what leaving means at this moment: the run goes on while it is asked."""
        scene = self._scene
        if scene is None:
            return []
        state = scene.state
        busy = order.busy(state)
        changed = [s.name for s in ends.stays_changed(state)]
        says = ["Once you leave, the run is held: safe on disk, nothing more is sent."]
        if going_on(state):
            says.append("Until then it goes on behind this question.")
        if busy:
            says.append(f"{busy[0].name} goes on at its host; resuming re-attaches.")
        says.append(f"Stays changed: {', '.join(changed)}." if changed else "Nothing stands changed.")
        if state.owed:
            says.append(f"Owed: {'; '.join(o.what for o in state.owed)}.")
        return says

    def _left(self, chosen: str | None) -> None:
        if chosen == "leave":
            self._app.own(self._let_go(leave=True))

    async def _let_go(self, *, leave: bool) -> None:
        app = self._app
        if leave and self.session is not None:
            refused = self.session.submit(m.Leave("left by the operator"))
            if refused is not None:
                app.say(refused.reason)
                return
        await app.close_session()
        app.title_window()
        if app.has_home:
            app.back_home()
        else:
            app.exit(self._code)
