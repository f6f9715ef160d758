"""What a person's ssh_config says of a host, and what in it has no effect here. It opens no connection.

asyncssh reads the file; here stands what Handrail itself has to know of it: the way through other hosts, and the keys.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

import asyncssh

from handrail.base.frozen import dataclass
from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.ssh.target import Target

MOST_HOPS: Final = 8

# What asyncssh reads of an ssh_config and Handrail leaves alone.
HONOURED: Final = frozenset(
    {
        "host",
        "match",
        "include",
        "addressfamily",
        "bindaddress",
        "canonicaldomains",
        "canonicalizefallbacklocal",
        "canonicalizehostname",
        "canonicalizemaxdots",
        "canonicalizepermittedcnames",
        "casignaturealgorithms",
        "certificatefile",
        "hostname",
        "identitiesonly",
        "identityagent",
        "identityfile",
        "kexalgorithms",
        "macs",
        "pkcs11provider",
        "port",
        "preferredauthentications",
        "proxycommand",
        "proxyjump",
        "pubkeyauthentication",
        "rekeylimit",
        "tag",
        "tcpkeepalive",
        "user",
    }
)
# What it may not say here, and why.
NEVER: Final = {
    "userknownhostsfile": "host keys are pinned in the estate's known_hosts",
    "globalknownhostsfile": "host keys are pinned in the estate's known_hosts",
    "stricthostkeychecking": "an unknown host key is always refused",
    "hostkeyalias": "the estate's host_key_alias decides",
    "hostkeyalgorithms": "the pinned keys decide",
    "verifyhostkeydns": "host keys are pinned in the estate's known_hosts",
    "knownhostscommand": "host keys are pinned in the estate's known_hosts",
    "updatehostkeys": "known_hosts is written by `handrail trust` only",
    "ciphers": "Handrail's own list is used",
    "compression": "nothing is compressed",
    "controlmaster": "Handrail keeps its own connection",
    "controlpath": "Handrail keeps its own connection",
    "controlpersist": "Handrail keeps its own connection",
    "remotecommand": "the runbook says what runs",
    "requesttty": "the runbook says what runs",
    "localcommand": "nothing is run here",
    "permitlocalcommand": "nothing is run here",
    "forwardagent": "no agent is ever forwarded",
    "forwardx11": "nothing is forwarded",
    "forwardx11trusted": "nothing is forwarded",
    "localforward": "nothing is forwarded",
    "remoteforward": "nothing is forwarded",
    "dynamicforward": "nothing is forwarded",
    "sendenv": "the environment is not sent",
    "setenv": "the environment is not sent",
    "addkeystoagent": "no key is added to an agent",
    "serveraliveinterval": "Handrail's own keepalive is used",
    "serveralivecountmax": "Handrail's own keepalive is used",
    "connecttimeout": "Handrail's own timeouts are used",
    "passwordauthentication": "a host that asks for a password is answered",
    "kbdinteractiveauthentication": "a host that asks for a code is answered",
    "challengeresponseauthentication": "a host that asks for a code is answered",
    "hostbasedauthentication": "keys and codes are used",
    "gssapiauthentication": "keys and codes are used",
    "gssapikeyexchange": "keys and codes are used",
    "gssapidelegatecredentials": "keys and codes are used",
}


@dataclass(frozen=True)
class Said:
    """What an ssh_config says of one host: what is connected to, the hops before it, and the keys to offer."""

    host: str = ""  # HostName, in small letters; "" where it says none
    hops: tuple[str, ...] = ()
    identities: tuple[Path, ...] = ()
    only: bool = False  # IdentitiesOnly
    agent: str | None = None  # IdentityAgent; "" for none


def said_of(target: Target) -> Said:
    """Return what the target's ssh_config says; raise `Trouble` (ssh-config) when it cannot be read."""
    if target.ssh_config is None:
        return Said()
    try:
        options = asyncssh.SSHClientConnectionOptions(
            config=[str(target.ssh_config.expanduser())],
            host=target.host,
            username=target.user or (),
            client_keys=None,
            agent_path=None,
        )
    except (OSError, ValueError) as error:
        raise trouble("ssh-config", f"the ssh_config cannot be read: {safe(str(error), 300)}") from None
    jump, config = options.tunnel, options.config
    hops = tuple(hop.strip() for hop in jump.split(",")) if isinstance(jump, str) and jump.lower() != "none" else ()
    files = cast("list[str]", config.get("IdentityFile") or [])
    agent = config.get("IdentityAgent")
    return Said(
        host=str(options.host).lower().rstrip("."),
        hops=tuple(hop for hop in hops if hop),
        identities=tuple(Path(name).expanduser() for name in files),
        only=bool(config.get("IdentitiesOnly")),
        agent=None if agent is None else "" if str(agent).lower() == "none" else str(agent),
    )


def way_to(target: Target) -> tuple[Target, ...]:
    """Return the hosts through which a target is reached, nearest first, each pinned in the same known_hosts.

    As with ssh(1), the first of several hops may itself stand behind one, by its own entry; of the others the
    ProxyJump is not read. Raises `Trouble` (ssh-config) for a circle.
    """
    way: list[Target] = []
    here = target
    while True:
        hops = [_hop(target, written) for written in said_of(here).hops]
        if not hops:
            return tuple(way)
        way = hops + way
        if len(way) > MOST_HOPS:
            raise trouble(
                "ssh-config",
                f"{safe(target.name)}: ProxyJump leads through more than {MOST_HOPS} hosts",
                "does one of them lead back to itself?",
            )
        here = way[0]


def _hop(target: Target, written: str) -> Target:
    """Return the target that "user@host:port" of a ProxyJump names."""
    user, _, place = written.removeprefix("ssh://").rpartition("@")
    host, _, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    if not host or (":" in host and not host.startswith("[")):
        host, port = place, ""
    if port and not (port.isascii() and port.isdigit()):
        raise trouble("ssh-config", f"ProxyJump {safe(written, 80)!r} is not a host", "write user@host:port")
    bare = host.strip("[]")
    hop = replace(target, key=f"jump {written}", name=bare, host=bare, port=int(port or 0), user=user)
    hop = replace(hop, host_key_alias="", become="")
    return replace(hop, identity=None) if said_of(hop).identities else hop


def ignored_options(path: Path) -> list[str]:
    """Return a sentence for each option of an ssh_config that has no effect here, with its file and line."""
    found: list[str] = []
    _read_options(path.expanduser(), found, depth=0)
    return found


def _read_options(path: Path, found: list[str], depth: int) -> None:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        found.append(f"{safe(str(path))}: cannot be read: {safe(error.strerror or '')}")
        return
    for number, line in enumerate(lines, 1):
        words = _words(line)
        if not words:
            continue
        option = words[0].lower()
        if option == "include" and depth < 16:
            for pattern in words[1:]:
                for each in _included(pattern):
                    _read_options(each, found, depth + 1)
        elif option not in HONOURED:
            why = NEVER.get(option, "Handrail does not know it")
            found.append(f"{safe(str(path))}:{number}: {safe(words[0])} is ignored: {why}")


def _words(line: str) -> list[str]:
    text = line.strip()
    if not text or text.startswith("#"):
        return []
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    first, mark, rest = words[0].partition("=")
    return [first, *([rest] if mark and rest else []), *words[1:]]


def _included(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    path = path if path.is_absolute() else Path("~/.ssh").expanduser() / path
    return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
