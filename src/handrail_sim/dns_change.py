"""`python -m handrail_sim.dns_change`: set or delete one record set by a signed update, as another operator would.

For scenarios: somebody moves the name meanwhile, leaves a second address, puts an alias in its place. It asks nothing
beforehand: what it is told, it sends.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import dns.exception
import dns.name
import dns.query
import dns.tsig
import dns.update

from handrail_sim.dns_keys import parse_keys
from handrail_sim.dns_sockets import parse_endpoint


def build(
    zone: str, key: dns.tsig.Key, name: str, rdtype: str, ttl: int, values: Sequence[str]
) -> dns.update.UpdateMessage:
    """Return the update that makes these values the whole set; no values delete it; raise `DNSException`."""
    message = dns.update.UpdateMessage(zone, keyring=key)
    owner = dns.name.from_text(name, dns.name.from_text(zone))
    message.delete(owner, rdtype)
    if rdtype.upper() == "CNAME" and values:
        message.delete(owner)  # an alias stands alone
    for value in values:
        message.add(owner, ttl, rdtype, value)
    return message


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="handrail_sim.dns_change", description="Set or delete one record set.")
    parser.add_argument("--server", required=True, type=parse_endpoint, metavar="ADDR:PORT")
    parser.add_argument("--zone", required=True)
    parser.add_argument("--key-file", required=True, type=Path)
    parser.add_argument("--key", required=True, help="which of the file's keys signs")
    parser.add_argument("--ttl", type=int, default=5)
    parser.add_argument("name", help="relative to the zone, or absolute with a dot at the end")
    parser.add_argument("type")
    parser.add_argument("values", nargs="*", help="none: the set is deleted")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Send one update; return 0 if the server took it, 1 with its answer on stderr otherwise."""
    options = _arguments(sys.argv[1:] if argv is None else argv)
    try:
        keys = parse_keys(options.key_file.read_text("utf-8"))
        key = keys[dns.name.from_text(options.key).canonicalize()]
        message = build(options.zone, key, options.name, options.type, options.ttl, options.values)
        host, port = options.server
        code = dns.query.tcp(message, host, port=port, timeout=5).rcode()
    except (OSError, ValueError, KeyError, dns.exception.DNSException) as fault:
        print(f"dns_change: {fault}", file=sys.stderr)
        return 1
    if code:
        print(f"dns_change: {code.name}", file=sys.stderr)
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main())
