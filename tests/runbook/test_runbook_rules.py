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
    ("same-alone", [("pick = 1", 'pick = 1\nverify = [{ run = ["v"], expect = { same = true } }]')], "verify = ["),
    ("regex-slow", [("'^(\\d+)$'", "'^(\\d+ ?)+$'")], "capture ="),
    ("regex-slow", [('trip = { exit = 0 }', 'trip = { match = "(a|a)*$" }')], "trip ="),
    ("sample-empty", [("pick = 1", 'pick = 1\nsample = "..."')], "sample"),
    ("sample-empty", [("pick = 1", 'pick = 1\nsample = " "')], "sample"),
    ("sample-long", [("pick = 1", 'pick = 1\nsample = """' + "".join(f"{n}\n" for n in range(50)) + '"""')], "sample"),
    ("key-unfit", [('wait = { until = "go/dns" }', 'wait = { until = "go/dns" }\nsample = "x"')], "sample"),
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
    ("reads-changes", [('undo = "restore"\n[stage.step.sync]', "reads = true\n[stage.step.sync]")], "[stage.step.sync]"),
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


# ---------------------------------------------------------------------------------------------- when names are known


def test_a_verify_may_use_what_its_own_step_captured() -> None:
    own = 'capture = { got = \'(.)\' }\nverify = [{ run = ["v", "{{ b.got }}"] }]'
    assert codes(changed(MINI, ('run = ["systemctl", "stop", "x"]', f'run = ["systemctl", "stop", "x"]\n{own}'))) == []


@pytest.mark.parametrize(
    "line",
    [
        'undo = { run = ["u", "{{ b.got }}"] }',
        'undo = { run = ["u"], verify = [{ run = ["v", "{{ here.got }}"] }] }',
    ],
)
def test_an_undo_may_not(line: str) -> None:
    own = "capture = { got = '(.)' }\n"
    text = changed(MINI, ('undo = { run = ["systemctl", "start", "x"] }', own + line))
    assert codes(text) == ["capture-used-early"]


def test_a_probe_and_a_confirm_may_not() -> None:
    own = "capture = { got = '(.)' }\nconfirm = \"{{ b.got }}\"\n"
    text = changed(MINI, ('undo = { run = ["systemctl", "start", "x"] }', own + 'undo = { run = ["u"] }'))
    assert codes(text) == ["capture-used-early"]


@pytest.mark.parametrize(("after", "expected"), [('after = "go/hold"\n', []), ("", ["capture-used-early"])])
def test_a_guard_knows_what_was_captured_before_it_began(after: str, expected: list[str]) -> None:
    text = changed(MINI, ('after = "go/hold"\nrun = ["true"]', f'{after}run = ["true", "{{{{ b.serial }}}}"]'))
    assert codes(text) == expected


def test_what_is_remembered_is_known_though_its_host_is_lost() -> None:
    lost = ('run = ["systemctl", "stop", "x"]', 'run = ["systemctl", "stop", "{{ a.serial }}"]')
    assert codes(changed(MINI, lost)) == ["name-lost"]
    assert codes(changed(MINI, lost, ("capture = {", 'remember = "24h"\ncapture = {'))) == []
    assert codes(changed(MINI, lost, ('id = "hold"\n', 'id = "hold"\nonly = "planned"\n'))) == []


def test_a_name_of_a_lost_host_that_the_estate_gives_is_known() -> None:
    assert codes(changed(MINI, ('run = ["systemctl", "stop", "x"]', 'run = ["stop", "{{ a.address }}"]'))) == []


def test_warnings_do_not_stop_a_run() -> None:
    warned = [
        problem for problem in problems(changed(MINI, ('instead = "back"\n', ""))) if problem.severity == "warning"
    ]
    assert [problem.code for problem in warned] == ["instead-missing"]
