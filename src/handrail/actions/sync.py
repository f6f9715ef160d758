"""sync: copy directories from one host to another: compared by content, staged beside the live tree, exchanged at once.

The stream goes through this console and is kept nowhere. Nothing of the live tree changes before the staged one is proven
equal to the source; the exchange is one remote job that rolls forward after a crash. The old tree stays as the snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from handrail.actions import manifest, sync_scripts
from handrail.actions.commands import verified
from handrail.actions.copying import Copying, show_size
from handrail.actions.manifest import Difference, Tree, UnreadableError
from handrail.actions.port import Port, Said
from handrail.actions.work import SyncSides, Work
from handrail.base.failpoint import boundary
from handrail.base.frozen import dataclass
from handrail.engine.results import Check, Question, Result
from handrail.engine.words import Answer, ResultKind, Way
from handrail.runbook.checks import Command

LIMIT: Final = 300.0
LONGEST: Final = 64 << 20  # bytes of the list of one side's files: some 200,000 of them
SHOWN: Final = 40  # names of files written into the output for each kind of change


class StopError(Exception):
    """The copy ends here, with this result; what was sent so far is in it."""

    def __init__(self, result: Result) -> None:
        super().__init__(result.detail)
        self.result = result


@dataclass(frozen=True)
class Pair:
    """One directory on both sides, and what has to happen to it."""

    source: Tree
    target: Tree
    todo: Difference
    written: tuple[str, str] = ("", "")  # what the runbook calls it at the source and at the target


async def perform(work: Work, port: Port) -> None:
    """Copy; or, on the way back, exchange the snapshot in again."""
    sides = work.sync
    assert sides is not None
    try:
        result = await (_back(sides, work, port) if work.way is Way.BACK else _forward(sides, work, port))
    except StopError as stop:
        result = stop.result
    port.ended(await verified(work, result, port))


async def probe(work: Work, port: Port) -> tuple[Answer, str]:
    """Ask the destination alone whether the new trees are live: all, none, or it cannot be told."""
    sides = work.sync
    assert sides is not None
    notes = port.notes(sides.target)
    if "dirs" not in notes:
        return Answer.NOT_DONE, "nothing was staged"
    look = Command(script=sync_scripts.LOOK, args=(_tags(notes)[-1], *notes["dirs"].split("\n")))
    said = await port.command(sides.target, look, "probe.look", changes=False, limit=LIMIT)
    words = said.stdout.decode("utf-8", "replace").split()
    if said.exit != 0 or not words or len(set(words)) != 1:
        return Answer.DONT_KNOW, said.detail or said.complaint or f"the trees are {' '.join(words)}"
    new = words[0] == "new"
    return (Answer.DONE if new else Answer.NOT_DONE), "live trees are " + ("all new" if new else "untouched")


def _tags(notes: Mapping[str, str]) -> list[str]:
    """Return the tags of every attempt that staged something, oldest first."""
    return notes["tags"].split(",")


def _stop(sides: SyncSides, why: str, *, kind: ResultKind = ResultKind.REFUSED) -> StopError:
    return StopError(Result(sides.target, kind, sent=False, detail=why))


async def _forward(sides: SyncSides, work: Work, port: Port) -> Result:
    before = port.notes(sides.target)
    if work.attach and before.get("exchange") == str(work.attempt):
        return await _exchange(sides, work, port)
    with boundary("sync.compare"):
        pairs = await _compared(sides, port)
    with boundary("sync.sane"):
        await _sane(sides, pairs, port)
    _show(sides, pairs, port)
    if not any(pair.todo.any for pair in pairs):
        return Result(sides.target, ResultKind.ALREADY, sent=False, detail="both sides hold the same")
    await _removals(sides, pairs, port)
    tags = _tags(before) if "tags" in before else []
    tag = f"{work.run}-{len(tags) + 1}"  # a name of its own for each staging: what a crashed one left is not built upon
    dirs = "\n".join(pair.target.path for pair in pairs)
    olds = ";".join((*before.get("olds", "").split(";"), ",".join(pair.target.inode for pair in pairs))).strip(";")
    port.remember(sides.target, {"tags": ",".join((*tags, tag)), "dirs": dirs, "olds": olds})
    try:
        await _tidy(sides, work, pairs, tag, port)
        await _stage(sides, pairs, tag, port)
    except StopError as stop:
        raise StopError(_with_something_sent(stop.result)) from None
    port.remember(sides.target, {"exchange": str(work.attempt)})
    return await _exchange(sides, work, port)


def _with_something_sent(result: Result) -> Result:
    """Return a result that came after something was staged: a plain failure of which something is to be undone."""
    if result.kind not in (ResultKind.REFUSED, ResultKind.UNREACHABLE):
        return replace(result, sent=True)
    return replace(result, kind=ResultKind.EXITED, sent=True, exit=1)


async def _compared(sides: SyncSides, port: Port) -> tuple[Pair, ...]:
    """Return every directory on both sides, folded, with what differs by content, mode and owner."""
    port.progress(0, 0, "reading both sides by content")
    source = await _manifest(sides, sides.source, sides.at_source.dirs, port)
    target = await _manifest(sides, sides.target, sides.at_target.dirs, port)
    kept = manifest.kept(source)
    if kept != manifest.kept(target):
        raise _stop(sides, "the directories lie inside one another on one side only: name those that do not")
    pairs = []
    for number in kept:
        here, there = source[number], target[number]
        if there.is_mount:
            raise _stop(sides, f"{there.path} is a mount point at {sides.target}: it cannot be exchanged")
        mine, theirs = (manifest.without(tree, sides.at_source.exclude) for tree in (here, there))
        written = (sides.at_source.dirs[number], sides.at_target.dirs[number])
        pairs.append(Pair(mine, theirs, manifest.difference(mine, theirs), written))
    return tuple(pairs)


async def _manifest(sides: SyncSides, host: str, dirs: tuple[str, ...], port: Port) -> tuple[Tree, ...]:
    ask = Command(script=manifest.SCRIPT, args=dirs)
    said = await port.command(host, ask, "manifest", changes=False, limit=LIMIT, most=LONGEST)
    _must(sides, said, f"the files at {host} cannot be read")
    if said.cut:
        raise _stop(sides, f"{host} holds too many files: their list is longer than {show_size(LONGEST)}")
    try:
        return manifest.parse(said.stdout.decode("utf-8", "surrogateescape"))
    except UnreadableError as err:
        raise _stop(sides, f"{host}: {err}") from None


def _must(sides: SyncSides, said: Said, what: str, *, sent: bool = False) -> None:
    """Stop unless a command ended well."""
    if said.kind is ResultKind.EXITED and said.exit == 0:
        return
    why = said.detail or said.complaint or (f"exit {said.exit}" if said.exit is not None else said.kind.value)
    cannot_say = said.kind in (ResultKind.LOST, ResultKind.STOP_UNPROVEN)
    kind = ResultKind.LOST if cannot_say and sent else ResultKind.REFUSED
    if said.kind is ResultKind.STOPPED:
        kind = ResultKind.STOPPED
    stop = _stop(sides, f"{what}: {why}", kind=kind)
    raise StopError(_with_something_sent(stop.result)) if sent else stop


async def _sane(sides: SyncSides, pairs: tuple[Pair, ...], port: Port) -> None:
    """Refuse a source that is empty, lacks what it must have, or is older than the copy; and a wrong direction."""
    sync = sides.at_source
    files = sum(pair.source.files for pair in pairs)
    if files < sync.at_least:
        raise _stop(sides, f"the source holds {files} files, at least {sync.at_least} must be there")
    marker = sides.at_target.not_onto
    if marker:
        said = await port.command(
            sides.target, Command(script='[ ! -e "$1" ]', args=(marker,)), "direction", changes=False, limit=LIMIT
        )
        if said.kind is ResultKind.EXITED and said.exit == 1:
            raise _stop(sides, f"{sides.target} is the side that serves ({marker} is there): wrong direction")
        _must(sides, said, "the direction cannot be told")
    for name in sync.require:
        meant = _meant(name, sync.dirs)
        if not any(_inside(one, p.source, p.written[0]) in p.source.entries for p in pairs for one in meant):
            raise _stop(sides, f"the source lacks {name}: is it mounted, and is it the right side?")
    for here, there in zip(sync.forward, sides.at_target.forward, strict=True):
        both = tuple(zip(_meant(here, sync.dirs), _meant(there, sides.at_target.dirs), strict=True))
        await _never_backwards(sides, pairs, both, port)


def _meant(name: str, dirs: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a name may mean: itself, and a relative one inside each directory, also one that lies in another."""
    return (name,) if name.startswith("/") else (name, *(f"{folder.rstrip('/')}/{name}" for folder in dirs))


