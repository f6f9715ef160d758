"""What a front end knows of a session: six things, and nothing else."""

from __future__ import annotations

from typing import Protocol

from handrail.engine.messages import Intent, Refused
from handrail.engine.offers import Offer
from handrail.session.view import Snapshot
from handrail.store.spool import SpoolReader


class StepOutput(Protocol):
    """The output of one step, pulled from the spool files on disk."""

    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that have said something, newest attempt first."""

    def reader(self, host: str) -> SpoolReader | None:
        """Return a reader over what a host said in its latest attempt; None when it said nothing yet."""


class SessionApi(Protocol):
    """One run, as a front end drives it."""

    @property
    def snapshot(self) -> Snapshot:
        """Return the run as it is now."""

    async def changed(self, seq: int) -> Snapshot:
        """Return the next snapshot whose `seq` is greater."""

    def allowed(self) -> tuple[Offer, ...]:
        """Return everything that can be asked now, granted or refused with its sentence."""

    def submit(self, intent: Intent) -> Refused | None:
        """Ask for something; it is on disk when this returns None, and nothing has happened when it returns a refusal."""

    def output(self, step: str) -> StepOutput:
        """Return the output of a step."""

    async def close(self) -> None:
        """End this console's part: tasks, links, files. The run stays as it is on disk."""
