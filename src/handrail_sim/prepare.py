"""Runs a template's `prepare` program, which writes trees to be laid over the hosts and files for the estate's folder."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail_sim.generated import rooted
from handrail_sim.keys import write_private
from handrail_sim.plan import EstatePlan, Placed

_WITHIN: Final = 60.0  # seconds


def hosts_json(plan: EstatePlan, placed: Placed) -> str:
    """Return the hosts as the program gets them: name, role, site, address, root, vars, and the same DNS port for all."""
    hosts: list[dict[str, Any]] = [
        {
            "name": h.name, "role": h.role, "site": h.site, "address": placed.address(h), "root": placed.root(h),
            "vars": rooted(h.vars, placed.root(h)),
        }
        for h in plan.hosts
    ]  # fmt: skip
    return json.dumps(hosts)


def environment(plan: EstatePlan, placed: Placed) -> dict[str, str]:
    """Return what the program may want to know beyond the hosts."""
    return {
        "HANDRAIL_SIM_MODE": placed.mode,
        "HANDRAIL_SIM_DNSPORT": "53" if placed.mode == "namespaces" else str(placed.dns_port),
        "HANDRAIL_SIM_ZONE": str(plan.dns.table.get("zone", "")),
        "HANDRAIL_SIM_FQDN": str(plan.vars.get("fqdn", "")),
        "HANDRAIL_SIM_VARS": json.dumps(plan.vars),
    }


class Preparing:
    """The program while it runs. It is started early and beside everything else: the rest of the estate takes longer."""

    def __init__(self, template: Path, plan: EstatePlan, placed: Placed, out: Path) -> None:
        """Start it, if the template has one; raise OSError."""
        self.out, self._name, self._process = out, plan.prepare, None
        out.mkdir(0o700)
        if plan.prepare:
            self._process = subprocess.Popen(
                [sys.executable, str(template.parent / plan.prepare), str(out), hosts_json(plan, placed)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**os.environ, **environment(plan, placed)}, cwd=template.parent,
            )  # fmt: skip

    async def done(self) -> None:
        """Wait for its end; raise `Trouble` with what it said when it fails."""
        if self._process is None:
            return
        try:
            said, _ = await asyncio.to_thread(self._process.communicate, timeout=_WITHIN)
        except subprocess.TimeoutExpired as e:
            raise trouble("sim-prepare", f"{self._name} took more than {_WITHIN:.0f} s") from e
        if self._process.returncode:
            last = said.decode("utf-8", "replace").strip().split("\n")[-1]
            raise trouble("sim-prepare", f"{self._name} ended with {self._process.returncode}: {safe(last, 300)}")

    def end(self) -> None:
        """End it if it still runs."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def deliver(out: Path, target: Path) -> None:
    """Copy what the program left for the estate's folder (keys: mode 0600), then remove all it wrote."""
    given = out / "estate"
    for file in sorted(given.iterdir()) if given.is_dir() else ():
        if file.is_file():
            write_private(target / file.name, file.read_bytes())
    shutil.rmtree(out, ignore_errors=True)
