"""The run page: drives one run. What it shows (run, gate, decide, question) follows from the state alone."""

from __future__ import annotations

from dataclasses import replace

from handrail.engine import messages as m
from handrail.engine import order
from handrail.engine.offers import undo_targets
from handrail.engine.typed import same_value
from handrail.engine.words import Pace, Remarks
from handrail.runbook.samples import sample_of
from handrail.tui import asking, decide, gate
from handrail.tui.choices import Menu
from handrail.tui.entry import Entry
from handrail.tui.frame import Body
from handrail.tui.pages.learning import Learning
from handrail.tui.rail import Viewed
from handrail.tui.run_body import Looking, Memo, looked_at, run_body, speaks
from handrail.tui.scene import current, face, going_on

_BEGINS = frozenset(
    {"go", "undo", "confirm", "retry", "declare", "pace"}
)  # what an instructor's halt keeps from beginning
_STOP_TWICE = 5.0  # seconds


class RunPage(Learning):
    """One run, driven or watched."""

    def __init__(self) -> None:
        super().__init__()
        self.looking = Looking()
        self._turn = ""  # the gate, question or decision that what is typed belongs to
        self._away = ""  # the decision whose menu was put aside
        self._output_of: tuple[str, str, int] = ("", "", 0)
        self._stop_until = 0.0
        self._memo = Memo()
        self._height = 1

    # ------------------------------------------------------------ what is shown

    @property
    def scope(self) -> str:
        """Return the face, as the scope of the keys."""
        return self.showing

    @property
    def showing(self) -> str:
        """Return the face that is shown: who looks on sees the run, and is asked nothing."""
        scene = self.now
        if scene.watching:
            return "run"
        shown = scene.face
        return "run" if shown == "decide" and self._away == self.deciding() else shown

    @property
    def entry(self) -> Entry | None:
        """Return what is typed into at a gate, or for an answer."""
        if self.showing == "gate":
            return self.reason if self.on_reason else self.typing
        return self.typing if self.showing == "question" else None

    def show(self) -> None:
        """Follow the run: what was typed for something that is over is forgotten."""
        turn = self._turn_now()
        if turn != self._turn:
            self._turn, self.on_reason = turn, False
            self.typing = Entry(guarded=self.showing == "gate" or asking.guarded(self.now))
            self.reason = Entry()
            self.answers = Menu(asking.choices(self.now))
            self.menu = Menu()
        self.turn_menu()
        self._turn_output()
        super().show()

    def _turn_now(self) -> str:
        state = self.now.state
        step = order.asking(state) or order.awaiting(state) or order.standing(state)
        if step is None:
            return ""
        question = state.step(step.id).question
        return f"{face(state)} {step.id} {len(state.step(step.id).attempts)} {question.text if question else ''}"

    def _turn_output(self) -> None:
        """Look at the output of the step that is looked at: the host that spoke first, or the one chosen."""
        scene = self.now
        step = speaks(scene, self.looking.viewed)
        if step is None or self.desk.session is None:
            return
        tries = len(scene.state.step(step.id).attempts)
        self.output.expect(sample_of(scene.text(step.id).sample))
        if self.output.reader is not None and self._output_of == (step.id, self.looking.host, tries):
            return
        hosts = self.desk.session.output(step.id).hosts()
        host = self.looking.host if self.looking.host in hosts else (hosts[0] if hosts else "")
        self.looking = replace(self.looking, host=host)
        if (step.id, host, tries) != self._output_of or (self.output.reader is None and host):
            self._output_of = (step.id, host, tries)  # a new attempt's output is looked for until it is there
            self.output.turn_to(self.desk.session.output(step.id).reader(host) if host else None)

    def pull(self) -> None:
        """Pull output; paint only when there is something new."""
        if self.showing not in ("run", "decide"):
            return
        if self.output.reader is None:
            self._turn_output()
        if self.output.pull():
            self.stale = True

    def body(self, width: int, height: int) -> Body:
        """Return the body of the face that is shown."""
        self._height = height
        scene, scope = self.now, self.showing
        if scope == "gate":
            found = self.gate_now()
            if found:
                step, shown = found
                return Body(
                    gate.gate_box(scene, step, shown, self.typing, self.reason, width, height, on_reason=self.on_reason)
                )
        if scope == "question":
            return Body(asking.question(scene, self.typing, self.answers, width, height))
        if scope == "decide":
            return Body(self.decide_rows(width, height, self.looking.host))
        return run_body(scene, self.looking, self.output, width, height, self._memo)

    def labels(self) -> dict[str, str]:
        """Return what enter does now, and what else depends on the moment."""
        scene = self.now
        labels = {"go": self._go_label()}
        if self.showing == "run" and not order.busy(scene.state):
            labels["stop"] = ""
        if not going_on(scene.state):
            labels["pause"] = ""
        if not scene.snap.info.level:
            labels["hint"] = ""
        if scene.watching:
            labels |= dict.fromkeys(("go", "pause", "undo", "stop", "declare"), "")
        if asking.is_manual_now(scene):
            labels["refuse"] = ""
        elif self.showing == "question":
            labels["other-choice"] = ""
        if scene.offer("declare") is None or (self.showing == "run" and not self._may_be_lost()):
            labels["declare"] = ""
        return labels

    def _may_be_lost(self) -> bool:
        """Tell whether the emergency belongs into the key bar: a link is gone, or nothing moves; the key works anyway."""
        state = self.now.state
        return not order.busy(state) or any(now.no_link for _, now in state.begun())

    def _go_label(self) -> str:
        scene = self.now
        if (
            going_on(scene.state)
            or scene.state.halted
            or scene.state.held
            or scene.state.closed
            or order.closed_forward(scene.state)
        ):
            return ""
        if order.standing(scene.state):
            return "Decide"
        if self.looking.viewed != Viewed():
            return "Back to now"
        following = order.next_step(scene.state)
        if following is None:
            return "Debrief"
        if scene.state.pace is Pace.STEP:
            return f"Start {following.number}"
        return f"Start stage {scene.state.outline.stage(following.stage).number}"

    def why(self, action: str) -> str:
        """Return why an action cannot be done now: the offer's own sentence."""
        halted = self.now.state.halted
        if halted and action in _BEGINS and not (action == "go" and self.looking.viewed != Viewed()):
            return f"{halted.by} has halted this drill: {halted.why}"
        verb = {"not-now": "not-now", "answer": "reply", "confirm": "", "go": ""}.get(action, action)
        if action == "confirm":
            return self.why_dead()
        if verb == "undo" and (self.now.watching or not undo_targets(self.now.state)):
            return self.now.why_not("undo")
        if self.now.watching and verb in ("retry", *decide.VERBS):
            return self.now.why_not(verb)
        if verb == "settle":  # what cannot be run from here may still be settled by a word
            return self.now.why_not("settle") and self.now.why_not("settle-word")
        if verb in ("pause", "stop", "declare", "pace") or (self.showing == "decide" and verb in decide.OFFERED):
            return self.now.why_not(verb)
        return ""

    # ------------------------------------------------------------ run

    def do_go(self) -> None:
        """Do the one thing that is proposed."""
        scene = self.now
        if scene.watching:
            self.tell(scene.why_not("go"))
        elif order.standing(scene.state):
            self._away = ""
        elif self.looking.viewed != Viewed():
            self.do_back()
        elif going_on(scene.state):
            self.tell("nothing to press: it goes on by itself")
        elif order.interrupted(scene.state) is not None:
            self.desk.open_undo()
        elif order.next_step(scene.state) is None:
            self.desk.open_debrief()
        elif not self.foretell(m.Go()):
            self.desk.submit(m.Go())

    def do_pause(self) -> None:
        """Finish this step, then stand."""
        self.desk.submit(m.Pause())

    def do_pace(self) -> None:
        """Go by step, or by stage."""
        offer = self.now.offer("pace")
        if offer and self.desk.submit(offer.intent):
            self.tell(f"{offer.label.lower()}: from here on enter starts one {offer.label.split()[-1]}")

    def do_stop(self) -> None:
        """Say what stopping leaves; the second time, stop."""
        busy = order.busy(self.now.state)
        if not busy:
            return
        step = busy[0]
        if self.desk.mono() < self._stop_until:
            self._stop_until = 0.0
            self.desk.submit(m.StopStep(step.id))
            return
        self._stop_until = self.desk.mono() + _STOP_TWICE
        what = "what it changed so far stays until it is undone" if step.changes else "it only reads: nothing stays"
        self.tell(f"x again ends {step.number} at the host; {what}")

    def do_undo(self) -> None:
        """Show the plan of the way back."""
        self.desk.open_undo()

    def do_declare(self) -> None:
        """Declare the emergency, with a reason."""
        self.desk.open_declare()

    def do_back(self) -> None:
        """Back to the step that things turn on; in a decision, away from the menu to the run."""
        if self.showing == "decide":
            self._away = self.deciding()
        self.looking = replace(Looking(), host="")
        self._turn_output()

    def do_zoom(self) -> None:
        """One pane over the whole width, and back."""
        self.looking = replace(self.looking, zoomed=not self.looking.zoomed)

    def do_pane(self) -> None:
        """Give the arrows to the output, or to the steps."""
        self.looking = replace(self.looking, on_output=not self.looking.on_output)

    def do_follow(self) -> None:
        """Stay at the end of the output, or stay here."""
        self.output.toggle_follow(self._height)

    def do_other_host(self) -> None:
        """Show the output of the next host."""
        step = speaks(self.now, self.looking.viewed)
        if step is None or self.desk.session is None:
            return
        hosts = self.desk.session.output(step.id).hosts()
        if len(hosts) < 2:
            self.tell("one host has spoken here, and no other")
            return
        at = hosts.index(self.looking.host) if self.looking.host in hosts else -1
        self.looking = replace(self.looking, host=hosts[(at + 1) % len(hosts)])
        self._turn_output()

    def do_settle(self) -> None:
        """Show what is owed."""
        self.desk.open_owed()

    def looked_step(self) -> str:
        """Return the step that is looked at."""
        step = looked_at(self.now, self.looking.viewed)
        return step.id if step else ""

    def spoken_step(self) -> str:
        """Return the step whose output is shown."""
        step = speaks(self.now, self.looking.viewed)
        return step.id if step else self.looked_step()

    def do_find(self) -> None:
        """Find in the full output."""
        self.desk.open_log(find=True)

    def do_log(self) -> None:
        """Show the full output."""
        self.desk.open_log()

    def do_copy(self) -> None:
        """Copy the command and what it last said."""
        step = looked_at(self.now, self.looking.viewed)
        if step is None:
            return
        now = self.now.state.step(step.id)
        commands = now.attempt.commands if now.attempt and now.attempt.commands else self.now.text(step.id).commands
        parts = [step.name, *(f"$ {c}" for c in commands), now.detail, self.output.last_words()]
        self.desk.copy("\n".join(part for part in parts if part))

    def try_to(self, action: str, *, by_enter: bool = False) -> None:
        """Do an action, or say why not; a wrong value at the gate is kept of somebody who practises."""
        found = self.gate_now() if action == "confirm" else None
        typed = self.typing.value
        if found and typed and not same_value(typed, found[1].token) and self.now.snap.info.level:
            self.desk.submit(m.Remark(Remarks.SLIP, f"typed {typed} where {found[1].token} is asked", found[0].id))
        super().try_to(action, by_enter=by_enter)

    def act(self, action: str) -> None:
        """Do an action; `stage-3` looks at the third stage."""
        if action.startswith("stage-"):
            self.view_stage(int(action.removeprefix("stage-")))
        else:
            super().act(action)

    def view_stage(self, number: int) -> None:
        """Look at a stage by its place in the rail."""
        stages = self.now.state.outline.stages
        if number > len(stages):
            self.tell(f"this runbook has {len(stages)} stages")
            return
        stage = stages[number - 1].id
        now = current(self.now.state)
        same = now is not None and now.stage == stage
        self.looking = replace(self.looking, viewed=Viewed() if same else Viewed(stage), host="")
        self._turn_output()

    def _move(self, by: int) -> None:
        if self.looking.on_output:
            self.output.scroll(by, self._height)
            return
        steps = self.now.state.outline.steps
        at = looked_at(self.now, self.looking.viewed)
        index = steps.index(at) if at in steps else 0
        chosen = steps[max(0, min(len(steps) - 1, index + by))]
        self.looking = replace(self.looking, viewed=Viewed(chosen.stage, chosen.id), host="")
        self._turn_output()

    def do_up(self) -> None:
        """One up: in the menu, the steps or the output."""
        if self.showing == "decide":
            self.menu.move(-1)
        else:
            self._move(-1)

    def do_down(self) -> None:
        """One down."""
        if self.showing == "decide":
            self.menu.move(1)
        else:
            self._move(1)

    def do_first(self) -> None:
        """To the beginning."""
        if self.looking.on_output:
            self.output.to_first()
        else:
            self._move(-len(self.now.state.outline.steps))

    def do_last(self) -> None:
        """To the end."""
        if self.looking.on_output:
            self.output.to_end()
        else:
            self._move(len(self.now.state.outline.steps))

    def do_page_down(self) -> None:
        """Half a page of output, or of what happened, down."""
        if self.showing == "decide":
            self.page_facts(1)
            return
        self.output.scroll(max(1, self._height // 4), self._height)

    def do_page_up(self) -> None:
        """Half a page of output, or of what happened, up."""
        if self.showing == "decide":
            self.page_facts(-1)
            return
        self.output.scroll(-max(1, self._height // 4), self._height)

    def scrolled(self, by: int) -> None:
        """Move the output with the wheel."""
        self.output.scroll(by, self._height)
        self.repaint()

    def clicked(self, kind: str, what: str) -> None:
        """Look at a step or a stage, or mark a choice; a click never confirms."""
        if kind == "step":
            step = self.now.state.outline.step(what)
            self.looking = replace(self.looking, viewed=Viewed(step.stage, step.id), host="")
            self._turn_output()
        elif kind == "stage" and what.isdigit():
            self.view_stage(int(what))
        elif kind == "mark":
            self.menu.to(what)
            self.answers.to(what)
        elif kind == "not-now":
            self.do_not_now()
