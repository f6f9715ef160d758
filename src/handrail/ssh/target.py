"""A target: everything needed to reach one host and to know that it is the right one. Data only."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from handrail.base.frozen import dataclass

WORK_DIR: Final = "/var/tmp/handrail"  # noqa: S108 - made with care on the host: see wrapper/common.sh

EVERYBODY: Final = "*"  # the sudo group of hosts whose user is not said in the estate


@dataclass(frozen=True)
class Target:
    """One host: `key` is unique in the estate, `name` is for people, the rest is how to connect.

    `port` 0 and `user` "" leave the choice to the ssh_config; `identity` None means the agent and the user's own keys.
    `known_hosts` is always a path: there is no value that means "do not verify".
    """

    key: str
    name: str
    host: str
    port: int
    user: str
    identity: Path | None
    host_key_alias: str
    known_hosts: Path
    ssh_config: Path | None
    become: str = ""  # or "sudo"
    become_group: str = ""  # hosts of one group share a sudo password; "": a group of its own
    work_dir: str = WORK_DIR

    @property
    def pinned_as(self) -> str:
        """Return the name its key is looked up under in known_hosts."""
        return self.host_key_alias or self.host

    @property
    def sudo_group(self) -> str:
        """Return whom it shares its sudo password with."""
        return self.become_group or self.key
