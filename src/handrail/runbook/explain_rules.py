"""What is said about the rules of a runbook: why each is one, and how it is kept."""

from __future__ import annotations

from typing import Final

from handrail.runbook import explain_order

TEXTS: Final = {
    **explain_order.TEXTS,
    "no-action": """\
A step does exactly one thing: `run`, `script`, `sync`, `dns`, `meter`, `wait` or `manual`. This one does nothing. A
verify, probe or guard has `run` or `script`.

    run = ["systemctl", "stop", "x.timer"]""",
    "two-actions": """\
A step does exactly one thing, so that it is clear what has passed, what failed and what is undone. Make two steps.""",
    "key-unfit": """\
The key means nothing beside what stands here: `expect` and `capture` judge a command's result, `args` belong to a
script, `instead` to `irreversible`. It would be silently without effect, so it is refused.""",
    "no-host": """\
A command runs at a host, so the step names a role.

    on = "dr"
    on = ["primary", "dr"]""",
    "pick-on-one": """\
`pick` takes the first N hosts of a role of many. This step speaks only to roles of one.""",
    "dns-same": """\
The name would get the address it has. `from` and `to` are different.""",
    "sync-many": """\
A sync copies from one host to one host, since it exchanges directories as a whole. Name roles of one.""",
    "sync-same": """\
A sync has two sides. Copying a role onto itself would remove what it copies.""",
    "sync-dir": """\
Directories are whole paths, so that nobody's home folder decides what is copied.

    dirs = ["/etc/app/ssl", "{{ here.ca_dir }}"]""",
    "sync-removed": """\
Above `ask` the operator types how many files go; above `stop` the sync is refused. With `ask` above `stop` it never asks.

    removed = { ask = 0, stop = 20 }""",
    "capture-group": """\
A capture is the first group of the first matching line. Without a group there is nothing to take.

    capture = { serial = '^([0-9A-F]+)$' }""",
    "capture-many": """\
A captured fact has one value: `{{ dr.serial }}`. A role of many hosts would have one for each. Capture on a role of one.""",
    "capture-skippable": """\
If the step is skipped nothing is captured, and a later step that needs the value cannot be resolved.""",
    "meter-group": """\
A meter counts the different values of one named group of its regex.

    match = '"GET /catalog/(?P<node>[^? ]+)'
    distinct = "node\"""",
    "meter-need": """\
A percentage of what? Give the names that are expected, or a count.

    names = "{{ fleet }}"
    need = "95%\"""",
    "wait-form": """\
A wait ends after a fixed time, or when the old TTL of a switched name has run out.

    wait = { for = "30s" }
    wait = { until = "switch/dns" }""",
    "wait-until": """\
`until` names a `dns` step: what is waited for is the TTL its name had before.""",
    "outcome-empty": """\
Nothing is asked of the answer, so every answer would do.

    done = { exit = 0 }
    wrong = [{ exit = 35, means = "another CA" }]""",
    "probe-same": """\
`done` and `not_done` are the two answers a probe can tell apart. Where neither holds, nobody knows.

    probe = { run = ["systemctl", "is-active", "x.timer"], done = { exit = 3 }, not_done = { exit = 0 } }""",
    "same-alone": """\
`same` compares the output of all hosts that are asked. There is only one. A verify without `on` is asked at each host of its
step alone, and would compare that host with itself.

    on = ["primary", "dr"]""",
    "regex-slow": """\
A regular expression with a repetition inside a repetition, such as (a+)+, tries every way to divide a text before it
gives up: twice the time for each character more. A run ends it after half a second of computing, and then knows
nothing: a read has failed, a change is UNKNOWN. Say what stands between the parts.

    '^(\\w+\\s?)*$'      takes forever
    '^\\w+(\\s\\w+)*$'   does not""",
    "duplicate-id": """\
A step is named by `stage/step`, in the journal too; two of one name could not be told apart.""",
    "empty-stage": """\
A stage is a pause point with steps after it. In TOML a step of a stage is written below it.

    [[stage]]
    id = "checks"
    title = "Pre-checks"
    [[stage.step]]
    id = "ca-dir\"""",
    "var-choices": """\
A variable of type "choice" lists its choices, and only such a variable does.

    [vars.level]
    type = "choice"
    choices = ["soft", "hard"]""",
    "secret-written": """\
A secret in a file is no secret: runbooks are copied into every run. It is asked for in the briefing and never written.""",
    "shell-value-in-script": """\
No value becomes part of a shell's program: a blank or a `;` in it would change what runs. A script is left as it is
written; values reach it as arguments.

    script = 'curl -sS "https://$1:8140/status"'
    args = ["{{ dr.address }}"]""",
    "secret-outside-stdin": """\
A program's arguments can be seen by everybody on its host, and they stand in the journal. A secret goes to standard
input only.

    run = ["vault", "login", "-"]
    stdin = "{{ token }}\"""",
    "no-way-back": """\
Every change can be undone, or says why not. A step that only reads says so, and needs neither.

    undo = { run = ["systemctl", "start", "x.timer"] }
    irreversible = "The DR's CA then differs from the primary's."
    reads = true""",
    "undo-and-irreversible": """\
The step has a way back and says that it has none. Undo would stop above it, and never use its undo.""",
    "undo-nothing-needs-stays": """\
`undo = "nothing"` means: going back leaves this as it is. The operator must read what that is.

    undo = "nothing"
    stays = "The reload cannot be taken back; it harms nothing.\"""",
    "restore-unknown": """\
Only `sync` (its snapshot) and `dns` (value and TTL as read before) know their own way back. Others say what to run.

    undo = { run = ["systemctl", "unmask", "app-server"] }""",
    "undo-unchecked": """\
The undo runs, but nothing looks whether it worked: its exit status alone is believed. With a probe on the step, or a
verify in the undo, it is checked.

    undo = { run = [...], verify = [{ run = ["systemctl", "is-active", "x.timer"] }] }""",
    "instead-missing": """\
Undo stops above an irreversible step. `instead` names the runbook that goes on from there.

    instead = "app-failback\"""",
    "irreversible-unconfirmed": """\
Nothing can be undone after this step, and Enter alone would start it. Let the operator type a word.

    confirm = "sign\"""",
    "wall-without-line": """\
The rail draws NO WAY BACK above the stage with the irreversible step, so that everybody sees it coming.

    line = "no way back\"""",
    "line-without-wall": """\
The stage draws NO WAY BACK, and every step in it can be undone.""",
    "reads-changes": """\
`sync` changes things by its nature; a step or stage with `reads = true` cannot have it. (A `dns` step that only reads asks
whether the switch would be accepted now.)""",
    "reads-undo": """\
A step that only reads has nothing to undo or to probe. Either it changes something, and then `reads` is wrong, or the
key is.""",
    "together-changes": """\
Steps of a stage with `together` may run at the same time; changes are made one by one.""",
    "together-confirm": """\
Nobody can be asked while several steps run at the same time.""",
    "within-on-change": """\
`within` asks again until it holds. A change is never sent twice by itself; let a verify ask again instead.

    verify = [{ run = ["systemctl", "is-active", "x"], within = "90s" }]""",
    "attached-change": """\
An attached program runs on a terminal of its own and dies with the connection: after a lost line nobody can tell how far
it came. Without `attached` it goes on at the host, and the console finds it again.""",
    "probe-missing": """\
A probe asks one question that tells whether a change is in place. Without one, a crash between sending and answer
leaves UNKNOWN, which only a person can settle.

    probe = { run = ["systemctl", "is-active", "x.timer"], done = { exit = 3 }, not_done = { exit = 0 } }""",
    "confirm-long": """\
What is typed before a change should be short enough to say aloud and type without a slip: at most 20 characters.""",
    "confirm-on-read": """\
The one gate stands before a change. A step that only reads asks nothing.""",
    "recheck-needs-confirm": """\
Rechecks run when the gate of a `confirm` opens, and behind the typing. Without `confirm` there is no gate.""",
    "recheck-not-read": """\
What is asked again every ten seconds must only read, and be a command: name steps with `reads = true` and `run` or
`script`.

    recheck = ["checks/dr-serves"]""",
    "sample-empty": """\
A sample of good output is held against the lines that come. `...` stands for anything on that line; a line of nothing else
would fit every line there is, and an empty sample none.

    sample = "serial = ...\\nat risk: none\"""",
    "sample-long": """\
A sample is read beside the output while it comes. Keep the lines that tell good from bad; one that comes many times is
written once.""",
    "unattended-manual": """\
A runbook with `unattended = true` may run without a terminal: nobody is there to answer a `manual` step.""",
}
