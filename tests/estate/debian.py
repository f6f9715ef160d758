"""Puppet itself on the real estate, as Debian packages it: puppetserver on both servers, agents on the clients.

The servers' JVM is kept small, so that two of them boot beside each other on a small machine. systemd's unit is played by
`systemctl` of the simulated estate and a script that does what Debian's unit says.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tests.estate import texts
from tests.estate.estate import TEMPLATE, Estate

from handrail_sim import laying
from handrail_sim.inside.wire import Entry
from handrail_sim.plan import EstatePlan, HostPlan

SSL, CA = "/var/lib/puppet/ssl", "/etc/puppet/puppetserver/ca"
CODE = "/etc/puppet/code/environments/production"
LOGS = "/var/log/puppetserver"
FACTS = {
    "ssl_dir": SSL,
    "ca_dir": CA,
    "puppet_conf": "/etc/puppet/puppet.conf",
    "code_dir": CODE,
    "access_log": f"{LOGS}/puppetserver-access.log",
    "server_log": f"{LOGS}/puppetserver.log",
    "sign_hold": "/etc/puppet/sign.hold",
}
_STARTER = "/usr/local/lib/estate/puppetserver"

_START = r"""#!/bin/bash
# What Debian's puppetserver.service does: start or reload, and return when it serves.
run=/run/puppetserver; pid=$run/puppetserver.pid
serves() {
  for ((i = 0; i < 3000; i++)); do
    [ "$(head -c1 $run/restart)" != 0 ] && return 0
    kill -0 "$1" 2>/dev/null || return 1
    sleep .1
  done
  return 1
}
case $1 in
start)
  . /etc/default/puppetserver
  install -d -o puppet -g puppet $run; printf 0 > $run/restart; chown puppet: $run/restart
  umask 027
  setsid setpriv --reuid=puppet --regid=puppet --init-groups /usr/bin/java $JAVA_ARGS -Djruby.lib=/usr/share/jruby/lib \
    -XX:+CrashOnOutOfMemoryError -jar /usr/share/puppetserver/puppetserver.jar --config /etc/puppet/puppetserver/conf.d \
    --bootstrap-config /etc/puppet/puppetserver/services.d --restart-file $run/restart </dev/null >/dev/null 2>&1 &
  echo $! > $pid; serves $! ;;
reload) printf 0 > $run/restart; kill -HUP "$(cat $pid)"; serves "$(cat $pid)" ;;
esac
"""

_DEFAULTS = """\
JAVA_ARGS="-Xms512m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djruby.logger.class=com.puppetlabs.jruby_utils.jruby.Slf4jLogger"
JAVA_ARGS_CLI=""
TK_ARGS=""
INSTALL_DIR="/usr/share/puppetserver"
CONFIG="/etc/puppet/puppetserver/conf.d"
BOOTSTRAP_CONFIG="/etc/puppet/puppetserver/services.d"
"""

_SITE = """\
node default {
  notify { 'served-by': message => "served-by ip=${serverip} certname=${trusted['certname']}" }
}
"""

_FOLDERS = f"""\
install -d -o puppet -g puppet -m 750 {LOGS} /var/log/puppet /var/lib/puppetserver /var/lib/puppet /etc/puppet/puppetserver
install -d -o puppet -g puppet -m 771 {SSL}; mkdir -p /var/lib/puppetserver/jruby-gems
"""


def facts(plan: EstatePlan) -> EstatePlan:
    """Return the plan with Debian's folders."""
    return replace(plan, hosts=tuple(replace(h, vars=h.vars | FACTS) if h.role else h for h in plan.hosts))


def entries(made: Estate, prepared: Path, host: HostPlan) -> list[Entry]:
    """Return the files of a host: `systemctl` of the simulated estate, the packages' own settings, and ours."""
    known = laying.tokens(made.plan, made.placed, host, sys.executable)
    own = [e for e in laying.tree(TEMPLATE.parent / "system") if e[0] != "usr/local/bin/getent"]
    found = laying.with_tokens(own, known)
    if not host.role:
        return found
    packaged = [
        (f"/etc/puppet/{path}", kind, mode, data) for path, kind, mode, data in laying.tree(Path("/etc/puppet"))
    ]
    conf = ("/etc/puppet/puppet.conf", "f", 0o644, _conf(made, host).encode())
    return [*found, *packaged, conf, *(_server(host) if host.role in ("primary", "dr") else ())]


