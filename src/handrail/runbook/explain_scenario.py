"""What the problems of a scenario's or a coach's file mean. Words only."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "scenario-when": """\
An act of a scenario comes once: before the run, or at one event of it, and `after` says how long after that. `after` alone
counts from the run's beginning.

    when = { starts = "copy/sync", after = "2s" }""",
    "scenario-verb": """\
A scenario touches the estate through its control socket only, and the socket knows these verbs. A role's name stands for
its host.

    do = ["power primary off", "exec dr systemctl restart app"]""",
    "scenario-check": """\
Each check of a scenario asks one thing: a command on a host, where the name leads, or what the run has done.

    [[check]]
    title = "The name leads to the DR server"
    name_leads_to = "dr\"""",
    "scenario-card": """\
A message reaches the operator at one moment: so long after the run's beginning, or at an event of it.

    [[card]]
    at = "4m"
    say = "The CTO asks for an ETA"
    by = "the duty manager\"""",
    "scenario-step": """\
The scenario waits for a step that its runbook does not have; its act would never come. Steps are renamed, and scenarios
have to follow.

    when = { passed = "copy/sync" }""",
    "scenario-route": """\
The scenario begins on a route that its runbook does not have.

    [scenario]
    route = "emergency\"""",
    "coach-when": """\
A coach's note is shown once, at one moment of the run.

    when = { shut = "switch/dns" }""",
    "coach-step": """\
The note waits for a step that its runbook does not have; it would never be shown. Steps are renamed, and coaches have to
follow.

    when = { next = "copy/sync" }""",
    "coach-long": """\
A note is read by somebody whose heart beats: it says one thing, and what to do. What is longer belongs into the guide.""",
    "unknown-scenario": """\
A scenario is named by its file or by its name: the file's, without `.toml`. It is looked up in `scenarios` in this folder
and in `runbooks`, and among those that come with the program.

    handrail drill --scenarios""",
}
