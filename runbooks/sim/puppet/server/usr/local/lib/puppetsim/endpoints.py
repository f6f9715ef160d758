"""What the server answers: status, the CA's API, node, catalog, report. The rules of who may ask are Puppet's auth.conf."""

from __future__ import annotations

import fnmatch
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography import x509
from puppetsim.authority import Authority, fingerprint, may_administer
from puppetsim.serving import Request, Response
from puppetsim.settings import Settings
from simhost.host import at, conf, replace_file

Log = Callable[[str, str], None]  # level, text
SIGN_HOLD: Final = "/etc/puppetlabs/puppet/sign.hold"
REPORTS_KEPT: Final = 3  # of each node: agents of a drill check in every few seconds
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
_SERVICES: Final = ("ca", "jruby-metrics", "puppet-profiler", "server", "status-service")


class Endpoints:
    """The server's answers, over the files of its settings."""

    def __init__(self, settings: Settings, log: Log, revoked: Callable[[], None]) -> None:
        self._settings, self._log, self._revoked = settings, log, revoked
        self._ca = Authority(Path(settings["cadir"]))

    def answer(self, request: Request) -> Response:
        """Return the response to a request; what goes wrong on disk is a 500 with the reason."""
        try:
            return self._route(request)
        except (OSError, ValueError) as fault:
            self._log("ERROR", f"Internal Server Error: {fault}")
            return Response(500, f"Internal Server Error: {fault}".encode())

    def _route(self, request: Request) -> Response:
        parts = request.path.strip("/").split("/")
        match parts:
            case ["status", "v1", "simple"]:
                return Response(200, b"running")
            case ["status", "v1", "services"]:
                return _json({name: {"state": "running", "service_version": "7.17.3"} for name in _SERVICES})
            case ["puppet-ca", "v1", "certificate", "ca"]:
                return Response(200, Path(self._settings["cacert"]).read_bytes())
            case ["puppet-ca", "v1", "certificate_revocation_list", "ca"]:
                return Response(200, Path(self._settings["cacrl"]).read_bytes())
            case ["puppet-ca", "v1", kind, *name] if len(name) <= 1:
                return self._certificates(request, kind, name[0] if name else "")
            case ["puppet", "v3", kind, name]:
                return self._node(request, kind, name)
        return Response(404, b"Not Found")

    # ------------------------------------------------------------------ the CA

    def _certificates(self, request: Request, kind: str, name: str) -> Response:
        if name and not _NAME.match(name):
            return Response(400, b"Invalid certificate subject.")
        if kind == "certificate" and request.method == "GET":
            path = self._signed(name)
            known = path.exists()
            return (
                Response(200, path.read_bytes())
                if known
                else Response(404, f"Could not find certificate {name}".encode())
            )
        if kind == "certificate_request" and request.method == "PUT":
            return self._take_request(name, request.body)
        if not may_administer(request.der):
            return _forbidden(request)
        if kind == "certificate_statuses":
            return _json(self._statuses())
        if kind == "expirations":
            return _json(self._expirations())
        if kind == "certificate_status":
            return self._status(request, name)
        return Response(404, b"Not Found")

    def _signed(self, name: str) -> Path:
        return Path(self._settings["signeddir"]) / f"{name}.pem"

    def _waiting(self, name: str) -> Path:
        return Path(self._settings["csrdir"]) / f"{name}.pem"

    def _take_request(self, name: str, body: bytes) -> Response:
        if self._signed(name).exists():
            text = f"{name} already has a signed certificate; ignoring certificate request"
            self._log("ERROR", text)
            return Response(400, text.encode())
        x509.load_pem_x509_csr(body)
        replace_file(self._waiting(name), body)
        if self._signs_by_itself(name):
            self._ca.sign_request(name)
            self._log("INFO", f"Signed certificate request for {name} (autosign)")
        return Response(200)

    def _signs_by_itself(self, name: str) -> bool:
        """Tell whether a request is signed unseen: its name is on autosign.conf and nobody holds signing."""
        if at(SIGN_HOLD).exists():
            return False
        try:
            globs = Path(self._settings["autosign"]).read_text("utf-8").split()
        except OSError:
            return False
        return any(fnmatch.fnmatchcase(name, glob) for glob in globs)

    def _statuses(self) -> list[dict[str, object]]:
        revoked = self._ca.revoked()
        listed: list[dict[str, object]] = []
        for path in sorted(Path(self._settings["signeddir"]).glob("*.pem")):
            pem = path.read_bytes()
            serial = x509.load_pem_x509_certificate(pem).serial_number
            state = "revoked" if serial in revoked else "signed"
            listed.append(_entry(path.stem, state, pem) | {"serial_number": serial})
        waiting = sorted(Path(self._settings["csrdir"]).glob("*.pem"))
        return listed + [_entry(path.stem, "requested", path.read_bytes()) for path in waiting]

    def _expirations(self) -> dict[str, dict[str, str]]:
        certificate, crl = self._ca.certificate(), self._ca.crl()
        issuer = certificate.subject.rfc4514_string().removeprefix("CN=")
        update = crl.next_update_utc or certificate.not_valid_after_utc
        form = "%Y-%m-%dT%H:%M:%SUTC"
        return {
            "ca-certs": {issuer: format(certificate.not_valid_after_utc, form)},
            "crls": {issuer: format(update, form)},
        }

    def _status(self, request: Request, name: str) -> Response:
        """Sign, revoke, delete or show one certificate."""
        if request.method == "DELETE":
            there = [path for path in (self._signed(name), self._waiting(name)) if path.exists()]
            for path in there:
                path.unlink()
            return Response(204 if there else 404)
        if request.method == "GET":
            found = [entry for entry in self._statuses() if entry["name"] == name]
            return _json(found[0]) if found else Response(404, b"Invalid certificate subject.")
        desired = json.loads(request.body or b"{}").get("desired_state")
        if desired == "signed" and self._waiting(name).exists():
            self._ca.sign_request(name)
            self._log("INFO", f"Signed certificate request for {name}")
            return Response(204)
        if desired == "revoked" and self._signed(name).exists():
            self._ca.revoke([self._ca.serial_of(name)])
            self._revoked()
            self._log("INFO", f"Revoked 1 certificate: {name}")
            return Response(204)
        return Response(404, b"Invalid certificate subject.")

    # ------------------------------------------------------------------ nodes

    def _node(self, request: Request, kind: str, name: str) -> Response:
        if not request.client or request.client != name or not _NAME.match(name):
            return _forbidden(request)
        if kind == "report" and request.method == "PUT":
            self._store_report(name, request.body)
            return _json([])
        if kind == "node":
            return _json({"name": name, "environment": "production", "parameters": {}, "classes": {}})
        if kind == "catalog":
            return self._catalog(name, request.local)
        return Response(404, b"Not Found")

    def _catalog(self, name: str, local: str) -> Response:
        self._log("INFO", f"Compiled catalog for {name} in environment production in 0.02 seconds")
        facts = conf()
        catalog = {
            "name": name,
            "environment": "production",
            "version": int(time.time()),
            "code_id": code_revision(self._settings),
            "servername": f"{facts.get('name', 'server')}.{facts.get('zone', 'example.test')}",
            "serverip": local,
            "resources": [],
        }
        return _json(catalog)

    def _store_report(self, name: str, body: bytes) -> None:
        folder = Path(self._settings["reportdir"]) / name
        replace_file(folder / time.strftime("%Y%m%d%H%M.yaml", time.gmtime()), body or b"---\n")
        for path in sorted(folder.glob("*.yaml"))[:-REPORTS_KEPT]:
            path.unlink(missing_ok=True)


def code_revision(settings: Settings) -> str:
    """Return the revision of the manifests that are deployed here, "" if nobody noted it."""
    path = Path(settings["codedir"]) / "environments" / "production" / "REVISION"
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return ""


def _entry(name: str, state: str, pem: bytes) -> dict[str, object]:
    return {"name": name, "state": state, "fingerprint": fingerprint(pem), "dns_alt_names": []}


def _forbidden(request: Request) -> Response:
    text = (
        f"Forbidden request: {request.path} (method :{request.method.lower()}). Please see the server logs for details."
    )
    return Response(403, text.encode())


def _json(value: object) -> Response:
    return Response(200, json.dumps(value).encode(), "application/json")
