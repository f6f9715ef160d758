"""The output of one step, from the spool files of the run's folder."""

from __future__ import annotations

import os

from handrail.engine.state import State
from handrail.session.core import Core, spool_name
from handrail.store.run_folder import RunFolder
from handrail.store.spool_reader import SpoolReader


class FolderOutput:
    """The output of one step: one file per host and attempt."""

    def __init__(self, folder: RunFolder, source: Core | State, step: str) -> None:
        self._folder, self._source, self._step = folder, source, step

    def _state(self) -> State:
        return self._source if isinstance(self._source, State) else self._source.state

    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that have said something, newest attempt first."""
        attempts = self._state().step(self._step).attempts
        there = self._files() if attempts else frozenset()
        found = (h for a in reversed(attempts) for h in a.hosts if spool_name(self._step, a.number, h) in there)
        return tuple(dict.fromkeys(found))

    def _files(self) -> frozenset[str]:
        """Return what lies in the folder, in one look: there may be a thousand hosts."""
        try:
            return frozenset(os.listdir(self._folder.out))  # noqa: PTH208  names, not paths
        except FileNotFoundError:
            return frozenset()

    def reader(self, host: str) -> SpoolReader | None:
        """Return a reader over what a host said in its latest attempt; None when it said nothing there yet."""
        attempts = reversed(self._state().step(self._step).attempts)
        latest = next((a for a in attempts if host in a.hosts), None)
        if latest is None:
            return None
        path = self._folder.out / spool_name(self._step, latest.number, host)
        return SpoolReader(path) if path.exists() else None
