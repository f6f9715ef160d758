"""The claim of an estate on a host: one changing run at a time, told apart on the host itself. Idempotent by run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, field, fields
from typing import Any

from handrail.base.frozen import dataclass
from handrail.base.problems import trouble
from handrail.base.safe import safe
from handrail.ssh.frames import body, number
from handrail.ssh.links import Links
from handrail.ssh.question import Answer, consult
from handrail.ssh.target import Target


@dataclass(frozen=True)
class Claim:
    """Who holds an estate: all texts; `since` as `handrail.base.clock.stamp` writes it, `epoch` counts takeovers."""

    run: str
    operator: str
    host: str
    digest: str
    epoch: int
    since: str
    estate: str
    note: str = ""


@dataclass(frozen=True)
class Taken:
    """The claim is this run's; `owed` is what it, or the run it was broken from, had last written down."""

    owed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HeldBy:
    """Another run holds it: its claim, and what it last wrote down. An unreadable claim has the operator "unknown"."""

    claim: Claim
    owed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OlderEpoch:
    """The host has seen a newer epoch of this run: another console took it over."""

    seen: int


async def take_claim(links: Links, target: Target, claim: Claim) -> Taken | HeldBy | OlderEpoch:
    """Take the claim, or learn who holds it; raises `Trouble` when the host cannot be asked or cannot keep it."""
    answer = await _ask(links, target, "take", claim)
    return _outcome(answer)


async def read_claim(links: Links, target: Target, run: str = "none") -> HeldBy | None:
    """Return who holds the claim, or None."""
    answer = await consult(links, target, "claim", run, {**_empty(), "verb": "read"})
    return _holder(answer) if answer.words[0] == "held" else None


async def release_claim(links: Links, target: Target, run: str) -> HeldBy | None:
    """Give up this run's claim; a claim of another run is left alone and returned. Nothing there is fine."""
    answer = await consult(links, target, "claim", run, {**_empty(), "verb": "release"})
    return _holder(answer) if answer.words[0] == "held" else None


async def break_claim(
    links: Links, target: Target, holder_name_typed: str, reason: str, claim: Claim
) -> Taken | HeldBy | OlderEpoch:
    """Take the claim from the run that holds it; the broken one is kept on the host, with the reason.

    The typed name must be the holder's, and there must be a reason, else `Trouble` (claim-name, claim-reason). What
    the broken claim knew to be owed is inherited.
    """
    if not reason.strip():
        raise trouble("claim-reason", "breaking a claim needs a reason")
    held = await read_claim(links, target, claim.run)
    if held is None:
        return await take_claim(links, target, claim)
    if holder_name_typed.strip() != held.claim.operator:
        raise trouble(
            "claim-name",
            f"the claim on {safe(target.name)} is held by {safe(held.claim.operator)}, not {safe(holder_name_typed)}",
            "type the holder's name",
        )
    note = f"broke the claim of {held.claim.operator} ({held.claim.run}): {reason.strip()}"
    answer = await _ask(links, target, "break", claim, note=note, holder=held.claim.run)
    return _outcome(answer)


async def raise_epoch(links: Links, target: Target, run: str, epoch: int) -> OlderEpoch | None:
    """Tell the host of a takeover: changing jobs of an older epoch are refused from now on."""
    answer = await consult(links, target, "claim", run, {**_empty(), "verb": "epoch", "epoch": epoch})
    return OlderEpoch(number(answer.words[1])) if answer.words[0] == "older" else None


async def update_claim(links: Links, target: Target, run: str, owed: Mapping[str, Any]) -> bool:
    """Write down on the host what a successor must know; False when the claim is not this run's.

    It goes beside the steps and nobody waits for it: the channel that is open ahead is left to the next step.
    """
    text = json.dumps(owed, ensure_ascii=True, separators=(",", ":"))
    values = {**_empty(), "verb": "update", "owed": text}
    answer = await consult(links, target, "claim", run, values, ahead="leave")
    return answer.words[0] == "taken"


async def _ask(links: Links, target: Target, verb: str, claim: Claim, *, note: str = "", holder: str = "") -> Answer:
    fields_ = asdict(claim) | ({"note": note} if note else {})
    text = json.dumps(fields_, ensure_ascii=True, separators=(",", ":"))
    values = {**_empty(), "verb": verb, "json": text, "epoch": claim.epoch, "holder": holder}
    return await consult(links, target, "claim", claim.run, values)


def _empty() -> dict[str, str | int]:
    return {"json": "", "owed": "", "epoch": 0, "holder": ""}


def _outcome(answer: Answer) -> Taken | HeldBy | OlderEpoch:
    match answer.words[0]:
        case "taken":
            return Taken(_owed(answer))
        case "older":
            return OlderEpoch(number(answer.words[1]))
    return _holder(answer)


def _owed(answer: Answer) -> Mapping[str, Any]:
    return _object(body(answer.body, answer.nonce, "O", "."))


def _holder(answer: Answer) -> HeldBy:
    """Read the holder's claim; whatever a host has put there, the result is a claim of texts and one number."""
    said = _object(body(answer.body, answer.nonce, "C", "O"))
    texts = {f.name: str(said.get(f.name, "")) for f in fields(Claim) if f.name != "epoch"}
    texts["operator"] = texts["operator"] or "unknown"
    epoch = said.get("epoch", 0)
    return HeldBy(Claim(**texts, epoch=epoch if isinstance(epoch, int) else 0), _owed(answer))


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
