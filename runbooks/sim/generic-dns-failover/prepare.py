"""Makes what differs in every simulated estate of a service behind a name: the zone, its keys, where the hosts are.

Called once before the hosts are laid: prepare.py OUTDIR HOSTS-AS-JSON. It writes OUTDIR/<host>/..., trees laid over each
host's root, and OUTDIR/estate/..., files for the folder of the estate file. It opens no connection.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from laid import Hosts, name_service, sites  # noqa: E402


def main(argv: list[str]) -> int:
    """Write everything; return the exit code."""
    hosts = Hosts(Path(argv[0]), tuple(json.loads(argv[1])))
    name_service(hosts)
    sites(hosts)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
