"""Reading: everything wrong is told at once, with its place; what is hostile is refused quickly; nothing else is raised."""

from __future__ import annotations

import os
import random
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.runbook.texts import FULL, MINI, changed, codes, line_of, problems
from tests.sizes import sized

from handrail.base.problems import Trouble
from handrail.runbook.files import read_file
from handrail.runbook.lint import lint_file
from handrail.runbook.model import Runbook
from handrail.runbook.read import digest, parse_runbook, read_runbook

MUTATED = sized(300, 3_000, 100_000)
SIX_FAULTS = [
    ('title = "Serves"', 'titel = "Serves"'),  # an unknown key; that `title` is missing is not told as well
    ('run = ["systemctl", "stop", "x"]', 'run = "systemctl stop x"'),  # a text where a list stands
    ('after = "go/hold"', 'after = "go/holt"'),  # a step that is not there
    ('dirs = ["/srv"]', 'dirs = ["/srv"]\ngood = "few"'),  # a key of the step after a table's header
    ('confirm = "{{ b.address }}"', 'confirm = "{{ bb.address }}"'),  # a role that is not there
    ('target = "15m"', 'target = "15 minutes"'),  # a duration that is none
]


def test_six_faults_are_told_at_once_each_with_its_place() -> None:
    text = changed(MINI, *SIX_FAULTS)
    found = {(problem.code, problem.where.line) for problem in problems(text) if problem.where}
    assert found == {
        ("unknown-key", line_of(text, "titel")),
        ("wrong-type", line_of(text, '"systemctl stop x"')),
        ("unknown-step", line_of(text, "go/holt")),
        ("key-after-table", line_of(text, "few")),
        ("unknown-role", line_of(text, "bb.address")),
        ("duration", line_of(text, "15 minutes")),
    }


def test_the_hints_name_what_was_meant() -> None:
    hints = {problem.code: problem.hint for problem in problems(changed(MINI, *SIX_FAULTS))}
    assert hints["unknown-key"] == "did you mean `title`?"
    assert hints["unknown-step"] == "did you mean `go/hold`?"
    assert "[stage.step.sync]" in hints["key-after-table"]
    assert "above the header" in hints["key-after-table"]
    assert 'run = ["systemctl"' in hints["wrong-type"]


def test_a_key_after_a_table_inside_a_verify() -> None:
    text = changed(MINI, ("expect = { same = true }", 'expect = { same = true }\nconfirm = "x"'))
    assert "key-after-table" in codes(text)


def test_the_offending_text_is_shown_and_cannot_act() -> None:
    text = changed(MINI, ('titel = "x"', "")) if "titel" in MINI else MINI
    text = changed(text, ('line = "clients move"', 'line = "clients \\u001b[31mmoved"'))
    told = [problem for problem in problems(text) if problem.code == "not-a-choice"]
    assert '"clients moved"' in told[0].message
    assert told[0].hint == "did you mean `clients move`?"
    assert all("\x1b" not in str(problem) for problem in problems(text))


def test_faults_of_syntax_are_told_with_the_others() -> None:
    text = changed(
        MINI,
        ('title = "Hold"', 'title = "Hold'),
        ('title = "Copy"', "title = Copy"),
        ('after = "go/hold"', 'after = "go/holt"'),
        ("pick = 1", "pick = 0"),
    )
    found = [(problem.code, problem.where.line) for problem in problems(text) if problem.where]
    assert ("toml", line_of(text, 'title = "Hold\n')) in found
    assert ("toml", line_of(text, "title = Copy")) in found
    assert ("positive", line_of(text, "pick = 0")) in found
    assert not any(code in ("no-way-back", "no-action", "missing-key") for code, _ in found)


