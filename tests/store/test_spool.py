"""The spool: exactly what the host said, less its secrets; found again by line number while it grows."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import tracemalloc
from hashlib import sha256
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.store.bench import FaultyDisk, SteppingClock

from handrail.base.problems import Trouble
from handrail.base.secrets import Redactor, Secret, redact
from handrail.store import line_index, spool_reader
from handrail.store import needle as needle_module
from handrail.store.disk import Disk
from handrail.store.line_index import LineIndex
from handrail.store.needle import Needle
from handrail.store.spool import CAP, Spool
from handrail.store.spool_index import HostStream, Stream, spool_name
from handrail.store.spool_reader import SpoolReader

NAME = "sync.copy.1.main.dr1.log"
WRITER = """
import sys
from pathlib import Path
from handrail.base.clock import SystemClock
from handrail.store.spool import Spool
clock = SystemClock()
spool = Spool.open(Path(sys.argv[1]), sys.argv[2], clock)
number = 0
while True:
    text = "".join(f"line {n}\\n" for n in range(number, number + 100)).encode()
    number += 100
    spool.write("out", text[:333], clock.mono())
    spool.write("out", text[333:], clock.mono())
    spool.write("err", b"e\\n", clock.mono())
    print(str(spool.settled("out")).rjust(4000), flush=True)  # the pipe holds some 16 of these
