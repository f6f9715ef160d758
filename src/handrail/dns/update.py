"""RFC 2136 compare and set, over TCP, signed with TSIG. What is sent is sent once: a lost reply is settled by reading.

The old RRset is the prerequisite, so that the server itself refuses if anybody changed it in between. A reply counts
as the server's word only if its signature holds; every other one is a lost reply with a hint.
"""

from __future__ import annotations

import asyncio
from typing import Final

import dns.name
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update

from handrail.base.clock import Clock
from handrail.base.failpoint import boundary
from handrail.base.frozen import dataclass
from handrail.base.problems import Problem
from handrail.dns.answer import Answer
from handrail.dns.hints import refusal
from handrail.dns.key import read_key
from handrail.dns.lookup import ask, ask_serial
from handrail.dns.names import canonical, name_in_zone, other_rtype, plain_name, spell
from handrail.dns.reply import Reply, read_reply
from handrail.dns.results import (
    AlreadySo,
    Applied,
    BeforeSend,
    Change,
    Conflict,
    NotApplied,
    NotSent,
    Refused,
    Result,
    Unsettled,
    conflict,
)
from handrail.dns.wire import NoAnswerError, framed, read_framed, to_name, why
from handrail.dns.zone import NameServer, Zone


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: for a connection, for a reply, for each read, and before each reading back.

    The worst case is their sum, about half a minute, and only for a server that falls silent after the send.
    """

    connect: float = 5.0
    reply: float = 10.0
    read: float = 3.0
    read_back: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0)


PATIENCE: Final = Patience()
# Words after which a server may have changed something all the same, or changed nothing for a reason worth reading.
_READ_AFTER: Final = frozenset({"SERVFAIL", "NXRRSET", "YXRRSET", "NXDOMAIN", "YXDOMAIN"})


async def compare_and_set(
    zone: Zone,
    change: Change,
    clock: Clock,
    *,
    before_send: BeforeSend | None = None,
    patience: Patience = PATIENCE,
) -> Result:
    """Change one RRset if it is still exactly `change.old`; return how that ended.

    `before_send` is awaited once the connection stands, right before the only message; what it raises passes through
    and nothing is sent. A cancel after that leaves the outcome open: ask `settled` or call again, which is safe.
    Raises `Trouble`, with nothing sent, for a bad key file or a name outside the zone.
    """
    primary = zone.primary
    name = to_name(name_in_zone(change.name, zone.name))
    key = _key(zone)
    message = _message(zone, change, name)
    sent = await _send(message, primary, key, before_send, patience)
    if isinstance(sent, Problem):
        return NotSent(sent)
    return await _judge(sent, primary, zone, change, clock, patience)


async def prove_key(
    zone: Zone, name: str, value: tuple[str, ...], *, rtype: str = "A", patience: Patience = PATIENCE
) -> Problem | None:
    """Prove key, clock and zone with an update that has a prerequisite and nothing to do; return what is wrong.

    It cannot change anything and moves no serial. It does not prove that the key may change this very name: a server
    checks its update-policy only when there is something to update (RFC 2136, 3.2 before 3.3).
    """
    update = dns.update.UpdateMessage(to_name(plain_name(zone.name)))
    plain = name_in_zone(name, zone.name)
    for address in canonical(value, rtype):
        update.present(to_name(plain), rtype, address)
    sent = await _send(update, zone.primary, _key(zone), None, patience)
    if isinstance(sent, Problem):
        return sent
    label = zone.primary.label
    if sent.verified and sent.word == "NOERROR":
        return None
    if sent.verified and sent.word == "NXRRSET":
        return Problem("dns-not-now", f"{label} takes the key, but {plain} is not {spell(value)}")
    if sent.word:
        return refusal(label, sent.word if sent.word != "NOERROR" else "NOTSIGNED", sent.clock_offset)
    return Problem("dns-no-reply", f"{label} {sent.trouble}", "the key could not be tried")


def _key(zone: Zone) -> dns.tsig.Key | None:
    return read_key(zone.key_file, zone.key_name).dnspython() if zone.key_file else None


def _message(zone: Zone, change: Change, name: dns.name.Name) -> dns.update.UpdateMessage:
    """Return the update: prerequisites (RFC 2136, 2.4), then delete the RRset and add the new one (2.5.2, 2.5.1)."""
    update = dns.update.UpdateMessage(to_name(plain_name(zone.name)))
    for address in change.old:
        update.present(name, change.rtype, address)  # value-dependent: all of them, and no others
    if not change.old:
        update.absent(name, change.rtype)
    if change.alone:
        update.absent(name, other_rtype(change.rtype))
    update.delete(name, change.rtype)
    for address in change.new:
        update.add(name, change.new_ttl, change.rtype, address)
    return update


async def _send(
    message: dns.update.UpdateMessage,
    server: NameServer,
    key: dns.tsig.Key | None,
    before_send: BeforeSend | None,
    patience: Patience,
) -> Reply | Problem:
    """Send one message over one connection; return a `Problem` only if not one byte of it was sent."""
    try:
        async with asyncio.timeout(patience.connect):
            reader, writer = await asyncio.open_connection(server.address, server.port)
    except TimeoutError:
        return _unreachable(server, f"does not take a connection within {patience.connect:g} s")
    except OSError as error:
        return _unreachable(server, why(error))
    try:
        if before_send:
            with boundary("dns.before_send"):
                await before_send()
        if key:
            message.use_tsig(key)
        with boundary("dns.send"):
            writer.write(framed(message.to_wire()))  # signed now: a signature holds for 5 minutes
        with boundary("dns.reply"):
            return await _reply(reader, writer, message, key, patience.reply)
    finally:
        writer.transport.abort()  # what was not sent yet never will be


async def _reply(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    message: dns.update.UpdateMessage,
    key: dns.tsig.Key | None,
    within: float,
) -> Reply:
    try:
        async with asyncio.timeout(within):
            await writer.drain()
            return read_reply(await read_framed(reader), message, key)
    except TimeoutError:
        return Reply(trouble=f"does not answer within {within:g} s")
    except OSError as error:
        return Reply(trouble=why(error))
    except NoAnswerError as error:
        return Reply(trouble=str(error))


def _unreachable(server: NameServer, what: str) -> Problem:
    return Problem(
        "dns-unreachable", f"{server.label} {what}: nothing was sent", f"TCP to {server.address}, port {server.port}"
    )


async def _judge(
    reply: Reply, primary: NameServer, zone: Zone, change: Change, clock: Clock, patience: Patience
) -> Result:
    """Return what a reply means, after a look at the record wherever the reply alone does not tell."""
    if reply.verified and reply.word == "NOERROR":
        with boundary("dns.read_back"):
            soa = await ask_serial(primary, zone.name, patience.read, clock=clock)
        return Applied(soa.serial)
    if reply.verified and reply.word not in _READ_AFTER:
        return Refused(reply.word, refusal(primary.label, reply.word, reply.clock_offset))
    # A failed prerequisite is final, so one look is enough; a lost reply may belong to an update still on its way.
    final = reply.verified and reply.word != "SERVFAIL"
    answered = final or reply.word not in ("", "NOERROR", "SERVFAIL")
    found = await _read_back(primary, change, clock, patience, once=answered)
    if found.problem:
        return _unread(reply, primary, change, found, final=final)
    if change.arrived(found.values, found.ttl):
        serial = (await ask_serial(primary, zone.name, patience.read, clock=clock)).serial
        return AlreadySo(serial) if final else Applied(serial, "read back")
    return _not_arrived(reply, primary, change, found, final=final)


async def _read_back(server: NameServer, change: Change, clock: Clock, patience: Patience, *, once: bool) -> Answer:
    """Return what the server that got the update says now; look again while it does not answer.

    Without `once` it is looked at again also while it is the old record: the update may be on its way.
    """
    found = Answer(server, change.rtype, problem="was not asked")
    for pause in patience.read_back:
        await asyncio.sleep(pause)
        found = await ask(server, change.name, change.rtype, patience.read, tcp=True, clock=clock)
        news = found.other or found.values != change.old or change.arrived(found.values, found.ttl)
        if not found.problem and (once or news):
            break
    return found


def _unread(reply: Reply, primary: NameServer, change: Change, found: Answer, *, final: bool) -> Result:
    label = primary.label
    if final:
        problem = refusal(label, reply.word)
        return Refused(reply.word, problem)
    said = f"answered {reply.word} without a valid signature" if reply.word else reply.trouble
    message = (
        f"{label} {said}, and cannot be read now ({found.problem}): nobody knows whether {change.name} was changed"
    )
    return Unsettled(Problem("dns-unsettled", message, "nothing will be sent again: probe until the server answers"))


def _not_arrived(reply: Reply, primary: NameServer, change: Change, found: Answer, *, final: bool) -> Result:
    """Return the result when the record was read and is not what was wanted."""
    if found.other:
        return conflict(change, found.values, f"{change.name} is now {found.other[0]}")
    if found.values != change.old:
        return conflict(change, found.values)
    if final and reply.word == "NXRRSET":
        hint = "the server serves the old value but does not hold it at this name: a wildcard, or another view?"
        return Conflict(
            found.values, Problem("dns-conflict", f"{primary.label} refuses: {change.name} is not as planned", hint)
        )
    if reply.word:
        word = "NOTSIGNED" if reply.word == "NOERROR" else reply.word
        return Refused(word, refusal(primary.label, word, reply.clock_offset))
    message = f"{primary.label} {reply.trouble}, and still serves {spell(found.values)}: the change was not applied"
    hint = "sending it again is safe: the server compares before it sets"
    return NotApplied(found.values, Problem("dns-not-applied", message, hint))
