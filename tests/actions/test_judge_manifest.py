"""The pure parts: judging output, reading manifests, and what a copy would do; unit tests and properties."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handrail.actions import judge, manifest, meter, sync_scripts
from handrail.actions.manifest import Entry, Tree, UnreadableError
from handrail.actions.port import Said
from handrail.engine.words import Answer, ResultKind
from handrail.runbook.actions import Meter
from handrail.runbook.checks import Expect, Outcome, Probe


def said(text: str | bytes, code: int = 0) -> Said:
    return Said(ResultKind.EXITED, sent=True, exit=code, stdout=text if isinstance(text, bytes) else text.encode())


@pytest.mark.parametrize(
    ("wanted", "text", "holds"),
    [
        (Outcome(stdout="yes"), "  yes\n\n", True),
        (Outcome(stdout="yes"), "yes no", False),
        (Outcome(stdout=""), "", True),
        (Outcome(match=("^b$",)), "a\r\nb\r\nc", True),
        (Outcome(match=("^b$",)), "a\x0bb\x85b\u2028b", False),  # only a line feed ends a line
        (Outcome(match=("^a", "z$")), "a\nz", True),
        (Outcome(match=("^a", "z$")), "a\ny", False),
        (Outcome(absent=("^$",)), "a\nb\n", True),
        (Outcome(absent=("^$",)), "a\n\nb\n", False),
        (Outcome(absent=("x",)), "", True),
        (Outcome(match=("x",)), "", False),
    ],
)
def test_what_must_be_true_of_an_output(wanted: Outcome, text: str, holds: bool) -> None:
    assert judge.holds(wanted, said(text), None) is holds


@pytest.mark.parametrize("kind", [k for k in ResultKind if k is not ResultKind.EXITED])
def test_only_an_exit_status_answers_a_probe(kind: ResultKind) -> None:
    probe = Probe(run=("x",), done=Outcome(), not_done=Outcome(exit=(1,)))
    assert judge.answer(probe, Said(kind, sent=True, exit=None)) is Answer.DONT_KNOW


def test_a_probe_whose_answers_both_hold_knows_nothing() -> None:
    probe = Probe(run=("x",), done=Outcome(match=("a",)), not_done=Outcome(match=("b",)))
    assert judge.answer(probe, said("a")) is Answer.DONE
    assert judge.answer(probe, said("b")) is Answer.NOT_DONE
    assert judge.answer(probe, said("ab")) is Answer.DONT_KNOW
    assert judge.answer(probe, said("c")) is Answer.DONT_KNOW


def test_the_first_group_of_the_first_line_is_captured() -> None:
    found, missing = judge.captured({"dir": r"^d=(\S+)", "all": "d=.*", "no": "^x=(.)"}, b"a\nd=1 x\nd=2\n")
    assert found == {"dir": "1", "all": "d=1 x"}
    assert [c.what for c in missing] == ["says its no"]


def test_the_same_needs_all_answers() -> None:
    assert judge.same({"a": said("1\n"), "b": said("1")}).holds is True
    assert judge.same({"a": said("1"), "b": said("2")}).holds is False
    assert judge.same({"a": said("1"), "b": Said(ResultKind.UNREACHABLE, sent=False)}).holds is None


@given(st.binary(max_size=400))
def test_a_quote_is_short_whatever_was_said(data: bytes) -> None:
    assert len(judge.quote(data)) <= judge.SHOWN


def test_exits_are_zero_unless_declared() -> None:
    assert judge.exits_of(Expect()) == (0,)
    assert judge.exits_of(Expect(exit=(3,))) == (3,)


# ------------------------------------------------------------------ manifests

ENTRY = st.builds(
    Entry, st.sampled_from("fdl"), st.sampled_from(["600", "644"]), st.just("0:0"), st.sampled_from("abc")
)
ENTRIES = st.dictionaries(st.text("ab/", min_size=1, max_size=4), ENTRY, max_size=6)


def tree(path: str, entries: dict[str, Entry] | None = None, inode: str = "1") -> Tree:
    return Tree(path, "1", "1", inode, entries or {})


@given(ENTRIES, ENTRIES)
def test_what_a_difference_says_makes_one_tree_like_the_other(one: dict[str, Entry], two: dict[str, Entry]) -> None:
    todo = manifest.difference(tree("/a", one), tree("/b", two))
    made = {p: e for p, e in two.items() if p not in todo.removed}
    made |= {p: one[p] for p in (*todo.added, *todo.changed)}
    assert made == one
    assert todo.any is (one != two)


@given(st.lists(st.sampled_from(["/a", "/a/b", "/a/b/c", "/ab", "/b", "/"]), max_size=6))
def test_what_is_kept_covers_everything_and_never_twice(paths: list[str]) -> None:
    trees = [tree(p) for p in paths]
    kept = [paths[n] for n in manifest.kept(trees)]
    assert len(set(kept)) == len(kept)
    for path in paths:
        assert sum(path == k or path.startswith(k.rstrip("/") + "/") for k in kept) == 1


@pytest.mark.parametrize(
    ("source", "target", "wrong"),
    [
        ("000A\n", "0009", False),
        ("000A", "000A", False),
        ("00FF", "0100", True),
        ("a\nb", "a\nb\nc", True),
        ("a\nb\nc", "a\nb", False),
        ("", "x", True),
    ],
)
def test_what_goes_backwards(source: str, target: str, wrong: bool) -> None:
    assert bool(manifest.backwards("serial", source, target)) is wrong


@given(st.text(max_size=200))
def test_a_manifest_is_read_or_refused(text: str) -> None:
    try:
        manifest.parse(text)
    except UnreadableError as err:
        assert str(err)  # noqa: PT017  either outcome is fine, this one must say something


def test_excluded_names_match_any_part() -> None:
    found = manifest.without(
        tree("/a", dict.fromkeys(("x.tmp", "d/y.tmp", "cache/z", "k"), Entry("f", "", "", ""))), ["*.tmp", "cache"]
    )
    assert list(found.entries) == ["k"]


NAMES = st.text(st.characters(exclude_characters="/\n\0", exclude_categories=["Cs"]), min_size=1, max_size=8)


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(NAMES.filter(lambda n: n not in (".", "..")), st.binary(max_size=20), min_size=1, max_size=5))
def test_the_manifest_of_any_names_is_what_lies_there(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("m")
    for name, data in files.items():
        (root / name).write_bytes(data)
    done = subprocess.run(["sh", "-s", str(root)], input=manifest.SCRIPT.encode(), capture_output=True, check=True)
    (found,) = manifest.parse(done.stdout.decode("utf-8", "surrogateescape"))
    assert set(found.entries) == {"", *files}
    assert all(found.entries[n].kind == "f" and len(found.entries[n].content) == 64 for n in files)


# ------------------------------------------------------------------ the exchange, cut off after any of its commands


def exchange(root: Path, way: str, *, cut: int = 0) -> int:
    """Run the exchange of two trees; kill it when `cut` commands have been run. Return its exit status."""
    script = sync_scripts.EXCHANGE
    if cut:
        trap = f"n=0; trap 'n=$((n + 1)); [ $n -lt {cut} ] || kill -9 $$' DEBUG\n"
        script = trap + script
    argv = ["bash", "-s", "--", way, "t-1", str(root / "one"), str(root / "two")]
    env = {**os.environ, "PATH": f"{root}/bin:{os.environ['PATH']}"}
    return subprocess.run(
        argv, input=("set -T\n" + script).encode(), capture_output=True, check=False, env=env
    ).returncode


def lay(root: Path, *, renameat2: bool) -> None:
    for name in ("one", "two"):
        for place, text in ((root / name, "old"), (root / f"{name}.handrail-t-1", "new")):
            place.mkdir(parents=True)
            (place / "f").write_text(text)
    (root / "bin").mkdir()
    if not renameat2:
        (root / "bin/python3").write_text("#!/bin/sh\nexit 1\n")
        (root / "bin/python3").chmod(0o755)


def live(root: Path) -> list[str]:
    return [(root / n / "f").read_text() for n in ("one", "two")]


@pytest.mark.parametrize("renameat2", [True, False])
def test_cut_off_anywhere_the_exchange_rolls_forward(tmp_path: Path, renameat2: bool) -> None:
    for cut in range(3, 200, 9 if renameat2 else 4):
        root = tmp_path / str(cut)
        lay(root, renameat2=renameat2)
        if exchange(root, "in", cut=cut) == 0:
            break
        assert exchange(root, "in") == 0
        assert live(root) == ["new", "new"], cut
        exchange(root, "out", cut=cut)
        assert exchange(root, "out") == 0
        assert live(root) == ["old", "old"], cut
        assert sorted(p.name for p in root.iterdir()) == ["bin", "one", "two"], cut
    else:
        pytest.fail("the exchange has more commands than this test looks at")


def test_a_staged_tree_that_is_gone_leaves_the_live_ones(tmp_path: Path) -> None:
    lay(tmp_path, renameat2=False)
    (tmp_path / "two.handrail-t-1").rename(tmp_path / "elsewhere")
    assert exchange(tmp_path, "in") == 5
    assert live(tmp_path) == ["old", "old"]
    assert exchange(tmp_path, "out") == 0
    assert live(tmp_path) == ["old", "old"]


@pytest.mark.parametrize(
    ("need", "names", "wanted"),
    [
        ("all", "a b c", (3, 3)),
        ("95%", "a b c", (3, 3)),
        ("60%", "a b c", (2, 3)),
        (2, None, (2, 0)),
        ("50%", None, (1, 0)),
    ],
)
def test_how_many_a_meter_needs(need: str | int, names: str | None, wanted: tuple[int, int]) -> None:
    found = Meter.model_validate({"file": "/x", "match": "(?P<n>.)", "distinct": "n", "names": names, "need": need})
    assert meter.wanted(found) == wanted
