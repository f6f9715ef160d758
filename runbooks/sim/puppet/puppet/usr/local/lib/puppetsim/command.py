"""`puppet`: config, agent and ssl, as far as a failover needs them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from puppetsim import settings as conf
from puppetsim.settings import VERSION, Settings

_OVER: Final = frozenset(
    {"certname", "server", "ca_server", "ssldir", "cadir", "serverport", "environment", "vardir", "confdir"}
    | {"waitforlock", "maxwaitforlock", "runinterval", "http_connect_timeout", "splaylimit"}
)
_IGNORED: Final = frozenset({"waitforcert", "color", "logdest", "digest", "masterport"})


def split_options(argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the words of a command line, and the settings it overrides."""
    words, over, rest = [], {}, list(argv)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or name not in _OVER | _IGNORED:
            words.append(word)
            continue
        if not equals:
            value = rest.pop(0) if rest else ""
        if name in _OVER:
            over[name] = value
    return words, over


def _section(words: list[str]) -> tuple[list[str], str]:
    """Return the words without `--section S`, and S."""
    left, section, rest = [], "main", list(words)
    while rest:
        word = rest.pop(0)
        if word == "--section" and rest:
            section = rest.pop(0)
        elif word.startswith("--section="):
            section = word.partition("=")[2]
        elif word not in ("--render-as", "--verbose", "--debug"):
            left.append(word)
    return left, {"master": "server", "user": "main"}.get(section, section)


def config(words: list[str], over: Settings) -> int:
    """Do `puppet config print|set`."""
    left, section = _section(words)
    verb, keys = (left[0], left[1:]) if left else ("print", [])
    if verb == "set" and len(keys) == 2:
        conf.store(section, *keys)
        return 0
    if verb != "print":
        return _usage(f"puppet config {verb}")
    known = conf.load(section, over)
    if len(keys) == 1 and keys[0] != "all":
        print(known.get(keys[0], ""))
        return 0
    for key in sorted(known if not keys or keys == ["all"] else keys):
        print(f"{key} = {known.get(key, '')}")
    return 0


def ssl_command(words: list[str], over: Settings) -> int:
    """Do `puppet ssl clean|bootstrap|submit_request|download_cert|verify`."""
    from puppetsim.agent import ensure_certificate, to_terminal

    known = conf.load("agent", over)
    verb = words[0] if words else ""
    if verb == "clean":
        names = {"localcacert": "local CA certificate", "hostcrl": "local CRL"} if "--localca" in words else {}
        names |= {"hostprivkey": "private key", "hostcert": "certificate", "hostcsr": "certificate request"}
        for key, what in names.items():
            if Path(known[key]).exists():
                Path(known[key]).unlink()
                print(f"Notice: Removed {what} {known[key]}")
        return 0
    if verb == "verify":
        ready = Path(known["hostcert"]).exists()
        print(f"Verified client certificate 'CN={known['certname']}'" if ready else "Error: no client certificate")
        return 0 if ready else 1
    if verb in ("bootstrap", "submit_request", "download_cert"):
        return 0 if ensure_certificate(known, to_terminal) else 1
    return _usage(f"puppet ssl {verb}")


def _usage(what: str) -> int:
    print(f"Error: {what}: not known to this stand-in", file=sys.stderr)
    return 1


def main(argv: Sequence[str]) -> int:
    """Do what a `puppet` command line asks; return the exit code."""
    words, over = split_options(argv)
    verb = words[0] if words else ""
    if verb in ("--version", "-V"):
        print(VERSION)
        return 0
    if verb == "config":
        return config(words[1:], over)
    if verb == "ssl":
        return ssl_command(words[1:], over)
    if verb == "agent":
        from puppetsim.agent import main as agent

        return agent(words[1:], over)
    return _usage(f"puppet {verb}")
