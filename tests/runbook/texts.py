"""Runbooks and estates that the tests change a little, and questions about what lint says of them."""

from __future__ import annotations

from pathlib import Path

from handrail.base.problems import Problem
from handrail.runbook.document import read_document
from handrail.runbook.read import examine

FULL = Path(__file__).parent / "full.toml"

MINI = r"""
format = 1

[runbook]
id = "mini"
title = "Mini"
roles = { a = "one", b = "one", many = "many" }
rto = { target = "15m", until = "go/count" }

[routes.planned]
title = "All answer"

[routes.emergency]
title = "a is lost"
lost = ["a"]

[vars.name]
type = "fqdn"

[vars.token]
type = "secret"

[[guard]]
id = "back"
title = "It is back"
on = "b"
after = "go/hold"
run = ["true"]
trip = { exit = 0 }
means = "Fence it."

[[stage]]
id = "look"
title = "Look"
reads = true
together = true

[[stage.step]]
id = "serial"
title = "Serial"
on = ["a", "b"]
run = ["cat", "/serial"]
capture = { serial = '^(\d+)$' }

[[stage.step]]
id = "serves"
title = "Serves"
on = "many"
pick = 1
script = 'test "$1"'
args = ["{{ b.address }}"]
wrong = [{ exit = 1, means = "It does not serve." }]

[[stage]]
id = "go"
title = "Go"
line = "clients move"

[[stage.step]]
id = "dns"
title = "Move {{ name }}"
dns = { name = "{{ name }}", from = "{{ a.address }}", to = "{{ b.address }}" }
confirm = "{{ b.address }}"
recheck = ["look/serves"]
undo = "restore"

[[stage.step]]
id = "hold"
title = "Hold"
on = "b"
run = ["systemctl", "stop", "x"]
stdin = "{{ token }}"
probe = { run = ["systemctl", "is-active", "x"], done = { exit = 3 }, not_done = { exit = 0 } }
undo = { run = ["systemctl", "start", "x"] }

[[stage.step]]
id = "copy"
title = "Copy"
undo = "restore"
[stage.step.sync]
from = "a"
to = "b"
dirs = ["/srv"]
[[stage.step.verify]]
on = ["a", "b"]
run = ["cat", "{{ here.serial }}"]
expect = { same = true }

[[stage.step]]
id = "count"
title = "Count"
on = "b"
meter = { file = "/log", match = '(?P<n>\w+)', distinct = "n", names = "{{ many.names }}", since = "go/dns" }

[[stage.step]]
id = "caches"
title = "Caches"
wait = { until = "go/dns" }

[[stage]]
id = "end"
title = "End"
line = "no way back"

[[stage.step]]
id = "sign"
title = "Sign"
on = "b"
confirm = "sign"
irreversible = "it is signed"
instead = "back"
run = ["rm", "/stop"]
probe = { run = ["test", "-e", "/stop"], done = { exit = 1 }, not_done = { exit = 0 } }
""".lstrip()

ESTATE = """
format = 1

[estate]
name = "production"
known_hosts = "known_hosts"

[roles.primary]
host = "192.0.2.10"
user = "ops"
identity = "id_ed25519"
host_key_alias = "puppet1"
become = "sudo"
site = "ams"
address = "198.51.100.10"
vars = { ssl_dir = "/etc/ssl-p", late_certs = 2 }

[roles.dr]
name = "puppet-dr"
host = "192.0.2.11"
vars = { ssl_dir = "/etc/ssl-d", access_log = "/log", sign_hold = "/hold", copy_age = "4m" }

[roles.clients]
user = "root"
site = "ams"
hosts = ["web01", "web02:2222", { name = "db01", host = "192.0.2.31", site = "lhr", vars = { x = true } }]

[dns]
provider = "rfc2136"
zone = "example.test"
servers = ["192.0.2.53", "192.0.2.54"]
key_file = "dr-switch.key"

[vars]
fqdn = "puppet.example.test"
""".lstrip()


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Return the text with each first word replaced by its second, exactly once."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


def problems(text: str | bytes, name: str = "x.toml") -> tuple[Problem, ...]:
    """Return everything that is said of a runbook's text."""
    data = text.encode() if isinstance(text, str) else text
    return examine(read_document(data, name)).problems


def codes(text: str | bytes) -> list[str]:
    """Return the codes of everything that is said."""
    return [problem.code for problem in problems(text)]


def line_of(text: str, needle: str) -> int:
    """Return the line, from 1, on which a piece of text stands (once)."""
    assert text.count(needle) == 1, f"{needle!r} stands {text.count(needle)} times"
    return text.count("\n", 0, text.index(needle)) + 1
