"""Key files: BIND's format, and nothing that others could read, swap or make us wait for."""

from __future__ import annotations

import os
from pathlib import Path

import dns.tsig
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dns.server import OTHER_SECRET, SECRET, write_key

from handrail.base.problems import Trouble
from handrail.dns.key import parse_keys, read_key, read_keys

TWO = f"""
// made by tsig-keygen   # and edited
/* key "commented" {{ algorithm hmac-md5; }}; */
key "First.Key." {{ algorithm "HMAC-SHA512"; secret "{SECRET}"; }};
key second {{
    secret {OTHER_SECRET};   # either order
    algorithm hmac-md5;
}};
"""


def test_a_key_as_tsig_keygen_writes_it(tmp_path: Path) -> None:
    key = read_key(write_key(tmp_path / "k"))
    assert (key.name, key.algorithm, key.secret.reveal()) == ("dr-switch", "hmac-sha256", SECRET)
    assert key.dnspython() == dns.tsig.Key("dr-switch", SECRET, dns.tsig.HMAC_SHA256)
    assert SECRET not in repr(key)


def test_several_keys_with_comments_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(TWO)
    path.chmod(0o400)
    assert [(k.name, k.algorithm) for k in read_keys(path)] == [("first.key", "hmac-sha512"), ("second", "hmac-md5")]
    assert read_key(path).name == "first.key"
    assert read_key(path, "Second.").dnspython().algorithm == dns.tsig.HMAC_MD5
    with pytest.raises(Trouble, match="dns-key-name"):
        read_key(path, "third")


@pytest.mark.parametrize(
    "algorithm", ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"]
)
def test_every_algorithm_can_sign(tmp_path: Path, algorithm: str) -> None:
    key = read_key(write_key(tmp_path / "k", algorithm=algorithm)).dnspython()
    assert dns.tsig.get_context(key).sign()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620, 0o610])
def test_a_file_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = write_key(tmp_path / "k")
    path.chmod(mode)
    with pytest.raises(Trouble, match="dns-key-mode") as caught:
        read_key(path)
    assert "chmod 600" in caught.value.problems[0].hint


def test_a_link_a_fifo_a_folder_and_nothing_are_refused(tmp_path: Path) -> None:
    real = write_key(tmp_path / "real")
    (tmp_path / "link").symlink_to(real)
    os.mkfifo(tmp_path / "fifo", 0o600)
    for name in ("link", "fifo", "missing", "."):
        with pytest.raises(Trouble, match="dns-key-file"):
            read_key(tmp_path / name)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = write_key(tmp_path / "k")
    path.write_bytes(b"#" * 100_000)
    with pytest.raises(Trouble, match="too large"):
        read_key(path)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "dns-key-format"),
        (SECRET, "dns-key-format"),
        (f'key "x" {SECRET};', "dns-key-format"),
        (f'key "x" {{ {SECRET}; }};', "dns-key-format"),
        (f'key "x" {{ algorithm hmac-sha256; secret "{SECRET}"', "dns-key-format"),
        (f'key "x" {{ algorithm hmac-sha256; secret "{SECRET}" }};', "dns-key-format"),
        (f'key "x" {{ algorithm hmac-sha256; secret "{SECRET}', "dns-key-format"),
        ('key "x" {', "dns-key-format"),
        (f'key "x" {{ algorithm hmac-sha255; secret "{SECRET}"; }};', "dns-key-algorithm"),
        (f'key "x" {{ secret "{SECRET}"; }};', "dns-key-algorithm"),
        ('key "x" { algorithm hmac-sha256; };', "dns-key-secret"),
        (f'key "x" {{ algorithm hmac-sha256; secret "{SECRET}!"; }};', "dns-key-secret"),
        (f'key "a b" {{ algorithm hmac-sha256; secret "{SECRET}"; }};', "dns-name"),
    ],
)
def test_a_broken_file_is_explained_without_its_secret(text: str, code: str) -> None:
    with pytest.raises(Trouble, match=code) as caught:
        parse_keys(text, Path("k"))
    assert SECRET[:8] not in str(caught.value)


@given(st.text(alphabet='key {};"/*#\nabc=', max_size=60))
def test_any_text_is_keys_or_trouble(text: str) -> None:
    try:
        assert parse_keys(text, Path("k"))
    except Trouble:
        return
