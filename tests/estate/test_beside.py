"""The CA beside ssl/, as from Puppet 7 on: from nothing to a standby, whose copies cron may make as well as the timer."""

from __future__ import annotations

from pathlib import Path

from tests.estate import layouts, story
from tests.estate.estate import Estate, until
from tests.estate.parts import need, program

PUPPET = layouts.BESIDE
CLIENTS = ("web01", "db01")
GUIDE = Path(__file__).parents[2] / "docs/puppet-ssl-sync.md"
A_MINUTE = 75.0  # seconds in which cron has to have looked once


async def test_set_up_and_cron_instead_of_the_timer(desk: Estate, tmp_path: Path) -> None:
    """Debian's cron takes the guide's own line, with every minute for every 15: it copies with cron's bare environment."""
    await story.set_up(desk, tmp_path, PUPPET)
    need("cron")
    dr, stamp = desk.role("dr"), desk.fact("dr", "sync_stamp")
    dr.sh(
        f"systemctl disable --now puppet-ssl-sync.timer; touch -d '1 hour ago' {stamp}; rm -rf /etc/crontab /etc/cron.d"
    )
    (line,) = (one for one in GUIDE.read_text().splitlines() if one.startswith("*/15 * * * * root /"))
    cron = program("cron")
    assert cron
    dr.lay(
        [
            ("/etc/cron.d", "d", 0o755, b""),
            ("/etc/cron.d/puppet-ssl-sync", "f", 0o644, f"{line.replace('*/15', '*', 1)}\n".encode()),
            ("/var/spool/cron/crontabs", "d", 0o755, b""),
            ("/usr/local/sbin/cron", "f", 0o755, cron.read_bytes()),
        ]
    )
    dr.sh("setsid cron -f > /dev/null 2>&1 < /dev/null &")
    until(lambda: dr.run(f"find {stamp} -mmin -30 | grep -q .").code == 0, "cron copies", within=A_MINUTE)
