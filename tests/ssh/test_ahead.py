"""A channel is opened ahead of the next call: it saves round trips, and nothing is promised any less for it."""

from __future__ import annotations

from tests.ssh.bench import Host, until

from handrail.ssh import channel
from handrail.ssh.job import Exited


async def test_the_next_call_finds_its_channel_open(host: Host) -> None:
    await host.run("true", part="1.a")
    await until(lambda: host.links.spares.get(host.target.key) is not None)
    spare = host.links.spares[host.target.key]
    end, heard = await host.run("echo here", part="2.a")
    assert isinstance(end, Exited)
    assert bytes(heard.out) == b"here\n"
    assert isinstance(spare, channel._Spare)
    assert spare.session._call.out.header is not None  # it was this channel that the call went through


async def test_a_channel_that_died_meanwhile_costs_another_try_and_no_more(host: Host) -> None:
    await host.run("true", part="1.a")
    await until(lambda: host.links.spares.get(host.target.key) is not None)
    spare = host.links.spares[host.target.key]
    assert isinstance(spare, channel._Spare)
    spare.channel.abort()
    end, heard = await host.run('echo x >>"$HOME/ran"; wc -l <"$HOME/ran"', part="2.a")
    assert isinstance(end, Exited)
    assert bytes(heard.out).split() == [b"1"]


async def test_a_shell_from_before_a_change_serves_nothing_after_it(host: Host) -> None:
    """A step may change what a shell has read when it began: groups, home, PATH."""
    await host.run("true", part="1.a")
    await until(lambda: host.links.spares.get(host.target.key) is not None)
    await host.run("true", part="2.a", changes=True)
    assert host.links.spares.get(host.target.key) is None
    host.server.env = {**host.server.env, "NEW": "yes"}
    _, heard = await host.run('echo "$NEW"', part="3.a")
    assert bytes(heard.out) == b"yes\n"


async def test_it_is_closed_with_the_session_and_leaves_no_shell(host: Host) -> None:
    await host.run("true", part="1.a")
    await until(lambda: host.links.spares.get(host.target.key) is not None)
    await host.links.close()
    assert host.links.spares == {}


async def test_a_fan_out_opens_no_more_than_a_few(host: Host) -> None:
    host.links.spares.update({f"host{n}": None for n in range(channel.SPARES)})
    await host.run("true", part="1.a")
    assert host.target.key not in host.links.spares
