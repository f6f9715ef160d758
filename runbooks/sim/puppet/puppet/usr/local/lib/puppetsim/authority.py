"""A certificate authority on Puppet's files: ca_crt.pem, ca_key.pem, ca_crl.pem, serial, inventory.txt, signed/, requests/.

The only module that loads `cryptography`: import it late. It opens no connection.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import os
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from simhost.host import append_line, replace_file

MAY_ADMINISTER: Final = x509.ObjectIdentifier("1.3.6.1.4.1.34380.1.3.39")  # pp_cli_auth
NEEDED: Final = ("ca_crt.pem", "ca_crl.pem", "ca_key.pem", "inventory.txt", "serial")
_LIFE: Final = datetime.timedelta(days=5 * 365)
_DAY: Final = datetime.timedelta(days=1)
_DAMAGE: Final = (
    UnsupportedAlgorithm,
    InternalError,
    TypeError,
    x509.InvalidVersion,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
)
_PEM: Final = serialization.Encoding.PEM


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new private key."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PEM."""
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def subject(name: str) -> x509.Name:
    """Return a distinguished name that is one common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def request_pem(name: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a certificate request as PEM."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject(name))
        .sign(key, hashes.SHA256())
        .public_bytes(_PEM)
    )


def fingerprint(pem: bytes) -> str:
    """Return the SHA-256 fingerprint of the first PEM block, as Puppet prints it."""
    body = b"".join(line for line in pem.split(b"-----")[2].split())
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(_as_certificate(body))).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def _as_certificate(body: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{body.decode('ascii')}\n-----END CERTIFICATE-----\n"


def common_name(certificate: x509.Certificate) -> str:
    """Return a certificate's common name, "" if it has none."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def may_administer(der: bytes) -> bool:
    """Tell whether a client's certificate allows it to list, sign and revoke."""
    try:
        x509.load_der_x509_certificate(der).extensions.get_extension_for_oid(MAY_ADMINISTER)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return True


