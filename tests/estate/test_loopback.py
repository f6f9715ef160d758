"""There and back over real OpenSSH and BIND where no namespaces are allowed: nothing of the two is left untried."""

from __future__ import annotations

from pathlib import Path

from tests.estate.driving import REASON
from tests.estate.loopback import FQDN, NEW, OLD, up
from tests.estate.parts import need
from tests.runbooks.bed import drive, is_done, stands_at, to_the_end

from handrail.engine.outcome import outcome
from handrail.engine.words import Outcome
from handrail.plain.auto import Auto
from handrail.session.opening import Opening, open_run
from handrail.session.view import Mode
from handrail.store.home import Home

RUNBOOK = f"""\
format = 1
[runbook]
id = "move-app"
title = "Move the application"
roles = {{ primary = "one", dr = "one" }}
[routes.planned]
title = "Both answer"
[[stage]]
id = "look"
title = "Look around"
reads = true
together = true
[[stage.step]]
id = "there"
title = "Both hosts are there"
on = ["primary", "dr"]
run = ["id", "-un"]
expect = {{ same = true }}
[[stage]]
id = "start"
title = "Start it"
[[stage.step]]
id = "app"
title = "Start the application at the DR host"
on = "dr"
run = ["touch", "{{{{ dr.made }}}}"]
probe = {{ run = ["test", "-e", "{{{{ dr.made }}}}"], done = {{ exit = 0 }}, not_done = {{ exit = 1 }} }}
undo = {{ run = ["rm", "-f", "{{{{ dr.made }}}}"] }}
[[stage]]
id = "switch"
title = "Switch"
line = "clients move"
[[stage.step]]
id = "dns"
title = "Point the name at the DR host"
confirm = "{{{{ dr.address }}}}"
recheck = ["look/there"]
undo = "restore"
dns = {{ name = "{FQDN}", from = "{{{{ primary.address }}}}", to = "{{{{ dr.address }}}}" }}
"""


async def test_there_and_back(tmp_path: Path) -> None:
    need("OpenSSH", "BIND")
    file = tmp_path / "move-app.toml"
    file.write_text(RUNBOOK)
    async with up(tmp_path) as estate:
        session = open_run(Home(tmp_path / "home").make(), Opening(file, estate.file, Mode.LIVE, reason=REASON))
        there = await drive(session)
        assert is_done(there), stands_at(there)
        assert await estate.answers() == {(NEW,)}
        assert (tmp_path / "dr/made").exists()
        state = await to_the_end(session, Auto(then_undo=True))
        assert outcome(state) is Outcome.UNDONE
        assert await estate.answers() == {(OLD,)}
        assert not (tmp_path / "dr/made").exists()
