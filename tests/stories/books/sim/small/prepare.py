"""Lay what differs: the data on both servers, the zone and its key."""

import base64
import json
import os
import secrets
import sys
from pathlib import Path

out, hosts = Path(sys.argv[1]), json.loads(sys.argv[2])
for host in hosts:
    place = out / host["name"] / "srv" / "data"
    place.mkdir(parents=True)
    (place / "serial").write_text("0B\n" if host["name"] == "one" else "0A\n")
named = out / "ns1" / "etc" / "named"
named.mkdir(parents=True)
named.joinpath("zone").write_text(
    f"$ORIGIN {os.environ['HANDRAIL_SIM_ZONE']}.\n@ 300 IN SOA ns1 hostmaster 1 5 1 86400 5\n@ 300 IN NS ns1\n"
    f"ns1 300 IN A 10.77.3.53\nsvc 5 IN A 10.77.1.10\n"
)
secret = base64.b64encode(secrets.token_bytes(32)).decode()
key = f'key "dr-switch" {{\n\talgorithm hmac-sha256;\n\tsecret "{secret}";\n}};\n'
(out / "estate").mkdir()
for path in (named / "keys.conf", out / "estate" / "dr-switch.key"):
    path.write_text(key)
    path.chmod(0o600)