def test_a_broken_header_ends_the_judging() -> None:
    text = changed(MINI, ("[routes.planned]", "[routes.planned"))
    assert codes(text) == ["toml"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("pick = 1", "pick = true"), "wrong-type"),
        (("pick = 1", 'pick = "1"'), "wrong-type"),
        (("pick = 1", "pick = 1979-05-27"), "wrong-type"),
        (("reads = true\n", "reads = 1\n"), "wrong-type"),
        (('title = "Look"', 'title = "  "'), "empty"),
        (('title = "Look"', 'title = """a\nb"""'), "one-line"),
        (('id = "look"', 'id = "Look"'), "id-slug"),
        (("{ a = ", "{ here = "), "role-name"),
        (("capture = { serial", "capture = { Serial"), "name"),
        (('recheck = ["look/serves"]', 'recheck = ["serves"]'), "step-name"),
        (("'^(\\d+)$'", "'^(\\d+$'"), "regex"),
        (("'^(\\d+)$'", "'^([[:digit:]]+)$'"), "regex"),
        (("trip = { exit = 0 }", "trip = { exit = 256 }"), "exit"),
        (("pick = 1", 'pick = 1\nneed = "101%"'), "need"),
        (("pick = 1", "pick = 1\nneed = 0"), "need"),
        (("pick = 1", "pick = 1\non = []"), "toml"),
        (('on = "many"', "on = []"), "empty"),
        (("dns = { ", "dns = { ttl = -1, "), "ttl"),
        (('dirs = ["/srv"]', 'dirs = ["/srv"]\nat_least = -1'), "negative"),
        (('[vars.name]\ntype = "fqdn"', "[vars.name]\ndefault = [1]"), "value"),
        (("format = 1", "format = 2"), "format"),
        (("format = 1", "format = true"), "format"),
        (('undo = { run = ["systemctl", "start", "x"] }', 'undo = "restor"'), "not-a-choice"),
        (('undo = { run = ["systemctl", "start", "x"] }', "undo = 3"), "not-a-choice"),
        (('undo = { run = ["systemctl", "start", "x"] }', 'undo = { runs = ["x"] }'), "unknown-key"),
        (("[[guard]]", "[[gard]]"), "unknown-key"),
    ],
)
def test_values_of_the_wrong_kind(change: tuple[str, str], code: str) -> None:
    text = changed(MINI, change)
    assert code in codes(text)
    assert all(problem.where and problem.where.line for problem in problems(text))


def test_a_huge_number_can_be_spoken_of() -> None:
    assert "wrong-type" in codes(changed(MINI, ('title = "Look"', "title = 0x" + "f" * 9000)))


def test_what_hides_is_refused_wherever_it_stands() -> None:
    assert codes("# a \u202e comment\n" + MINI) == ["hidden-character"]
    text = changed(MINI, ('title = "Look"', 'title = "Lo\u200bok"'))
    assert [(p.code, p.where.line) for p in problems(text) if p.where] == [
        ("hidden-character", line_of(text, "Lo\u200bok"))
    ]
    assert codes(changed(MINI, ('title = "Look"', 'title = "Lo\\u009bok"'))) == ["hidden-character"]
    assert codes(changed(MINI, ('title = "Look"', 'title = "Größe … 日本"'))) == []


def test_bytes_that_are_not_utf8() -> None:
    found = problems(b"format = 1\n# caf\xc3\xa9 \xff\n")
    assert [str(problem.where) for problem in found] == ["x.toml:2:8"]
    assert found[0].code == "utf-8"


def test_windows_line_ends_and_a_byte_order_mark_are_read() -> None:
    assert codes(b"\xef\xbb\xbf" + MINI.replace("\n", "\r\n").encode()) == []


def test_the_digest_is_of_the_bytes() -> None:
    assert digest(b"a\r\n") != digest(b"a\n")
    assert len(digest(b"")) == 64


def test_parse_raises_errors_and_not_warnings() -> None:
    assert isinstance(parse_runbook(FULL.read_bytes(), "full.toml"), Runbook)
    with pytest.raises(Trouble) as raised:
        parse_runbook(changed(MINI, ('instead = "back"\n', ""), ("pick = 1", "pick = 0")).encode(), "x.toml")
    assert {problem.code for problem in raised.value.problems} == {"positive"}


