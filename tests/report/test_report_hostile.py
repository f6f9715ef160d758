"""Foreign text in reports: hosts, people, DNS and runbooks may say what they like; it never becomes markup, a link or a row."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token
from tests.report import tales

from handrail.base.safe import safe
from handrail.engine import events as e
from handrail.engine import messages as m
from handrail.engine.outline import Outline
from handrail.engine.results import Check, Output, Result
from handrail.engine.words import ResultKind, Way
from handrail.report.data import Report
from handrail.report.html import to_html
from handrail.report.markdown import code, prose, to_markdown
from handrail.report.text import to_plain

GITHUB = MarkdownIt("gfm-like")
PLAIN = MarkdownIt("commonmark")
NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "| a | b |\n|---|---|\n| c | d |",
    "a \\| b \\\\| c |",
    "[click](https://evil.example/)",
    "![x](https://evil.example/x.png)",
    "https://evil.example/ and www.evil.example and ops@evil.example",
    "<https://evil.example>",
    "`` ` ``` code `",
    "**LIVE** __LIVE__ *x* _y_ ~~z~~",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "---",
    "```\nfence",
    "&lt;b&gt; &#60;b&#62;",
    "\x1b[31mred\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\u202eevil\u200b",
    "</svg></figure></table><style>body{display:none}</style>",
    ":rocket: @ana #1 $x$",
    "[a]: https://evil.example",
    "\\",
    "|",
    "`",
    " ",
    "\ud800",
)
BAD_TOKENS = {"link_open", "image", "html_inline", "html_block", "s_open", "em_open", "fence", "code_block"}


def tokens(reader: MarkdownIt, text: str) -> list[Token]:
    """Return every token of a text, those inside others too."""
    found: list[Token] = []
    for token in reader.parse(text):
        found += [token, *(token.children or [])]
    return found


def told(text: str) -> Report:
    """Return the report of a run in which everybody says the same."""
    outline = tales.small()
    stages = tuple(replace(s, title=text, steps=tuple(replace(x, title=text) for x in s.steps)) for s in outline.stages)
    rig = tales.opened("LIVE", reason=text, incident=text, disrupted=text, estate=text, runbook=text, operator=text)
    rig.state = replace(rig.state, outline=Outline("failover", text, stages, outline.routes))
    rig.outline = rig.state.outline
    rig.through("sync")
    said = Result(
        "dns",
        ResultKind.EXITED,
        sent=True,
        exit=1,
        detail=text,
        checks=(Check(text, False, text),),
        output=Output(text, 1, "ab" * 32),
    )
    rig.ends("switch/dns", Way.FORWARD, said)
    rig.stage()
    rig.must(m.Note(text.strip() or "-", by=text))
    rig.take(e.GuardTripped(rig.at, text, text), e.Held(rig.at, text, text))
    rig.must(m.Close(text.strip() or "-", by=text))
    facts = replace(tales.FACTS, names={"p": text, "d": text, "dns": text}, damage=text, shortened=text)
    return tales.report_of(rig, facts)


def shape(report: Report) -> list[str]:
    """Return the structure of a report's Markdown, without its words and their emphasis."""
    kinds = ("heading", "tr_", "td_", "th_", "list_item", "table", "hr")
    return [token.type for token in tokens(GITHUB, to_markdown(report)) if token.type.startswith(kinds)]


@pytest.mark.parametrize("text", NASTY)
def test_markdown_keeps_its_shape(text: str) -> None:
    report = told(text)
    for reader in (GITHUB, PLAIN):
        assert not BAD_TOKENS & {token.type for token in tokens(reader, to_markdown(report))}
    assert shape(report) == shape(told("plain words"))


@pytest.mark.parametrize("text", NASTY)
def test_html_has_no_tag_of_theirs(text: str) -> None:
    page = tales.read_html(to_html(told(text)))
    calm = tales.read_html(to_html(told("plain words")))
    assert page.tags <= calm.tags
    assert page.attributes <= calm.attributes
    assert not {"script", "img", "a", "iframe", "link", "object"} & page.tags
    assert not any(name.startswith("on") or name in ("href", "src") for name in page.attributes)


@pytest.mark.parametrize("text", NASTY)
def test_no_form_carries_what_acts_on_a_terminal(text: str) -> None:
    report = told(text)
    for form in (to_plain, to_markdown, to_html):
        lines = form(report).split("\n")
        assert [line for line in lines if safe(line) != line] == []


@given(st.text(max_size=60))
@settings(max_examples=120, deadline=None)
def test_prose_and_code_say_what_was_said(text: str) -> None:
    said = safe(text)
    for made in (prose(said), code(said)):
        found = GITHUB.parse(f"| {made} | x |\n|---|---|\n| - {made} | {made} |\n")
        cells = [t for t in found if t.type == "inline"]
        assert len(cells) == 4, made
        inside = "".join(c.content for c in cells[0].children or [])
        assert inside.strip() == said.strip(), made
        assert {c.type for c in cells[0].children or []} <= {"text", "code_inline", "text_special"}


@given(st.text(alphabet="|\\`*_[]()<>!&~:/@.w-#+=1 a", max_size=30))
@settings(max_examples=200, deadline=None)
def test_prose_and_code_hold_against_what_markdown_is_made_of(text: str) -> None:
    said = safe(text)
    for made in (prose(said), code(said)):
        for reader in (GITHUB, PLAIN):
            found = tokens(reader, f"- {made}\n- x {made}\n")
            assert not BAD_TOKENS & {t.type for t in found}, made
            assert [t.type for t in found].count("list_item_open") == 2, made
