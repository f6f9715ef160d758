"""The puppetserver process: looks its files over as the real one does, serves, reloads on HUP, sees CRL changes by itself.

It watches the CA *folder it opened at start*: after somebody exchanged the folder for another it goes on by the old one
until it is told to reload, as was measured on real servers.
"""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import stat
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from puppetsim.authority import Authority, key_pem, new_key
from puppetsim.endpoints import Endpoints
from puppetsim.serving import Server
from puppetsim.settings import Settings, load
from simhost.host import append_line, at, conf, replace_file, root

RUN: Final = "/run/puppetserver"
LOGS: Final = "/var/log/puppetlabs/puppetserver"
PORT: Final = 8140
_LOOK: Final = 0.5  # seconds between two looks at the CRL


class CannotStart(Exception):
    """Why the server does not come up, in its own words."""


def log(level: str, text: str) -> None:
    """Write a line of puppetserver.log."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S") + f".{int(time.time() * 1000) % 1000:03}" + time.strftime("%z")
    with contextlib.suppress(OSError):  # a full disk stops no server
        append_line(at(LOGS) / "puppetserver.log", f"{stamp} {level:<5} [main] [puppetserver] {text}")


# ---------------------------------------------------------------------- before it serves


def initialize(settings: Settings) -> None:
    """Make what is missing and refuse what is half there; raise `CannotStart`.

    Source: puppetserver, certificate_authority.clj `initialize!`.
    """
    authority = Authority(Path(settings["cadir"]))
    missing = authority.missing()
    if not missing:
        _check_permissions(authority.folder, Path(settings["hostprivkey"]))
        log("INFO", "CA already initialized for SSL")
    elif len(missing) == 5:
        log("INFO", "Initializing SSL for the CA; settings: cadir " + settings["cadir"])
        authority.create(settings["certname"])
    else:
        raise CannotStart(
            "java.lang.IllegalStateException: Cannot initialize CA with partial state; need all files or none.\nMissing:\n"
            + "\n".join(str(path) for path in missing)
        )
    if not Path(settings["localcacert"]).exists():
        replace_file(Path(settings["localcacert"]), Path(settings["cacert"]).read_bytes())
    _publish_crl(settings)
    if not Path(settings["hostcert"]).exists():
        _issue_own_certificate(settings, authority)


def _check_permissions(folder: Path, own_key: Path) -> None:
    """Refuse files of another owner, and such as their owner may not read or write."""
    for path in (folder, folder / "ca_key.pem", folder / "serial", folder / "ca_crl.pem", own_key):
        if not path.exists():
            continue
        status = path.stat()
        wanted = stat.S_IRUSR if path.suffix == ".pem" else stat.S_IRUSR | stat.S_IWUSR
        if status.st_uid == os.geteuid() and status.st_mode & wanted == wanted:
            continue
        if path == folder:
            raise CannotStart(f"java.io.FileNotFoundException: Parent directory '{path}' is not writable")
        raise CannotStart(f"java.io.FileNotFoundException: {path} (Permission denied)")


def _publish_crl(settings: Settings) -> None:
    """Copy the CA's list over the host's own, always (`retrieve-ca-crl!`)."""
    data, own = Path(settings["cacrl"]).read_bytes(), Path(settings["hostcrl"])
    if not own.exists() or own.read_bytes() != data:
        replace_file(own, data)


def _issue_own_certificate(settings: Settings, authority: Authority) -> None:
    key = new_key()
    others = [name.strip() for name in settings["dns_alt_names"].split(",") if name.strip()]
    pem = authority.sign(settings["certname"], key.public_key(), others, administers=True)
    replace_file(Path(settings["hostprivkey"]), key_pem(key), 0o640)
    replace_file(Path(settings["hostcert"]), pem)


def server_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS context of the files as they are; raise OSError, ValueError or `ssl.SSLError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(settings["hostcert"], settings["hostprivkey"])
    context.load_verify_locations(settings["localcacert"])
    crl = at(RUN) / "crl.pem"
    replace_file(crl, Authority(Path(settings["cadir"])).crl_for_tls(), 0o600)
    context.load_verify_locations(str(crl))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


# ---------------------------------------------------------------------- while it serves


class Daemon:
    """One run of the server process."""

    def __init__(self) -> None:
        self.settings = load("server")
        self._lock = threading.RLock()
        self._folder = -1
        self._seen: object = None
        self._server = self._new_server()

    def _new_server(self) -> Server:
        endpoints = Endpoints(self.settings, log, self.refresh)
        logs = at(LOGS)
        return Server(endpoints.answer, logs / "puppetserver-access.log", logs / "puppetserver-tls.log")

    def run(self) -> None:
        """Come up, say so, and serve until a signal ends the process; raise `CannotStart` or OSError."""
        began = time.monotonic()
        initialize(self.settings)
        if "HANDRAIL_SIM_FOUND_RUNNING" not in os.environ:  # an estate that comes up is one that has run for long
            time.sleep(max(0.0, float(conf().get("boot_seconds", "0.5")) - (time.monotonic() - began)))
        self.reload()
        own = conf().get("address", "127.0.0.1")
        listener = self._server.listen(own if root() else "0.0.0.0", PORT)  # noqa: S104 - all of one simulated host
        signal.signal(signal.SIGHUP, lambda *_: self._hang_up())
        threading.Thread(target=self._watch, daemon=True).start()
        log("INFO", "Puppet Server has successfully started and is now ready to handle requests")
        self._tell_ready()
        self._server.serve(listener)

    def _hang_up(self) -> None:
        """Read everything again, puppet.conf too, as after a start."""
        threading.Thread(target=self._reload_and_tell, daemon=True).start()

    def _reload_and_tell(self) -> None:
        log("INFO", "SIGHUP handler: restarting the application")
        with self._lock:  # one at a time, and not while the list is looked at: they write the same files
            self.settings.update(load("server"))
            try:
                initialize(self.settings)
            except (CannotStart, OSError, ValueError) as fault:
                log("ERROR", str(fault))
            self.reload()
            self._tell_ready()

    def _tell_ready(self) -> None:
        """Count up the number that `start` and `reload` wait for."""
        path = at(RUN) / "restart"
        count = int(path.read_text()) if path.exists() else 0
        replace_file(path, str(count + 1).encode())

    def reload(self) -> None:
        """Open the CA folder anew and build the TLS context from it."""
        with self._lock:
            if self._folder >= 0:
                os.close(self._folder)
            self._folder = os.open(self.settings["cadir"], os.O_RDONLY | os.O_DIRECTORY)
            self.refresh()

    def refresh(self) -> None:
        """Build the TLS context again; what cannot be loaded makes every handshake fail from now on."""
        with self._lock:
            self._seen = self._look()
            try:
                self._server.use(server_context(self.settings))
            except (OSError, ValueError) as fault:
                log("ERROR", f"The server's certificates cannot be loaded: {fault}")
                self._server.use(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    def _look(self) -> object:
        """Return what tells one state of the CRL from another, in the folder that was opened, wherever it is now."""
        try:
            status = os.stat("ca_crl.pem", dir_fd=self._folder)
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK)
            with self._lock:
                now = self._look()
                if now is not None and now != self._seen:
                    _publish_crl(self.settings)
                    self.refresh()


def main(argv: Sequence[str]) -> int:
    """Be the server process."""
    at(LOGS).mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    daemon = Daemon()
    try:
        daemon.run()
    except (CannotStart, OSError, ValueError) as fault:
        log("ERROR", str(fault))
        print(fault, file=sys.stderr)
        return 1
    return 0
