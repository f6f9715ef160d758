"""Runbooks and estates as these benchmarks need them: of any length, with changes, undos, probes and verifies in them."""

from __future__ import annotations

from pathlib import Path

HEAD = """format = 1
[runbook]
id = "long"
title = "A long walk"
summary = "Many steps"
owner = "benchmarks"
roles = {{ one = "one", many = "many" }}
[routes.planned]
title = "The only one"
[vars.word]
type = "text"
default = "word"
help = "A word that stands in every step"
"""
STAGE = """
[[stage]]
id = "s{stage}"
title = "Stage {stage}"
why = "Ten steps belong together."
"""
READ = """
[[stage.step]]
id = "step{step}"
title = "Read number {step}"
on = "one"
reads = true
run = ["echo", "{{{{ word }}}}{step}"]
expect = {{ stdout = "{{{{ word }}}}{step}" }}
"""
CHANGE = """
[[stage.step]]
id = "step{step}"
title = "Change number {step}"
on = "one"
run = ["sh", "-c", "echo x > /tmp/{step}"]
probe = {{ run = ["test", "-e", "/tmp/{step}"], done = {{ exit = 0 }}, not_done = {{ exit = 1 }} }}
undo = {{ run = ["rm", "-f", "/tmp/{step}"] }}
[[stage.step.verify]]
run = ["cat", "/tmp/{step}"]
expect = {{ stdout = "x" }}
"""


def long_runbook(steps: int) -> str:
    """Return a runbook of that many steps, ten in a stage, every fourth one a change."""
    made = [HEAD.format()]
    for number in range(1, steps + 1):
        if number % 10 == 1:
            made.append(STAGE.format(stage=number // 10 + 1))
        made.append((READ if number % 4 else CHANGE).format(step=number))
    return "".join(made)


def estate(
    known_hosts: Path, hosts: dict[str, tuple[str, int]], *, many: int = 1, identity: Path | None = None, user: str = ""
) -> str:
    """Return an estate file: role "one" and role "many" at these addresses and ports."""
    more = (f'user = "{user}"\n' if user else "") + (f'identity = "{identity}"\n' if identity else "")
    where, port = hosts["one"]
    named = ", ".join(f'{{ name = "many{n}", host = "{where}", port = {port} }}' for n in range(many))
    return (
        f'format = 1\n[estate]\nname = "bench"\nclass = "production"\nknown_hosts = "{known_hosts}"\n'
        f'[roles.one]\nhost = "{where}"\nport = {port}\n{more}[roles.many]\nhosts = [{named}]\n{more}'
    )
