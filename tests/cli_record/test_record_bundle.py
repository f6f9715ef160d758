"""A bundle is one run's whole record: the same bytes twice, and whatever is changed in it is refused, with the place."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from tests.cli_record.conftest import Run, Said
from tests.cli_record.records import make_longer, make_run

from handrail.store.home import Home

Members = dict[str, bytes]
TOP = "handrail-DRILL-tiny-r1"


@pytest.fixture
def drill(home: Home) -> Path:
    """Return the folder of a drill."""
    return make_run(home, "r1", "DRILL").path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Return ana's key; `allowed` beside it says that it is hers."""
    return new_key(tmp_path, "ana")


def new_key(place: Path, who: str) -> Path:
    path = place / f"{who}.key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", str(path)], check=True)
    (place / f"{who}.allowed").write_text(f"{who} {' '.join(path.with_suffix('.key.pub').read_text().split()[:2])}\n")
    return path


def packed(handrail: Run, place: Path, *more: str) -> Path:
    said = handrail("report", "r1", "--bundle", str(place), *more)
    assert said.code == 0, said.err
    assert "DRILL run r1 packed" in said.err
    return place


def members(place: Path) -> Members:
    with tarfile.open(place) as archive:
        return {info.name.partition("/")[2]: read(archive, info) for info in archive}


def read(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    found = archive.extractfile(info)
    assert found is not None
    return found.read()


def written(place: Path, found: Members, top: str = TOP, *, listed: bool = False) -> Path:
    """Write a bundle as a forger would; `listed`, with a manifest that fits it."""
    if listed:
        head = [line for line in found["MANIFEST"].decode().splitlines() if line.startswith("#")]
        files = sorted(name for name in found if not name.startswith("MANIFEST"))
        lines = [*head, *(f"{sha256(found[name]).hexdigest()}  {name}" for name in files), ""]
        found = {**found, "MANIFEST": "\n".join(lines).encode()}
    with tarfile.open(place, "w") as archive:
        for name, data in found.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return place


def rechained(journal: bytes, change: Callable[[dict[str, object]], None]) -> bytes:
    """Return a journal whose first record is another, with every hash made anew: what whoever owns the folder can do."""
    prev, lines = "0" * 64, []
    for number, line in enumerate(journal.splitlines()):
        fields = json.loads(line)
        fields["prev"] = prev
        del fields["h"]
        if not number:
            change(fields["body"])
        text = json.dumps(fields, separators=(",", ":"))
        prev = sha256((prev + text).encode()).hexdigest()
        lines.append(f'{text[:-1]},"h":"{prev}"}}\n')
    return "".join(lines).encode()


def refused(said: Said, place: str, code: str) -> None:
    assert said.code == 1, said.out
    assert "NOT OK" in said.out
    assert any(place in line and f"[{code}]" in line for line in said.out.splitlines()), said.out


# ------------------------------------------------------------------ what it is


def test_the_same_record_is_the_same_bytes(drill: Path, tmp_path: Path, handrail: Run) -> None:
    one, two = (packed(handrail, tmp_path / name).read_bytes() for name in ("a.tar", "b.tar"))
    assert one == two
    with tarfile.open(tmp_path / "a.tar") as archive:
        infos = archive.getmembers()
    assert [info.name for info in infos] == [f"{TOP}/MANIFEST", *sorted(info.name for info in infos[1:])]
    assert {(info.uid, info.gid, info.uname, info.gname, info.mode) for info in infos} == {(0, 0, "", "", 0o644)}
    assert len({info.mtime for info in infos}) == 1
    assert {"journal.jsonl", "runbook.toml", "estate.toml", "report.html"} <= set(members(tmp_path / "a.tar"))
    assert str(tmp_path).encode() not in one
    assert (tmp_path / "a.tar").stat().st_mode & 0o077 == 0


def test_it_is_sound_by_our_audit_and_by_programs_that_are_not_ours(
    drill: Path, tmp_path: Path, handrail: Run, key: Path
) -> None:
    packed(handrail, tmp_path / "a.tar", f"--sign={key}")
    said = handrail("audit", str(tmp_path / "a.tar"), "--allowed-signers", str(tmp_path / "ana.allowed"))
    assert said.code == 0, said.out
    assert said.out.startswith(f"ok: DRILL bundle {TOP}, ")
    assert said.out.rstrip().endswith("signed by ana")
    with tarfile.open(tmp_path / "a.tar") as archive:
        archive.extractall(tmp_path / "x")
    inside = tmp_path / "x" / TOP
    subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "MANIFEST"], cwd=inside, check=True)
    verify = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "ana.allowed"), "-I", "ana", "-n", "handrail"]
    subprocess.run([*verify, "-s", "MANIFEST.sig"], cwd=inside, input=(inside / "MANIFEST").read_bytes(), check=True)


