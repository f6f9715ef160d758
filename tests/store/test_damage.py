"""Damage to a journal on a disk, of every kind in the catalogue: the exact prefix is read, or it is refused, and nothing is lost.

The chain alone is tried at every byte and bit in test_chain.py; here it is the file, its head anchor, and what is left
in the folder afterwards. Small sizes by default; HANDRAIL_TORTURE=ci and =full make more trials (tests/sizes.py).
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import pytest
from tests.sizes import sized
from tests.store.bench import SteppingClock, journal_bytes

from handrail.base.problems import Trouble
from handrail.store.audit import audit
from handrail.store.chain import Reading
from handrail.store.journal import Journal, read_run, skim_run

RECORDS = 40
CUTS = sized(60, 500, 1_000_000)  # of about 22,000 bytes: full is every one of them
FLIPS = sized(120, 1000, 200_000)  # of about 180,000 bits
EDITS = sized(40, 400, 1600)


@pytest.fixture
def whole(folder: Path) -> bytes:
    """Return the bytes of a reference journal; its folder holds its anchor too."""
    return journal_bytes(folder, RECORDS)


def put(folder: Path, data: bytes, *, anchor: bytes | None = None) -> None:
    """Lay a journal into the folder as somebody, or a crash, left it."""
    for path in folder.iterdir():
        if path.name != "head" or anchor is not None:
            path.unlink()
    (folder / "journal.jsonl").write_bytes(data)
    if anchor:
        (folder / "head").write_bytes(anchor)


def refused(folder: Path) -> str:
    """Return the code with which the journal is refused; nothing when it is opened."""
    try:
        Journal.open(folder, SteppingClock(), "bob", 1).close()
    except Trouble as err:
        return err.problems[0].code
    return ""


def picked(count: int, trials: int, seed: int) -> Iterator[int]:
    """Yield that many of `count` places, all of them when there are fewer."""
    yield from range(count) if trials >= count else sorted(random.Random(seed).sample(range(count), trials))


@pytest.mark.torture("a journal cut at any byte, on the disk", trials=min(CUTS, 22_000))
def test_cut_at_any_byte_the_prefix_is_recovered_and_the_torn_copy_kept(folder: Path, whole: bytes) -> None:
    """As a power failure leaves it: the anchor lags behind, it is never ahead."""
    lines = whole.splitlines(keepends=True)
    for cut in picked(len(whole) + 1, CUTS, 2):
        put(folder, whole[:cut], anchor=b"")
        kept = whole[:cut].count(b"\n")
        torn = whole[sum(map(len, lines[:kept])) : cut]
        journal = Journal.open(folder, SteppingClock(), "bob", 1)
        journal.close()
        assert [r.seq for r in journal.records] == list(range(1, kept + 1 + bool(torn)))
        assert (folder / "journal.jsonl").read_bytes().startswith(b"".join(lines[:kept]))
        assert [p.read_bytes() for p in folder.glob("journal.torn.*")] == ([torn] if torn else []), cut
        assert read_run(folder).state == "clean"


@pytest.mark.torture("any bit of a journal flipped, on the disk", trials=min(FLIPS, 180_000))
def test_any_flipped_bit_is_refused_named_and_left_as_it_is(folder: Path, whole: bytes) -> None:
    for place in picked(len(whole) * 8, FLIPS, 3):
        spoiled = bytearray(whole)
        spoiled[place // 8] ^= 1 << place % 8
        seq = whole[: place // 8].count(b"\n") + 1
        put(folder, bytes(spoiled))
        assert refused(folder) in ("journal-damaged", "journal-rolled-back")
        assert (folder / "journal.jsonl").read_bytes() == spoiled, "a refusal changes nothing"
        told(folder, seq)


def told(folder: Path, seq: int) -> None:
    """Every way to look at it says what is wrong, and gives the records before it and no others."""
    found: Reading = read_run(folder)
    assert found.damage
    assert (found.bad_seq, len(found.records)) == (seq, seq - 1)
    skimmed = skim_run(folder)
    assert skimmed.problem
    assert str(skimmed.problem.message) == found.damage
    assert (skimmed.last.seq if skimmed.last else 0) == seq - 1
    assert not audit(folder).ok


def without(lines: list[bytes], i: int, _k: int) -> list[bytes]:
    return lines[:i] + lines[i + 1 :]


def swapped(lines: list[bytes], i: int, k: int) -> list[bytes]:
    after = lines.copy()
    after[i], after[k] = after[k], after[i]
    return after


def doubled(lines: list[bytes], i: int, k: int) -> list[bytes]:
    return [*lines[:k], lines[i], *lines[k:]]


def edited(lines: list[bytes], i: int, _k: int) -> list[bytes]:
    """As a forger would who knows the rule: its own hash is right again, the next one's is not."""
    fields = {**json.loads(lines[i]), "actor": "mallory"}
    del fields["h"]
    text = json.dumps(fields, separators=(",", ":"))
    sealed = sha256((fields["prev"] + text).encode()).hexdigest()
    return [*lines[:i], f'{text[:-1]},"h":"{sealed}"}}\n'.encode(), *lines[i + 1 :]]


