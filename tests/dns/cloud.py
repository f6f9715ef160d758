"""A small cloud's command line, as a program: JSON, an account's limits, an answer before anything has happened.

cloud.py STATE get NAME TYPE; cloud.py STATE set NAME TYPE TTL VALUE. The state is a JSON file: `record` is what the account
says, `limited` how many calls from now on are refused as too many, `then` what happens at the next `set` (`killed`: the
program dies once the cloud has it; `denied`), `calls` what was called. The name servers are not its own business.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any


def save(state: Path, told: dict[str, Any]) -> None:
    """Write the state, for readers whole at every moment."""
    beside = state.with_suffix(".new")
    beside.write_text(json.dumps(told))
    beside.replace(state)


def main(state: Path, verb: str, name: str, kind: str, *more: str) -> int:
    """Do one call; return the exit code."""
    told: dict[str, Any] = json.loads(state.read_text())
    told.setdefault("calls", []).append(" ".join((verb, *more)))
    if told.get("limited", 0) > 0:
        told["limited"] -= 1
        save(state, told)
        print("An error occurred (Throttling) when calling the operation: Rate exceeded", file=sys.stderr)
        return 254
    if verb == "get":
        save(state, told)
        print(json.dumps({"name": name, "type": kind, **told["record"]}))
        return 0
    then = told.pop("then", "")
    if then != "denied":
        told["record"] = {"values": more[1:], "ttl": int(more[0])}
    save(state, told)
    if then == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if then == "denied":
        print("AccessDenied: not this record", file=sys.stderr)
        return 1
    print(json.dumps({"change": "c-1", "status": "PENDING"}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