"""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.mkdir(0o700)
    return path


def new_spool(out: Path, *, secrets: tuple[str, ...] = (), cap: int = CAP, disk: Disk | None = None) -> Spool:
    hidden = [Secret(s) for s in secrets]
    return Spool.open(out, NAME, SteppingClock(), secrets=hidden, cap=cap, disk=disk or Disk())


def read_all(path: Path) -> list[tuple[Stream, bytes]]:
    reader = SpoolReader(path)
    reader.refresh()
    found = [(line.stream, line.raw) for line in reader.lines(0, 10**9, 10**9)]
    assert len(found) == reader.line_count
    reader.close()
    return found


def expected_lines(writes: list[tuple[Stream, bytes]]) -> list[tuple[Stream, bytes]]:
    """Say independently of the product what the lines are: one ends at its newline or where another stream speaks."""
    found: list[tuple[Stream, bytes]] = []
    begun = False
    for stream, group in groupby((w for w in writes if w[1]), key=lambda w: w[0]):
        whole = b"".join(data for _, data in group)
        for line in whole.splitlines(keepends=True) if b"\r" not in whole else _split(whole):
            found.append((stream, line.removesuffix(b"\n")))
            begun = not line.endswith(b"\n")
    assert begun in (True, False)
    return found


def _split(data: bytes) -> list[bytes]:
    parts = [part + b"\n" for part in data.split(b"\n")]
    parts[-1] = parts[-1][:-1]
    return [part for part in parts if part]


def test_remarks_are_stored_at_once_a_line_each(out: Path) -> None:
    spool = new_spool(out)
    spool.write("out", b"begun", 1000.0)
    spool.note(1000.5, "+ one\ntwo", "+ three")
    spool.write("out", b"ended\n", 1001.0)
    assert spool.seal().length == len(b"begunended\n")
    assert read_all(out / NAME) == [("out", b"begun"), ("note", b"+ one two"), ("note", b"+ three"), ("out", b"ended")]


def test_a_reader_that_learns_from_another_goes_on_where_that_one_stood(out: Path) -> None:
    spool, first, other = new_spool(out), SpoolReader(out / NAME), SpoolReader(out / "another.log")
    spool.write("out", b"a\nb\nc", 1000.0)
    first.refresh()
    spool.write("out", b"d\n", 1000.1)
    spool.note(1000.2, "between")
    second = SpoolReader(out / NAME)
    second.learn(first)
    assert (second.line_count, second.size) == (3, 5)
    second.refresh()
    assert [line.raw for line in second.lines(0, 9)] == [b"a", b"b", b"cd", b"between"]
    assert (second.find(b"CD", 0, ignore_case=True), first.line_count) == (2, 3)
    other.learn(first)
    assert other.line_count == 0
    first.close()
    second.close()
    spool.close()


def test_the_log_holds_exactly_what_the_host_said(out: Path) -> None:
    spool = new_spool(out)
    said = [b"a\r\nb", b"\xff\xfe\x00", b"c\n\n", b"\x1b[2J no end"]
    for chunk in said:
        spool.write("out", chunk, 1000.0)
    spool.note(1000.5, "connection lost\nagain")
    spool.write("err", b"E", 1001.0)
    sealed = spool.seal()
    data = (out / NAME).read_bytes()
    assert data == b"".join(said) + b"E"
    assert (sealed.file, sealed.length, sealed.sha256) == (f"out/{NAME}", len(data), sha256(data).hexdigest())
    assert sealed.dropped == 0
    assert read_all(out / NAME) == [
        ("out", b"a\r"),
        ("out", b"b\xff\xfe\x00c"),
        ("out", b""),
        ("out", b"\x1b[2J no end"),
        ("note", b"connection lost again"),
        ("err", b"E"),
    ]
    assert {p.stat().st_mode & 0o777 for p in out.iterdir()} == {0o600}


def test_lines_know_when_they_came(out: Path) -> None:
    spool = new_spool(out)
    for second in range(3):
        spool.write("out", b"tick\n", 2000.0 + second)
    reader = SpoolReader(out / NAME)
    reader.refresh()
    times = [line.at for line in reader.lines(0, 3)]
    assert [round(t - times[0], 3) for t in times] == [0.0, 1.0, 2.0]
    assert abs(times[0] - (SteppingClock().time.timestamp() + 1000.0)) < 1


writes = st.lists(
    st.tuples(
        st.sampled_from(["out", "out", "err", "note"]),
        st.one_of(
            st.binary(max_size=12).map(lambda b: b.replace(b"-", b"_")),  # "-" is held: it may begin a key
            st.text("ab\n", max_size=40).map(str.encode),
            st.integers(0, 700).map(lambda n: b"x" * n),
            st.integers(0, 90).map(lambda n: b"y\n" * n),
        ),
    ),
    max_size=14,
)


@settings(max_examples=120, deadline=None)
@given(said=writes, step=st.integers(1, 60), limit=st.one_of(st.none(), st.integers(1, 200)))
@example(said=[("out", b"x" * 200), ("err", b"\n"), ("out", b"z")], step=1, limit=None)
@example(said=[("out", b"x" * 300 + b"\nabc\n"), ("note", b"n"), ("out", b"z" * 300)], step=2, limit=7)
def test_reading_while_it_grows_gives_the_same_lines(
    said: list[tuple[Stream, bytes]], step: int, limit: int | None
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        for module in (line_index, spool_reader):
            patch.setattr(module, "BLOCK", 64)
            patch.setattr(module, "LONG", 256)
        patch.setattr(spool_reader, "_BATCH", 3)
        patch.setattr(spool_reader, "_SWEEP", 50)
        spool = new_spool(Path(folder))
        reader = SpoolReader(Path(folder) / NAME)
        told: list[tuple[Stream, bytes]] = []
        at = 1000.0
        for number, (stream, data) in enumerate(said):
            at += 0.02 * (number % 4)
            if stream == "note":
                spool.note(at, data.decode("latin-1"))
                told.append((stream, data.decode("latin-1").replace("\n", " ").encode() + b"\n"))
            else:
                spool.write(stream, data, at)
                told.append((stream, data))
            reader.refresh(limit)
        while reader.refresh(limit):
            pass
        lines = expected_lines(told)
        assert reader.line_count == len(lines)
        found = [(x.stream, x.raw) for n in range(0, len(lines), step) for x in reader.lines(n, step, 10**6)]
        assert found == lines
        assert [(x.stream, x.raw) for x in reader.tail_lines(5, 10**6)] == lines[-5:]
        for number, (_, raw) in enumerate(lines):
            assert reader.line_slice(number, 3, 50) == raw[3:53]
            assert reader.lines(number, 1, 2)[0].raw == raw[:2]
            assert reader.lines(number, 1, 2)[0].length == len(raw)
        for needle in (b"a", b"ab", b"y", b"\x00", b"xxxx"):
            hits = [n for n, (_, raw) in enumerate(lines) if needle in raw]
            for start in range(-1, len(lines) + 1, 3):
                assert reader.find(needle, start) == next((n for n in hits if n >= start), None)
                assert reader.find(needle, start, -1) == next((n for n in reversed(hits) if n <= start), None)
        reader.close()
        spool.close()


@settings(max_examples=60, deadline=None)
@given(
    said=st.lists(
        st.tuples(
            st.sampled_from(["out", "out", "err", "note"]),
            st.lists(st.sampled_from(["a", "A", "b", "B", "10.0", "é", "É", " ", "\n"]), min_size=1, max_size=40),
        ),
        min_size=1,
        max_size=30,
    ),
    needle=st.lists(st.sampled_from(["a", "A", "B", "1", "10.0", "é", "\xc9", " "]), min_size=1, max_size=4).map(
        "".join
    ),
    broken=st.integers(0, 3),
    tries=st.sampled_from([1, 64]),
)
def test_finding_fast_finds_what_looking_at_every_line_finds(
    said: list[tuple[Stream, list[str]]], needle: str, broken: int, tries: int
) -> None:
    """Lines are broken by other streams, also in the middle of the needle; what is rare differs, and may be everywhere."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        for module in (line_index, spool_reader):
            patch.setattr(module, "BLOCK", 64)
            patch.setattr(module, "LONG", 256)
        patch.setattr(spool_reader, "_SWEEP", 300)
        patch.setattr(needle_module, "TRIES", tries)
        spool = new_spool(Path(folder))
        for number, (stream, parts) in enumerate(said):
            text = "".join(parts)
            if stream == "note":
                spool.note(1000.0 + number, text)
            else:
                spool.write(stream, text.encode()[broken:] or b".", 1000.0 + number)
        reader = SpoolReader(Path(folder) / NAME)
        reader.refresh()
        lines = [line.raw for line in reader.lines(0, reader.line_count, 1 << 20)]
        for fold in (False, True):
            sought = needle.encode().lower() if fold else needle.encode()
            hits = [n for n, raw in enumerate(lines) if sought in (raw.lower() if fold else raw)]
            for start in range(0, len(lines), 3):
                forward, back = (reader.find(needle.encode(), start, way, ignore_case=fold) for way in (1, -1))
                assert forward == next((n for n in hits if n >= start), None)
                assert back == next((n for n in reversed(hits) if n <= start), None)
        reader.close()
        spool.close()


