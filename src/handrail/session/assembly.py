"""The session of a run, put together: state from the events, connections, the core. What opening and resuming share."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from functools import partial

from handrail.base.clock import Clock
from handrail.engine import events as e
from handrail.engine.evolve import fold
from handrail.runbook.bind import Binding, moving_names
from handrail.session import scenarios
from handrail.session.asking import Given, Ways
from handrail.session.core import Core
from handrail.session.farewell import say_farewell
from handrail.session.outline import outline_of
from handrail.session.people import operator
from handrail.session.recorded import run_info
from handrail.session.session import Files, Session
from handrail.session.snapshots import Shown
from handrail.session.view import Mode
from handrail.ssh.links import HostFacts
from handrail.store.home import Home


def ways_for(binding: Binding, given: Given) -> Ways:
    """Return a console's connections for a binding, and the questions they ask."""
    ways = Ways.made(given, _apart(binding))
    ways.links.moving = moving_names(binding.runbook, binding.values)
    return ways


def assembled(
    home: Home, files: Files, binding: Binding, events: list[e.Event], clock: Clock, *, start: float, ways: Ways
) -> Session:
    """Return the session that goes on from a run's events; `start` is the monotonic time at which its run seconds began."""
    opened = next(event for event in events if isinstance(event, e.RunOpened))
    mode = Mode(opened.mode)
    outline = outline_of(binding, until_first_change=mode is Mode.CHECK)
    state = fold(outline, events)
    ways.links.moving = moving_names(binding.runbook, binding.values)  # a briefing's ways did not know every answer
    secrets = tuple(binding.secrets.values())
    files.journal.hide(secrets)
    shown = Shown(run_info(files.folder, files.journal.records, binding, opened, clock))

    def make(session: Session) -> Core:
        return Core(
            teller=session,
            binding=binding,
            run=opened.run,
            operator=operator(),
            host=socket.gethostname(),
            clock=clock,
            links=ways.links,
            asking=ways.asking,
            out=files.folder.out,
            now=_run_seconds(clock, start),
            state=state,
            secrets=secrets,
            anchor=lambda: (len(files.journal.records), files.journal.head),
        )

    scenario = partial(scenarios.news, files.folder) if opened.scenario else None
    session = Session(files, shown, make, partial(say_farewell, home, files.folder), scenario)
    _recall_hosts(session.core, events)
    return session


def _recall_hosts(core: Core, events: Sequence[e.Event]) -> None:
    """Tell the links what each host was like when this run last began a job there: absence is held against it.

    Where the claim was released, the run's jobs were forgotten with it: what is found there since is made anew by ourselves.
    """
    known: dict[str, HostFacts] = {}
    for event in events:
        if isinstance(event, e.Noted) and "marker" in event.data:
            known[event.host] = HostFacts(event.data["boot"], event.data["marker"])
        if isinstance(event, e.ClaimReleased):
            known = {host: facts for host, facts in known.items() if host not in event.hosts}
    for host, facts in known.items():
        core.links.recall(core.target(host), core.run, facts)


def _run_seconds(clock: Clock, start: float) -> Callable[[], float]:
    return lambda: round(clock.mono() - start, 3)


def _apart(binding: Binding) -> tuple[str, ...]:
    """Return the hosts that must be different machines: those of the one-roles."""
    return tuple(role for role, kind in binding.runbook.roles.items() if kind == "one")
