"""What is laid over a host: tokens, trees, the machine's /etc, and where things go under overlays."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sim_machines.bed import TINY

from handrail.base.problems import Trouble
from handrail_sim import laying
from handrail_sim.inside import wire
from handrail_sim.plan import Placed
from handrail_sim.template import read_template

KNOWN = {"name": "alpha", "primary.address": "10.77.1.10", "root": ""}


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (b"@name@ at @primary.address@", b"alpha at 10.77.1.10"),
        (b"@root@/etc", b"/etc"),
        (b"@@name@@", b"@alpha@"),
        (b"me@name.example @other@ @", b"me@name.example @other@ @"),
        (b"\0@name@", b"\0@name@"),
    ],
)
def test_tokens(text: bytes, becomes: bytes) -> None:
    assert laying.replaced(text, KNOWN) == becomes


@given(st.binary())
def test_bytes_without_known_tokens_stay(data: bytes) -> None:
    assert laying.replaced(data, {}) == data


def test_tokens_of_either_mode() -> None:
    plan = read_template(TINY)
    outside = {h.name: f"127.64.0.{n}" for n, h in enumerate(plan.hosts, 2)}
    host = plan.hosts[1]
    spaces = laying.tokens(plan, Placed("namespaces", outside, 2222, 20053), host, "/py")
    assert (spaces["address"], spaces["dnsport"], spaces["root"]) == ("10.77.1.10", "53", "")
    assert spaces["clients.address"] == spaces["web01.address"] == "10.77.1.21"
    folders = laying.tokens(plan, Placed("folders", outside, 2222, 20053, {"alpha": "/x/alpha"}), host, "/py")
    assert (folders["address"], folders["dnsport"], folders["root"]) == ("127.64.0.3", "20053", "/x/alpha")
    assert (folders["ns1.address"], folders["fqdn"]) == ("127.64.0.2", "svc.example.test")


def test_a_tree_keeps_modes_links_and_order(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/run").write_bytes(b"x")
    (tmp_path / "a/b/run").chmod(0o755)
    (tmp_path / "a/key").write_bytes(b"k")
    (tmp_path / "a/key").chmod(0o600)
    (tmp_path / "a/link").symlink_to("key")
    (tmp_path / "a/away").symlink_to("/etc")
    entries = {path: (kind, mode, data) for path, kind, mode, data in laying.tree(tmp_path)}
    assert entries["a/b/run"] == ("f", 0o755, b"x")
    assert entries["a/key"] == ("f", 0o600, b"k")
    assert entries["a/link"][::2] == ("l", b"key")
    assert entries["a/away"][::2] == ("l", b"/etc")
    assert list(entries).index("a") < list(entries).index("a/b") < list(entries).index("a/b/run")


def test_a_missing_tree_is_named(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="is not there"):
        laying.tree(tmp_path / "none")


def test_the_machines_etc_without_its_secrets(tmp_path: Path) -> None:
    for name, mode in (
        ("passwd", 0o644),
        ("shadow", 0o644),
        ("secret", 0o600),
        ("ssl/private/key", 0o644),
        ("d/x", 0o644),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
        file.chmod(mode)
    (tmp_path / "link").symlink_to("passwd")
    names = [path for path, *_rest in laying.machine_etc(tmp_path)]
    assert names == ["etc/d", "etc/d/x", "etc/link", "etc/passwd", "etc/ssl"]


def machine(tmp_path: Path, *, merged: bool) -> Path:
    """Return a root like a machine's, with /bin merged into /usr or not."""
    (tmp_path / "usr/bin").mkdir(parents=True)
    if merged:
        (tmp_path / "bin").symlink_to("usr/bin")
    else:
        (tmp_path / "bin").mkdir()
    return tmp_path


def test_laid_paths_go_to_the_layer_that_shows_them(tmp_path: Path) -> None:
    root = machine(tmp_path, merged=True)
    shared = laying.overlays(root)
    assert shared == ["usr"]
    laid = [
        ("usr", "d", 0o755, b""),
        ("usr/bin/x", "f", 0o755, b""),
        ("bin/y", "f", 0o755, b""),
        ("etc/z", "f", 0o644, b""),
    ]
    moved = [path for path, *_rest in laying.under_overlays(laid, shared, root)]
    assert moved == ["up.usr/bin/x", "up.usr/bin/y", "root/etc/z"]


def test_a_machine_that_is_not_merged_has_more_overlays(tmp_path: Path) -> None:
    root = machine(tmp_path, merged=False)
    shared = laying.overlays(root)
    assert shared == ["usr", "bin"]
    moved = laying.under_overlays([("bin/y", "f", 0o755, b"")], shared, root)
    assert [path for path, *_rest in moved] == ["up.bin/y"]
    assert ("up.bin", "d", 0o755, b"") in laying.skeleton(root)


def test_what_the_kernel_makes_cannot_be_laid() -> None:
    with pytest.raises(Trouble, match="/proc/x cannot be laid"):
        laying.under_overlays([("proc/x", "f", 0o644, b"")], ["usr"])


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(st.lists(st.tuples(names, st.sampled_from("dfl"), st.integers(0, 0o7777), st.binary())))
def test_packs_carry_anything(entries: list[wire.Entry]) -> None:
    assert wire.unpack(wire.pack(entries)) == entries