@given(data=st.binary(max_size=200), needle=st.binary(min_size=1, max_size=5), sample=st.binary(max_size=50))
@example(data=b"xX" * 80 + b"Ab", needle=b"aB", sample=b"ab")
@example(data=b"\xc3\x89", needle=b"\xc3\xa9", sample=b"")  # letters beyond ASCII are told apart
def test_a_needle_is_in_what_it_is_in(data: bytes, needle: bytes, sample: bytes) -> None:
    assert Needle(needle, ignore_case=True, sample=sample).is_in(data) == (needle.lower() in data.lower())
    assert Needle(needle, ignore_case=False).is_in(data) == (needle in data)


def test_case_can_be_ignored(out: Path) -> None:
    spool = new_spool(out)
    spool.write("out", b"one\nTwo\nthree\n", 1000.0)
    reader = SpoolReader(out / NAME)
    reader.refresh()
    assert reader.find(b"two", 0) is None
    assert reader.find(b"tWO", 0, ignore_case=True) == 1
    assert reader.find(b"", 0) is None
    assert reader.find(b"e\nT", 0) is None


def test_a_reader_may_come_before_the_output(out: Path) -> None:
    reader = SpoolReader(out / NAME)
    assert reader.refresh() is False
    assert (reader.line_count, reader.lines(0, 5), reader.tail_lines(5), reader.find(b"x", 0)) == (0, [], [], None)
    new_spool(out).write("out", b"x", 1000.0)
    reader.refresh()
    assert reader.line_count == 1