def test_a_bundle_is_never_written_over(drill: Path, tmp_path: Path, handrail: Run) -> None:
    packed(handrail, tmp_path / "a.tar")
    assert handrail("report", "r1", "--bundle", str(tmp_path / "a.tar")).code == 2
    said = handrail("report", "r1", "--bundle", str(tmp_path))
    assert (tmp_path / f"{TOP}.tar").is_file(), said.err


def test_it_can_be_played_again(drill: Path, tmp_path: Path, handrail: Run) -> None:
    packed(handrail, tmp_path / "a.tar")
    said = handrail("replay", str(tmp_path / "a.tar"), "--plain")
    assert said.code == 0
    assert "REPLAY of a DRILL run" in said.out
    assert "done 3.1 Who answers" in said.out


# ------------------------------------------------------------------ what is refused


def flipped(data: bytes) -> bytes:
    return data[:-2] + bytes([data[-2] ^ 1]) + data[-1:]


def damages() -> Iterator[tuple[str, Callable[[Members], object], str, str]]:
    """Yield kinds of damage: a name, what is done, the place that must be named, the code."""
    for name in ("journal.jsonl", "runbook.toml", "estate.toml", "inputs.json", "report.html", "report.junit.xml"):
        yield name, lambda found, name=name: found.update({name: flipped(found[name])}), name, "audit-member"  # type: ignore[misc]
    yield "output", lambda found: found.update({OUT: b"puppet-xx\n"}), OUT, "audit-member"
    yield "lost", lambda found: found.pop(OUT), OUT, "audit-member-lost"
    yield "added", lambda found: found.update({"out/more.log": b"x"}), "out/more.log", "audit-member-added"
    yield "no manifest", lambda found: found.pop("MANIFEST"), "MANIFEST", "audit-manifest"
    yield "mode", lambda found: told_as(found, "LIVE"), "MANIFEST", "audit-about"


OUT = "out/look-who.1.r1.log"


def told_as(found: Members, mode: str) -> None:
    found["MANIFEST"] = found["MANIFEST"].replace(b"# mode DRILL", f"# mode {mode}".encode())


@pytest.mark.parametrize(("name", "spoil", "place", "code"), list(damages()))
def test_what_was_changed_is_named(
    name: str, spoil: Callable[[Members], object], place: str, code: str, drill: Path, tmp_path: Path, handrail: Run
) -> None:
    found = members(packed(handrail, tmp_path / "a.tar"))
    spoil(found)
    refused(handrail("audit", str(written(tmp_path / "b.tar", found))), place, code)


@pytest.mark.parametrize(
    ("name", "after", "code"),
    [
        (OUT, b"puppet-xx\n", "audit-output"),
        ("runbook.toml", b"format = 1\n", "audit-runbook"),
        ("report.html", b"<h1>LIVE</h1>", "audit-report"),
        ("report.json", b'{"mode": "LIVE"}', "audit-report"),
    ],
)
def test_a_manifest_that_fits_the_forgery_hides_nothing(
    name: str, after: bytes, code: str, drill: Path, tmp_path: Path, handrail: Run
) -> None:
    found = members(packed(handrail, tmp_path / "a.tar"))
    found[name] = after
    said = handrail("audit", str(written(tmp_path / "b.tar", found, listed=True)))
    assert said.code == 1
    assert f"[{code}]" in said.out or (name == "runbook.toml" and "audit-runbook" in said.out), said.out


def test_a_file_that_is_cut_off_or_leads_away_is_refused(drill: Path, tmp_path: Path, handrail: Run) -> None:
    whole = packed(handrail, tmp_path / "a.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: len(whole) // 2])
    said = handrail("audit", str(tmp_path / "cut.tar"))
    assert said.code == 1
    assert "bundle-damaged" in said.out
    (tmp_path / "no.tar").write_bytes(b"not a tar file at all" * 100)
    assert handrail("audit", str(tmp_path / "no.tar")).code == 1
    for bad in ("../../etc/passwd", "out/../x", "/etc/passwd", "out/a/b"):
        with tarfile.open(tmp_path / "away.tar", "w") as archive:
            info = tarfile.TarInfo(f"{TOP}/{bad}")
            info.size = 1
            archive.addfile(info, io.BytesIO(b"x"))
        said = handrail("audit", str(tmp_path / "away.tar"))
        assert said.code == 1
        assert "bundle-member" in said.out
    with tarfile.open(tmp_path / "link.tar", "w") as archive:
        info = tarfile.TarInfo(f"{TOP}/journal.jsonl")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    assert "bundle-member" in handrail("audit", str(tmp_path / "link.tar")).out


# ------------------------------------------------------------------ who signed


def test_another_signer_is_refused_and_so_is_nobody(drill: Path, tmp_path: Path, handrail: Run, key: Path) -> None:
    tom = new_key(tmp_path, "tom")
    packed(handrail, tmp_path / "tom.tar", f"--sign={tom}")
    packed(handrail, tmp_path / "none.tar")
    allowed = ("--allowed-signers", str(tmp_path / "ana.allowed"))
    refused(handrail("audit", str(tmp_path / "tom.tar"), *allowed), "MANIFEST.sig", "audit-signer")
    refused(handrail("audit", str(tmp_path / "none.tar"), *allowed), "MANIFEST", "audit-unsigned")
    both = tmp_path / "both.allowed"
    both.write_text((tmp_path / "ana.allowed").read_text() + (tmp_path / "tom.allowed").read_text())
    assert handrail("audit", str(tmp_path / "tom.tar"), "--allowed-signers", str(both)).code == 0
    said = handrail("audit", str(tmp_path / "tom.tar"), "--allowed-signers", str(both), "--signer", "ana")
    refused(said, "MANIFEST.sig", "audit-signer")
    said = handrail("audit", str(tmp_path / "tom.tar"))
    assert said.code == 0
    assert "nobody says whose" in said.out


def test_a_signature_does_not_go_with_another_manifest(drill: Path, tmp_path: Path, handrail: Run, key: Path) -> None:
    found = members(packed(handrail, tmp_path / "a.tar", f"--sign={key}"))
    found[OUT] = b"puppet-xx\n"
    said = handrail("audit", str(written(tmp_path / "b.tar", found, listed=True)))
    refused(said, "MANIFEST.sig", "audit-signature")
    other = tmp_path / "MANIFEST"
    other.write_bytes(found["MANIFEST"])
    subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "file", str(other)], check=True)
    found = members(tmp_path / "a.tar") | {"MANIFEST.sig": (tmp_path / "MANIFEST.sig").read_bytes()}
    refused(handrail("audit", str(written(tmp_path / "c.tar", found))), "MANIFEST.sig", "audit-signature")