def _inside(name: str, tree: Tree, written: str) -> str:
    """Return a file's path relative to a tree; an absolute one may begin as the runbook says or as links resolve it."""
    for start in (tree.path, written):
        if name.startswith(start.rstrip("/") + "/"):
            return name[len(start.rstrip("/")) + 1 :]
    return name


async def _never_backwards(
    sides: SyncSides, pairs: tuple[Pair, ...], meant: tuple[tuple[str, str], ...], port: Port
) -> None:
    found: set[tuple[str, str]] = set()
    for pair in pairs:
        for at_source, at_target in meant:
            here = _inside(at_source, pair.source, pair.written[0])
            there = _inside(at_target, pair.target, pair.written[1])
            if here not in pair.source.entries and there not in pair.target.entries:
                continue
            if here in pair.source.entries and there in pair.target.entries and (pair.target.path, there) not in found:
                await _not_older(sides, pair, here, there, port)
            found.add((pair.target.path, there))
    if not found and meant[0][0].startswith("/"):
        raise _stop(sides, f"{meant[0][0]} is in none of the directories: whether it goes backwards cannot be told")


async def _not_older(sides: SyncSides, pair: Pair, here: str, there: str, port: Port) -> None:
    """Refuse a file that is older at the source than its copy."""
    texts = []
    for host, path in ((sides.source, f"{pair.source.path}/{here}"), (sides.target, f"{pair.target.path}/{there}")):
        cat = Command(run=("cat", "--", path))
        said = await port.command(host, cat, "forward", changes=False, limit=LIMIT)
        _must(sides, said, f"{path} at {host} cannot be read")
        texts.append(said.stdout.decode("utf-8", "replace"))
    wrong = manifest.backwards(here, *texts)
    if wrong:
        raise _stop(sides, f"the source is older than the copy: {wrong}")


