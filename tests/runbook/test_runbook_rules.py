# ruff: noqa: E501  (the cases are a table)
"""Every rule, by the smallest change that breaks it: the code, the line, and nothing else said as an error."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.runbook.texts import FULL, MINI, changed, codes, line_of, problems

from handrail.runbook import rules

SOURCES = Path(rules.__file__).parent

# code, changes to MINI, a piece of the line that is named
CASES: list[tuple[str, list[tuple[str, str]], str]] = [
    ("no-action", [('run = ["rm", "/stop"]\n', "")], "x"),
    ("no-action", [('run = ["systemctl", "start", "x"]', 'title = "hm"')], "undo = { title"),
    ("two-actions", [('run = ["cat", "/serial"]', 'run = ["a"]\nwait = { for = "3s" }')], "wait = { for"),
    ("key-unfit", [('wait = { until = "go/dns" }', 'wait = { until = "go/dns" }\nexpect = { exit = 0 }')], "expect = { exit"),
    ("key-unfit", [('run = ["cat", "/serial"]', 'run = ["cat", "/serial"]\nargs = ["odd"]')], '"odd"'),
    ("key-unfit", [("pick = 1", 'pick = 1\nremember = "1h"')], "remember"),
    ("key-unfit", [("pick = 1", 'pick = 1\ninstead = "other"')], '"other"'),
    ("no-host", [('on = ["a", "b"]\nrun = ["cat", "/serial"]\n', 'run = ["cat", "/serial"]\n')], "x"),
    ("pick-on-one", [("capture = {", "pick = 1\ncapture = {"), ("pick = 1\nscript", "script")], "pick = 1"),
    ("dns-same", [('to = "{{ b.address }}"', 'to = "{{ a.address }}"')], "dns = {"),
    ("sync-many", [('from = "a"\nto = "b"', 'from = "a"\nto = "many"')], 'to = "many"'),
    ("sync-same", [('from = "a"\nto = "b"', 'from = "b"\nto = "b"')], 'to = "b"\n'),
    ("key-unfit", [('title = "Copy"', 'title = "Copy"\non = "many"')], 'on = "many"\nundo'),
    ("sync-dir", [('dirs = ["/srv"]', 'dirs = ["/srv", "etc"]')], '"etc"'),
    ("sync-removed", [('dirs = ["/srv"]', 'dirs = ["/srv"]\nremoved = { ask = 9, stop = 3 }')], "ask = 9"),
    ("capture-group", [("'^(\\d+)$'", "'^\\d+$'")], "capture ="),
    ("capture-many", [("pick = 1", "pick = 1\ncapture = { got = '(.)' }")], "got ="),
    ("capture-skippable", [('run = ["cat", "/serial"]', 'run = ["cat", "/serial"]\nskippable = true')], "skippable"),
    ("meter-group", [('distinct = "n"', 'distinct = "m"')], "meter = {"),
    ("meter-need", [('names = "{{ many.names }}", ', "")], "x"),
    ("wait-form", [('wait = { until = "go/dns" }', 'wait = { reason = "why not" }')], "why not"),
    ("wait-until", [('wait = { until = "go/dns" }', 'wait = { until = "go/hold" }')], "wait ="),
    ("outcome-empty", [("trip = { exit = 0 }", "trip = {}")], "trip"),
    ("outcome-empty", [("{ exit = 1, means", "{ means")], "wrong ="),
    ("probe-same", [("done = { exit = 3 }, not_done = { exit = 0 }", "done = { exit = 0 }, not_done = { exit = 0 }")], '"is-active"'),
    ("same-alone", [('on = ["a", "b"]\nrun = ["cat", "{{', 'on = "b"\nrun = ["cat", "{{')], "same = true"),
    ("duplicate-id", [('id = "serves"', 'id = "serial"'), ('recheck = ["look/serves"]', 'recheck = ["look/serial"]')], 'id = "serial"\ntitle = "Serves"'),
    ("duplicate-id", [('id = "end"', 'id = "go"')], 'id = "go"\ntitle = "End"'),
    ("empty-stage", [('[[stage]]\nid = "end"', '[[stage]]\nid = "none"\ntitle = "None"\n\n[[stage]]\nid = "end"')], '[[stage]]\nid = "none"'),
    ("var-choices", [('type = "fqdn"', 'type = "choice"')], "[vars.name]"),
    ("secret-written", [('type = "secret"', 'type = "secret"\ndefault = "hunter2"')], "hunter2"),
    ("var-type", [('type = "fqdn"', 'type = "fqdn"\ndefault = "a b"')], '"a b"'),
    ("shell-value-in-script", [("script = 'test \"$1\"'", "script = 'test {{ name }}'")], "script ="),
    ("shell-value-in-script", [('run = ["rm", "/stop"]', 'run = ["/bin/sh", "-c", "rm {{ name }}"]')], '"rm {{'),
    ("unknown-role", [('on = "b"\nconfirm', 'on = "bb"\nconfirm')], '"bb"'),
    ("unknown-role", [('lost = ["a"]', 'lost = ["a", "aa"]')], '"aa"'),
    ("unknown-role", [('args = ["{{ b.address }}"]', 'args = ["{{ x.address }}"]')], "x.address"),
    ("unknown-step", [('after = "go/hold"', 'after = "go/holt"')], "go/holt"),
    ("unknown-step", [('recheck = ["look/serves"]', 'recheck = ["look/serve"]')], "look/serve"),
    ("step-later", [('since = "go/dns"', 'since = "end/sign"')], "end/sign"),
    ("unknown-route", [('run = ["rm", "/stop"]', 'run = ["rm", "/stop"]\nonly = "planed"')], "planed"),
    ("unknown-name", [('title = "Move {{ name }}"', 'title = "Move {{ nam }}"')], "{{ nam }}"),
    ("not-a-name", [('title = "Move {{ name }}"', 'title = "Move {{ name | upper }}"')], "| upper"),
    ("not-a-name", [('title = "Move {{ name }}"', 'title = "Move {{ name"')], '{{ name"'),
    ("fact-of-many", [('args = ["{{ b.address }}"]', 'args = ["{{ many.address }}"]')], "many.address"),
    ("here-nowhere", [('confirm = "{{ b.address }}"', 'confirm = "{{ here.address }}"')], "here.address"),
    ("capture-used-early", [('args = ["{{ b.address }}"]', 'args = ["{{ b.serial }}"]')], "b.serial"),
    ("name-lost", [('run = ["systemctl", "stop", "x"]', 'run = ["systemctl", "stop", "{{ a.serial }}"]')], "a.serial"),
    ("secret-outside-stdin", [('run = ["systemctl", "stop", "x"]', 'run = ["login", "{{ token }}"]')], '"login"'),
    ("no-way-back", [('undo = { run = ["systemctl", "start", "x"] }\n', "")], "x"),
    ("undo-and-irreversible", [('instead = "back"', 'instead = "back"\nundo = { run = ["u"], verify = [{ run = ["v"] }] }')], "undo = { run = [\"u\"]"),
    ("undo-nothing-needs-stays", [('undo = { run = ["systemctl", "start", "x"] }', 'undo = "nothing"')], '"nothing"'),
    ("restore-unknown", [('undo = { run = ["systemctl", "start", "x"] }', 'undo = "restore" #')], '"restore" #'),
    ("instead-missing", [('instead = "back"\n', "")], "irreversible ="),
    ("irreversible-unconfirmed", [('confirm = "sign"\n', "")], "irreversible ="),
    ("wall-without-line", [('line = "no way back"\n', "")], "irreversible ="),
    ("line-without-wall", [('irreversible = "it is signed"\ninstead = "back"', 'undo = { run = ["touch", "/stop"] }')], 'line = "no way back"'),
    ("reads-changes", [('undo = "restore"\n\n', "reads = true\n\n")], "dns = {"),
    ("reads-undo", [("pick = 1", 'pick = 1\nundo = "nothing"')], '"nothing"'),
    ("confirm-on-read", [('wait = { until = "go/dns" }', 'wait = { until = "go/dns" }\nconfirm = "now"')], '"now"'),
    ("together-changes", [("reads = true\ntogether", "together")], '[[stage.step]]\nid = "serial"'),
    ("together-confirm", [("pick = 1", 'pick = 1\nconfirm = "yes"')], '"yes"'),
    ("within-on-change", [('run = ["rm", "/stop"]', 'run = ["rm", "/stop"]\nwithin = "9s"')], '"9s"'),
    ("attached-change", [('run = ["rm", "/stop"]', 'run = ["rm", "/stop"]\nattached = true')], "attached"),
    ("probe-missing", [('probe = { run = ["test", "-e", "/stop"], done = { exit = 1 }, not_done = { exit = 0 } }\n', "")], "x"),
    ("undo-unchecked", [('probe = { run = ["systemctl", "is-active", "x"], done = { exit = 3 }, not_done = { exit = 0 } }\n', "")], "undo = { run"),
    ("confirm-long", [('confirm = "sign"', 'confirm = "sign everything that is waiting"')], "everything"),
    ("recheck-needs-confirm", [('run = ["rm", "/stop"]', 'run = ["rm", "/stop"]\nrecheck = ["look/serial"]'), ('confirm = "sign"\n', "")], '"look/serial"'),
    ("recheck-not-read", [('confirm = "sign"', 'confirm = "sign"\nrecheck = ["go/hold"]')], 'recheck = ["go/hold"]'),
    ("unattended-manual", [('title = "Mini"', 'title = "Mini"\nunattended = true'), ('wait = { until = "go/dns" }', 'manual = { ask = "Look" }\nreads = true')], "manual"),
    ("line-needs-confirm", [('confirm = "{{ b.address }}"\nrecheck = ["look/serves"]\n', "")], '"clients move"'),
    ("line-needs-recheck", [('recheck = ["look/serves"]\n', "")], '"clients move"'),
    ("line-needs-recheck", [('on = "many"\npick = 1', 'on = "a"')], '"clients move"'),
    ("line-without-change", [('title = "Look"', 'title = "Look"\nline = "clients move" #')], '"clients move" #'),
    ("route-empty", [('lost = ["a"]', 'lost = ["a"]\n[routes.gone]\ntitle = "All"\nlost = ["a", "b", "many"]'), ('dns = { name', 'only = "planned"\ndns = { name')], "[routes.gone]"),
    ("never-needed", [('title = "Copy"', 'title = "Copy"\nonly = "emergency"')], "x"),
    ("verify-lost", [('undo = { run = ["systemctl", "start", "x"] }', 'undo = { run = ["u"] }\nverify = [{ on = "a", run = ["v"] }]')], "verify = ["),
    ("rto-lost", [('until = "go/count"', 'until = "go/copy"')], "rto ="),
]  # fmt: skip


def test_the_small_runbook_has_nothing_wrong_with_it() -> None:
    assert problems(MINI) == ()


def test_the_full_runbook_has_only_the_warning_it_deserves() -> None:
    assert codes(FULL.read_bytes()) == ["probe-missing"]


@pytest.mark.parametrize(("code", "changes", "needle"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)])
def test_a_rule_is_broken(code: str, changes: list[tuple[str, str]], needle: str) -> None:
    text = changed(MINI, *changes)
    found = [problem for problem in problems(text) if problem.code == code]
    assert found, codes(text)
    where = found[0].where
    assert where is not None
    if needle != "x":
        assert where.line == line_of(text, needle) or text.splitlines()[where.line - 1] in needle, str(found[0])
    assert where.column >= 1
    assert found[0].hint or code == "var-type"


def test_every_code_of_the_rules_has_a_case() -> None:
    said: set[str] = set()
    for name in ("rules_shape", "rules_names", "rules_safety", "rules_routes"):
        for node in ast.walk(ast.parse((SOURCES / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Finding", "warn"):
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    said.add(str(first.value))
    said |= {"line-needs-confirm", "line-needs-recheck", "line-without-change"}
    assert said == {case[0] for case in CASES}
