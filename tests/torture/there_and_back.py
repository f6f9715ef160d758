"""One failover and its undo under some mischief, and what the oracle says of it."""

from __future__ import annotations

from typing import Final

from tests.runbooks.bed import Bed
from tests.torture import oracle
from tests.torture.walk import Walker

from handrail.store.run_folder import RunFolder

# What the hosts are asked for, there and back, whatever happens to consoles on the way.
EFFECTS: Final = (
    ("puppet-primary", "mask --now puppetserver"),
    ("puppet-primary", "unmask puppetserver"),
    ("puppet-primary", "start puppetserver"),
    ("puppet-dr", "stop puppet-ssl-sync.timer"),
    ("puppet-dr", "reload puppetserver"),
    ("puppet-dr", "reload puppetserver"),
    ("puppet-dr", "reload puppetserver"),
    ("puppet-dr", "start puppet-ssl-sync.timer"),
)


async def _keys(bed: Bed) -> tuple[bytes, ...]:
    """Return a line from the middle of each server's CA key."""
    found = []
    for role, host in (("primary", "puppet-primary"), ("dr", "puppet-dr")):
        lines = (await bed.sh(host, f"cat {bed.fact(role, 'ca_dir')}/ca_key.pem")).splitlines()
        found.append(lines[len(lines) // 2].encode())
    return tuple(found)


async def there_and_back(bed: Bed, walker: Walker) -> list[str]:
    """Walk forward and back; return what is broken then."""
    before, keys = await oracle.look(bed), await _keys(bed)
    end = await walker.go("forward")
    assert end.code == 0, (walker.killed_at, end.said)
    there = await oracle.look(bed)
    end = await walker.go("back")
    assert end.code == 0, (walker.killed_at, end.said)
    after = await oracle.look(bed)
    folder = RunFolder.open(bed.home, walker.run)
    broken = oracle.broken(folder, before, after, bed.home, keys)
    if after.looks != before.looks:
        broken += [f"undo left {name} changed" for name in before.looks if after.looks[name] != before.looks[name]]
    if (there.serial, after.serial) != (before.serial + 1, before.serial + 2):
        broken += [f"I2 the zone went {before.serial} -> {there.serial} -> {after.serial}"]
    if after.since(before) != EFFECTS:
        broken += [f"I2, I3, I6 the hosts were asked for {after.since(before)}"]
    return broken