def test_an_old_copy_is_read_without_the_rules() -> None:
    text = changed(MINI, ('undo = { run = ["systemctl", "start", "x"] }\n', "")).encode()
    with pytest.raises(Trouble, match="no-way-back"):
        parse_runbook(text, "x")
    assert parse_runbook(text, "x", rules=False).place("go/hold").step.undo_kind == "none"
    with pytest.raises(Trouble, match="no-action"):
        parse_runbook(changed(MINI, ('run = ["rm", "/stop"]\n', "")).encode(), "x", rules=False)


def test_reads_of_a_stage_go_down_to_its_steps() -> None:
    runbook = parse_runbook(MINI.encode(), "x")
    assert runbook.place("look/serial").step.reads
    assert not runbook.place("look/serial").step.changes
    assert runbook.place("go/hold").step.changes
    assert runbook.place("go/copy").step.on == ("a", "b")
    assert (runbook.place("go/hold").number, runbook.place("go/hold").step.limit) == ("2.2", 600.0)


# ---------------------------------------------------------------------------------------------- files


def test_files_that_somebody_else_could_steer_are_refused(tmp_path: Path) -> None:
    good = tmp_path / "good.toml"
    good.write_text(MINI)
    good.chmod(0o644)
    assert read_runbook(good).id == "mini"
    (tmp_path / "link.toml").symlink_to(good)
    os.mkfifo(tmp_path / "pipe.toml")
    loose = tmp_path / "loose.toml"
    loose.write_text(MINI)
    loose.chmod(0o646)
    (tmp_path / "large.toml").write_bytes(b"#" * ((1 << 18) + 1))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket.toml"))
    listener.close()
    expected = {
        "link.toml": "file-link",
        "pipe.toml": "file-kind",
        "loose.toml": "file-writable",
        "large.toml": "file-large",
        "socket.toml": "file-open",
        "none.toml": "file-missing",
        ".": "file-kind",
    }
    for name, code in expected.items():
        assert [problem.code for problem in lint_file(tmp_path / name)] == [code], name
    for device in ("/dev/zero", "/dev/stdin"):
        assert lint_file(Path(device))[0].code in ("file-kind", "file-link"), device


