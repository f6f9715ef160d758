"""One call to a host over one channel. This is the only module of Handrail that may start a command on a host.

What it starts is always the wrapper: `job` and `question` are the only ones that ask it to.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import aclosing, suppress
from typing import Final, Literal

import asyncssh

from handrail.base.failpoint import boundary
from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.base.secrets import Secret
from handrail.ssh import shell
from handrail.ssh.call import Call, LinkGone
from handrail.ssh.flow import Feed
from handrail.ssh.frames import NOISE
from handrail.ssh.links import Links
from handrail.ssh.shell import Text
from handrail.ssh.target import Target

_Channel = asyncssh.SSHClientChannel[bytes]
SPARES: Final = (
    8  # hosts that have a channel ready at once: latency is felt where one waits for single hosts, not in a fan-out
)
MOMENT: Final = 0.03, 1.0  # seconds after which a job is followed; told twice, since the host may not have looked yet
IDLE: Final = 5.0  # seconds after which a spare channel is closed: a console that stands leaves no shell on a host
FIRST_WORD: Final = 3.0  # seconds in which a host that has the job already says so


Ahead = Literal["use", "last", "leave"]
"""What a call does with the channel that was opened ahead: takes it and has another opened; only takes it; leaves it for others."""


class _Session(asyncssh.SSHClientSession[bytes]):
    """The channel of one call: hands every piece on as it comes. A spare one has no call yet, and keeps what comes for it."""

    def __init__(self, call: Call | None) -> None:
        self.channel: asyncio.Future[_Channel] = asyncio.get_running_loop().create_future()
        self._waiting = call is None
        self._call = call or Call(lambda _stream, _at, _data: None)
        self._seen = {False: b"", True: b""}
        self._early: list[tuple[bytes, int | None]] = []
        self._prelude = b""
        self.ready = ""
        self.gone = False

    def connection_made(self, chan: _Channel) -> None:
        """Note that the channel is open. asyncssh asks for the loader in the same breath: a text that follows finds it."""
        if self.gone:
            chan.abort()
        elif not self.channel.done():
            self.channel.set_result(chan)

    def prepare(self, run: str, prelude: bytes) -> None:
        """Have the shell stand ready for a run, as soon as there is one."""
        self.ready, self._prelude = run, prelude
        self.channel.add_done_callback(lambda _: self._greet())

    def _greet(self) -> None:
        """Send what has the shell stand ready, once."""
        prelude, self._prelude = self._prelude, b""
        if prelude and not (self.gone or self.channel.cancelled() or self.channel.exception()):
            with suppress(OSError):
                self.channel.result().write(prelude)

    def adopt(self, call: Call) -> None:
        """Serve a call from now on."""
        self._greet()
        call.ready = self.ready
        self._call, self._waiting = call, False
        for data, datatype in self._early:
            self.data_received(data, datatype)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Take a piece of stdout (None) or stderr."""
        if self._waiting:
            self._early.append((data, datatype))
            self.gone = self.gone or sum(len(piece) for piece, _ in self._early) > NOISE
            return
        if self._call.closed:
            return
        if not self._call.loaded:
            self._look_for_step(data, is_err=datatype is not None)
        try:
            self._call.feed(data, is_err=datatype is not None)
        except Exception as error:  # noqa: BLE001 - a border: the caller's own fault goes to the caller, not to the link
            self._call.closed = True
            if not self._call.ended.done():
                self._call.ended.set_exception(error)

    def _look_for_step(self, data: bytes, *, is_err: bool) -> None:
        """Notice the loader's first line, and sudo's prompt before it."""
        call = self._call
        seen = self._seen[is_err] + data
        self._seen[is_err] = seen[-NOISE:]
        if not is_err and shell.READY in seen:
            call.loaded = True
            _settle(call.step, "loaded")
        elif is_err and call.prompt and call.prompt in seen:
            self._seen[is_err] = b""
            _settle(call.step, "prompt")

    async def opened(self) -> _Channel:
        """Return the channel, once it is open; it is closed when nobody waits for it any more. Raises `LinkGone`."""
        if self.channel.done():
            return self.channel.result()  # at once: the call's text goes before what is opened ahead for the next one
        try:
            return await asyncio.shield(self.channel)
        except asyncio.CancelledError:
            self.close()
            raise

    def close(self) -> None:
        """Close the channel, now or when it opens."""
        self.gone = True
        if self.channel.done() and not self.channel.exception():
            self.channel.result().abort()

    def pause_writing(self) -> None:
        """Note that the host takes its time."""
        self._call.writable.clear()

    def resume_writing(self) -> None:
        """Note that the host takes more."""
        self._call.writable.set()

    def exit_status_received(self, status: int) -> None:
        """Note that the host itself ended the call."""
        self._call.exit = status
        self.gone = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end of the channel, for whatever reason."""
        self.fail(LinkGone(safe(str(exc), 200) if exc else "the channel was closed"))

    def fail(self, reason: LinkGone) -> None:
        """Let go of the channel, and tell everybody who waits."""
        self.close()
        for future in (self.channel, self._call.ended, self._call.step):
            if not future.done():
                future.set_exception(reason)
                future.exception()  # not everybody waits for all of them


class _Spare:
    """A channel on which the loader waits for a call that is not there yet. Nothing but the empty loader runs in it."""

    def __init__(self, links: Links, key: str, session: _Session) -> None:
        self.session = session
        self._links, self._key = links, key
        self._idle = asyncio.get_running_loop().call_later(IDLE, self.discard)

    def take(self) -> _Session:
        """Take it out of those that wait."""
        self._idle.cancel()
        self._links.spares.pop(self._key, None)
        return self.session

    def discard(self) -> None:
        """Close it."""
        self.take().close()


def _settle(future: asyncio.Future[str], value: str) -> None:
    if not future.done():
        future.set_result(value)


async def converse(
    links: Links, target: Target, call: Call, label: str, text: Text, stdin: bytes | Feed = b"", ahead: Ahead = "use"
) -> None:
    """Open a channel, send the call, and return when its trailer has come; a short answer ends in `LinkGone`.

    Raises `LinkGone`, or `Trouble`: those of `Links.connection`, ssh-become, ssh-host-odd (nothing was run then).
    Cancelling it closes the channel and leaves what runs on the host alone.
    """
    if target.become:
        await get_through_sudo(links, target)
    password = links.sudo.password(target) if target.become else None
    channel = await _open(links, target, call, label, asks=password is not None, ahead=ahead, run=text.run)
    pouring: asyncio.Task[None] | None = None
    moment = _Moment(call, channel)
    try:
        if call.valve is not None:
            call.valve.bind(channel.pause_reading, channel.resume_reading)
        if password is not None and not await _give_password(links, call, channel, password):
            links.sudo.refused(target, password, call.answered(password))
            raise _sudo_refuses(links, target)
        with boundary("channel.send"):
            channel.write(text.short if call.ready and call.ready == text.run else text.whole)
        if stdin:
            with boundary("channel.input"):
                if isinstance(stdin, Feed):
                    pouring = asyncio.create_task(_pour(call, channel, stdin, moment))
                else:
                    channel.write(stdin)
        if pouring is None:
            moment.begin()
        with boundary("channel.answer"):
            await call.ended
    except LinkGone:
        _raise_when_odd(target, call)
        raise
    except OSError as error:
        raise LinkGone(safe(str(error), 200)) from None
    finally:
        call.closed = True
        moment.end()
        channel.abort()
        if pouring is not None:
            pouring.cancel()
            await asyncio.gather(pouring, return_exceptions=True)


class _Moment:
    """The time in which most jobs end. When it is over the host is told, and follows the output from then on."""

    def __init__(self, call: Call, channel: _Channel) -> None:
        self._call, self._channel = call, channel
        self._timers: list[asyncio.TimerHandle] = []

    def begin(self) -> None:
        """Have it begin, once all is sent."""
        loop = asyncio.get_running_loop()
        self._timers = [loop.call_later(after, self._over) for after in MOMENT]

    def end(self) -> None:
        """Tell nothing more."""
        for timer in self._timers:
            timer.cancel()

    def _over(self) -> None:
        if not (self._call.closed or self._channel.is_closing()):
            with suppress(OSError):
                self._channel.write(b"\n")


async def _pour(call: Call, channel: _Channel, feed: Feed, moment: _Moment) -> None:
    """Send a feed at the pace of the host, until its first word: from then on it needs nothing more.

    A feed that breaks off ends our side: the host then says that the input did not arrive whole, and starts nothing. It is
    given time for its first word before, since a job that is there already never needed the input.
    """
    try:
        async with aclosing(feed.open()) as pieces:
            async for piece in pieces:
                await call.writable.wait()
                if call.out.header is not None:
                    break
                channel.write(piece)
        moment.begin()
    except OSError:
        return  # the channel has ended: whoever waits for the call knows
    except Exception:  # noqa: BLE001 - a border: whatever it is, the input will not be whole
        await asyncio.sleep(FIRST_WORD)
        if call.out.header is None and not call.closed:
            channel.write_eof()


async def _open(
    links: Links, target: Target, call: Call, label: str, *, asks: bool, ahead: Ahead = "use", run: str = ""
) -> _Channel:
    """Return an open channel that has been told to run the loader: what is written now follows as soon as the host takes it.

    It is the one that was opened ahead, if there is one: it is never ready later than a new one would be. With `asks`, sudo may
    ask for a password first.
    """
    connection = await links.connection(target)
    spare = links.spares.get(target.key) if ahead != "leave" else None
    waiting = spare.take() if isinstance(spare, _Spare) else None
    if ahead == "use":
        open_ahead(links, target, run or (waiting.ready if waiting else ""))
    if waiting is not None:
        with suppress(LinkGone):
            channel = await waiting.opened()
            if not (waiting.gone or channel.is_closing()):
                waiting.adopt(call)
                return channel
    call.prompt = f"hr-{secrets.token_hex(8)}:".encode() if asks else b""
    known = target.key in links.one_piece
    line = shell.loader(label, become=target.become, prompt=call.prompt.decode(), one_piece=known)
    session = _Session(call)
    links.background(_begin(links, target, connection, line, session))
    return await session.opened()


async def _begin(
    links: Links, target: Target, connection: asyncssh.SSHClientConnection, line: str, session: _Session
) -> None:
    """Start a loader; this is the one place at which anything is started on a host. What goes wrong is told to the session."""
    try:
        async with links.patience.limit(links.limits.login):
            await connection.create_session(lambda: session, line, encoding=None)
    except TimeoutError:
        session.fail(LinkGone("the host does not open a channel"))
    except (asyncssh.Error, OSError) as error:
        links.without_spare.add(target.key)
        session.fail(LinkGone(safe(str(error), 200)))
    except asyncio.CancelledError:
        session.fail(LinkGone("the connections were closed"))
        raise


def open_ahead(links: Links, target: Target, run: str) -> None:
    """Have a channel opened for the next call: a round trip, a process and a shell that it then need not wait for.

    Where the run has been opened, the process that will own the next job stands ready as well, and is told of it (decision 051).
    Only where the host has said what it is like, and nothing asks for a password.
    """
    connection = links.there(target)
    known = target.key in links.one_piece and not target.become and target.key not in links.without_spare
    if connection and known and target.key not in links.spares and len(links.spares) < SPARES and not links.closed:
        session = _Session(None)
        facts = links.facts(target, run)
        if facts is not None:
            values: dict[str, str | int] = {
                "nonce": secrets.token_hex(16),
                "work": target.work_dir,
                "run": run,
                "fork": int(facts.fork),
            }
            session.prepare(run, shell.ahead(values))
        links.spares[target.key] = _Spare(links, target.key, session)
        line = shell.loader("handrail-next", one_piece=True)
        links.background(_begin(links, target, connection, line, session))


async def get_through_sudo(links: Links, target: Target, *, prove: bool = False) -> None:
    """Find out once what sudo wants on a host, and have it asked for; nothing of ours runs but the empty loader.

    Without anybody to ask and no password given, `sudo -n` is all there is: the call itself tries it, or `prove` does.
    Raises `Trouble` (ssh-become) when it takes none of what was said, or nothing was said; `LinkGone`.
    """
    sudo = links.sudo
    if sudo.settled(target) or not (prove or sudo.knows_a_way()):
        return
    await links.connection(target)  # a host that does not answer keeps nobody else from being asked
    async with sudo.lock(target):
        while not sudo.settled(target):
            await _try_sudo(links, target)


async def _try_sudo(links: Links, target: Target) -> None:
    """Make one attempt: one channel, at most one password. A wrong one may be asked for again."""
    call = Call(lambda _stream, _at, _data: None)
    channel = await _open(links, target, call, "handrail-sudo", asks=links.sudo.knows_a_way())
    try:
        if await _first_word(links, call) == "loaded":
            links.sudo.took(target, None)
            return
        password = await links.sudo.ask(target)
        if password is None:
            raise _sudo_refuses(links, target)
        if await _takes(links, call, channel, password):
            links.sudo.took(target, password)
        else:
            links.sudo.refused(target, password, call.answered(password))
    except LinkGone:
        _raise_when_odd(target, call)
        raise
    finally:
        call.closed = True
        channel.abort()


async def _first_word(links: Links, call: Call) -> str:
    """Return what comes first: "prompt", or "loaded"."""
    try:
        async with links.patience.limit(links.limits.login):
            return await call.step
    except TimeoutError:
        raise LinkGone("sudo does not answer") from None


async def _give_password(links: Links, call: Call, channel: _Channel, password: Secret) -> bool:
    """Answer sudo's one prompt, when there is one; False: it was wrong, and nothing more is tried."""
    if await _first_word(links, call) == "loaded":
        return True
    return await _takes(links, call, channel, password)


async def _takes(links: Links, call: Call, channel: _Channel, password: Secret) -> bool:
    """Type a password; a second prompt, or sudo's own end, means that it was wrong."""
    call.step = asyncio.get_running_loop().create_future()
    channel.write(password.reveal().encode("utf-8", "surrogatepass") + b"\n")
    try:
        return await _first_word(links, call) == "loaded"
    except LinkGone:
        if call.exit is None:
            raise
        return False


def _sudo_refuses(links: Links, target: Target) -> Trouble:
    said = links.sudo.last_word(target)
    return trouble(
        "ssh-become",
        f"{safe(target.name)}: " + (f"sudo refuses: {said}" if said else "sudo wants a password, and none was given"),
        "nothing ran there; it is asked for again when you try again",
    )


def _raise_when_odd(target: Target, call: Call) -> None:
    """Raise when the host itself ended the call before our first line ran: then nothing of it did."""
    if call.loaded or call.exit is None:
        return
    if target.become:
        raise trouble("ssh-become", f"{safe(target.name)}: sudo refuses: {call.noise()}", "nothing ran")
    raise trouble("ssh-host-odd", f"{safe(target.name)} cannot run commands (exit {call.exit}): {call.noise()}")