@contextlib.contextmanager
def _unusable(file: Path) -> Iterator[None]:
    """Turn every way in which a damaged file fails to load into one: ValueError with the file's name."""
    try:
        yield
    except (*_DAMAGE, ValueError) as fault:
        raise ValueError(f"{file.name}: {fault}") from fault


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Authority:
    """The CA in one folder. Everything is read from disk each time, as the real one does with serial and inventory."""

    folder: Path

    # ------------------------------------------------------------------ as a whole

    def missing(self) -> list[Path]:
        """Return the needed files that are not there."""
        return [self.folder / name for name in NEEDED if not (self.folder / name).exists()]

    def create(self, name: str) -> None:
        """Make a new CA: key, certificate, empty CRL, first serial."""
        key, title = new_key(), subject(f"Puppet CA: {name}")
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        certificate = (
            _builder(title, title, key.public_key(), int.from_bytes(os.urandom(8), "big") | 1, 3 * _LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        for folder in ("signed", "requests"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        self._write("ca_key.pem", key_pem(key), 0o640)
        self._write("ca_crt.pem", certificate.public_bytes(_PEM))
        self._write("ca_pub.pem", key.public_key().public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        self._write("serial", b"0001")
        self._write("inventory.txt", b"")
        self._write("ca_crl.pem", _crl(certificate, key, {}, 0))

    def _write(self, name: str, data: bytes, mode: int = 0o644) -> None:
        replace_file(self.folder / name, data, mode)

    def certificate(self) -> x509.Certificate:
        """Return the CA's certificate; raise OSError or ValueError with OpenSSL's words."""
        file = self.folder / "ca_crt.pem"
        with _unusable(file):
            return x509.load_pem_x509_certificate(file.read_bytes())

    def key(self) -> CertificateIssuerPrivateKeyTypes:
        """Return the CA's private key; raise OSError or ValueError with OpenSSL's words."""
        file = self.folder / "ca_key.pem"
        with _unusable(file):
            key = serialization.load_pem_private_key(file.read_bytes(), None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise TypeError("not an EC private key")
            return key

    # ------------------------------------------------------------------ revocation

    def crl(self) -> x509.CertificateRevocationList:
        """Return the revocation list; raise OSError or ValueError."""
        file = self.folder / "ca_crl.pem"
        with _unusable(file):
            return x509.load_pem_x509_crl(file.read_bytes())

    def revoked(self) -> set[int]:
        """Return the serial numbers that were revoked."""
        return {entry.serial_number for entry in self.crl()}

    def revoke(self, serials: Iterable[int], seconds_ago: int = 0) -> None:
        """Put serial numbers on the revocation list and raise its number."""
        crl = self.crl()
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        when = _now() - datetime.timedelta(seconds=seconds_ago)
        both = dict.fromkeys(serials, when) | _dates(crl)
        self._write("ca_crl.pem", _crl(self.certificate(), self.key(), both, number + 1))

    def crl_for_tls(self) -> bytes:
        """Return the list that TLS checks by: signed anew, so that a damaged CA key is found by OpenSSL in a handshake.

        A list whose own signature does not hold is returned as it is: then OpenSSL finds that. Raises OSError, ValueError.
        """
        crl, certificate = self.crl(), self.certificate()
        with _unusable(self.folder / "ca_crl.pem"):
            public = certificate.public_key()
            if not isinstance(public, ec.EllipticCurvePublicKey) or not _signature_holds(crl, public):
                return crl.public_bytes(_PEM)
            number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            dates = _dates(crl)
        return _crl(certificate, self.key(), dates, number)

    # ------------------------------------------------------------------ signing

    def next_serial(self) -> int:
        """Take the next serial number and write down the one after it."""
        number = int((self.folder / "serial").read_text("ascii").strip(), 16)
        self._write("serial", f"{number + 1:04X}".encode())
        return number

    def sign(
        self, name: str, public: CertificatePublicKeyTypes, others: Sequence[str] = (), *, administers: bool = False
    ) -> bytes:
        """Issue a certificate: serial, signed/, inventory; return it as PEM; raise OSError or ValueError."""
        key, issuer = self.key(), self.certificate()
        serial = self.next_serial()
        names = [x509.DNSName(n) for n in dict.fromkeys([name, *others])]
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = (
            _builder(subject(name), issuer.subject, public, serial, _LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )
        if administers:
            builder = builder.add_extension(x509.UnrecognizedExtension(MAY_ADMINISTER, b"\x0c\x04true"), critical=False)
        certificate = builder.sign(key, hashes.SHA256())
        pem = certificate.public_bytes(_PEM)
        self._write(f"signed/{name}.pem", pem)
        span = f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SUTC} {certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SUTC}"
        append_line(self.folder / "inventory.txt", f"0x{serial:04X} {span} /CN={name}")
        return pem

    def sign_request(self, name: str) -> None:
        """Issue what a waiting request asks for; raise FileNotFoundError if there is none."""
        waiting = self.folder / "requests" / f"{name}.pem"
        request = x509.load_pem_x509_csr(waiting.read_bytes())
        self.sign(name, request.public_key())
        waiting.unlink()

    def serial_of(self, name: str) -> int:
        """Return the serial number of a signed certificate; raise FileNotFoundError."""
        return x509.load_pem_x509_certificate((self.folder / "signed" / f"{name}.pem").read_bytes()).serial_number


def _builder(
    name: x509.Name, issuer: x509.Name, public: CertificatePublicKeyTypes, serial: int, life: datetime.timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(_now() - _DAY)
        .not_valid_after(_now() + life)
    )


def _dates(crl: x509.CertificateRevocationList) -> dict[int, datetime.datetime]:
    return {entry.serial_number: entry.revocation_date_utc for entry in crl}


def _crl(
    issuer: x509.Certificate,
    key: CertificateIssuerPrivateKeyTypes,
    revoked: Mapping[int, datetime.datetime],
    number: int,
) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(_now() - _DAY)
        .next_update(_now() + _LIFE)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial, when in sorted(revoked.items()):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(when).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(key, hashes.SHA256()).public_bytes(_PEM)


def _signature_holds(crl: x509.CertificateRevocationList, public: ec.EllipticCurvePublicKey) -> bool:
    algorithm = crl.signature_hash_algorithm
    if algorithm is None:
        return False
    try:
        public.verify(crl.signature, crl.tbs_certlist_bytes, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True