def test_a_line_of_twenty_megabytes_costs_what_is_asked_of_it(out: Path) -> None:
    spool = new_spool(out)
    spool.write("out", b"before\n", 1000.0)
    for _ in range(320):
        spool.write("out", b"x" * 65536, 1000.0)
    spool.write("out", b"needle\nafter\n", 1000.0)
    reader = SpoolReader(out / NAME)
    tracemalloc.start()
    try:
        reader.refresh()
        assert reader.line_count == 3
        line = reader.lines(1, 1, 100)[0]
        assert (line.raw, line.length) == (b"x" * 100, 320 * 65536 + 6)
        assert reader.line_slice(1, line.length - 8, 100) == b"xxneedle"
        assert reader.find(b"xneedle", 0) == 1
        assert [x.raw for x in reader.lines(2, 5)] == [b"after"]
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()


def test_ten_million_lines_are_indexed_in_little_memory() -> None:
    index = LineIndex()
    chunk = b"0123456\n" * 8192
    tracemalloc.start()
    try:
        for number in range(1221):
            index.feed(chunk, "out", number, 0)
        assert index.line_count == 1221 * 8192 > 10_000_000
        assert tracemalloc.get_traced_memory()[1] < 30 << 20
    finally:
        tracemalloc.stop()
    assert index.block_of(9_999_999).first <= 9_999_999


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(0, 200), max_size=6))
def test_secrets_are_masked_however_they_are_cut(cuts: list[int]) -> None:
    secret = "hunter2-canary"
    key = "-----BEGIN RSA PRIVATE KEY-----\nTUlJRW93canary\n-----END RSA PRIVATE KEY-----"
    text = f"pass={secret}\nand again {secret}{secret}\n{key}\nend".encode()
    edges = sorted({0, len(text), *(min(c, len(text)) for c in cuts)})
    with tempfile.TemporaryDirectory() as folder:
        spool = new_spool(Path(folder), secrets=(secret,))
        for start, end in pairwise(edges):
            spool.write("out", text[start:end], 1000.0)
            spool.write("err", b"x\n", 1000.0)
        spool.seal()
        log = (Path(folder) / NAME).read_bytes()
        assert b"canary" not in b"".join(p.read_bytes() for p in Path(folder).iterdir())
        assert log.replace(b"x\n", b"") == redact(text, [Secret(secret)])


def test_a_key_whose_end_never_ends_holds_no_memory(out: Path) -> None:
    spool = new_spool(out)
    spool.write("out", b"a\n-----BEGIN PRIVATE KEY-----\n-----END ", 1000.0)
    for _ in range(200):
        spool.write("out", b"x" * 16384, 1000.0)
    tracemalloc.start()
    try:
        for _ in range(50):
            spool.write("out", (b"-----END " + b"y" * 70) * 200, 1000.0)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    spool.write("out", b"-----END PRIVATE KEY-----\nz\n", 1000.0)
    spool.seal()
    assert (out / NAME).read_bytes() == b"a\n[redacted]\nz\n"


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(["-----BEGIN PRIVATE KEY-----", "-----END ", "-----", "KEY", "\n", "x" * 70]), max_size=9
    ),
    cuts=st.lists(st.integers(0, 300), max_size=5),
)
def test_masking_keys_does_not_depend_on_the_chunks(parts: list[str], cuts: list[int]) -> None:
    text = "".join(parts).encode()
    edges = sorted({0, len(text), *(min(c, len(text)) for c in cuts)})
    redactor = Redactor()
    assert b"".join(redactor.feed(text[a:b]) for a, b in pairwise(edges)) + redactor.flush() == redact(text)


def test_the_cap_ends_it_with_a_notice(out: Path) -> None:
    spool = new_spool(out, cap=100)
    for _ in range(30):
        spool.write("out", b"0123456\n", 1000.0)
    assert spool.problem
    assert spool.problem.code == "spool-full"
    sealed = spool.seal()
    assert (sealed.length, sealed.dropped) == (100, 140)
    assert (out / NAME).stat().st_size == 100
    lines = read_all(out / NAME)
    assert lines[-1][0] == "note"
    assert sum(1 for stream, _ in lines if stream == "note") == 1


