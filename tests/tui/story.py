"""The story that the tests tell: a small Puppet failover, as an outline with the words a runbook has."""

from __future__ import annotations

from handrail.engine.outline import GuardOutline, Outline, Place, StageOutline, StepOutline
from handrail.engine.words import Line, UndoKind
from handrail.session.view import StepText, Wrong

PRIMARY, DR = Place("h-primary", "primary"), Place("h-dr", "dr")
CLIENTS = tuple(Place(f"h-{name}", "clients") for name in ("web01", "web02", "db01"))
NAMES = {
    "h-primary": "puppet-primary",
    "h-dr": "puppet-dr",
    "h-web01": "web01",
    "h-web02": "web02",
    "h-db01": "db01",
    "dns": "ns1, ns2",
    "person": "you",
}


def outline() -> Outline:
    """Return the outline."""
    return Outline(
        "puppet-failover",
        "Fail Puppet over to the DR site",
        (
            StageOutline(
                "checks",
                "1",
                "Pre-checks",
                (
                    StepOutline(
                        "checks/ca", "1.1", "Where each server keeps its CA", "checks", (PRIMARY, DR), changes=False
                    ),
                    StepOutline(
                        "checks/serves", "1.2", "The DR server answers a client", "checks", CLIENTS[:1], changes=False
                    ),
                ),
                together=True,
            ),
            StageOutline(
                "sync",
                "2",
                "Final SSL sync",
                (
                    _change("sync/hold", "2.1", "Hold the 15-minute sync", (DR,), probe=True),
                    _change("sync/mask", "2.2", "Stop and mask the server", (PRIMARY,), probe=True),
                    _change("sync/copy", "2.3", "Copy certificates and CA", (DR,), restore=True, requires="primary"),
                    StepOutline(
                        "sync/look",
                        "2.4",
                        "Look at the racks",
                        "sync",
                        (Place("person"),),
                        changes=False,
                        skippable=True,
                    ),
                ),
            ),
            StageOutline(
                "switch",
                "3",
                "DNS switch",
                (
                    _change("switch/dns", "3.1", "Point puppet.example.test at the DR", (Place("dns"),), confirm=True),
                    StepOutline(
                        "switch/caches", "3.2", "Watch caches expire", "switch", (Place("clock"),), changes=False
                    ),
                ),
                line=Line.CLIENTS_MOVE,
            ),
            StageOutline(
                "clients",
                "4",
                "Client verification",
                (StepOutline("clients/canaries", "4.1", "Canaries", "clients", CLIENTS, changes=False, verify=True),),
            ),
            StageOutline(
                "sign",
                "5",
                "Sign what waits",
                (
                    StepOutline(
                        "sign/first",
                        "5.1",
                        "Let the DR server sign",
                        "sign",
                        (DR,),
                        changes=True,
                        undo=UndoKind.IRREVERSIBLE,
                        confirm=True,
                        irreversible="The DR's CA then differs from the primary's.",
                        instead="puppet-failback",
                    ),
                ),
                line=Line.NO_WAY_BACK,
            ),
        ),
        {"planned": frozenset(), "emergency": frozenset({"primary"})},
        (
            GuardOutline(
                "primary-back",
                "The old primary answers again",
                "switch/dns",
                "forward",
                "Split brain: fence it before you go on.",
            ),
        ),
    )


def _change(
    step: str,
    number: str,
    title: str,
    places: tuple[Place, ...],
    *,
    probe: bool = False,
    restore: bool = False,
    confirm: bool = False,
    requires: str = "",
) -> StepOutline:
    return StepOutline(
        step,
        number,
        title,
        step.split("/")[0],
        places,
        changes=True,
        undo=UndoKind.RESTORE if restore or confirm else UndoKind.ACTION,
        confirm=confirm,
        probe=probe,
        verify=restore,
        recheck=("checks/serves",) if confirm else (),
        requires=frozenset({requires}) if requires else frozenset(),
        stays="the snapshot under /var/lib/handrail" if restore else "",
    )


def texts() -> dict[str, StepText]:
    """Return the words of each step."""
    return {
        "checks/ca": StepText(
            why="From Puppet 7 on, ssl/ca is only a link: copying it alone makes a second CA on the DR server.",
            commands=("puppet config print cadir --section server",),
            where="puppet-primary, puppet-dr",
            par=10.0,
        ),
        "checks/serves": StepText(
            why="Find out now whether the failover can finish.",
            good="200 in under a second.",
            wrong=(
                Wrong(
                    "exit 35 or 56", "The DR server has another CA than the clients.", "handrail run puppet-setup-dr"
                ),
                Wrong("exit 6, 7 or 28", "Nothing answers on 8140 at the DR address."),
            ),
            commands=(
                "d=$(puppet config print ssldir)\ncurl -sS -o /dev/null --cacert $d/certs/ca.pem https://$1:8140/",
            ),
            where="web01",
        ),
        "sync/hold": StepText(
            why="The timer would copy the old tree over the new one.",
            commands=("systemctl stop puppet-ssl-sync.timer",),
            undo=("systemctl start puppet-ssl-sync.timer",),
            where="puppet-dr",
            waits="late after 10m",
        ),
        "sync/mask": StepText(
            why="A primary that goes on signing makes certificates that the DR server never hears of.",
            commands=("systemctl mask --now puppetserver",),
            undo=("systemctl unmask puppetserver && systemctl start puppetserver",),
            where="puppet-primary",
            wrong=(Wrong("exit 1", "Somebody else holds the unit.", "systemctl list-jobs"),),
        ),
        "sync/copy": StepText(
            why="A node signed after the last copy is unknown to the DR server.",
            good="A handful of files change, never thousands.",
            kind="sync",
            commands=("sync /etc/puppetlabs/puppet/ssl from puppet-primary to puppet-dr",),
            undo=("exchange the snapshot back",),
            where="puppet-dr",
            stays="the snapshot under /var/lib/handrail",
        ),
        "sync/look": StepText(why="Somebody must see the lights.", kind="manual", where="you"),
        "switch/dns": StepText(
            why="Clients find the server by this one name.",
            kind="dns",
            commands=("update puppet.example.test. A 10.0.0.10 to 10.9.0.10",),
            undo=("update puppet.example.test. A 10.9.0.10 to 10.0.0.10",),
            where="ns1, ns2",
        ),
        "switch/caches": StepText(why="Old answers live as long as their TTL.", kind="wait", where="here"),
        "clients/canaries": StepText(
            why="Three clients of two sites run now, so that you need not wait for the rest.",
            commands=("puppet agent --test --noop",),
            where="3 clients",
            wrong=(Wrong("exit 1", "Caches have not run out; the DR serves who asks it."),),
        ),
        "sign/first": StepText(commands=("rm -f /etc/sign-hold",), where="puppet-dr"),
    }
