"""What a failed attempt to connect means, in words. Texts of exceptions carry the peer's own bytes: they are made safe here."""

from __future__ import annotations

import getpass

import asyncssh

from handrail.base.problems import Trouble, trouble
from handrail.base.safe import safe
from handrail.ssh.target import Target
from handrail.ssh.trust import Pinned, refused_key
from handrail.ssh.watch import Watch


def explained(target: Target, pins: Pinned, watch: Watch, error: Exception, *, connect: float, login: float) -> Trouble:
    """Return the trouble that an attempt ended in; `connect` and `login` are its limits, seconds."""
    name, text = safe(target.name), safe(str(error), 300)
    where = f"{name} ({safe(target.host)}{f' port {target.port}' if target.port else ''})"
    match error:
        case asyncssh.HostKeyNotVerifiable():
            return refused_key(target, pins, watch.shown, str(error))
        case asyncssh.PermissionDenied():
            who = safe(target.user or getpass.getuser())
            hint = "check the user and the key"
            if watch.outdated:
                hint = "the password has run out: log in there with ssh, choose a new one, and try again"
            elif watch.wants_more:
                hint += "; it also asks for a code or a password, which was not given"
            return trouble("ssh-auth", f"{where} does not let {who} in: {text}", hint)
        case asyncssh.KeyImportError() | asyncssh.KeyEncryptionError():
            return trouble("ssh-identity", f"the key {safe(str(target.identity))} cannot be used: {text}")
        case asyncssh.ConfigParseError():
            return trouble("ssh-config", f"the ssh_config cannot be read: {text}")
        case FileNotFoundError() | PermissionError() if error.filename:
            return trouble("ssh-identity", f"a file for connecting to {name} cannot be read: {text}")
        case TimeoutError() if not watch.connected:
            return trouble("ssh-unreachable", f"{where} does not answer within {connect:g}s")
        case TimeoutError():
            return trouble("ssh-timeout", f"{where} answers, but does not finish the login in {login:g}s")
        case OSError() if not watch.connected:
            return trouble("ssh-unreachable", f"{where} cannot be reached: {text or 'no answer'}")
        case asyncssh.ChannelOpenError():
            return trouble("ssh-unreachable", f"{where} cannot be reached from its jump host: {text}")
        case OSError() | asyncssh.ConnectionLost():
            return trouble("ssh-unreachable", f"{where} closed the connection during the login: {text}")
    return trouble("ssh-protocol", f"{where} does not speak SSH as expected: {text or type(error).__name__}")
