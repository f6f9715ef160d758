"""The output of one step, from the spool files of the run's folder."""

from __future__ import annotations

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
        found: dict[str, None] = {}
        for attempt in reversed(self._state().step(self._step).attempts):
            for host in attempt.hosts:
                if (self._folder.out / spool_name(self._step, attempt.number, host)).exists():
                    found[host] = None
        return tuple(found)

    def reader(self, host: str) -> SpoolReader | None:
        """Return a reader over what a host said in its latest attempt; None when it said nothing there yet."""
        attempts = reversed(self._state().step(self._step).attempts)
        latest = next((a for a in attempts if host in a.hosts), None)
        if latest is None:
            return None
        path = self._folder.out / spool_name(self._step, latest.number, host)
        return SpoolReader(path) if path.exists() else None
