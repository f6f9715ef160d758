"""Runs a template's `prepare` program, which writes trees to be laid over the hosts and files for the estate's folder."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
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


async def prepare(template: Path, plan: EstatePlan, placed: Placed, out: Path) -> None:
    """Run the program; raise `Trouble` with what it said when it fails."""
    await asyncio.to_thread(out.mkdir, 0o700)
    if not plan.prepare:
        return
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(template.parent / plan.prepare), str(out), hosts_json(plan, placed),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment(plan, placed)}, cwd=template.parent,
    )  # fmt: skip
    try:
        said, _ = await asyncio.wait_for(process.communicate(), _WITHIN)
    except TimeoutError as e:
        process.kill()
        await process.wait()
        raise trouble("sim-prepare", f"{plan.prepare} took more than {_WITHIN:.0f} s") from e
    if process.returncode:
        last = said.decode("utf-8", "replace").strip().split("\n")[-1]
        raise trouble("sim-prepare", f"{plan.prepare} ended with {process.returncode}: {safe(last, 300)}")


def deliver(out: Path, target: Path) -> None:
    """Copy what the program left for the estate's folder (keys: mode 0600), then remove all it wrote."""
    given = out / "estate"
    for file in sorted(given.iterdir()) if given.is_dir() else ():
        if file.is_file():
            write_private(target / file.name, file.read_bytes())
    shutil.rmtree(out, ignore_errors=True)