def _conf(made: Estate, host: HostPlan) -> str:
    server = host.role in ("primary", "dr")
    name = made.fqdn if server else f"{host.name}.{made.zone}"
    main = f"[main]\ncertname = {name}\nserver = {made.fqdn}\nssldir = {SSL}\n"
    own = f"cadir = {CA}\ndns_alt_names = puppet,{made.fqdn}\n[server]\nreports = store\nautosign = false\n"
    return main + (own if server else "") + "[agent]\nwaitforcert = 0\nusecacheonfailure = false\nruninterval = 1800\n"


def _server(host: HostPlan) -> list[Entry]:
    unit = {"Type": "forking", "PIDFile": "/run/puppetserver/puppetserver.pid", "ExecReload": f"{_STARTER} reload"}
    timer = "[Timer]\nOnUnitActiveSec=15min\nUnit=puppet-ssl-sync.service\n\n[Install]\nWantedBy=timers.target\n"
    copy = "[Service]\nType=oneshot\nExecStart=/usr/local/sbin/puppet-ssl-sync\nSuccessExitStatus=75\n"
    found: list[Entry] = [
        (_STARTER, "f", 0o755, _START.encode()),
        ("/etc/default/puppetserver", "f", 0o644, _DEFAULTS.encode()),
        (f"{CODE}/REVISION", "f", 0o644, b"real-1\n"),
        (f"{CODE}/manifests/site.pp", "f", 0o644, _SITE.encode()),
        (f"{texts.UNITS}/puppet-ssl-sync.service", "f", 0o644, copy.encode()),
        (f"{texts.UNITS}/puppet-ssl-sync.timer", "f", 0o644, timer.encode()),
        *texts.unit("puppetserver", f"{_STARTER} start", **unit),
    ]
    if host.role == "dr":
        found.append((f"{texts.WANTS}/timers.target.wants/puppet-ssl-sync.timer", "f", 0o644, b""))
        found.append((FACTS["sign_hold"], "f", 0o644, b"a standby signs nothing\n"))
    return found


def begin(made: Estate) -> None:
    """Make the CA, copy it, start both servers, and give each client its certificate: the last one after the copy."""
    primary, dr = made.role("primary"), made.role("dr")
    for machine in made.machines.values():
        machine.sh(_FOLDERS)
    for machine in (primary, dr):
        machine.sh(
            "sed -i 's/#max-active-instances: 1/max-active-instances: 1/' /etc/puppet/puppetserver/conf.d/puppetserver.conf"
        )
    primary.sh("puppetserver ca setup")
    _copy(made)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda machine: machine.sh("systemctl default; systemctl is-active puppetserver"), (primary, dr)))
    clients = [h for h in made.plan.hosts if h.role == "clients"]
    for host in clients[:-1]:
        _certify(made, host)
    _copy(made)
    _certify(made, clients[-1])


def _copy(made: Estate) -> None:
    """Copy as the very first time: the standby has no CA yet."""
    over = f"rsync -aHAX --delete -e 'ssh -o BatchMode=yes' root@{made.role('primary').address}"
    made.role("dr").sh(
        f"{over}:{SSL}/ {SSL}/; {over}:{CA}/ {CA}/; date -u +%Y-%m-%dT%H:%M:%SZ > /var/lib/puppet-ssl-sync.last"
    )


def _certify(made: Estate, host: HostPlan) -> None:
    """Have the CA make a client's certificate, and carry it there: an agent's own request takes half a minute more."""
    name = f"{host.name}.{made.zone}"
    primary, client = made.role("primary"), made[host.name]
    primary.sh(f"puppetserver ca generate --certname {name}")
    files = (f"private_keys/{name}.pem", f"public_keys/{name}.pem", f"certs/{name}.pem", "certs/ca.pem")
    client.lay([(f"{SSL}/{path}", "f", 0o640, primary.sh(f"cat {SSL}/{path}").encode()) for path in files])
    client.sh(f"chown -R puppet: {SSL}")
