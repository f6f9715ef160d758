"""The text that is sent to a host: the wrapper's parts put together, and arguments quoted. Pure; it starts nothing.

One short loader stands in argv. It reads the wrapper from the channel and takes no byte too many, since a job's input may
follow: in one piece where head(1) takes exactly what it is told to, which is some milliseconds faster, else line by line with
`read`. It runs it only when the last line has arrived: a link that is cut in the middle runs nothing. So neither scripts nor
secrets stand in argv, in `ps` or in sudo's log.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from handrail.base.frozen import dataclass
from handrail.base.problems import trouble

LAST_LINE: Final = "#hr-end-0b2f7c"
READY: Final = b"#hr-ready-0b2f7c"
ONE_ARGUMENT: Final = 128 * 1024 - 1  # Linux MAX_ARG_STRLEN, execve(2), less its NUL
ALL_TEXT: Final = 256 * 1024

_SAY_READY: Final = f'printf "\\n%s\\n" "{READY.decode()}";'
_BY_LINES: Final = (
    'read -r hr_c;hr_n=$(printf "\\nx");hr_n=${hr_n%x};hr_w=;'
    "while IFS= read -r hr_l;do "
    f'if [ "$hr_l" = "{LAST_LINE}" ];then eval "$hr_w";exit;fi;hr_w="$hr_w$hr_l$hr_n";done'
)
_IN_ONE_PIECE: Final = f'read -r hr_c;hr_w=$(head -c "$hr_c");case $hr_w in *"{LAST_LINE}")hr_tail=1;eval "$hr_w";;esac'
# GNU's head(1) is exact, and its tail(1) follows. It is asked while the call is still on its way.
_IF_GNU: Final = "case $(command -v head >/dev/null&&exec tail --version </dev/null 2>/dev/null) in *GNU*)"
_LOADER: Final = f"{_SAY_READY}{_IF_GNU}{_IN_ONE_PIECE};;*)hr_tail=0;{_BY_LINES};;esac"
_LOADER_OF_ONE_PIECE: Final = f"{_SAY_READY}{_IN_ONE_PIECE}"


# Of a verb that has more than the part of its name.
_PARTS: Final = {"open": ("opening", "open"), "job": ("job", "main"), "first": ("opening", "job", "main")}
_SHORT: Final = 4096  # characters that the host's `read` takes, byte by byte, before a process of its own would have


@dataclass(frozen=True)
class Text:
    """One call as it is sent: `whole`; or `short` to a shell that stands ready for the run already."""

    whole: bytes
    run: str = ""
    short: bytes = b""


@cache
def part(name: str) -> str:
    """Return one part of the wrapper without comments and indentation."""
    text = files(__package__).joinpath("wrapper", f"{name}.sh").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return "".join(f"{line}\n" for line in lines if line and not line.startswith("#"))


def loader(label: str, *, become: str = "", prompt: str = "", one_piece: bool = False) -> str:
    """Return the command line of a call; `label` is what `ps` shows, `prompt` is what sudo prints when it wants a password.

    With `one_piece` the host is known to be GNU's, and is not looked at again. Either sets hr_tail, and takes what `call` has made.
    """
    command = f"sh -c {shlex.quote(_LOADER_OF_ONE_PIECE if one_piece else _LOADER)} {shlex.quote(label)}"
    if not become:
        return f"exec {command}"
    # -k: what sudo remembers of an earlier password is neither used nor left behind for others.
    return f"exec sudo -k -S -p {shlex.quote(prompt)} -- {command}" if prompt else f"exec sudo -n -- {command}"


def call(verb: str, values: Mapping[str, str | int]) -> Text:
    """Return one call: its size, its variables, the common part, the verb's own parts and the last line."""
    head = _assigned(values)
    whole = head + "".join(map(part, ("common", *_PARTS.get(verb, (verb,)))))
    if LAST_LINE in whole:  # anywhere: what is cut off behind it would look whole
        raise trouble("ssh-command", "the command contains the wrapper's own last line")
    if verb != "job":
        return Text(_sent(whole))
    short = head + part("main")
    return Text(_sent(whole), str(values["run"]), _sent(short, "lines" if len(short) < _SHORT else "piece"))


def ahead(values: Mapping[str, str | int]) -> bytes:
    """Return what has a shell stand ready for a run, before there is a call for it."""
    last = f"hr_final={LAST_LINE[:4]}{LAST_LINE[4:]!r}\n"  # in two pieces: the text is cut off at the first
    return _sent(_assigned(values) + last + "".join(map(part, ("common", "job", "ahead"))))


def _assigned(values: Mapping[str, str | int]) -> str:
    return "".join(f"hr_{name}={shlex.quote(str(value))}\n" for name, value in values.items())


def _sent(text: str, how: str = "") -> bytes:
    return measured(f"{text}{LAST_LINE}\n".encode("utf-8", "surrogateescape"), how)


def measured(text: bytes, how: str = "") -> bytes:
    """Return a text with its size before it, as either loader takes it; `how` is for a shell that stands ready."""
    return b"%d%b\n%b" % (len(text), f" {how}".encode() if how else b"", text)


def argv_text(argv: tuple[str, ...]) -> str:
    """Return the shell text that executes an argv exactly; raise `Trouble` for one that cannot be sent."""
    if not argv or not argv[0]:
        raise trouble("ssh-command", "a command needs a program")
    if argv[0].startswith("-"):
        raise trouble("ssh-command", f"the program's name begins with a hyphen: {argv[0][:40]!r}")
    check_text(*argv)
    return "exec " + " ".join(map(shlex.quote, argv)) + "\n"


def script_text(script: str, args: tuple[str, ...]) -> str:
    """Return the shell text that runs the job's script file with arguments; a `#!` line names another interpreter."""
    check_text(*args)
    check_text(script, limit=ALL_TEXT)
    words = ["sh"]
    if script.startswith("#!"):
        words = script[2:].split("\n", 1)[0].strip().split(None, 1) or words
    interpreter = " ".join(map(shlex.quote, words))
    return f'exec {interpreter} "$1/script" ' + " ".join(map(shlex.quote, args)) + "\n"


def check_text(*texts: str, limit: int = ONE_ARGUMENT) -> None:
    """Raise `Trouble` when a text holds a NUL or is longer than the kernel takes (execve(2))."""
    total = 0
    for text in texts:
        try:
            size = len(text.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:
            raise trouble("ssh-command", "an argument contains half of a character (a lone surrogate)") from None
        total += size
        if "\0" in text:
            raise trouble("ssh-command", "an argument contains a NUL byte, which no program can be given")
        if size > limit or total > ALL_TEXT:
            raise trouble(
                "ssh-command",
                f"an argument or script of {max(size, total)} bytes is longer than a host accepts ({limit})",
                "give it as stdin",
            )
