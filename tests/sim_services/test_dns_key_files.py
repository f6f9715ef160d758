"""Key files as BIND writes them: comments go, but nothing inside quotes is one."""

from __future__ import annotations

import base64

import dns.name
import pytest

from handrail_sim.dns_keys import parse_keys


@pytest.mark.parametrize("secret", ["ab//cdefgh==", "A//A", "//AA"])
def test_a_secret_may_look_like_a_comment(secret: str) -> None:
    text = f'# a key\nkey "k" {{ // ours\n  algorithm hmac-sha256; /* the\n usual */\n  secret "{secret}";\n}};\n'
    assert parse_keys(text)[dns.name.from_text("k")].secret == base64.b64decode(secret)


def test_every_random_secret_is_read_as_it_is_written() -> None:
    for number in range(256):
        raw = bytes([255, number, 255, 255 - number, 63, 252, 15, 255]) * 4
        text = f'key "k" {{ algorithm hmac-sha256; secret "{base64.b64encode(raw).decode()}"; }};'
        assert parse_keys(text)[dns.name.from_text("k")].secret == raw
