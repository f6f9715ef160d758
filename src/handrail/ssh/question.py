"""Short questions to a host: one call, one answer, asked again when the link is lost. Every verb of them is idempotent.

It starts no job; those are `job`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

from handrail.base.frozen import dataclass
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.ssh import shell
from handrail.ssh.call import Call, LinkGone
from handrail.ssh.channel import Ahead, converse
from handrail.ssh.links import Links
from handrail.ssh.target import Target


@dataclass(frozen=True)
class Answer:
    """What a short call said: the words of its header, and the bytes after it."""

    words: list[str]
    body: bytes
    nonce: str


async def consult(
    links: Links,
    target: Target,
    verb: str,
    run: str,
    values: Mapping[str, str | int],
    patience: float = 30.0,
    ahead: Ahead = "use",
) -> Answer:
    """Ask the host one short question; every verb is idempotent, so a lost link is asked again, twice.

    Raises `Trouble`: those of `Links.connection`, ssh-timeout, ssh-host-odd, ssh-become, ssh-work-dir.
    """
    reason = ""
    for _ in range(3):
        try:
            async with links.patience.limit(patience), links.slots(target, "questions"):
                return await _consult_once(links, target, verb, run, values, ahead)
        except TimeoutError:
            raise trouble("ssh-timeout", f"{safe(target.name)} does not answer within {patience:g}s") from None
        except LinkGone as error:
            reason = str(error)
    raise trouble("ssh-unreachable", f"{safe(target.name)}: the link was lost: {reason}") from None


async def _consult_once(
    links: Links, target: Target, verb: str, run: str, values: Mapping[str, str | int], ahead: Ahead
) -> Answer:
    call = Call(lambda _stream, _at, _data: None)
    text = shell.call(verb, {"nonce": call.nonce, "work": target.work_dir, "run": run, **values})
    gone = LinkGone("no answer")
    try:
        await converse(links, target, call, f"handrail-{verb}:{run}", text, ahead=ahead)
    except LinkGone as error:
        gone = error
    call.out.finish()
    words = [*call.out.header, "", ""] if call.out.header is not None else None
    if words is None and call.exit:
        raise trouble("ssh-host-odd", f"{safe(target.name)} cannot run the wrapper: {call.noise()}")
    if words is None or call.exit is None:
        raise gone
    if words[0] == "no":
        raise unfit(target, words)
    return Answer(words, bytes(call.aside), call.nonce)


def unfit(target: Target, words: list[str]) -> Trouble:
    """Return why no run can be opened on a host, from the header that says so."""
    if words[1] == "work":
        hint = "another user made it, or this one without `become`: remove it as its owner, or set `work_dir`"
        return trouble("ssh-work-dir", said(target, words[2:]), hint)
    return trouble("ssh-host-odd", said(target, words[2:]))


def said(target: Target, words: list[str]) -> str:
    """Return what a host said in its header as a sentence with its name."""
    return f"{safe(target.name)}: {safe(' '.join(words).strip(), 300)}"