@pytest.mark.parametrize(
    ("kind", "nth"),
    [*((kind, n) for kind in ("write", "pwrite") for n in range(2, 9)), *(("sync", n) for n in (2, 3, 4))],
)
def test_a_full_disk_is_told_and_stops_nobody(out: Path, kind: str, nth: int) -> None:
    disk = FaultyDisk(kind, nth, errno.ENOSPC)
    spool = new_spool(out, disk=disk)
    for number in range(8):
        spool.write("out", b"%d-456\n" % number, 1000.0 + number)
    sealed = spool.seal()
    assert spool.problem
    assert spool.problem.code == "spool-write"
    assert sealed.length + sealed.dropped == 48
    data = (out / NAME).read_bytes()
    assert (len(data), sha256(data).hexdigest()) == (sealed.length, sealed.sha256)
    assert data == b"".join(b"%d-456\n" % n for n in range(8))[: len(data)]


@pytest.mark.parametrize("nth", range(1, 5))
def test_a_spool_that_cannot_be_made_says_so(out: Path, nth: int) -> None:
    spool = new_spool(out, disk=FaultyDisk("open", nth, errno.ENOSPC))
    assert spool.problem
    assert spool.problem.code == "spool-write"
    spool.write("out", b"lost\n", 1000.0)
    spool.note(1000.0, "lost")
    assert spool.settled("out") == 5
    sealed = spool.seal()
    assert (sealed.length, sealed.dropped) == (0, 10)


def test_it_goes_on_where_it_was(out: Path) -> None:
    said = b"".join(b"line %d hunter2-canary\n" % n for n in range(50))
    done = 0
    for _ in range(8):
        spool = new_spool(out, secrets=("hunter2-canary",))
        done = spool.settled("out")
        spool.write("out", said[done : done + 163], 1000.0)
        spool.close()  # as a killed console does: what was held back is lost, and asked for again
    spool = new_spool(out, secrets=("hunter2-canary",))
    spool.write("out", said[spool.settled("out") :], 1000.0)
    sealed = spool.seal()
    whole = said.replace(b"hunter2-canary", b"[redacted]")
    assert (out / NAME).read_bytes() == whole
    assert sealed.sha256 == sha256(whole).hexdigest()


def test_a_key_that_was_half_masked_stays_masked(out: Path) -> None:
    key = b"a\n-----BEGIN RSA PRIVATE KEY-----\n" + b"canary\n" * 30 + b"-----END RSA PRIVATE KEY-----\nz\n"
    for cut in range(1, len(key), 9):
        for path in out.iterdir():
            path.unlink()
        spool = new_spool(out)
        spool.write("out", key[:cut], 1000.0)
        spool.close()
        spool = new_spool(out)
        spool.write("out", key[spool.settled("out") :], 1000.0)
        spool.seal()
        assert (out / NAME).read_bytes() == redact(key)


@pytest.mark.parametrize("damage", ["log longer", "log shorter", "index cut", "index gone", "index rubbish"])
def test_what_a_crash_leaves_is_made_to_agree(out: Path, damage: str) -> None:
    spool = new_spool(out)
    said = [b"one\n", b"two\n", b"three\n"]
    for number, chunk in enumerate(said):
        spool.write("out", chunk, 1000.0 + number)
    spool.close()
    log, index = out / NAME, (out / NAME).with_suffix(".idx")
    if damage == "log longer":
        log.write_bytes(log.read_bytes() + b"not in the index")
    elif damage == "log shorter":
        log.write_bytes(log.read_bytes()[:-3])
    elif damage == "index cut":
        index.write_bytes(index.read_bytes()[:-5])
    else:
        index.write_bytes(b"" if damage == "index gone" else b"\xee" * 128)
    spool = new_spool(out)
    settled = spool.settled("out")
    assert settled == {"log longer": 14, "log shorter": 8, "index cut": 8}.get(damage, 0)
    spool.write("out", b"".join(said)[settled:], 1010.0)
    spool.seal()
    assert log.read_bytes() == b"one\ntwo\nthree\n"
    assert [raw for _, raw in read_all(log)] == [b"one", b"two", b"three"]


