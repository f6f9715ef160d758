"""Where a part works: a folder that is gone afterwards, the program that is measured, and how large everything is."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src"
PEERS = HERE / "peers"
PYTHON = sys.executable
HANDRAIL = str(Path(sys.executable).with_name("handrail"))


@dataclass(frozen=True)
class Place:
    """A folder of this part, and its size: `quick` is for proving that it works, not for figures."""

    folder: Path
    quick: bool = False

    def rounds(self, full: int) -> int:
        """Return how many rounds are made."""
        return 1 if self.quick else full

    def size(self, full: int, quick: int) -> int:
        """Return a size."""
        return quick if self.quick else full

    def env(self) -> dict[str, str]:
        """Return the environment of Handrail: a home of its own in this folder."""
        return {**os.environ, "HANDRAIL_HOME": str(self.folder / "home"), "HANDRAIL_OPERATOR": "ann"}

    def file(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Write a file into the folder; return its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path


@contextmanager
def place(*, quick: bool) -> Iterator[Place]:
    """Yield a place, and take it away."""
    with tempfile.TemporaryDirectory(prefix="handrail-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # sshd looks at the folders above an authorized_keys
        yield Place(Path(folder), quick)


def peers() -> Path:
    """Return the programs of the peers' own venv: HANDRAIL_PEERS, or what `make bench` has made."""
    return Path(os.environ.get("HANDRAIL_PEERS", HERE.parent / ".venv" / "peers")) / "bin"
