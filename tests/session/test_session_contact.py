"""First contact at the briefing: a host key that is not pinned is pinned by nobody but a person who compared it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest
from tests.session.world import World, a_world, runbook, step

from handrail.base.problems import Trouble
from handrail.session.briefing import Briefing
from handrail.session.cards import BriefingView, RolePulse
from handrail.session.desk import Desk
from handrail.session.opening import Opening
from handrail.session.view import Mode

TEXT = runbook(step('on = ["primary", "dr"]\nrun = ["true"]\nreads = true'))


@asynccontextmanager
async def briefed(world: World, mode: Mode = Mode.CHECK) -> AsyncIterator[Briefing]:
    path = world.place / "runbook.toml"
    path.write_text(TEXT)
    home = world.home.make()
    briefing = Briefing(home, Desk(home).card(path), Opening(path, world.estate(), mode))
    try:
        yield briefing
    finally:
        await briefing.close()


async def shown(briefing: Briefing, holds: Callable[[BriefingView], bool]) -> BriefingView:
    view = briefing.view
    async with asyncio.timeout(20):
        while not holds(view):
            view = await briefing.changed(view.seq)
    return view


def answered(view: BriefingView) -> bool:
    return all(pulse.reached is not None for pulse in view.pulses)


def of(view: BriefingView, name: str) -> RolePulse:
    return next(pulse for pulse in view.pulses if pulse.name == name)


def unpin(world: World, name: str) -> None:
    path = world.place / "known_hosts"
    path.write_text("".join(f"{line}\n" for line in path.read_text().splitlines() if not line.startswith(name)))


async def test_a_key_that_is_not_pinned_is_shown_and_pinned_once_its_fingerprint_was_typed(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.pin(forget=True)
        unpin(world, "dr")
        async with briefed(world) as briefing:
            pulse = of(await shown(briefing, answered), "dr")
            print_ = world["dr"].key.get_fingerprint()
            assert pulse.reached is False
            assert pulse.key is not None
            assert (pulse.key.fingerprint, pulse.key.pinned, pulse.key.name) == (print_, (), "dr")
            assert briefing.view.route == "planned"
            before = (tmp_path / "known_hosts").read_text()
            for typed in ("", "y", "yes", print_[-5:], print_[7:13]):
                with pytest.raises(Trouble, match="nothing was pinned"):
                    await briefing.trust(pulse.host, typed)
            assert (tmp_path / "known_hosts").read_text() == before
            await briefing.trust(pulse.host, print_[-6:])
            assert of(briefing.view, "dr").reached is True
            assert of(briefing.view, "dr").key is None
            public = world["dr"].key.export_public_key().decode().split()[1]
            assert f"dr ssh-ed25519 {public}\n" in (tmp_path / "known_hosts").read_text()


async def test_a_changed_key_shows_both_wants_a_reason_and_keeps_the_old_line(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.pin(forget=True)
        old = world["dr"].key
        await world.off("dr")
        new = asyncssh.generate_private_key("ssh-ed25519")
        await world.on("dr", key=new)
        async with briefed(world) as briefing:
            pulse = of(await shown(briefing, answered), "dr")
            assert pulse.key is not None
            assert pulse.key.pinned == (f"ssh-ed25519 {old.get_fingerprint()}",)
            assert pulse.key.fingerprint == new.get_fingerprint()
            with pytest.raises(Trouble, match="say why it changed"):
                await briefing.trust(pulse.host, new.get_fingerprint())
            await briefing.trust(pulse.host, new.get_fingerprint(), "tom rebuilt it on Tuesday")
            assert of(briefing.view, "dr").reached is True
            text = (tmp_path / "known_hosts").read_text()
            gone = old.export_public_key().decode().split()[1]
            assert f"# set aside (tom rebuilt it on Tuesday): dr ssh-ed25519 {gone}\n" in text


async def test_a_line_that_pins_more_than_this_host_is_not_touched(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.pin(forget=True)
        path = tmp_path / "known_hosts"
        path.write_text(path.read_text().replace("dr ssh", "d*,other ssh"))
        await world.off("dr")
        new = asyncssh.generate_private_key("ssh-ed25519")
        await world.on("dr", key=new)
        async with briefed(world) as briefing:
            pulse = of(await shown(briefing, answered), "dr")
            before = path.read_text()
            with pytest.raises(Trouble, match="pins other hosts too"):
                await briefing.trust(pulse.host, new.get_fingerprint(), "rebuilt")
            assert path.read_text() == before


async def test_a_simulated_key_is_not_pinned_for_real_hosts(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        simulated = world["dr"].key.export_public_key().decode().split()[1]
        world.pin(forget=True)
        unpin(world, "dr")
        world.home.sim_host_keys.write_text(simulated + "\n")
        async with briefed(world) as briefing:
            pulse = of(await shown(briefing, answered), "dr")
            with pytest.raises(Trouble, match="the key of a simulated host"):
                await briefing.trust(pulse.host, world["dr"].key.get_fingerprint())


async def test_without_a_known_hosts_file_every_key_is_shown(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.pin(forget=True)
        (tmp_path / "known_hosts").unlink()
        async with briefed(world) as briefing:
            view = await shown(briefing, answered)
            assert [pulse.key is not None for pulse in view.pulses] == [True, True]
            for pulse in view.pulses:
                assert pulse.key is not None
                await briefing.trust(pulse.host, pulse.key.fingerprint)
            assert all(pulse.reached for pulse in briefing.view.pulses)
            assert (tmp_path / "known_hosts").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("name", "route"), [("primary", "emergency"), ("dr", "planned")])
async def test_only_a_host_that_is_away_counts_as_lost(tmp_path: Path, name: str, route: str) -> None:
    async with a_world(tmp_path) as world:
        world.pin(forget=True)
        await world.off(name)
        async with briefed(world) as briefing:
            await shown(briefing, lambda view: bool(view.evidence))
            assert briefing.view.route == route


async def test_a_primary_with_another_key_is_not_lost(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        world.pin(forget=True)
        await world.off("primary")
        await world.on("primary", key=asyncssh.generate_private_key("ssh-ed25519"))
        async with briefed(world) as briefing:
            await shown(briefing, lambda view: bool(view.evidence))
            assert briefing.view.route == "planned"
