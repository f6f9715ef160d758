"""Secrets never come out, whatever the spelling and wherever the stream is cut; plain output passes as it came."""

from __future__ import annotations

import base64
import json
import math
import random
import re
import shlex
from itertools import pairwise
from urllib.parse import quote, quote_plus

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, example, given, settings
from tests.sizes import sized

from handrail.base.secrets import MASK, Redactor, Secret, redact, spellings

CHUNKINGS = sized(300, 100_000, 1_000_000)
EXAMPLES = 150  # with which hypothesis looks for a smallest one; the masses are made by a generator that costs nothing
SECRET = "p@ss w/rd'\"$é+?"
PEM = (
    b"-----BEGIN OPENSSH PRIVATE KEY-----\n"
    + b"\n".join(base64.b64encode(bytes(range(i, i + 48))) for i in range(0, 96, 48))
    + b"\n-----END OPENSSH PRIVATE KEY-----"
)
secrets_ = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=4, max_size=24)


def fed(data: bytes, cuts: list[int], secrets: list[Secret]) -> bytes:
    """Return what comes out of a redactor that is fed a text in pieces."""
    redactor = Redactor(secrets)
    places = [0, *sorted({min(c, len(data)) for c in cuts}), len(data)]
    return b"".join(redactor.feed(data[a:b]) for a, b in pairwise(places)) + redactor.flush()


def printed(secret: str) -> dict[str, bytes]:
    """Return how programs print a secret."""
    raw = secret.encode()
    return {
        "raw": raw,
        "url": quote(secret, safe="").encode(),
        "url in small letters": re.sub("%..", lambda found: found.group().lower(), quote(secret, safe="")).encode(),
        "path": quote(secret).encode(),
        "form": quote_plus(secret).encode(),
        "json": json.dumps(secret).encode(),
        "utf-8 json": json.dumps(secret, ensure_ascii=False).encode(),
        "shell": shlex.quote(secret).encode(),
        "set -x": b"'" + secret.replace("'", "'\\''").encode() + b"'",
    }


QUOTED = {"json": b'"', "utf-8 json": b'"', "set -x": b"'"}
"""What stands around a spelling, and tells nothing."""


@pytest.mark.parametrize("form", printed(SECRET))
def test_every_spelling_is_masked_at_every_cut(form: str) -> None:
    text = printed(SECRET)[form]
    data = b"before " + text + b" after"
    whole = redact(data, [Secret(SECRET)])
    quotes = QUOTED.get(form, b"")
    assert whole == b"before " + quotes + MASK + quotes + b" after"  # not one character of it is left
    assert SECRET.encode() not in whole
    assert quote(SECRET).encode() not in whole
    for cut in range(len(data) + 1):
        assert fed(data, [cut], [Secret(SECRET)]) == whole
    assert fed(data, list(range(len(data))), [Secret(SECRET)]) == whole


