"""What is said about problems with single keys and values."""

from __future__ import annotations

from typing import Final

TEXTS: Final = {
    "unknown-key": """\
There is no such key here. Unknown keys are refused, because a misspelt `undo` would otherwise be no undo at all. The
nearest known key is named.

    titel = "Hold the sync"      # did you mean `title`?""",
    "key-after-table": """\
In TOML every plain key belongs to the last header above it. A key of the step that is written after [stage.step.sync]
lands inside `sync`. Write the step's plain keys first, its tables last; or write the table on one line.

    [[stage.step]]
    id = "copy"
    good = "A handful of files change."    # before the header
    [stage.step.sync]
    from = "primary"
    to = "dr\"""",
    "missing-key": """\
A key that cannot be done without is missing. Every runbook has `format` and [runbook] with `id`, `title` and `roles`;
every stage, step and guard has `id` and `title`.

    [[stage.step]]
    id = "hold"
    title = "Hold the sync\"""",
    "wrong-type": """\
The value is of another kind than the key takes: a number where a text is expected, a text where a list is.

    run = ["systemctl", "stop", "x.timer"]      # a list, never one text: there is no shell
    skippable = true                            # not "true\"""",
    "format": """\
The number of the format says how a file is to be read. This version knows 1.

    format = 1""",
    "not-a-choice": """\
The key takes one of a few words, and this is none of them. They are listed in the hint.

    line = "clients move\"""",
    "empty": """\
The key is there and says nothing. Write a word, or leave the key out.""",
    "one-line": """\
Titles and labels are shown on one line of the screen, so they are one line here. Longer words belong to `why`, `good`
or `summary`.""",
    "id-slug": """\
An id is a word of lower-case letters, digits and inner hyphens, at most 48: it becomes part of file names and of
commands such as `--confirm switch/dns=10.9.0.10`.

    id = "dr-serves\"""",
    "role-name": """\
A role's name is a lower-case word: it is written in `{{ dr.address }}`. `here` is not free: it means the host that is
being spoken to.

    roles = { primary = "one", dr = "one", clients = "many" }""",
    "name": """\
A variable's or capture's name has lower-case letters, digits and `_`, and begins with a letter, so that it can be
written in `{{ }}`.

    capture = { ca_dir = '^(/\\S+)$' }""",
    "step-name": """\
A step is named by its stage and its own id.

    recheck = ["checks/dr-serves"]""",
    "server-name": """\
A name server is an address, or an address with a label that people know it by. It is never looked up through the names it
serves.

    servers = ["ns1=192.0.2.53", "192.0.2.54"]""",
    "host-name": """\
A host is a name or an address, with a port after a colon where it is written short. It may not begin with a hyphen: a
program would take it for an option.

    hosts = ["web01", "web02:2222", { name = "db01", host = "192.0.2.31" }]""",
    "regex": """\
The regular expression cannot be compiled. The syntax is Python's; write it in single quotes, where TOML leaves
backslashes alone. Names in it are replaced by their values, escaped.

    match = '^state: (running|ready)$'""",
    "duration": """\
A duration is a text of numbers and units: ms, s, m, h, d. It is longer than nothing and at most 366 days.

    within = "90s"
    remember = "1h30m\"""",
    "need": """\
`need` says how many must pass: all of them, a count, or a percentage, which is rounded up.

    need = "all"
    need = 2
    need = "95%\"""",
    "value": """\
A variable is one text, number, true or false. A list of names is one text with blanks between them.

    [vars]
    fleet = "web01 web02 db01\"""",
    "exit": """\
An exit status is 0 to 255. A process that was ended by a signal has none, and never passes.

    expect = { exit = [0, 2] }""",
    "negative": """\
A count of files or hosts is 0 or more.""",
    "positive": """\
At least one host must be meant. Leave the key out to mean all of them.

    pick = 2""",
    "ttl": """\
A TTL is given in seconds, at most a week. How long it is decides how long clients keep the old address.

    dns = { name = "{{ fqdn }}", from = "{{ primary.address }}", to = "{{ dr.address }}", ttl = 60 }""",
    "port": """\
A port is a number from 1 to 65535.

    port = 22""",
    "value-line": """\
A value that is put into a command is one line without NUL: with a line break it could become a second command or a
second header. Give the value in another form.""",
    "leading-hyphen": """\
The argument begins with a value, and the value begins with a hyphen, so the program would read it as an option. Quoting
does not help against that. Put something before it.

    run = ["cat", "./{{ file }}"]
    run = ["grep", "--regexp={{ word }}", "/etc/hosts"]""",
}
