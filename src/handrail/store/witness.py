"""Signatures over a manifest by `ssh-keygen -Y`, a program that is not ours: the independent witness of a record.

It signs with a person's SSH key, for one purpose (the namespace `handrail`), and checks whose signature it is by a file of
allowed signers (ssh-keygen(1)). It may not look into what is signed.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from handrail.base.problems import Problem, Where, trouble
from handrail.base.safe import safe
from handrail.store.manifest import NAME, SIGNATURE

NAMESPACE: Final = "handrail"
_SECONDS: Final = 60.0
_HINT: Final = "install OpenSSH 8.1 or later (Debian: openssh-client)"


def sign(manifest: Path, key: Path) -> Path:
    """Sign a manifest with an SSH key; return the signature's path. A passphrase is asked by ssh-keygen itself.

    Raise `Trouble` sign-key or sign-failed; nothing is left behind then.
    """
    if not key.is_file():
        raise trouble(
            "sign-key", f"there is no key {safe(str(key))}", "name it: --sign=FILE, private or public with an agent"
        )
    made = manifest.with_name(SIGNATURE)
    made.unlink(missing_ok=True)
    argv = ["ssh-keygen", "-Y", "sign", "-f", str(key.absolute()), "-n", NAMESPACE, str(manifest.absolute())]
    try:
        done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    except OSError as err:
        raise trouble("sign-failed", f"ssh-keygen cannot be run: {safe(str(err.strerror))}", _HINT) from err
    if done.returncode or not made.is_file():
        raise trouble("sign-failed", f"ssh-keygen did not sign: {_last(done.stderr)}")
    return made


def check(folder: Path, allowed: Path | None, signer: str = "") -> tuple[str, list[Problem]]:
    """Return who signed the manifest of a folder, in words, and what is wrong with the signature.

    Without a file of allowed signers only the signature itself is checked, and that nobody says whose key it is.
    """
    signature, where = folder / SIGNATURE, Where(SIGNATURE)
    if not signature.is_file():
        if allowed is None:
            return "not signed", []
        hint = "sign it: handrail report --sign"
        return "not signed", [Problem("audit-unsigned", "nobody has signed this record", hint, Where(NAME))]
    try:
        said = _asked(folder, "check-novalidate", "-n", NAMESPACE, "-s", str(signature))
        if said is None:
            return "signature bad", [Problem("audit-signature", _bad(folder), "", where)]
        if allowed is None:
            hint = "say whose keys count: --allowed-signers FILE"
            return f"signed, {said}, nobody says whose", [Problem("audit-signer-unknown", said, hint, where, "warning")]
        return _known(folder, allowed, signer, said)
    except OSError as err:
        why = f"ssh-keygen cannot be run: {safe(str(err.strerror))}"
        return "signature not checked", [Problem("audit-no-witness", why, _HINT, where)]
    except subprocess.TimeoutExpired:
        return "signature not checked", [Problem("audit-no-witness", "ssh-keygen did not end", "", where)]


def _known(folder: Path, allowed: Path, signer: str, said: str) -> tuple[str, list[Problem]]:
    signature, where = folder / SIGNATURE, Where(SIGNATURE)
    if not allowed.is_file():
        raise trouble("usage", f"there is no file {safe(str(allowed))}", "a line for each signer, as in ssh-keygen(1)")
    who = signer or (_asked(folder, "find-principals", "-s", str(signature), "-f", str(allowed)) or "").split("\n")[0]
    argv = ("verify", "-f", str(allowed), "-I", who, "-n", NAMESPACE, "-s", str(signature))
    if who and _asked(folder, *argv) is not None:
        return f"signed by {safe(who, 80)}", []
    whom = f" of {safe(signer, 80)}" if signer else ""
    what = f"this is not a signature{whom} that {safe(allowed.name)} allows: {said}"
    return "signed by somebody else", [Problem("audit-signer", what, "", where)]


def _bad(folder: Path) -> str:
    return (
        f"{SIGNATURE} is not a signature of this {NAME}: one of the two was changed, or it was made for something else"
    )


def _asked(folder: Path, *argv: str) -> str | None:
    """Return what ssh-keygen answers about the manifest; None when it says no."""
    done = subprocess.run(
        ["ssh-keygen", "-Y", *argv],
        input=(folder / NAME).read_bytes(),
        capture_output=True,
        check=False,
        timeout=_SECONDS,
    )
    return safe(done.stdout.decode("utf-8", "replace").strip(), 200) if done.returncode == 0 else None


def _last(said: bytes) -> str:
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    return safe(lines[-1], 200) if lines else "it said nothing"
