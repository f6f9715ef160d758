"""A client whose own cache ignores the TTL: it is named, nobody waits for it in vain, and it comes when its cache has emptied."""

from __future__ import annotations

from pathlib import Path

from tests.estate import texts
from tests.estate.driving import live, passed
from tests.estate.estate import Estate
from tests.runbooks.bed import answers_of, drive, is_done

from handrail.engine.words import StepWord

OLD, NEW = "10.77.1.10", "10.77.2.10"
STALE = "db01"


def cache_of_its_own(desk: Estate) -> None:
    """Give one client a real BIND that keeps every answer for at least a minute and a half, and fill it."""
    machine = desk[STALE]
    servers = [desk[name].address for name in desk.plan.dns.servers]
    told = texts.bind_resolver(desk.zone, servers).replace("recursion yes;", "recursion yes; min-cache-ttl 90;")
    machine.lay(
        [
            ("/var/cache/bind", "d", 0o777, b""),
            ("/etc/bind/named.conf", "f", 0o644, told.encode()),
            ("/etc/resolv.conf", "f", 0o644, b"nameserver 127.0.0.1\n"),
            *texts.unit("named", "/usr/sbin/named -g -u bind -n 1 -c /etc/bind/named.conf"),
        ]
    )
    machine.sh("systemctl start named")
    assert OLD in machine.sh(f"for n in 1 2 3 4 5; do getent ahosts {desk.fqdn} && break; sleep 1; done")


async def test_a_stale_cache_is_named_and_comes_later(desk: Estate, tmp_path: Path) -> None:
    cache_of_its_own(desk)
    session = live(tmp_path, desk)
    try:
        state = await drive(session, until=passed("clients/served"))
        assert state.step("clients/served").word is StepWord.PASSED
        lookup = state.step("clients/lookup").attempt
        assert lookup is not None
        assert OLD in lookup.results[STALE].sentence
        assert all(NEW in r.sentence or r.exit == 0 for h, r in lookup.results.items() if h != STALE)
        assert "exit 3" in answers_of(state, "clients/canaries")  # it asks somebody else: no verdict on the DR server
        await drive(session, until=lambda state: state.step("clients/adoption").word is StepWord.RUNNING)
        while not (live_now := session.snapshot.live.get("clients/adoption")) or not live_now.silent:
            await session.changed(session.snapshot.seq)
        assert live_now.silent == (f"{STALE}.{desk.zone}",)
        desk[STALE].sh("systemctl restart named")  # its cache is empty, as after `resolvectl flush-caches`
        state = await drive(session)
        assert is_done(state), {s.id: n.word for s, n in state.walked()}
    finally:
        await session.close()
