"""A console as a process of its own, to be killed: runs or attaches one job and says what it sees, one JSON line each."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from tests.ssh.bench import QUICK  # noqa: E402

from handrail.ssh.job import Command, JobKey, JobNews, Permit, Start, run_job  # noqa: E402
from handrail.ssh.links import Links  # noqa: E402
from handrail.ssh.target import Target  # noqa: E402


def tell(kind: str, value: object) -> None:
    """Write one line at once."""
    sys.stdout.write(json.dumps([kind, value]) + "\n")
    sys.stdout.flush()


async def main(start: Start, script: str, run: str, known: dict[str, str]) -> None:
    """Run the job and tell its news, its output and its end."""
    target = Target(
        key="one",
        name="one",
        host="127.0.0.1",
        port=int(known["port"]),
        user="ops",
        identity=Path(known["identity"]),
        host_key_alias="one",
        known_hosts=Path(known["known_hosts"]),
        ssh_config=None,
        work_dir=known["work_dir"],
    )

    def news(item: JobNews) -> None:
        tell("news", type(item).__name__)

    def output(stream: str, at: int, data: bytes) -> None:
        tell(stream, [at, data.decode()])

    links = Links(limits=QUICK)
    key, permit = JobKey(run, "stage/step", "1.run"), Permit("ann", run, 1, changes=True)
    end = await run_job(links, target, key, Command(script=script), permit, start=start, output=output, news=news)
    tell("end", repr(end))
    await links.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])))  # type: ignore[arg-type]
