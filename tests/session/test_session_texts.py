"""What a step says for people before anything is sent."""

from __future__ import annotations

import pytest

from handrail.session.texts import says


@pytest.mark.parametrize(
    ("match", "told"),
    [
        ("would vanish", "says would vanish"),
        ("CNAME|AAAA|address", "says CNAME or AAAA or address"),
        (", alone:", "says alone"),
        (r"^\S+$", r"says what matches ^\S+$"),
        ("^(403|404|5..)$", "says what matches ^(403|404|5..)$"),
    ],
)
def test_a_regex_that_is_only_words_is_told_in_words(match: str, told: str) -> None:
    assert says(match) == told
