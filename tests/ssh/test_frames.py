"""Frames: the same result however the bytes are cut into pieces, and memory that does not grow."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from handrail.ssh.frames import LONGEST_LINE, NOISE, Stream, body

NONCE = "0f" * 16
MARK = NONCE.encode()
TRICKY = st.lists(
    st.sampled_from([b"0f", b"0", b"f", b"\n", b" E ", b" H ", MARK[:-1], MARK[1:], b"x", b"\0", b"\xff"])
)


def read(pieces: list[bytes], *, ends: bool = True) -> tuple[bytes, Stream]:
    got = bytearray()

    def put(at: int, data: bytes) -> None:
        assert at == len(got)
        got.extend(data)

    stream = Stream(NONCE, 0, put, ends=ends)
    for piece in pieces:
        stream.feed(piece)
    return bytes(got), stream


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(n % (len(data) + 1) for n in at)})
    return [data[a:b] for a, b in pairwise(places)]


@given(TRICKY.map(b"".join), TRICKY.map(b"".join), st.lists(st.integers(0, 10_000), max_size=30))
def test_any_cutting_gives_the_same(noise: bytes, data: bytes, at: list[int]) -> None:
    if MARK in noise or MARK in data or b"\n" + MARK in noise + b"\n":
        return
    whole = noise + b"\n" + MARK + b" H go boot\n" + data + MARK + b" E exited 0 1\n" + b"after"
    got, stream = read(cut(whole, at))
    assert got == data
    assert (stream.header, stream.trailer) == (["go", "boot"], ["exited", "0", "1"])
    assert stream.noise.startswith(noise[:NOISE])


@given(TRICKY.map(b"".join), st.lists(st.integers(0, 10_000), max_size=30))
def test_the_other_stream_holds_nothing_back(data: bytes, at: list[int]) -> None:
    got, stream = read([b"\n" + MARK + b" H\n", *cut(data, at)], ends=False)
    assert got == data
    assert stream.offset == len(data)


def test_noise_without_an_end_is_not_kept() -> None:
    stream = Stream(NONCE, 0, lambda _at, _data: None, ends=True)
    for _ in range(1000):
        stream.feed(b"z" * 10_000)
    stream.feed(b"\n" + MARK + b" H " + b"y" * (LONGEST_LINE * 2))
    assert len(stream.heard()) <= NOISE
    assert len(stream._held) < LONGEST_LINE * 3
    assert stream.header is None


def test_offsets_go_on_from_where_a_reader_was() -> None:
    seen: list[tuple[int, bytes]] = []
    stream = Stream(NONCE, 100, lambda at, data: seen.append((at, data)), ends=True)
    stream.feed(b"\n" + MARK + b" H go\nabc")
    stream.feed(b"def")
    assert seen == [(100, b"abc"), (103, b"def")]
    assert stream.offset == 106


def test_a_short_answer_has_its_parts() -> None:
    text = f'{NONCE} C\n{{"a":1}}\n\n{NONCE} O\n{{}}\n\n{NONCE} .\n'.encode()
    assert body(text, NONCE, "C", "O").strip() == b'{"a":1}'
    assert body(text, NONCE, "O", ".").strip() == b"{}"
    assert body(text, NONCE, "X", ".") == b""
    assert body(text[:20], NONCE, "C", "O") == b""
