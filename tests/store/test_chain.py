"""The chain on bytes alone: what is written is read back, and no damage is ever called clean."""

from __future__ import annotations

import json
from hashlib import sha256
from io import BytesIO
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.bench import journal_bytes

from handrail.base.problems import Problem, Where
from handrail.store.chain import GENESIS, Walk, decode, encode, reading

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def lines_of(data: bytes) -> list[bytes]:
    return BytesIO(data).readlines()


def reseal(line: bytes, **changes: Any) -> bytes:
    """Return a line with fields changed and its hash made right again, as a forger would."""
    fields = {**json.loads(line), **changes}
    del fields["h"]
    text = json.dumps(fields, separators=(",", ":"))
    return (text[:-1] + f',"h":"{sha256((fields["prev"] + text).encode()).hexdigest()}"' + "}\n").encode()


@given(body=st.dictionaries(st.text(max_size=8), JSON, max_size=5), actor=st.text(max_size=9), seq=st.integers(1, 9**9))
def test_what_is_encoded_is_decoded_again(body: dict[str, Any], actor: str, seq: int) -> None:
    line = encode(seq, GENESIS, "2026-11-23T05:12:00.000Z", 1.5, "b", actor, "h", 1, "noted", body)
    assert line.isascii()
    assert line.count(b"\n") == 1
    record = decode(line)
    assert (record.seq, record.actor, record.body, record.mono) == (seq, actor, body, 1.5)


def test_the_hash_is_as_documented(folder: Path) -> None:
    prev = GENESIS
    for line in lines_of(journal_bytes(folder, 5)):
        fields = json.loads(line)
        bare = line[:-73] + b"}"
        assert fields["prev"] == prev
        assert fields["h"] == sha256(prev.encode() + bare).hexdigest()
        prev = fields["h"]


def test_a_body_that_is_not_json_is_refused() -> None:
    for bad in (float("nan"), object(), b"bytes"):
        with pytest.raises((ValueError, TypeError)):
            encode(1, GENESIS, "t", 0.0, "b", "a", "h", 1, "e", {"x": bad})


