"""What is said about problems with files and their texts."""

from __future__ import annotations

from typing import Final

TEXTS: Final = {
    "file-missing": """\
The file is not there. Files that an estate names are looked for beside the estate file.

    handrail lint runbooks/failover.toml""",
    "file-link": """\
A symbolic link can be pointed at another file after somebody has read it, so that what is run is not what was
reviewed. Name the file itself.

    readlink -f current.toml""",
    "file-open": """\
The file cannot be opened. The reason is the system's own; most often it is a right that is missing.

    ls -l failover.toml""",
    "file-kind": """\
A folder, a pipe, a socket or a device stands where a file is expected. Reading a pipe could wait for ever, so it is
never tried.""",
    "file-owner": """\
The file belongs to somebody who is neither you nor root: they could change what is about to run.

    sudo chown "$USER" failover.toml""",
    "file-writable": """\
Everybody on this machine may write the file, so anybody could change what is about to run.

    chmod o-w failover.toml""",
    "file-private": """\
The file is a key, and group or others have rights on it. SSH refuses such keys too.

    chmod 600 id_ed25519""",
    "file-large": """\
A runbook or estate file has some tens of kilobytes; this one has more than 256. It is probably another file.""",
    "path-leaves": """\
A file that an estate names is relative to the estate file, and may not climb out of its folder with `..`: an estate
that came from elsewhere could otherwise point at any file of yours. Put the file beside the estate, or write the whole
path, from / or ~.

    identity = "id_ed25519"
    ssh_config = "~/.ssh/config\"""",
    "utf-8": """\
TOML is UTF-8. The byte that is named is not; the file was probably saved in an old encoding.

    iconv -f latin1 -t utf-8 old.toml > failover.toml""",
    "toml": """\
The line does not follow TOML's grammar: a quote or bracket that is not closed, a value without quotes, a key written
twice. Lines like this are reported together where the rest can still be read.

    title = "Hold the sync"      # texts stand in quotes
    match = '^serial (\\d+)$'     # regexes in single quotes, where \\ is only itself""",
    "toml-bomb": """\
The file is small but unfolds into something huge: thousands of levels, very many values, or numbers with thousands of
digits. It is refused before it can take time or memory.""",
    "hidden-character": """\
The text has a character that acts on a terminal or cannot be seen: a control character, a change of writing direction,
a zero-width space. Such characters make a command look like another one, and nothing honest needs them. Retype the line.""",
    "neither": """\
A runbook has the table [runbook], an estate has [estate]. This file has neither, so nothing more can be said of it.""",
    "unknown-code": """\
Codes stand in brackets at the end of a problem's first line.

    handrail explain no-way-back""",
}
