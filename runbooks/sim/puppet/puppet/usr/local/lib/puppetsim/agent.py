"""`puppet agent`: one run (`-t`), or a light daemon that checks in over and over, looking the name up each time.

A run asks for its node and catalog and sends a report; nothing on the host is managed. Standard library only, but for
the first certificate request.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from simhost.host import append_line, replace_file
from simhost.process import birth

from puppetsim.packages import unlock
from puppetsim.settings import VERSION, Settings, load, seconds
from puppetsim.wire import Link, Unreachable

Say = Callable[[str], None]
CHANGED: Final = 2  # --detailed-exitcodes


def to_terminal(text: str) -> None:
    """Print a line where Puppet does: errors and warnings on stderr."""
    stream = sys.stderr if text.startswith(("Error:", "Warning:")) else sys.stdout
    print(text, file=stream, flush=True)


# ---------------------------------------------------------------------- certificates


def ensure_certificate(settings: Settings, say: Say) -> bool:
    """Return whether the node has a certificate, asking the CA for one if need be."""
    try:
        for kind, key in (("certificate", "localcacert"), ("certificate_revocation_list", "hostcrl")):
            if not Path(settings[key]).exists():
                _store_from_ca(settings, kind, key)
        return Path(settings["hostcert"]).exists() or _request_certificate(settings, say)
    except Unreachable as fault:
        say(f"Error: Could not request certificate for {settings['certname']}: {fault}")
        return False


def _store_from_ca(settings: Settings, kind: str, key: str) -> None:
    with Link(settings, settings["ca_server"], verify=key == "hostcrl", present=False) as link:
        status, body = link.request("GET", f"/puppet-ca/v1/{kind}/ca")
    if status != 200:
        raise Unreachable(f"Error {status} on SERVER: {body.decode(errors='replace')}")
    replace_file(Path(settings[key]), body)


def _request_certificate(settings: Settings, say: Say) -> bool:
    unlock()
    from puppetsim import authority

    name = settings["certname"]
    if not Path(settings["hostprivkey"]).exists():
        say(f"Info: Creating a new EC SSL key for {name}")
        replace_file(Path(settings["hostprivkey"]), authority.key_pem(authority.new_key()), 0o640)
    if not Path(settings["hostcsr"]).exists():
        say(f"Info: Creating a new SSL certificate request for {name}")
        replace_file(Path(settings["hostcsr"]), _make_request(settings))
    request = Path(settings["hostcsr"]).read_bytes()
    say(f"Info: Certificate Request fingerprint (SHA256): {authority.fingerprint(request)}")
    with Link(settings, settings["ca_server"], present=False) as link:
        link.request("PUT", f"/puppet-ca/v1/certificate_request/{name}", request, "text/plain")
        status, body = link.request("GET", f"/puppet-ca/v1/certificate/{name}")
    if status != 200:
        say(f"Info: Certificate for {name} has not been signed yet")
        say(
            f"Couldn't fetch certificate from CA server; you might still need to sign this agent's certificate ({name})."
        )
        say("Exiting now because the waitforcert setting is set to 0.")
        return False
    replace_file(Path(settings["hostcert"]), body)
    say(f"Info: Downloaded certificate for {name} from https://{settings['ca_server']}:8140/puppet-ca/v1")
    return True


def _make_request(settings: Settings) -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    from puppetsim import authority

    key = serialization.load_pem_private_key(Path(settings["hostprivkey"]).read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Unreachable("the private key of this node is not an EC key")
    return authority.request_pem(settings["certname"], key)


# ---------------------------------------------------------------------- one run


def run(settings: Settings, say: Say, *, noop: bool = False) -> int:
    """Do one run under the run lock; return 0 unchanged, 2 changed, 1 failed."""
    disabled = Path(settings["agent_disabled_lockfile"])
    if disabled.exists():
        say(f"Notice: Skipping run of Puppet configuration client; administratively disabled ({disabled.read_text()});")
        say("Use 'puppet agent --enable' to re-enable.")
        return 1
    if not ensure_certificate(settings, say):
        return 1
    lock = Path(settings["agent_catalog_run_lockfile"])
    if not _take_lock(lock, settings, say):
        return 1
    try:
        return _converge(settings, say, noop=noop)
    finally:
        lock.unlink(missing_ok=True)


def _take_lock(lock: Path, settings: Settings, say: Say) -> bool:
    """Return whether the run lock is ours; wait for it as long as `waitforlock` allows."""
    pause, until = seconds(settings["waitforlock"]), time.monotonic() + seconds(settings["maxwaitforlock"])
    lock.parent.mkdir(parents=True, exist_ok=True)
    while not _claim(lock):
        if not pause or time.monotonic() >= until:
            say(f"Notice: Run of Puppet configuration client already in progress; skipping  ({lock} exists)")
            return False
        say(
            "Info: Another puppet instance is already running; --waitforlock flag used, waiting for running instance to finish."
        )
        time.sleep(min(pause, 0.2))
    return True


def _claim(lock: Path) -> bool:
    for _ in range(2):
        try:
            fd = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            if _holder_lives(lock):
                return False
            lock.unlink(missing_ok=True)  # left over from a power cut
            continue
        os.write(fd, str(os.getpid()).encode())
        os.close(fd)
        return True
    return False


def _holder_lives(lock: Path) -> bool:
    """Tell whether the run that holds the lock goes on; a lock with no number in it was put there by a person."""
    try:
        text = lock.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return False
    return bool(birth(int(text))) if text.isdecimal() else True


def _converge(settings: Settings, say: Say, *, noop: bool) -> int:
    name, began = settings["certname"], time.time()
    query = f"{name}?environment={settings['environment']}"
    path = f"/puppet/v3/catalog/{query}"
    say(f"Info: Using environment '{settings['environment']}'")
    try:
        with Link(settings, settings["server"]) as link:
            link.request("GET", f"/puppet/v3/node/{query}")
            say("Info: Retrieving pluginfacts\nInfo: Retrieving plugin")
            status, body = link.request("POST", path, b'{"facts_format":"application/json"}')
            if status != 200:
                return _failed(settings, say, f"Error {status} on SERVER: {body.decode(errors='replace')}")
            catalog = json.loads(body)
            _apply(settings, say, catalog, noop=noop)
            report = _report(name, settings["environment"], "unchanged" if noop else "changed", catalog, began)
            link.request("PUT", f"/puppet/v3/report/{query}", report, "application/x-yaml")
    except (Unreachable, ValueError, KeyError) as fault:
        url = f"https://{settings['server']}:{settings['serverport']}{path}"
        return _failed(settings, say, f"Request to {url} failed after {time.time() - began:.3f} seconds: {fault}")
    _summarise(settings, began, catalog.get("version", 0), failed=0)
    return 0 if noop else CHANGED


def _failed(settings: Settings, say: Say, detail: str) -> int:
    say(f"Error: Could not retrieve catalog from remote server: {detail}")
    say("Warning: Not using cache on failed catalog")
    say("Error: Could not retrieve catalog; skipping run")
    _summarise(settings, time.time(), 0, failed=1)
    return 1


def _apply(settings: Settings, say: Say, catalog: dict[str, object], *, noop: bool) -> None:
    """Say what a run says whose one resource tells who served it."""
    say(f"Info: Caching catalog for {settings['certname']}")
    say(f"Info: Applying configuration version '{catalog['version']}'")
    message = f"served-by fqdn={catalog['servername']} ip={catalog['serverip']} certname={settings['certname']}"
    place = "/Stage[main]/Main/Node[default]/Notify[served-by]/message"
    if noop:
        say(f"Notice: {place}: current_value 'absent', should be '{message}' (noop)")
    else:
        say(f"Notice: {message}\nNotice: {place}: defined 'message' as '{message}'")
    say("Notice: Applied catalog in 0.01 seconds")


def _report(name: str, environment: str, status: str, catalog: dict[str, object], began: float) -> bytes:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began))
    lines = ["--- !ruby/object:Puppet::Transaction::Report", f"host: {name}", f"time: '{stamp}'"]
    lines += [f"configuration_version: {catalog['version']}", f"puppet_version: {VERSION}", f"status: {status}"]
    return ("\n".join([*lines, f"environment: {environment}", ""])).encode()


def _summarise(settings: Settings, began: float, version: object, *, failed: int) -> None:
    now = time.time()
    text = (
        f"---\nversion:\n  config: {version}\n  puppet: {VERSION}\nresources:\n  changed: {1 - failed}\n  failed: 0\n"
        f"  total: 9\ntime:\n  total: {now - began:.2f}\n  last_run: {int(now)}\nevents:\n  failure: {failed}\n"
        f"  success: {1 - failed}\n  total: 1\n"
    )
    replace_file(Path(settings["lastrunfile"]), text.encode())


# ---------------------------------------------------------------------- command line and daemon


def daemon(arguments: Settings) -> int:
    """Check in until told to stop: every `runinterval`, each time later by up to `splaylimit`."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log = Path(load("agent")["logdir"]) / "puppet.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    settings = load("agent", arguments)
    time.sleep(random.uniform(0, seconds(settings["splaylimit"]) or 1))  # noqa: S311 - spreads the load
    while True:
        settings = load("agent", arguments)
        kept: list[str] = []
        with contextlib.suppress(OSError):  # a full disk ends no daemon
            run(settings, kept.append)
            loud = [text for text in kept if text.startswith(("Error:", "Notice:"))]
            append_line(log, f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {_one_line(loud)}")
            if log.stat().st_size > 1 << 20:
                log.replace(log.with_suffix(".log.1"))
        time.sleep(max(0.2, seconds(settings["runinterval"])) + random.uniform(0, seconds(settings["splaylimit"])))  # noqa: S311


def _one_line(said: Sequence[str]) -> str:
    return " | ".join(said).replace("\n", " | ")[:600]


def fingerprint_line(settings: Settings, say: Say) -> int:
    """Print the fingerprint of the node's certificate, or of its request."""
    import base64
    import hashlib

    for key in ("hostcert", "hostcsr"):
        if Path(settings[key]).exists():
            body = Path(settings[key]).read_text("ascii").split("-----")[2]
            digest = hashlib.sha256(base64.b64decode(body)).hexdigest().upper()
            say("(SHA256) " + ":".join(digest[i : i + 2] for i in range(0, len(digest), 2)))
            return 0
    say("Error: No certificate or request of this node to take a fingerprint of")
    return 1


def main(words: Sequence[str], over: Settings) -> int:
    """Do what `puppet agent ...` asks; return its exit code."""
    settings = load("agent", over)
    disabled = Path(settings["agent_disabled_lockfile"])
    if "--enable" in words:
        disabled.unlink(missing_ok=True)
        return 0
    if "--disable" in words:
        reason = " ".join(w for w in words if not w.startswith("-")) or "reason not specified"
        replace_file(disabled, f"Reason: '{reason}'".encode())
        return 0
    if "--fingerprint" in words:
        return fingerprint_line(settings, to_terminal)
    once = {"-t", "--test", "--onetime"} & set(words)
    if not once:
        return daemon(over)
    try:
        code = run(settings, to_terminal, noop="--noop" in words)
    except OSError as fault:  # the host's own disk: full, or read-only
        to_terminal(f"Error: Could not run Puppet configuration client: {fault}")
        return 1
    detailed = {"-t", "--test", "--detailed-exitcodes"} & set(words)
    return 0 if code == CHANGED and not detailed else code