def test_a_strangers_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "theirs.toml"
    file.write_text(MINI)
    uid = file.stat().st_uid
    if uid == 0:
        os.chown(file, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(Trouble, match="file-owner"):
        read_file(file)


def test_a_private_file_is_private(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k")
    key.chmod(0o640)
    with pytest.raises(Trouble, match="file-private"):
        read_file(key, private=True)
    key.chmod(0o600)
    assert read_file(key, private=True) == b"k"


def test_a_file_that_is_neither(tmp_path: Path) -> None:
    other = tmp_path / "pyproject.toml"
    other.write_text('[project]\nname = "x"\n')
    assert [problem.code for problem in lint_file(other)] == ["neither"]
    other.write_text("")
    assert [problem.code for problem in lint_file(other)] == ["neither"]


# ---------------------------------------------------------------------------------------------- bombs

_MANY = "\n".join
_SIZE = 1 << 18
BOMBS: dict[str, str] = {
    "dotted key": ".".join(["a"] * 20_000) + " = 1",
    "dotted keys": _MANY(".".join([f"a{n}"] + ["b"] * 999) + " = 1" for n in range(120)),
    "dotted keys, not quite": _MANY(".".join([f"a{n}"] + ["b"] * 38) + " = 1" for n in range(3_000)),
    "dotted headers": _MANY("[" + ".".join([f"a{n}"] + ["b"] * 38) + "]" for n in range(3_000)),
    "quoted parts": _MANY(".".join([f"a{n}"] + ['"b"'] * 500) + " = 1" for n in range(120)),
    "nested lists": "a = " + "[" * 100_000 + "]" * 100_000,
    "nested tables": "a = " + "{b=" * 30_000 + "1" + "}" * 30_000,
    "deep": "a = " + "[" * 390 + "]" * 390,
    "inline dotted": "a = {" + ", ".join(".".join([f"a{n}"] + ["b"] * 30) + " = 1" for n in range(3_000)) + "}",
    "deep headers": _MANY("[" + ".".join(["x"] * n) + "]" for n in range(1, 500)),
    "long integer": "a = " + "9" * (_SIZE - 9),
    "long hex": "title = 0x" + "f" * (_SIZE - 20),
    "empty lists": "a = [" + "[]," * (_SIZE // 3 - 9) + "]",
    "many keys": _MANY(f"k{n} = 1" for n in range(22_000)),
    "many tables": _MANY(f"[t{n}]" for n in range(26_000)),
    "many steps": '[[stage]]\nid="a"\n' + _MANY(["[[stage.step]]"] * 17_000),
    "many good steps": MINI
    + _MANY(f'[[stage.step]]\nid = "s{n}"\ntitle = "x"\nwait.for = "1s"' for n in range(3_500))
    + "\nodd = 1\n",
    "long string": 'a = """' + 'x""\\"' * 50_000 + '"""',
    "one line": "a = '" + "x" * (_SIZE - 9) + "'",
    "one word": "x" * (_SIZE - 9),
    "quotes": "a = " + '"' * (_SIZE - 9),
    "broken lines": _MANY(["= ="] * 65_000),
    "unknown keys": "[runbook]\n" + _MANY(f"titel{n} = 1" for n in range(18_000)),
    "references": MINI.replace('title = "Serves"', 'title = "' + "{{ x }}" * 37_000 + '"'),
    "open braces": MINI.replace('title = "Serves"', 'title = "' + "{{" * 130_000 + '"'),
    "bad regex": MINI.replace("'^(\\d+)$'", "'" + "(" * 5_000 + "'"),
    "hidden": "# " + "\u202e" * 80_000,
    "too large": "#" * (_SIZE + 1),
}

_CHILD = """
import sys, time
from pathlib import Path
from handrail.runbook.lint import lint_file
lint_file(Path(sys.argv[1]))
begun = time.process_time()
found = lint_file(Path(sys.argv[2]))
spent = time.process_time() - begun
assert found, "nothing said"
assert all(str(problem) for problem in found)
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(spent, int(peak.split()[1]) // 1024, len(found))
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_a_second_and_a_hundred_megabytes(name: str, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.toml"
    bomb.write_text(BOMBS[name], encoding="utf-8")

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))

    argv = [sys.executable, "-c", _CHILD, str(FULL), str(bomb)]
    done = subprocess.run(argv, capture_output=True, text=True, preexec_fn=limits, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    seconds, megabytes, found = done.stdout.split()
    assert float(seconds) <= 1.0
    assert int(megabytes) <= 100
    assert int(found) <= 250


# ---------------------------------------------------------------------------------------------- mutations

_SOURCE = FULL.read_bytes()
_PIECES = [
    b'"',
    b"'",
    b"[",
    b"]",
    b"{",
    b"}",
    b"=",
    b"\n",
    b"#",
    b".",
    b"{{",
    b"}}",
    b"\\",
    b"\xff",
    b"\x00",
    b"0",
    b"[[",
]


@pytest.mark.torture("mutated runbooks", trials=MUTATED)
@settings(max_examples=MUTATED, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6))
@example(0, 1)
def test_mutated_runbooks_are_told_about_or_read(seed: int, times: int) -> None:
    chance = random.Random(seed)
    data = bytearray(_SOURCE)
    for _ in range(times):
        _mutate(data, chance)
    found = _parsed(bytes(data))
    if isinstance(found, Trouble):
        assert found.problems
        assert all(p.code and p.message and p.where and p.where.line for p in found.problems), found
    else:
        assert found.places


def _parsed(data: bytes) -> Runbook | Trouble:
    try:
        return parse_runbook(data, "mutated.toml")
    except Trouble as trouble:
        return trouble


def _mutate(data: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(data))
    end = min(len(data), at + chance.choice([1, 1, 5, 40]))
    match chance.randrange(4):
        case 0:
            del data[at:end]
        case 1:
            data[at:at] = chance.choice(_PIECES)
        case 2:
            data[at] = chance.randrange(256)
        case _:
            to = chance.randrange(len(data))
            data[to:to] = data[at:end]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_told_about(data: bytes) -> None:
    with pytest.raises(Trouble) as raised:
        parse_runbook(data, "any")
    assert raised.value.problems
