"""For each scenario two people: one who does the right thing, and one who does the obvious wrong thing."""

from __future__ import annotations

from collections.abc import Callable

from tests.scenarios.operators import Operator

LEAVES = Operator  # goes home at the first thing that stands
EMERGENCY = ("emergency", "retry")


def asks(place: str, words: str) -> Operator:
    """Return who asks somebody by a note, then tries again."""
    return Operator({place: (f"note {words}", "retry")})


def by_hand(place: str) -> Operator:
    """Return who says of a failed step that it is done, goes on, and goes home when clients do not follow."""
    return Operator({place: ("by hand",), "clients/lookup": ("leave",)}, {"clients/lookup": 5.0})


def turns_back(after: str, to: str = "copy") -> Operator:
    """Return who loses their nerve: walks back although nothing is wrong, and goes home."""
    return Operator(at={after: f"turn {to}"})


def goes_home(after: str) -> Operator:
    """Return who leaves in the middle."""
    return Operator(at={after: "leave"})


NEED_THE_PRIMARY = [
    "look/reach-primary",
    "look/paths",
    "look/clocks",
    "checks/same-ca",
    "checks/code",
    "checks/certname",
    "checks/at-risk",
    "checks/room",
    "copy/mask",
    "copy/masked",
    "copy/sync",
    "copy/agree",
    "copy/none-at-risk",
]
LOST = dict.fromkeys(NEED_THE_PRIMARY, EMERGENCY)

PEOPLE: dict[str, tuple[Callable[[], Operator], Callable[[], Operator]]] = {
    "cached-name": (
        lambda: Operator({"clients/adoption": ("note web01 has the old address",)}, {"clients/adoption": 8.0}),
        lambda: Operator({"clients/adoption": ("stop", "skip")}, {"clients/adoption": 8.0}),
    ),
    "clock-skew": (lambda: asks("look/clocks", "clock of the DR server"), lambda: by_hand("look/clocks")),
    "dr-disk-full": (lambda: asks("copy/signing", "make room on the disk"), lambda: by_hand("copy/signing")),
    "dr-other-ca": (lambda: Operator({"switch/dns": ("undo copy",)}), LEAVES),
    "key-refused": (lambda: asks("switch/dns", "the DNS key is refused"), lambda: by_hand("switch/dns")),
    "link-cut": (lambda: Operator({"copy/reload-before": ("retry",)}), lambda: goes_home("copy/reload-before")),
    "link-flapping": (Operator, lambda: turns_back("copy/signing")),
    "link-slow": (Operator, lambda: turns_back("copy/hold")),
    "moved-by-somebody": (lambda: asks("switch/dns", "who moved the name?"), lambda: by_hand("switch/dns")),
    "primary-back": (lambda: Operator({"guard": ("note fence the primary",)}), LEAVES),
    "primary-lost-before": (lambda: Operator(LOST), LEAVES),
    "primary-lost-in-sync": (
        lambda: Operator(LOST, {"copy/sync": 5.0}),
        lambda: Operator({"copy/sync": ("leave",)}, {"copy/sync": 5.0}),
    ),
    "secondary-stale": (lambda: asks("switch/dns", "ns2 does not answer"), lambda: by_hand("switch/dns")),
    "signed-after-copy": (Operator, lambda: goes_home("checks/at-risk")),
    "silent-step": (
        Operator,
        lambda: Operator({"copy/reload-before": ("stop", "undo copy", "leave")}, {"copy/reload-before": 5.0}),
    ),
    "timer-dead": (Operator, lambda: goes_home("look/copy-age")),
    "ttl-high": (
        Operator,
        lambda: Operator({"clients/caches": ("stop", "undo switch", "leave")}, {"clients/caches": 4.0}),
    ),
    "wrong-certname": (
        lambda: Operator(
            {"checks/certname": ("note certname of the DR server", "retry"), "checks/dr-serves": ("retry",)}
        ),
        lambda: Operator(
            {"checks/certname": ("by hand",), "checks/dr-serves": ("by hand",), "clients/lookup": ("leave",)},
            {"clients/lookup": 5.0},
        ),
    ),
    "wrong-runbook": (lambda: goes_home("checks/same-ca"), Operator),
}
