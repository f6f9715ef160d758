"""The part of openssl(1) that the shipped runbooks use, for machines without it: x509, pkey, crl, and `ca -gencrl`.

What it prints is what OpenSSL 3 prints for the same files (tests/sim_services/test_openssl_standin.py asks both). Anything
else is refused with exit 1. Only keys and lists that a Puppet CA has are known to it: RSA and EC.
"""

from __future__ import annotations

import contextlib
import datetime
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

if "site" not in sys.modules:  # stand-ins start without it: here packages are wanted
    import site

    site.main()
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

_VALUES: Final = ("-in", "-out", "-CAfile", "-checkend", "-config", "-keyfile", "-cert")
_PEM: Final = serialization.Encoding.PEM
Said = dict[str, str]


def main(argv: Sequence[str]) -> int:
    """Do what one command says; return its exit status: 1 for what cannot be done or does not hold."""
    words = list(argv[1:])
    said: Said = {}
    while words:
        word = words.pop(0)
        said[word] = words.pop(0) if word in _VALUES and words else ""
    act = _ACTS.get(argv[0] if argv else "")
    if act is None:
        return _no(f"{' '.join(argv)}: not known on a simulated host")
    try:
        return act(said)
    except (OSError, TypeError, ValueError, KeyError, x509.ExtensionNotFound) as fault:
        return _no(str(fault))


def _x509(said: Said) -> int:
    certificate = x509.load_pem_x509_certificate(Path(said["-in"]).read_bytes())
    ends = certificate.not_valid_after_utc
    if "-pubkey" in said:
        print(_public(certificate.public_key()), end="")
    if "-subject" in said:
        print(f"subject={_name(certificate.subject)}")
    if "-serial" in said:
        print(f"serial={_hex(certificate.serial_number)}")
    if "-enddate" in said:
        print(f"notAfter={_date(ends)}")
    if "-checkend" not in said:
        return 0
    left = ends - datetime.datetime.now(datetime.UTC)
    lasts = left > datetime.timedelta(seconds=int(said["-checkend"]))
    print("Certificate will not expire" if lasts else "Certificate will expire")
    return 0 if lasts else 1


def _pkey(said: Said) -> int:
    key = serialization.load_pem_private_key(Path(said["-in"]).read_bytes(), None)
    print(_public(key.public_key()), end="")
    return 0


def _crl(said: Said) -> int:
    crl = x509.load_pem_x509_crl(Path(said["-in"]).read_bytes())
    if "-issuer" in said:
        print(f"issuer={_name(crl.issuer)}")
    if "-crlnumber" in said:
        print(f"crlNumber=0x{_hex(_number(crl))}")
    if "-nextupdate" in said:
        print(f"nextUpdate={_date(crl.next_update_utc)}" if crl.next_update_utc else "nextUpdate=NONE")
    if "-text" in said:
        for entry in crl:
            print(f"    Serial Number: {_hex(entry.serial_number)}")
            print(f"        Revocation Date: {_date(entry.revocation_date_utc)}")
    if "-verify" not in said:
        return 0
    issuer: Any = x509.load_pem_x509_certificate(Path(said["-CAfile"]).read_bytes()).public_key()
    holds = crl.is_signature_valid(issuer)
    print("verify OK" if holds else "verify failure", file=sys.stderr)
    return 0 if holds else 1


def _ca(said: Said) -> int:
    """Sign a new revocation list from the database that the configuration names."""
    if "-gencrl" not in said:
        return _no("only `ca -gencrl`, on a simulated host")
    lines = [line.partition("=") for line in Path(said["-config"]).read_text().splitlines()]
    told = {key.strip(): value.strip() for key, _, value in lines}
    certificate = x509.load_pem_x509_certificate(Path(said["-cert"]).read_bytes())
    key: Any = serialization.load_pem_private_key(Path(said["-keyfile"]).read_bytes(), None)
    number, now = Path(told["crlnumber"]), datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    with contextlib.suppress(x509.ExtensionNotFound):
        own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(certificate.subject)
        .last_update(now)
        .next_update(now + datetime.timedelta(days=int(told["default_crl_days"])))
        .add_extension(identifier, critical=False)
        .add_extension(x509.CRLNumber(int(number.read_text(), 16)), critical=False)
    )
    for line in Path(told["database"]).read_text().splitlines():
        _, _, when, serial, *_ = line.split("\t")
        gone = datetime.datetime.strptime(when, "%y%m%d%H%M%SZ").replace(tzinfo=datetime.UTC)
        entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(gone).build()
        builder = builder.add_revoked_certificate(entry)
    Path(said["-out"]).write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(_PEM))
    number.write_text(f"{int(number.read_text(), 16) + 1:02X}\n")
    return 0


_ACTS: Final[dict[str, Callable[[Said], int]]] = {"x509": _x509, "pkey": _pkey, "crl": _crl, "ca": _ca}


def _number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _public(key: object) -> str:
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise TypeError("a key of a kind that is not known on a simulated host")
    return key.public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _name(name: x509.Name) -> str:
    return ", ".join(f"{one.rfc4514_attribute_name} = {one.value}" for one in name)


def _hex(number: int) -> str:
    text = f"{number:X}"
    return text.zfill(len(text) + len(text) % 2)


def _date(when: datetime.datetime) -> str:
    return f"{when:%b} {when.day:2d} {when:%H:%M:%S %Y} GMT"


def _no(text: str) -> int:
    print(text, file=sys.stderr)
    return 1