@given(secrets_, st.binary(max_size=7), st.binary(max_size=7), st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
@example("abcd", b"x", b"", False)
def test_base64_is_masked_wherever_the_secret_stands_in_it(secret: str, head: bytes, tail: bytes, web: bool) -> None:
    encode = base64.urlsafe_b64encode if web else base64.b64encode
    text = encode(head + secret.encode() + tail)
    clean = redact(text, [Secret(secret)])
    assert MASK in clean
    left = clean.split(MASK)
    # what is left tells less than one byte of the secret on either side
    assert len(left[0]) <= len(head) * 4 // 3 + 2
    assert len(left[-1].rstrip(b"=")) <= len(tail) * 4 // 3 + 2


@pytest.mark.parametrize("head", [b"", b"h", b"he", b"hea"])
@pytest.mark.parametrize("tail", [b"", b"t", b"ta", b"tai"])
@pytest.mark.parametrize("secret", ["four", "fives", "sixsix", "sevens!"])
def test_of_base64_only_the_characters_are_left_that_a_neighbour_has_a_part_in(
    head: bytes, tail: bytes, secret: str
) -> None:
    text = base64.b64encode(head + secret.encode() + tail)
    begin, end = math.ceil(8 * len(head) / 6), 8 * (len(head) + len(secret)) // 6  # six bits to a character
    assert redact(text, [Secret(secret)]) == text[:begin] + MASK + text[end:]


@given(st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_result_does_not_depend_on_the_chunks(data: st.DataObject) -> None:
    secrets = [Secret(s) for s in data.draw(st.lists(secrets_, max_size=3))]
    known = [form for s in secrets for form in sorted(spellings(s.reveal()))]
    dashes = [
        b"-----BEGIN ",
        b"-----BEGIN RSA PRIVATE KEY-----",
        b"-----END ",
        b"-----END X-----",
        b"-----",
        b"-",
        b"\n",
    ]
    piece = st.one_of(st.sampled_from([*known, *dashes, PEM, PEM[:60]]), st.binary(max_size=6))
    cut_off = piece.flatmap(lambda p: st.integers(0, len(p)).map(lambda n: p[:n]))
    text = b"".join(data.draw(st.lists(st.one_of(piece, cut_off), max_size=8)))
    whole = redact(text, secrets)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    assert fed(text, cuts, secrets) == whole
    assert fed(text, list(range(len(text))), secrets) == whole


@given(secrets_, st.lists(st.integers(0, 400), max_size=10))
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_secret_comes_out(secret: str, cuts: list[int]) -> None:
    text = b" ; ".join(printed(secret).values())
    out = fed(text, cuts, [Secret(secret)])
    if secret.encode() not in b"[redacted] ; 'x'\"\"":
        assert secret.encode() not in out


@pytest.mark.torture("secrets to the redactor, however cut", trials=CHUNKINGS // 2)
@pytest.mark.parametrize("half", range(2))
def test_masses_of_secrets_however_cut(half: int) -> None:
    dice = random.Random(half)
    letters = "abcABC019 /+='\"$&?%é漢\\\n-"
    for number in range(CHUNKINGS // 2):
        if number % 50 == 0:
            texts = ["".join(dice.choices(letters, k=dice.randrange(4, 20))) for _ in range(2)]
            secrets = [Secret(text) for text in texts]
            forms = [form for text in texts for form in sorted(spellings(text))]
            pieces = [*forms, *(form[: len(form) // 2] for form in forms), PEM, PEM[:60], b"-----BEGIN ", b"-", b"x y"]
        text = b"".join(dice.choices(pieces, k=dice.randrange(1, 5)))
        whole = redact(text, secrets)
        cuts = [dice.randrange(len(text) + 1) for _ in range(dice.randrange(5))]
        assert fed(text, cuts, secrets) == whole
        assert not [plain for plain in texts if plain.encode() in whole and plain.encode() not in MASK]


def test_forms_that_begin_alike_are_masked_as_the_longest() -> None:
    pair = [Secret("abcd"), Secret("abcdefgh")]
    assert redact(b"abcdefgh", pair) == MASK
    assert fed(b"abcdefgh", [4, 6], pair) == MASK
    assert fed(b"abcdefgX", [4, 6], pair) == MASK + b"efgX"
    assert fed(b"xxabcdef", [5], [Secret("xxabcdefgh"), Secret("abcd")]) == b"xx" + MASK + b"ef"


@pytest.mark.parametrize("title", [b"", b"RSA ", b"EC ", b"OPENSSH ", b"ENCRYPTED "])
def test_private_keys_are_masked_whole_at_every_cut(title: bytes) -> None:
    key = PEM.replace(b"OPENSSH ", title)
    data = b"key:\n" + key + b"\nnext line\n"
    for cut in range(len(data) + 1):
        assert fed(data, [cut], []) == b"key:\n" + MASK + b"\nnext line\n"


def test_every_key_of_a_text_is_masked_and_what_stands_between_is_not() -> None:
    data = b"one\n" + PEM + b"\ntwo\n" + PEM + b"\nthree"
    assert redact(data) == b"one\n" + MASK + b"\ntwo\n" + MASK + b"\nthree"
    redactor = Redactor()
    assert redactor.feed(data) + redactor.feed(b"") == b"one\n" + MASK + b"\ntwo\n" + MASK + b"\nthree"  # none is held


def test_a_pgp_key_is_masked_and_a_certificate_is_not() -> None:
    pgp = b"-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQ\n-----END PGP PRIVATE KEY BLOCK-----\n"
    assert redact(pgp) == MASK + b"\n"
    certificate = b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
    assert fed(certificate, list(range(60)), []) == certificate


def test_a_key_that_is_cut_off_shows_nothing_more() -> None:
    assert redact(PEM[:80]) == MASK
    assert redact(PEM[:30]) == PEM[:30]  # its header says not yet what it is
    redactor = Redactor()
    redactor.feed(PEM[:60])
    assert redactor.in_key
    after = Redactor(in_key=redactor.in_key)
    assert after.feed(PEM[60 - redactor.pending :] + b" x") + after.flush() == b" x"


def test_what_only_looks_like_the_end_of_a_key_does_not_end_it() -> None:
    end = b"-----END RSA PRIVATE KEY-----"
    text = b"a-----BEGIN RSA PRIVATE KEY-----\nbody\n-----END " + b"x" * 80 + b"\nmore\n" + end + b"b"
    for cut in range(len(text)):
        redactor = Redactor([])
        assert redactor.feed(text[:cut]) + redactor.feed(text[cut:]) + redactor.flush() == b"a" + MASK + b"b", cut


def test_a_secret_that_is_a_private_key_is_masked_once_for_all_chunks() -> None:
    secret = Secret(PEM.decode() + "\n")
    data = b"a" + PEM + b"\nb"
    whole = redact(data, [secret])
    assert whole == b"a" + MASK + b"b"
    assert all(fed(data, [cut], [secret]) == whole for cut in range(len(data)))


def test_short_values_are_no_secrets() -> None:
    assert redact(b"yes or no", [Secret("no"), Secret("")]) == b"yes or no"


def test_plain_output_is_neither_held_nor_searched_byte_by_byte() -> None:
    redactor = Redactor([Secret("hunter2 and more")])
    chunk = b"an ordinary line of output\n" * 40_000
    for _ in range(100):
        assert redactor.feed(chunk) == chunk
        assert redactor.pending == 0
    assert redactor.flush() == b""


def test_a_chunk_full_of_secrets_is_masked_in_one_pass() -> None:
    assert redact(b"hunter2\n" * 20_000, [Secret("hunter2")]) == (MASK + b"\n") * 20_000


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("odd", ["pw\udc80 of bytes", "pw\ud800 of half a pair"])
def test_a_secret_that_no_encoding_has_is_kept_as_it_is_and_stops_nothing(odd: str) -> None:
    secret = Secret(odd)
    assert secret.reveal() == odd
    assert redact(b"pw of bytes", [secret]) == b"pw of bytes"
    assert redact(odd.encode("utf-8", "surrogatepass"), [secret]) == MASK


def test_a_wiped_secret_is_overwritten_where_it_stood() -> None:
    secret = Secret("hunter2")
    held = secret._value
    secret.wipe()
    assert secret.reveal() == ""
    assert held == b""
