"""What is said about names, order and routes."""

from __future__ import annotations

from typing import Final

TEXTS: Final = {
    "unknown-role": """\
The runbook's roles are declared once, and this is none of them.

    [runbook]
    roles = { primary = "one", dr = "one", clients = "many" }""",
    "unknown-step": """\
There is no step of that name. A step is named `stage/step`.""",
    "unknown-route": """\
The routes are the tables [routes.X]; without any there is one, `planned`.

    only = "emergency\"""",
    "unknown-name": """\
Nobody gives this name a value. Variables are declared in [vars.x]; facts of a role are written with the role.

    [vars.fqdn]
    type = "fqdn"

    {{ fqdn }}   {{ dr.address }}   {{ here.ssl_dir }}""",
    "not-a-name": """\
Between the braces stands something else than a name: there are no expressions, no filters, no defaults. A program that
itself wants such braces (docker's --format) can be called from a `script`, in which nothing is replaced.

    script = "docker inspect -f '{{.State.Running}}' web\"""",
    "fact-of-many": """\
A role of many hosts has no single address or fact. In a step that runs on them, `{{ here.address }}` is the host that
is being spoken to; of all together only `names` and `count` can be told.""",
    "here-nowhere": """\
`here` is the host being spoken to, and this text is not for a host.

    {{ dr.address }}""",
    "step-later": """\
The step that is named has not run yet when it is needed: its result, or its beginning, cannot be used.""",
    "capture-used-early": """\
The value is captured by a step that has not passed when it is needed: a later one, one of the same `together` stage, or,
for an undo, the step itself. (An undo is resolved and written down before its step is sent.)""",
    "name-lost": """\
On one of the routes the host that the value is captured from is lost, so that the step could not be resolved there. A
capture with `remember` may come from the last good CHECK instead.

    capture = { serial = '^([0-9A-F]+)$' }
    remember = "24h\"""",
    "line-needs-confirm": """\
Where clients move, the operator types the new value before the first change of the stage, on every route: the address
that clients will get, not "yes".

    line = "clients move"           # the stage
    confirm = "{{ dr.address }}"    # its first change""",
    "line-needs-recheck": """\
What was true an hour ago is not enough to move clients: the step names reads that are asked again when its gate opens,
and at least one of them must be possible on every route.

    recheck = ["checks/dr-serves"]""",
    "line-without-change": """\
The stage draws CLIENTS MOVE and changes nothing.""",
    "route-empty": """\
On this route every step has lost its hosts: there is nothing to do.""",
    "never-needed": """\
No route needs this step: `only` names a route on which its hosts are lost.""",
    "verify-lost": """\
On this route everybody whom the verify asks is lost, so the step would pass with less proof than on the others.""",
    "rto-lost": """\
The clock stops when the step of `rto.until` has passed, and on this route it is not needed.

    rto = { target = "15m", until = "clients/canaries" }""",
}
