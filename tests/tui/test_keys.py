"""The registry of keys: no screen binds a key twice, everything bound can be done, remapping refuses a clash."""

from __future__ import annotations

from pathlib import Path

import pytest

from handrail.base.problems import Trouble
from handrail.tui.app import HandrailApp
from handrail.tui.dialogs import AskWords, Box, Choose
from handrail.tui.keys import DEFAULT, SCOPES, TYPING, Keys, clashes
from handrail.tui.pages.briefing import BriefingPage
from handrail.tui.pages.commands import CommandsPage
from handrail.tui.pages.contact import ContactPage
from handrail.tui.pages.debrief import DebriefPage
from handrail.tui.pages.help import HelpPage
from handrail.tui.pages.home import HomePage
from handrail.tui.pages.instructing import InstructPage
from handrail.tui.pages.log import LogPage
from handrail.tui.pages.plan import PlanPage
from handrail.tui.pages.replay import ReplayPage
from handrail.tui.pages.run import RunPage
from handrail.tui.pages.takeover import TakeoverPage
from handrail.tui.pages.undo import UndoPage
from handrail.tui.pages.waiting import WaitingPage

PAGES = {
    "home": HomePage,
    "briefing": BriefingPage,
    "contact": ContactPage,
    "run": RunPage,
    "gate": RunPage,
    "decide": RunPage,
    "question": RunPage,
    "undo": UndoPage,
    "log": LogPage,
    "plan": PlanPage,
    "debrief": DebriefPage,
    "help": HelpPage,
    "choose": Choose,
    "ask": AskWords,
    "box": Box,
    "commands": CommandsPage,
    "waiting": WaitingPage,
    "takeover": TakeoverPage,
    "replay": ReplayPage,
    "instruct": InstructPage,
}


def test_no_screen_binds_a_key_twice() -> None:
    assert clashes(Keys()) == ()


@pytest.mark.parametrize("scope", SCOPES)
def test_every_key_of_a_screen_does_something(scope: str) -> None:
    page = PAGES[scope]
    for key in Keys().of(scope):
        if key.action.startswith("stage-"):
            continue
        name = "do_" + key.action.replace("-", "_")
        assert hasattr(page, name) or hasattr(HandrailApp, name), f"{scope}: nothing does {key.action}"


@pytest.mark.parametrize("scope", sorted(TYPING))
def test_where_one_types_no_letter_is_a_key(scope: str) -> None:
    for key in Keys().of(scope):
        for name in key.keys:
            assert len(name) > 1 or name == "!", f"{scope}: {name} could not be typed"


def test_every_screen_can_be_left_and_explained() -> None:
    for scope in SCOPES:
        actions = {k.action for k in Keys().of(scope)}
        assert actions & {"back", "leave", "not-now", "refuse", "close"}, scope


def test_a_key_can_be_moved() -> None:
    keys = Keys().remapped({"run/pause": "P", "note": "N"})
    assert keys.action("run", "P") == "pause"
    assert keys.action("run", "space") == ""
    assert keys.action("decide", "space") == "pause"
    assert keys.action("log", "N") == "note"


def test_a_clash_is_refused() -> None:
    with pytest.raises(Trouble, match="is bound to pause and to undo"):
        Keys().remapped({"run/pause": "u"})


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(Trouble, match="no action 'explode'"):
        Keys().remapped({"explode": "u"})


def test_every_key_says_what_it_does() -> None:
    assert all(key.label and key.help and key.scopes and key.keys for key in DEFAULT)
    assert all(scope in SCOPES for key in DEFAULT for scope in key.scopes)


def test_the_registry_is_the_only_place_of_keys() -> None:
    """No page has Textual bindings of its own."""
    source = Path(__file__).parents[2] / "src" / "handrail" / "tui"
    for path in source.rglob("*.py"):
        text = path.read_text()
        assert "Binding(" not in text, path
        assert "    def key_" not in text, path
