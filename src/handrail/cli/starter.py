"""The texts `handrail init` writes: a small runbook that lints, and an estate file with the words that go with it."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import tomli_w


def _quoted(text: str) -> str:
    return tomli_w.dumps({"x": text}).partition("=")[2].strip()


def runbook_text(fqdn: str) -> str:
    """Return a runbook: check that the DR serves, point the name at it, verify, and the way back."""
    return f"""\
format = 1

[runbook]
id = "failover"
title = "Fail {fqdn} over to the DR site"
summary = "Moves every client by changing one DNS name. Made by `handrail init`: replace what is not true for you."
owner = "on-call"
rto = {{ target = "15m" }}
roles = {{ primary = "one", dr = "one" }}

[routes.planned]
title = "Both sites answer"

[routes.emergency]
title = "The primary is lost"
lost = ["primary"]

[vars.fqdn]
type = "fqdn"
help = "The name clients connect to"
default = {_quoted(fqdn)}

# ---------------------------------------------------------------- nothing changes in this stage
[[stage]]
id = "checks"
title = "Pre-checks"
why = "Find out now whether the failover can finish, and come back."
reads = true
together = true

[[stage.step]]
id = "dr-serves"
title = "The DR server answers"
why = "A name must never be pointed at a machine that does not serve."
on = "dr"
run = ["true"]                                  # replace: ask the service itself, as a client would
good = "It answers."

# ---------------------------------------------------------------- from here on clients move
[[stage]]
id = "switch"
title = "DNS switch"
line = "clients move"

[[stage.step]]
id = "dns"
title = "Point {{{{ fqdn }}}} at the DR server"
why = "This is what moves the clients."
confirm = "{{{{ dr.address }}}}"
recheck = ["checks/dr-serves"]
undo = "restore"
dns = {{ name = "{{{{ fqdn }}}}", from = "{{{{ primary.address }}}}", to = "{{{{ dr.address }}}}" }}

[[stage]]
id = "verify"
title = "Verification"
reads = true

[[stage.step]]
id = "caches"
title = "Old answers run out"
wait = {{ until = "switch/dns" }}

[[stage.step]]
id = "served"
title = "Clients are served by the DR server"
on = "dr"
run = ["true"]                                  # replace: look into the service's own log
within = "5m"
"""


def _address(host: str) -> str:
    """Return a host's address: as written, or looked up, or as written for want of better."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return socket.gethostbyname(host)
    except OSError:
        return host


def estate_text(primary: str, dr: str, fqdn: str, server: str, user: str) -> str:
    """Return an estate file."""
    zone = fqdn.partition(".")[2] or fqdn
    become = (
        ""
        if user == "root"
        else 'become = "sudo"                                 # sudo -n: a rule without a password\n'
    )
    return f"""\
format = 1

[estate]
name = "production"
class = "production"                            # or "staging": LIVE's rules under a REHEARSAL banner
known_hosts = "known_hosts"                     # written by `handrail trust`

[roles.primary]
host = {_quoted(primary)}                       # a management name or address, never the name that is switched
user = {_quoted(user)}
{become}address = {_quoted(_address(primary))}          # what the name answers when this host serves

[roles.dr]
host = {_quoted(dr)}
user = {_quoted(user)}
{become}address = {_quoted(_address(dr))}

[dns]
provider = "rfc2136"
zone = {_quoted(zone)}
servers = [{_quoted(_address(server))}]         # every authoritative server; the first takes the updates
key_file = "dr-switch.key"                      # BIND's own key file format, mode 0600

[vars]
fqdn = {_quoted(fqdn)}
"""