def test_another_process_may_write_while_we_read(out: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(out), NAME], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    reader = SpoolReader(out / NAME)
    seen: list[bytes] = []
    for _ in range(50):
        writer.stdout.readline()
        reader.refresh()
        seen += [x.raw for x in reader.lines(len(seen), 10**6) if x.number < reader.line_count - 1]
    writer.kill()
    settled = int(writer.stdout.readlines()[-1])
    writer.stdout.close()
    writer.wait()
    reader.refresh()
    lines = [x.raw for x in reader.lines(0, reader.line_count - 1)]  # the kill may have left half a line at the end
    assert lines[: len(seen)] == seen, "a line that has ended never changes"
    numbered = [raw for raw in lines if raw != b"e"]
    assert numbered == [b"line %d" % n for n in range(len(numbered))]
    again = Spool.open(out, NAME, SteppingClock())
    assert again.settled("out") >= settled, "a killed console loses nothing it had settled"
    assert again.seal().length == (out / NAME).stat().st_size


def test_names_never_meet() -> None:
    hosts = ["web02", "web02:2222", "web02-2222", "WEB02", "é", "ê", "..", "../../etc", "a" * 90, "a" * 91]
    steps = ["a-b/c", "a/b-c", "a/b"]
    parts: list[tuple[str, int, str, str]] = [
        (s, n, p, h) for s in steps for n in (1, 11) for p in ("main", "undo") for h in hosts
    ]
    names = {spool_name(*part) for part in parts}
    assert len(names) == len(parts)
    assert all("/" not in name and not name.startswith(".") and len(name) < 200 for name in names)
    assert spool_name("sync/copy", 1, "main", "dr1") == NAME


@pytest.mark.parametrize("kind", ["link", "pipe", "world"])
@pytest.mark.parametrize("suffix", [".log", ".idx", ".note"])
def test_what_may_be_a_trap_is_refused(out: Path, tmp_path: Path, suffix: str, kind: str) -> None:
    new_spool(out).close()
    path = (out / NAME).with_suffix(suffix)
    if kind == "world":
        path.chmod(0o666)
    else:
        other = path.rename(tmp_path / "other")
        path.symlink_to(other) if kind == "link" else os.mkfifo(path)
    for attempt in (lambda: new_spool(out), lambda: SpoolReader(out / NAME).refresh()):
        with pytest.raises(Trouble) as err:
            attempt()
        assert err.value.problems[0].code == "untrusted-file"


def test_streams_of_the_host_only(out: Path) -> None:
    spool = new_spool(out)
    streams: tuple[HostStream, ...] = ("out", "err")
    for stream in streams:
        spool.write(stream, b"", 1000.0)
    assert spool.seal().length == 0
    assert read_all(out / NAME) == []


def test_synced_before_it_is_sealed_it_is_the_same_and_goes_on(out: Path) -> None:
    spool = new_spool(out)
    spool.write("out", b"one\n", 1.0)
    assert spool.unsynced == 4
    spool.sync()
    assert spool.unsynced == 0
    spool.write("out", b"two\n", 1.1)
    assert spool.unsynced == 4
    sealed = spool.seal()
    assert (sealed.length, sealed.sha256) == (8, sha256(b"one\ntwo\n").hexdigest())
    spool.sync()  # closed: nothing is left to sync
    assert spool.problem is None


def test_a_sync_that_fails_ahead_of_the_seal_is_told(out: Path) -> None:
    spool = new_spool(out, disk=FaultyDisk("sync", 2))  # the first one is of the folder
    spool.write("out", b"one\n", 1.0)
    spool.sync()
    assert spool.problem is not None
    assert spool.problem.code == "spool-write"
    spool.write("out", b"two\n", 1.1)
    assert spool.seal().dropped == 4
