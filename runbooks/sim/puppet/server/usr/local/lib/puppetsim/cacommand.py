"""`puppetserver ca list|sign|revoke|clean`: over HTTPS, to whatever `ca_server` resolves to, not to the box one is on."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Final

from puppetsim.settings import Settings, load
from puppetsim.wire import Link, Unreachable

_PREFIX: Final = "/puppet-ca/v1"
_HEADS: Final = {
    "requested": "Requested Certificates:",
    "signed": "Signed Certificates:",
    "revoked": "Revoked Certificates:",
}


def _fail(text: str) -> int:
    print(f"Error:\n    {text}", file=sys.stderr)
    return 1


def _names(argv: Sequence[str]) -> list[str]:
    """Return the names after every `--certname`, commas taken apart."""
    given = [argv[i + 1] for i, word in enumerate(argv[:-1]) if word == "--certname"]
    given += [word.partition("=")[2] for word in argv if word.startswith("--certname=")]
    return [name for text in given for name in text.split(",")]


def _statuses(link: Link) -> list[dict[str, str]]:
    status, body = link.request("GET", f"{_PREFIX}/certificate_statuses/any_key")
    if status != 200:
        raise Unreachable(f"code: {status}\n    body: {body.decode(errors='replace')}")
    return [{key: str(value) for key, value in entry.items()} for entry in json.loads(body)]


def _desire(link: Link, name: str, state: str) -> bool:
    body = json.dumps({"desired_state": state}).encode()
    return link.request("PUT", f"{_PREFIX}/certificate_status/{name}", body)[0] == 204


def _list(link: Link, argv: Sequence[str]) -> int:
    names, everything = _names(argv), "--all" in argv
    entries = [e for e in _statuses(link) if not names or e["name"] in names]
    groups = {state: [e for e in entries if e["state"] == state] for state in _HEADS}
    shown = {s: g for s, g in groups.items() if s == "requested" or everything or names}
    if "--format=json" in argv or ("--format" in argv and "json" in argv):
        print(json.dumps(shown))
        return 0
    if not any(shown.values()):
        print("No certificates to list")
        return 1 if names else 0
    for state, group in shown.items():
        if group:
            print(_HEADS[state])
        for entry in group:
            print(f"    {entry['name']:<28} (SHA256)  {entry['fingerprint']}")
    return 0


def _sign(link: Link, argv: Sequence[str]) -> int:
    names = _names(argv)
    if "--all" in argv:
        names = [entry["name"] for entry in _statuses(link) if entry["state"] == "requested"]
    if not names:
        return _fail("No waiting certificate requests to sign")
    code = 0
    for name in names:
        if _desire(link, name, "signed"):
            print(f"Successfully signed certificate request for {name}")
        else:
            code = _fail(f"Could not find certificate request for {name}")
    return code


def _revoke(link: Link, argv: Sequence[str]) -> int:
    code = 0
    for name in _names(argv):
        if _desire(link, name, "revoked"):
            print(f"Certificate for {name} has been revoked")
        else:
            code = _fail(f"Could not find certificate for {name}")
    return code


def _clean(link: Link, argv: Sequence[str]) -> int:
    code = 0
    for name in _names(argv):
        if _desire(link, name, "revoked"):
            print(f"Certificate for {name} has been revoked")
        if link.request("DELETE", f"{_PREFIX}/certificate_status/{name}")[0] == 204:
            print(f"Cleaned files related to {name}")
        else:
            code = _fail(f"Could not find files to clean for {name}")
    return code


_ACTIONS: Final = {"list": _list, "sign": _sign, "revoke": _revoke, "clean": _clean}


def main(argv: Sequence[str]) -> int:
    """Do one action; return the exit code."""
    verb = argv[0] if argv else ""
    if verb not in _ACTIONS:
        return _fail(f"puppetserver ca {verb}: not known to this stand-in")
    settings: Settings = load("server")
    try:
        with Link(settings, settings["ca_server"]) as link:
            link.call_yourself("PuppetserverCaCli")
            return _ACTIONS[verb](link, argv[1:])
    except Unreachable as fault:
        place = f"https://{settings['ca_server']}:{settings['ca_port']}{_PREFIX}"
        print(f"Fatal error when running action '{verb}'\n  Error: Failed connecting to {place}", file=sys.stderr)
        print(f"  Root cause: {fault}", file=sys.stderr)
        return 1
