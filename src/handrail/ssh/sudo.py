"""What is known of sudo on each host: whether it wants a password, and which. In memory only; it sends nothing.

Hosts of one group share a password, which is asked for once. A host that does not take it is asked about alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.ssh.asking import Ask, Question
from handrail.ssh.target import EVERYBODY, Target

TRIES: Final = 3  # wrong passwords on one host before nobody is asked again: accounts get locked


class Sudo:
    """The passwords of one session."""

    def __init__(self, ask: Ask, given: Mapping[str, Secret], *, person: bool) -> None:
        """Take whom to ask, and passwords given beforehand by group; the group "" stands for every other."""
        self._ask, self._given, self._person = ask, dict(given), person
        self._groups: dict[str, Secret] = {}
        self._own: dict[str, Secret] = {}
        self._settled: dict[str, Secret | None] = {}
        self._taken: set[str] = set()  # groups whose password some host has taken
        self._wrong: dict[str, int] = {}
        self._words: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def knows_a_way(self) -> bool:
        """Tell whether a password could be had at all; if not, `sudo -n` is all there is."""
        return self._person or bool(self._given or self._groups)

    def lock(self, target: Target) -> asyncio.Lock:
        """Return what keeps two hosts of a group from asking at once, and two calls from trying a password at once."""
        return self._locks.setdefault(target.sudo_group, asyncio.Lock())

    def settled(self, target: Target) -> bool:
        """Tell whether it is known what this host's sudo wants."""
        return target.key in self._settled

    def password(self, target: Target) -> Secret | None:
        """Return the password this host has taken; None when it wants none."""
        return self._settled.get(target.key)

    def took(self, target: Target, password: Secret | None) -> None:
        """Note that the host's sudo let us in, with this password or without any."""
        self._settled[target.key] = password
        self._wrong.pop(target.key, None)
        self._words.pop(target.key, None)
        if password is not None and password is self._groups.get(target.sudo_group):
            self._taken.add(target.sudo_group)

    def passwords(self) -> tuple[Secret, ...]:
        """Return every password that is known, so that a host that repeats one is not repeated."""
        return tuple(
            {id(one): one for kept in (self._given, self._groups, self._own) for one in kept.values()}.values()
        )

    def last_word(self, target: Target) -> str:
        """Return what the host's sudo said when it refused the last password, showable; "" when it refused none."""
        return self._words.get(target.key, "")

    def refused(self, target: Target, password: Secret, said: str) -> None:
        """Note that the host does not take this password, and what sudo said: it is not tried there again."""
        self._words[target.key] = said or "it does not accept the password"
        self._settled.pop(target.key, None)
        self._own.pop(target.key, None)
        self._wrong[target.key] = self._wrong.get(target.key, 0) + 1
        group = target.sudo_group
        if self._groups.get(group) is password and group not in self._taken:
            del self._groups[group]
            self._given.pop(group if group in self._given else "", None)

    async def ask(self, target: Target) -> Secret | None:
        """Return a password to try on a host: its own, its group's, or what a person gives; None when there is none."""
        group, wrong = target.sudo_group, self._wrong.get(target.key, 0)
        if wrong == 0 and group not in self._groups and (found := self._given.get(group, self._given.get(""))):
            self._groups[group] = found
        there = self._own.get(target.key) or (self._groups.get(group) if wrong == 0 else None)
        if there is not None:
            return there
        if wrong >= TRIES:
            self._wrong.pop(target.key)  # enough for now; who tries again is asked again
            return None
        said = await self._ask(self._question(target))
        if said is None:
            return None
        if group in self._groups:
            self._own[target.key] = said
        else:
            self._groups[group] = said
        return said

    def _question(self, target: Target) -> Question:
        group, name = target.sudo_group, safe(target.name, 60)
        whose = f"Password of {safe(target.user, 40)}" if target.user else "Your password"
        if group in self._groups or group == target.key:
            where = f"for {name} alone"
        elif group in (target.user, EVERYBODY):
            where = "for every host where sudo asks for it"
        else:
            where = f"for the hosts of the group {safe(group, 40)}"
        return Question("sudo", f"sudo on {name}", f"{whose}, {where}", wrong=self.last_word(target))

    def wipe(self) -> None:
        """Overwrite every password."""
        for secret in [*self._given.values(), *self._groups.values(), *self._own.values()]:
            secret.wipe()
        for kept in (self._given, self._groups, self._own, self._settled):
            kept.clear()
