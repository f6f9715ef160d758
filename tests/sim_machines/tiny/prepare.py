"""Write a file for each host, and a key for the estate's folder."""

import json
import os
import sys
from pathlib import Path

out, hosts = Path(sys.argv[1]), json.loads(sys.argv[2])
for host in hosts:
    place = out / host["name"] / "srv"
    place.mkdir(parents=True)
    (place / "born").write_text(f"{host['name']} {host['role']} {host['address']}\n")
(out / "estate").mkdir()
(out / "estate" / "dr-switch.key").write_text(f"key of {os.environ['HANDRAIL_SIM_ZONE']}\n")