def _show(sides: SyncSides, pairs: tuple[Pair, ...], port: Port) -> None:
    total = sum(len(pair.source.entries) for pair in pairs)
    port.say(sides.target, f"compared {total} entries by content")
    for pair in pairs:
        for sign, names in (("+", pair.todo.added), ("~", pair.todo.changed), ("-", pair.todo.removed)):
            for name in names[:SHOWN]:
                port.say(sides.target, f"{sign} {pair.target.path}/{name}")
            if len(names) > SHOWN:
                port.say(sides.target, f"{sign} and {len(names) - SHOWN} more")


async def _removals(sides: SyncSides, pairs: tuple[Pair, ...], port: Port) -> None:
    """Ask before more than a few files vanish, by their names; refuse when it is many."""
    gone = tuple(f"{pair.target.path}/{name}" for pair in pairs for name in pair.todo.removed)
    bounds = sides.at_source.removed
    if len(gone) > bounds.stop:
        raise _stop(
            sides, f"{len(gone)} files would vanish at {sides.target}, at most {bounds.stop} may: {gone[0]} ..."
        )
    if len(gone) <= bounds.ask:
        return
    reply = await port.ask(Question(f"{len(gone)} files would vanish at {sides.target}", str(len(gone)), gone))
    if not reply:
        raise _stop(sides, f"{len(gone)} files would have vanished: answered no")


async def _tidy(sides: SyncSides, work: Work, pairs: tuple[Pair, ...], tag: str, port: Port) -> None:
    """Take away the snapshots of runs that are over, but for the last one's: they would pile up, and hold old keys."""
    command = Command(script=sync_scripts.TIDY, args=(work.run, *(pair.target.path for pair in pairs)))
    said = await port.command(sides.target, command, f"tidy.{_turn(tag)}", changes=True, limit=None)
    _must(sides, said, "old snapshots cannot be taken away", sent=True)
    for name in said.stdout.decode("utf-8", "replace").splitlines():
        port.say(sides.target, f"taken away: {name}, the snapshot of a run that is over")


async def _stage(sides: SyncSides, pairs: tuple[Pair, ...], tag: str, port: Port) -> None:
    """Copy the live tree beside itself, bring what differs, remove what is gone, and prove it equal to the source."""
    turn = _turn(tag)
    for number, pair in enumerate(pairs):
        port.progress(number, len(pairs), f"staging {pair.target.path}, the live tree is untouched")
        staged = sync_scripts.staged(pair.target.path, tag)
        copy = Command(script=sync_scripts.COPY, args=(pair.target.path, staged, *pair.todo.removed))
        with boundary("sync.stage"):
            said = await port.command(sides.target, copy, f"stage{number}.{turn}", changes=True, limit=None)
        _must(sides, said, "staging failed, the live tree is untouched", sent=True)
        names = "\0".join(sorted((*pair.todo.added, *pair.todo.changed)))  # a folder before what is in it
        if names:
            send = Command(script=sync_scripts.SEND, args=(pair.source.path,), stdin=names)
            receive = Command(script=sync_scripts.RECEIVE, args=(staged,))
            with boundary("sync.copy"):
                copying = Copying(port, sides.target, len(names.split("\0")))
            part = f"copy{number}.{turn}"
            sent, received = await port.stream(sides.source, send, sides.target, receive, part, copying.moved)
            _must(sides, sent, f"{sides.source} could not send, the live tree is untouched", sent=True)
            _must(sides, received, f"{sides.target} could not write, the live tree is untouched", sent=True)
            copying.over()
        with boundary("sync.prove"):
            await _proven(sides, pair, staged, port)


