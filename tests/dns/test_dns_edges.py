"""The edges: this machine's own resolver, bytes that mean nothing, and what a plan may load."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import dns.rcode
import dns.update
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dns.server import KEY

from handrail.base.problems import Trouble
from handrail.dns import system
from handrail.dns.hints import HINTS, refusal, word_of
from handrail.dns.reply import read_reply
from handrail.dns.system import SystemAnswer, system_answer


async def test_this_machines_view_of_a_name() -> None:
    answer = await system_answer("localhost")
    assert answer.problem == ""
    assert set(answer.values) <= {"127.0.0.1", "::1"}
    assert answer.values


async def test_a_name_this_machine_cannot_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(-2, "Name or service not known\x1b[2J")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    answer = await system_answer("puppet.example.test")
    assert answer.values == ()
    assert answer.problem.isprintable()


async def test_a_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hangs(_: str) -> SystemAnswer:
        release.wait()
        return SystemAnswer(())

    monkeypatch.setattr(system, "_resolve", hangs)
    answer = await system_answer("puppet.example.test", timeout=0.05)
    assert "does not answer within 0.05 s" in answer.problem
    release.set()


async def test_what_is_no_name_is_not_resolved() -> None:
    with pytest.raises(Trouble, match="dns-name"):
        await system_answer("-oProxyCommand=x y")


def sent() -> dns.update.UpdateMessage:
    update = dns.update.UpdateMessage("example.test.", id=0x1234)
    update.add("puppet", 60, "A", "10.0.0.20")
    update.use_tsig(KEY)
    update.to_wire()
    return update


SENT = sent()


@given(st.binary(max_size=200) | st.binary(max_size=100).map(lambda tail: b"\x12\x34\xa8" + tail))
def test_no_bytes_are_a_verified_reply_without_the_key(wire: bytes) -> None:
    reply = read_reply(wire, SENT, KEY)
    assert not reply.verified
    assert (reply.word or reply.trouble).isprintable()


def test_every_code_of_updates_and_signatures_has_a_hint() -> None:
    for code in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 17, 18, 22):
        assert word_of(code) in HINTS
        assert refusal("ns1", word_of(code)).hint
    assert word_of(dns.rcode.NOERROR) == "NOERROR"
    assert word_of(0xFFFF) == "RCODE65535"
    assert refusal("ns1", "RCODE65535").hint


def test_a_plan_loads_no_dnspython() -> None:
    script = """
import sys
from pathlib import Path
from handrail.base.clock import SystemClock
from handrail.dns.caches import countdown
from handrail.dns.provider import provider_for
from handrail.dns.results import make_change
from handrail.dns.zone import make_zone
zone = make_zone("example.test", ["ns1=192.0.2.53"], key_file=Path("/nonexistent"))
change = make_change("puppet.example.test", ("192.0.2.10",), 60, ("192.0.2.20",), 60)
for kind, more in (("rfc2136", {}), ("manual", {}), ("command", {"read": ["x"], "change": ["y"]})):
    assert provider_for(kind, zone, SystemClock(), more).describe(change)
assert "dns" not in sys.modules, sorted(m for m in sys.modules if m.startswith("dns"))
"""
    subprocess.run([sys.executable, "-c", script], check=True)
