"""Tells by doing which kind of estate works on this machine: one zygote, one host, one command."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Any, Final

from handrail_sim import laying
from handrail_sim.inside.kernel import Refused
from handrail_sim.machine import Order, environment, shell
from handrail_sim.namespaces import NamespaceHost
from handrail_sim.plan import EstatePlan, HostPlan
from handrail_sim.switch import Switch
from handrail_sim.zygotes import Zygote

_APPARMOR: Final = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_PROFILE: Final = """\
abi <abi/4.0>,
include <tunables/global>
profile handrail-sim {python} flags=(unconfined) {{
  userns,
}}
"""


def examine() -> dict[str, Any]:
    """Return the mode that works here and, when it is plain folders, which stage was refused and what may help."""
    try:
        zygote = Zygote()
        asyncio.run(_try(zygote))
    except Refused as e:
        code = errno.errorcode.get(e.code, str(e.code))
        return {"ok": True, "mode": "folders", "stage": e.stage, "errno": code, "reason": str(e), **_cure()}
    return {"ok": True, "mode": "namespaces", "ids": "a range" if zygote.setup["shift"] else "one"}


async def _try(zygote: Zygote) -> None:
    plan = HostPlan("doctor", "a", "10.77.0.2")
    switch = Switch(0.0)
    host = NamespaceHost(plan, 0, zygote, switch, lambda: None)
    try:
        await zygote.join()
        own = laying.under_overlays(laying.names(EstatePlan("doctor", (plan,)), plan), laying.overlays())
        await host.lay("16m", own)
        await host.boot()
        job = await host.spawn(Order(shell("exit 7"), env=environment("", ())))
        if await job.ended != 7:
            raise Refused("run a command", errno.ENOEXEC, job.error or "it did not end as it should")
        await host.halt()
    finally:
        switch.close()
        zygote.close()


def _cure() -> dict[str, str]:
    """Return what an administrator may do where Ubuntu's AppArmor setting is in the way; it is printed, never done."""
    try:
        restricted = _APPARMOR.read_text(encoding="ascii").strip() == "1"
    except OSError:
        return {}
    if not restricted:
        return {}
    import sys

    return {"hint": "an AppArmor profile with `userns,`: " + _PROFILE.format(python=Path(sys.executable).resolve())}