def test_cut_at_every_byte_gives_the_exact_prefix(folder: Path) -> None:
    data = journal_bytes(folder)
    whole = reading(lines_of(data)).records
    end, head = 0, GENESIS
    for count, line in enumerate(lines_of(data)):
        for cut in range(len(line)):
            walk = Walk(lines_of(line[:cut]), seq=count, head=head)
            assert (list(walk), walk.state) == ([], "torn" if cut else "clean")
        for cut in (0, 1, len(line) // 2, len(line) - 1):
            found = reading(lines_of(data[: end + cut]))
            assert (found.records, found.good_length) == (whole[:count], end)
            assert (found.state, found.bad_seq) == (("torn", count + 1) if cut else ("clean", None))
        end, head = end + len(line), whole[count].h


def test_every_flipped_bit_is_noticed_and_named(folder: Path) -> None:
    lines = [*lines_of(journal_bytes(folder)), b""]
    head = GENESIS
    for seq, (line, following) in enumerate(pairwise(lines), 1):
        for position in range(len(line)):
            for bit in range(8):
                spoiled = bytearray(line)
                spoiled[position] ^= 1 << bit
                walk = Walk(lines_of(bytes(spoiled) + following), seq=seq - 1, head=head)
                assert list(walk) == [], (seq, position, bit)
                # only the very last newline may look like a crash
                cut = not following and position == len(line) - 1
                assert walk.state == ("torn" if cut else "damaged"), (seq, position, bit)
        head = json.loads(line)["h"]


@pytest.mark.parametrize("seq", [1, 2, 20, 39, 40])
def test_a_changed_record_is_named(folder: Path, seq: int) -> None:
    lines = lines_of(journal_bytes(folder))
    changed = reseal(lines[seq - 1], actor="mallory")
    found = reading([*lines[: seq - 1], changed, *lines[seq:]])
    if seq == 40:  # the last one can be forged by whoever knows the rule: the head anchor's hash stands against that
        assert found.state == "clean"
    else:
        assert (found.state, found.bad_seq, len(found.records)) == ("damaged", seq + 1, seq)
    edited = lines[seq - 1].replace(b"sync/copy", b"sync/kopy")
    found = reading([*lines[: seq - 1], edited, *lines[seq:]])
    assert (found.state, found.bad_seq, len(found.records)) == ("damaged", seq, seq - 1)
    assert found.problem
    assert f"record {seq} " in str(found.problem)


def test_no_record_can_be_left_out_swapped_or_doubled(folder: Path) -> None:
    lines = lines_of(journal_bytes(folder))
    for i in range(len(lines) - 1):
        assert reading(lines[:i] + lines[i + 1 :]).bad_seq == i + 1
    for i in range(len(lines)):
        assert reading(lines[: i + 1] + lines[i:]).bad_seq == i + 2
    for i, k in combinations(range(len(lines)), 2):
        swapped = lines.copy()
        swapped[i], swapped[k] = swapped[k], swapped[i]
        found = reading(swapped)
        assert (found.state, found.bad_seq) == ("damaged", i + 1)


def test_what_a_power_failure_leaves_is_torn(folder: Path) -> None:
    lines = lines_of(journal_bytes(folder, 3))
    last = lines.pop()
    zeros = last[:40] + bytes(200) + last[240:]
    for remains in (bytes(4096), zeros, b"{}garbage\n", last[:-1], b"{"):
        assert reading([*lines, remains]).state == "torn", remains
    for changed in (last.replace(b"copy-3", b"copy-4"), b"{}\n", last[:60] + b"\0" + last[61:]):
        assert reading([*lines, changed]).state == "damaged", changed


def test_a_newer_journal_is_read_as_far_as_it_can_be(folder: Path) -> None:
    lines = lines_of(journal_bytes(folder, 3))
    newer = reseal(lines[2], v=2)
    found = reading([*lines[:2], newer])
    assert (found.state, len(found.records)) == ("newer", 3)
    assert found.problem
    assert found.problem.code == "journal-newer"
    stranger = reseal(lines[2], v=2, more="than we know")
    assert (reading([*lines[:2], stranger]).state, len(reading([*lines[:2], stranger]).records)) == ("newer", 2)
    forged = newer.replace(b"copy-3", b"copy-4")
    assert reading([*lines[:2], forged]).state == "damaged"


def test_what_is_wrong_is_told_with_its_place_and_what_to_do(folder: Path) -> None:
    first, second = lines_of(journal_bytes(folder, 2))
    keep = "the run can be read up to there, not resumed; keep the folder and ask who touched it"
    told = {
        b"": None,
        second: None,
        second[:-1]: Problem("journal-torn", "record 2 was cut off by a crash", "", Where("j", 2), "warning"),
        second.replace(b"copy-2", b"copy-3"): Problem(
            "journal-damaged", "record 2 of the journal was changed or lost", keep, Where("j", 2)
        ),
        reseal(second, v=2, more="than we know"): Problem(
            "journal-newer",
            "the journal was written by a newer Handrail",
            "use the Handrail that wrote it; this one can only read",
            Where("j", 2),
        ),
    }
    for line, problem in told.items():
        assert reading([first, line] if line else [first], "j").problem == problem


def test_a_right_hash_over_a_wrong_shape_is_damage(folder: Path) -> None:
    line = lines_of(journal_bytes(folder, 1))[0]
    wrong: list[dict[str, Any]] = [{"actor": 5}, {"body": []}, {"epoch": "1"}, {"mono": True}, {"mono": None}, {"x": 1}]
    wrong += [{"mono": float("nan")}, {"body": {"n": float("inf")}}]  # Python's JSON has these, nobody else's
    for changes in wrong:
        assert reading([reseal(line, **changes)]).state == "damaged", changes
    deep = line.replace(b'"n":[1]', b'"n":' + b"[" * 100_000 + b"]" * 100_000)[:-73]
    sealed = deep + b',"h":"' + sha256(GENESIS.encode() + deep + b"}").hexdigest().encode() + b'"}\n'
    assert reading([sealed]).state == "damaged"


def test_a_walk_goes_on_where_another_ended(folder: Path) -> None:
    lines = lines_of(journal_bytes(folder, 9))
    first = Walk(lines[:4])
    assert [r.seq for r in first] == [1, 2, 3, 4]
    rest = Walk(lines[4:], seq=first.seq, head=first.head)
    assert [r.seq for r in rest] == [5, 6, 7, 8, 9]
    assert rest.state == "clean"
    assert rest.good_length == sum(map(len, lines[4:]))