@pytest.mark.parametrize("change", [without, swapped, doubled, edited])
@pytest.mark.torture("records deleted, swapped, doubled, edited, on the disk", trials=min(EDITS, 780))
def test_no_pair_of_records_can_be_tampered_with(
    folder: Path, whole: bytes, change: Callable[[list[bytes], int, int], list[bytes]]
) -> None:
    lines = whole.splitlines(keepends=True)
    pairs = list(combinations(range(RECORDS), 2))
    for at in picked(len(pairs), EDITS, 4):
        put(folder, b"".join(change(lines, *pairs[at])))
        assert refused(folder) in ("journal-damaged", "journal-rolled-back"), pairs[at]
        assert read_run(folder).damage, pairs[at]
        assert skim_run(folder).problem, pairs[at]


def test_the_last_record_edited_or_dropped_is_noticed_by_the_anchor(folder: Path, whole: bytes) -> None:
    lines = whole.splitlines(keepends=True)
    put(folder, b"".join(edited(lines, RECORDS - 1, 0)))
    assert refused(folder) == "journal-damaged"
    assert read_run(folder).damage == f"record {RECORDS} of the journal is not the one that was written"
    assert not audit(folder).ok


def test_any_dropped_tail_is_noticed_and_both_ends_are_named(folder: Path, whole: bytes) -> None:
    lines = whole.splitlines(keepends=True)
    for kept in range(RECORDS):
        put(folder, b"".join(lines[:kept]))
        assert refused(folder) == "journal-rolled-back", kept
        words = f"the journal ends at record {kept}, but record {RECORDS} was once on this disk"
        assert read_run(folder).damage == words
        problem = skim_run(folder).problem
        assert problem
        assert problem.message == words


def test_a_journal_of_a_newer_version_is_read_and_never_written(folder: Path, whole: bytes) -> None:
    lines = whole.splitlines(keepends=True)
    for seq in (1, 2, RECORDS):
        fields = {**json.loads(lines[seq - 1]), "v": 2, "more": "than we know"}
        del fields["h"]
        text = json.dumps(fields, separators=(",", ":"))
        sealed = sha256((fields["prev"] + text).encode()).hexdigest()
        data = b"".join(lines[: seq - 1]) + f'{text[:-1]},"h":"{sealed}"}}\n'.encode()
        put(folder, data, anchor=b"")
        assert refused(folder) == "journal-newer"
        assert (folder / "journal.jsonl").read_bytes() == data
        assert read_run(folder).damage == "the journal was written by a newer Handrail"
        problem = skim_run(folder).problem
        assert problem
        assert problem.code == "journal-newer"


def test_a_reader_beside_a_writer_never_sees_damage(folder: Path) -> None:
    """The anchor is read before the journal: a journal that grows meanwhile is not taken for one that lost records."""
    journal = Journal.create(folder, SteppingClock(), "alice", 1)
    for number in range(30):
        journal.append("tick", {"n": number})
        assert read_run(folder).damage == ""
        assert skim_run(folder).problem is None
    journal.close()
    shutil.rmtree(folder)
