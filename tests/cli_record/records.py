"""Run folders for the record's tests: real journals of runs that the engine's rig drove, on an estate that is only a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.engine.rig import Rig

from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.codec import encode_event
from handrail.engine.results import Output, Result
from handrail.engine.words import ResultKind, Way
from handrail.runbook.bind import bind
from handrail.runbook.document import digest, read_document
from handrail.runbook.estate import examine_estate
from handrail.runbook.read import parse_runbook
from handrail.session.outline import outline_of
from handrail.session.preflight import with_preflight
from handrail.store.home import Home
from handrail.store.journal import Journal
from handrail.store.run_folder import RunFolder
from handrail.store.trusted import file_mode

RUNBOOK = """
format = 1
[runbook]
id = "tiny"
title = "Tiny"
roles = { primary = "one", dr = "one" }
rto = { target = "15m" }
[routes.planned]
title = "Both answer"
[routes.emergency]
title = "The primary is lost"
lost = ["primary"]

[[stage]]
id = "sync"
title = "Sync"
[[stage.step]]
id = "mask"
title = "Mask the old one"
on = "primary"
run = ["systemctl", "mask", "x"]
undo = { run = ["systemctl", "unmask", "x"] }

[[stage]]
id = "look"
title = "Look"
[[stage.step]]
id = "who"
title = "Who answers"
on = "dr"
reads = true
run = ["hostname"]
"""
ESTATE = """
format = 1
[estate]
name = "production"
known_hosts = "known_hosts"
[roles.primary]
host = "192.0.2.10"
[roles.dr]
name = "puppet-dr"
host = "192.0.2.11"
"""
SAID = b"puppet-dr\n"
Tale = Callable[[Rig], None]


class Then:
    """A clock that stands at one moment of the past."""

    def __init__(self, ago: timedelta) -> None:
        self.wall = datetime.now(UTC) - ago

    def now(self) -> datetime:
        return self.wall

    def mono(self) -> float:
        return 1000.0


def finished(rig: Rig) -> None:
    """Let everything pass."""
    for _ in rig.outline.stages:
        rig.stage()


def held(rig: Rig) -> None:
    """Let the last step fail, and leave."""
    rig.ends("look/who", Way.FORWARD, Result("dr", ResultKind.EXITED, sent=False, exit=1))
    finished(rig)
    rig.must(m.Leave(by="ana"))


def closed(rig: Rig) -> None:
    """Leave it and close it."""
    held(rig)
    rig.must(m.Close("nobody goes on", by="ana"))


def owing(rig: Rig) -> None:
    """Lose the primary after it was changed: its undo is owed, and the rest passes."""
    rig.stage()
    rig.stage()
    rig.must(m.Declare("emergency", "dark", by="ana"))
    finished_rest(rig)


def finished_rest(rig: Rig) -> None:
    """Go on to the end."""
    rig.stage()


def make_run(
    home: Home, run: str, mode: str = "LIVE", tale: Tale = finished, ago: timedelta = timedelta(hours=1), **inputs: str
) -> RunFolder:
    """Return the folder of a run that somebody drove some time ago."""
    made = home.make()
    place = made.path / "estate"
    place.mkdir(exist_ok=True)
    (place / "known_hosts").write_text("")
    estate, problems = examine_estate(
        read_document(ESTATE.encode(), "estate.toml"), place / "estate.toml", digest(ESTATE.encode()), ask=True
    )
    assert estate is not None, problems
    binding = bind(with_preflight(parse_runbook(RUNBOOK.encode(), "runbook.toml")), estate, {})
    given = {"estate_path": str(place / "estate.toml"), "values": {}, "mode": mode, **inputs}
    folder = RunFolder.create(made, run, runbook=RUNBOOK.encode(), inputs=given, estate=ESTATE.encode())
    rig = Rig(outline_of(binding, until_first_change=mode == "CHECK"))
    first = rig.journal[0]
    assert isinstance(first, e.RunOpened)
    opened = replace(
        first, run=run, mode=mode, runbook="tiny", digest=digest(RUNBOOK.encode()), estate="production", tool="0.1"
    )
    rig.journal.clear()
    rig.state = replace(rig.state, opened=None)
    rig.take(opened)
    output = Output(f"look-who.1.{run}.log", len(SAID), digest(SAID))
    rig.ends("look/who", Way.FORWARD, Result("dr", ResultKind.EXITED, sent=False, exit=0, output=output))
    rig.results.clear() if tale is not finished else None
    tale(rig)
    (folder.out / output.file).write_bytes(SAID)
    (folder.out / output.file).chmod(file_mode(folder.out))
    journal = Journal.create(folder.path, Then(ago), "ana", 1)
    for event in rig.journal:
        journal.append(*encode_event(event))
    journal.close()
    return folder


def spoil(folder: RunFolder, seq: int) -> None:
    """Change one letter of one record."""
    lines = folder.journal.read_bytes().split(b"\n")
    lines[seq - 1] = lines[seq - 1].replace(b'"at":', b'"aT":', 1)
    folder.journal.write_bytes(b"\n".join(lines))


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def make_longer(folder: RunFolder) -> None:
    """Let three notes be kept after a run's end: what is damaged then is not what made it done."""
    journal = Journal.open(folder.path, Then(timedelta(0)), "tom", 1)
    for text in ("one", "two", "three"):
        journal.append(*encode_event(e.NoteMade(99.0, text, "tom")))
    journal.close()


def append_newer(folder: RunFolder) -> None:
    """Append a record as a later version would write it."""
    data = folder.journal.read_bytes()
    fields = json.loads(data.splitlines()[-1])
    head = fields.pop("h")
    after = {**fields, "v": 2, "prev": head, "seq": fields["seq"] + 1, "event": "something_new", "body": {"at": 99.5}}
    text = json.dumps(after, separators=(",", ":"))
    sealed = hashlib.sha256((head + text).encode()).hexdigest()
    folder.journal.write_bytes(data + f'{text[:-1]},"h":"{sealed}"}}\n'.encode())