def test_a_run_is_signed_where_it_lies_and_may_go_on(drill: Path, tmp_path: Path, handrail: Run, key: Path) -> None:
    allowed = ("--allowed-signers", str(tmp_path / "ana.allowed"))
    refused(handrail("audit", "r1", *allowed), "MANIFEST", "audit-unsigned")
    said = handrail("report", "r1", f"--sign={key}")
    assert said.code == 0, said.err
    said = handrail("audit", "r1", *allowed)
    assert (said.code, said.out.rstrip().endswith("signed by ana")) == (0, True), said.out
    make_longer(make_run_folder(drill))
    said = handrail("audit", "r1", *allowed)
    assert said.code == 0
    assert "went on by 3 records" in said.out
    (drill / OUT).write_bytes(b"puppet-xx\n")
    refused(handrail("audit", "r1", *allowed), OUT, "audit-output")


def make_run_folder(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN201
    from handrail.store.run_folder import RunFolder

    return RunFolder(path)


def test_a_key_that_is_not_there_is_said_and_nothing_is_written(drill: Path, tmp_path: Path, handrail: Run) -> None:
    said = handrail("report", "r1", "--bundle", str(tmp_path / "a.tar"), f"--sign={tmp_path / 'none'}")
    assert said.code == 2
    assert "sign-key" in said.err
    assert not (tmp_path / "a.tar").exists()


# ------------------------------------------------------------------ a drill is a drill


@pytest.mark.parametrize("form", ["md", "html", "text", "json", "junit", "cast"])
def test_every_form_says_first_that_it_is_a_drill(form: str, drill: Path, tmp_path: Path, handrail: Run) -> None:
    said = handrail("report", "r1", "--format", form)
    assert said.code == 0, said.err
    where = said.out.find("DRILL")
    assert 0 <= where < {"html": 400, "json": 60}.get(form, 300)
    assert "LIVE" not in said.out.replace("body.live", "")
    handrail("report", "r1", "--format", form, "--out", str(tmp_path))
    assert len(list(tmp_path.glob("handrail-DRILL-tiny-r1.*"))) == 1


def test_a_drill_told_as_live_breaks_the_chain_at_its_head(drill: Path, tmp_path: Path, handrail: Run) -> None:
    found = members(packed(handrail, tmp_path / "a.tar"))
    found["journal.jsonl"] = found["journal.jsonl"].replace(b'"mode":"DRILL"', b'"mode":"LIVE"')
    told_as(found, "LIVE")
    said = handrail("audit", str(written(tmp_path / "b.tar", found, TOP.replace("DRILL", "LIVE"), listed=True)))
    refused(said, "journal.jsonl:1", "journal-damaged")


def test_a_whole_chain_forged_anew_does_not_carry_the_signature(
    drill: Path, tmp_path: Path, handrail: Run, key: Path
) -> None:
    found = members(packed(handrail, tmp_path / "a.tar", f"--sign={key}"))
    found["journal.jsonl"] = rechained(found["journal.jsonl"], lambda body: body.update(mode="LIVE"))
    said = handrail("audit", str(written(tmp_path / "b.tar", found, listed=True)))
    refused(said, "MANIFEST.sig", "audit-signature")
    refused(said, "MANIFEST", "audit-about")
    refused(said, "report.html", "audit-report")