async def _proven(sides: SyncSides, pair: Pair, staged: str, port: Port) -> None:
    """Compare the staged tree with the source as it is now: SHA-256, mode and owner by name."""
    (now,) = await _manifest(sides, sides.source, (pair.source.path,), port)
    (made,) = await _manifest(sides, sides.target, (staged,), port)
    exclude = sides.at_source.exclude
    left = manifest.difference(manifest.without(now, exclude), manifest.without(made, exclude))
    if left.any:
        name = (*left.added, *left.changed, *left.removed)[0]
        why = f"the staged tree is not equal to the source ({name or 'the folder itself'}): the live tree is untouched"
        raise _stop(sides, why)
    port.say(sides.target, f"✔ staged tree equals the source: {made.files} files (sha256, mode, owner)")


async def _exchange(sides: SyncSides, work: Work, port: Port) -> Result:
    """Exchange all staged trees with the live ones in one job."""
    notes = port.notes(sides.target)
    dirs = notes["dirs"].split("\n")
    with boundary("sync.exchange"):
        said = await _rolled(sides, work, port, "in", _tags(notes)[-1])
    _must(sides, said, "the exchange", sent=True)
    port.say(sides.target, f"exchanged {len(dirs)} directories; the old ones are kept as the snapshot:")
    for path in dirs:
        port.say(sides.target, f"  {sync_scripts.staged(path, _tags(notes)[0])}")
    check = Check("live trees are all new", holds=True, seen=f"{len(dirs)} directories")
    return Result(sides.target, ResultKind.EXITED, sent=True, exit=0, checks=(check,))


async def _back(sides: SyncSides, work: Work, port: Port) -> Result:
    """Put back what stood before the first attempt, newest attempt first; staged trees that never went live are removed."""
    notes = port.notes(sides.target)
    if "dirs" not in notes:
        return Result(sides.target, ResultKind.ALREADY, sent=False, detail="nothing was staged")
    for tag in reversed(_tags(notes)):
        with boundary("sync.restore"):
            said = await _rolled(sides, work, port, "out", tag)
        _must(sides, said, "putting the snapshot back", sent=True)
    await _as_before(sides, notes, port)
    port.say(sides.target, "the trees from before the copy are live again")
    return Result(sides.target, ResultKind.EXITED, sent=True, exit=0)


async def _as_before(sides: SyncSides, notes: Mapping[str, str], port: Port) -> None:
    """Fail unless each live tree is one that stood there before a copy: a later run may have taken the snapshot away."""
    dirs, olds = notes["dirs"].split("\n"), notes.get("olds", "")
    if not olds:
        return
    look = Command(run=("stat", "-L", "-c", "%i", "--", *dirs))
    said = await port.command(sides.target, look, "before", changes=False, limit=LIMIT)
    _must(sides, said, "the trees cannot be looked at", sent=True)
    stood = [set(column) for column in zip(*(old.split(",") for old in olds.split(";")), strict=True)]
    for path, inode, known in zip(dirs, said.stdout.decode().split(), stood, strict=True):
        if inode not in known:
            why = f"the snapshot of {path} is gone: a later run has copied since, and its undo comes first"
            raise StopError(Result(sides.target, ResultKind.EXITED, sent=True, exit=1, detail=why))


async def _rolled(sides: SyncSides, work: Work, port: Port, way: str, tag: str) -> Said:
    """Exchange, in or out: after a crash the job is asked about, and sent anew where the host cannot say; it rolls forward."""
    notes = port.notes(sides.target)
    command = Command(script=sync_scripts.EXCHANGE, args=(way, tag, *notes["dirs"].split("\n")))
    part = f"exchange.{way}.{_turn(tag)}"
    said = await port.command(sides.target, command, part, changes=True, limit=None, attach=work.attach)
    if not work.attach or said.kind is not ResultKind.LOST:
        return said
    again = int(notes.get("again", "0")) + 1
    port.remember(sides.target, {"again": str(again)})
    return await port.command(sides.target, command, f"{part}.again{again}", changes=True, limit=None)


def _turn(tag: str) -> str:
    """Return which staging a tag is of: "1", "2"."""
    return tag.rpartition("-")[2]
