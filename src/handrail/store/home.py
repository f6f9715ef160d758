"""Where Handrail keeps what must outlive it: `runs/`, `estates/`, the simulated hosts' keys and the list of drills.

It makes the folder and names the places; it may not read a run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from handrail.base.frozen import dataclass
from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.store.disk import told
from handrail.store.network_fs import network_fs
from handrail.store.trusted import make_folder, trust_folder


@dataclass(frozen=True)
class Home:
    """The folder that holds everything; a setgid folder of a group is shared with that group."""

    path: Path

    @classmethod
    def locate(cls, environ: Mapping[str, str] | None = None) -> Home:
        """Return the home of this user, without making it: HANDRAIL_HOME, else the platform's state folder."""
        named = (os.environ if environ is None else environ).get("HANDRAIL_HOME")
        return cls(Path(named).absolute() if named else platformdirs.user_state_path("handrail", appauthor=False))

    @property
    def runs(self) -> Path:
        """One folder per run."""
        return self.path / "runs"

    @property
    def estates(self) -> Path:
        """One folder per simulated estate."""
        return self.path / "estates"

    @property
    def sim_host_keys(self) -> Path:
        """Every simulated host key ever made: LIVE and CHECK refuse these."""
        return self.path / "sim-host-keys"

    @property
    def drills(self) -> Path:
        """Every drill that was finished, as JSON lines."""
        return self.path / "drills.jsonl"

    @property
    def training(self) -> Path:
        """One file for each person who drills."""
        return self.path / "training"

    def make(self) -> Home:
        """Make what is missing, private unless a group shares the home; raise Trouble `home-unusable`."""
        hint = "set HANDRAIL_HOME to a folder of your own"
        with told("home-unusable", f"{safe(str(self.path))} cannot be used", hint):
            if not self.path.exists():
                self.path.mkdir(0o700, parents=True)
            trust_folder(self.path.resolve())
            for folder in (self.runs, self.estates):
                make_folder(folder)
        return self

    def refuse_network(self) -> None:
        """Raise Trouble `home-on-network` where locks and syncs cannot be relied upon; LIVE asks this first."""
        kind = network_fs(self.path)
        if kind:
            hint = "set HANDRAIL_HOME to a folder on a local disk"
            raise trouble("home-on-network", f"{safe(str(self.path))} lies on {safe(kind)}, a network disk", hint)
