"""`systemctl` for a simulated host: the verbs, words and exit codes that runbooks meet, over the units' files.

It knows simple, forking and oneshot services and timers. Dependencies, sockets, cgroups and the journal are not there.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from simhost import process, units
from simhost.host import at, root
from simhost.units import Note, Unit

INACTIVE: Final = 3  # LSB: program is not running
NO_SUCH_UNIT: Final = 5
UNKNOWN: Final = 4
_SECONDS: Final = {"": 1, "s": 1, "sec": 1, "ms": 0.001, "m": 60, "min": 60, "h": 3600, "d": 86400}
_WITH_VALUE: Final = frozenset({"-p", "--property", "-s", "--signal", "-n", "--lines", "-t", "--type", "--kill-who"})


class Call:
    """One command line, taken apart."""

    def __init__(self) -> None:
        self.verb = "list-units"
        self.names: list[str] = []
        self.flags: set[str] = set()
        self.properties: list[str] = []
        self.signal = "TERM"


def parse(argv: Sequence[str]) -> Call:
    """Take a command line apart; options this host has no use for are passed over."""
    call, words, rest = Call(), [], list(argv)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name in _WITH_VALUE:
            value = value if equals else (rest.pop(0) if rest else "")
            if name in ("-p", "--property"):
                call.properties += value.split(",")
            elif name in ("-s", "--signal"):
                call.signal = value
        elif word.startswith("-"):
            call.flags.add({"-q": "--quiet"}.get(word, word))
        else:
            words.append(word)
    if words:
        call.verb, call.names = words[0], [units.full_name(word) for word in words[1:]]
    return call


def fail(text: str, code: int = 1) -> int:
    """Say on stderr what went wrong; return the exit code."""
    print(text, file=sys.stderr)
    return code


@contextlib.contextmanager
def _only_one(name: str) -> Iterator[None]:
    """Let one systemctl at a time start, stop or reload a unit; the others wait, as systemd's jobs do."""
    folder = at(units.RUN)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# ---------------------------------------------------------------------- start


def start(name: str) -> int:
    """Start a unit unless it runs; return the exit code."""
    unit = units.find(name)
    if units.is_masked(name):
        return fail(f"Failed to start {name}: Unit {name} is masked.")
    if unit is None:
        return fail(f"Failed to start {name}: Unit {name} not found.", NO_SUCH_UNIT)
    with _only_one(name):
        return 0 if units.is_running(name) else _start(unit)


def _start(unit: Unit) -> int:
    """Start a unit that is down, its lock held."""
    marker = at(units.RUN) / f"{unit.name}.starting"
    marker.touch()
    try:
        return _starter(unit)(unit)
    except OSError as fault:
        units.write_note(unit.name, Note(result="exec"))
        return fail(f"Failed to start {unit.name}: {fault.strerror or fault}")
    finally:
        marker.unlink(missing_ok=True)


def _starter(unit: Unit) -> Callable[[Unit], int]:
    if unit.name.endswith(".timer"):
        return _start_timer
    return {"forking": _start_forking, "oneshot": _start_oneshot}.get(unit.get("Service.Type"), _start_simple)


def _command(unit: Unit, key: str) -> list[str]:
    """Return a command of the unit as an argument list; a program that the host has of its own is meant by its path."""
    words = shlex.split(unit.get(key))
    if words and root() and words[0].startswith("/") and at(words[0]).exists():
        words[0] = str(at(words[0]))
    return words


def _log(unit: Unit) -> str:
    return f"{units.LOGS}/{unit.name}.log"


def _start_simple(unit: Unit) -> int:
    units.note_start(unit.name, process.spawn(_command(unit, "Service.ExecStart"), at(_log(unit))))
    return 0


def _run(unit: Unit, key: str) -> int:
    """Run a command of the unit to its end; return its exit code."""
    return process.run(_command(unit, key), at(_log(unit)))


def _control_process_failed(unit: Unit) -> int:
    units.write_note(unit.name, Note(result="exit-code", since=time.time()))
    return fail(
        f"Job for {unit.name} failed because the control process exited with error code.\n"
        f'See "systemctl status {unit.name}" and "journalctl -xeu {unit.name}" for details.'
    )


def _start_forking(unit: Unit) -> int:
    """Run a program that returns when its daemon serves; the pid is in the unit's PIDFile."""
    if _run(unit, "Service.ExecStart"):
        return _control_process_failed(unit)
    try:
        pid = int(at(unit.get("Service.PIDFile")).read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _control_process_failed(unit)
    units.note_start(unit.name, pid)
    return 0


def _start_oneshot(unit: Unit) -> int:
    code = _run(unit, "Service.ExecStart")
    if code and str(code) not in unit.get("Service.SuccessExitStatus").split():
        return _control_process_failed(unit)
    units.write_note(unit.name, Note(since=time.time()))
    return 0


def _start_timer(unit: Unit) -> int:
    """Start a process that sleeps and starts the timer's service, over and over."""
    every = seconds(unit.get("Timer.OnUnitActiveSec") or unit.get("Timer.OnUnitInactiveSec") or "15min")
    service = unit.get("Timer.Unit", unit.name.removesuffix(".timer") + ".service")
    own = str(at("/usr/local/bin/systemctl"))
    loop = f"while sleep {every:g}; do {shlex.quote(own)} start {shlex.quote(service)}; done"
    units.note_start(unit.name, process.spawn(["/bin/sh", "-c", loop], at(_log(unit))))
    return 0


def seconds(text: str) -> float:
    """Return the seconds of a time span such as "15min" or "1h 30s"."""
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text)
    return sum(float(number) * _SECONDS.get(unit, 1) for number, unit in parts) or 900.0


# ---------------------------------------------------------------------- stop, reload, kill


def stop(name: str) -> int:
    """End a unit's processes; not running is fine."""
    if units.find(name) is None:
        return fail(f"Failed to stop {name}: Unit {name} not loaded.", NO_SUCH_UNIT)
    with _only_one(name):
        _stop(name)
    return 0


def _stop(name: str) -> None:
    note = units.read_note(name)
    if note and note.pid:
        process.end(note.pid, note.born)
    units.forget(name)


def restart(name: str) -> int:
    """Stop, then start; nobody who waits for the unit meets it in between."""
    unit = units.find(name)
    if units.is_masked(name) or unit is None:
        return start(name)
    with _only_one(name):
        _stop(name)
        return _start(unit)


def reload(name: str) -> int:
    """Have a running unit read its files again: by its ExecReload, else by HUP. One that is being started is waited for."""
    unit = units.find(name)
    if unit is None:
        return fail(f"Failed to reload {name}: Unit {name} not found.", NO_SUCH_UNIT)
    with _only_one(name):
        return _reload(unit)


def _reload(unit: Unit) -> int:
    name, note = unit.name, units.read_note(unit.name)
    if not units.is_running(name) or note is None:
        return fail(f"{name} is not active, cannot reload.")
    if unit.get("Service.ExecReload"):
        return _control_process_failed_to_reload(unit) if _run(unit, "Service.ExecReload") else 0
    os.kill(note.pid, signal.SIGHUP)
    return 0


def _control_process_failed_to_reload(unit: Unit) -> int:
    return fail(f"Job for {unit.name} failed because the control process exited with error code.")


def send(call: Call) -> int:
    """Send a signal to running units."""
    for name in call.names:
        note = units.read_note(name)
        if not units.is_running(name) or note is None:
            return fail(f"Failed to kill unit {name}: Unit {name} not loaded.")
        os.kill(note.pid, signal.Signals[f"SIG{call.signal.removeprefix('SIG')}"])
    return 0


# ---------------------------------------------------------------------- enable, mask


def set_boot(call: Call) -> int:
    """Enable, disable, mask or unmask; `--now` starts or stops as well."""
    for name in call.names:
        unit = units.find(name)
        if call.verb == "mask":
            units.mask(name)
        elif call.verb == "unmask":
            units.unmask(name)
        elif unit is None:
            return fail(f"Failed to {call.verb} unit: Unit file {name} does not exist.")
        elif units.is_masked(name) and call.verb == "enable":
            return fail(f"Failed to enable unit: Unit file {at(units.ADMIN) / name} is masked.")
        else:
            (units.enable if call.verb == "enable" else units.disable)(unit)
        if "--now" in call.flags and unit is not None and call.verb != "unmask":
            code = start(name) if call.verb == "enable" else stop(name)
            if code:
                return code
    return 0


def boot() -> int:
    """Start everything that is enabled, as a boot does; masked units stay down without a word."""
    for name in units.wanted():
        if not units.is_masked(name):
            start(name)
    return 0


def reset_failed(call: Call) -> int:
    """Forget the failure of units."""
    for name in call.names:
        if units.state(name) == "failed":
            units.forget(name)
    return 0


# ---------------------------------------------------------------------- questions


def is_system_running(_: Call) -> int:
    """Print that the host runs."""
    print("running")
    return 0


def is_active(call: Call) -> int:
    """Print each unit's state; exit 0 if one is active."""
    states = [units.state(name) for name in call.names]
    if "--quiet" not in call.flags:
        print("\n".join(states))
    if "active" in states:
        return 0
    return INACTIVE if any(units.find(name) for name in call.names) else UNKNOWN


def is_failed(call: Call) -> int:
    """Print each unit's state; exit 0 if one has failed."""
    states = [units.state(name) for name in call.names]
    if "--quiet" not in call.flags:
        print("\n".join(states))
    return 0 if "failed" in states else 1


def _boot_state(name: str) -> str:
    unit = units.find(name)
    if units.is_masked(name):
        return "masked"
    if unit is None:
        return "not-found"
    if units.is_enabled(unit):
        return "enabled"
    return "disabled" if "Install.WantedBy" in unit.settings else "static"


def is_enabled(call: Call) -> int:
    """Print whether a boot starts each unit; exit 0 if all are enabled or static."""
    states = [_boot_state(name) for name in call.names]
    for name, state in zip(call.names, states, strict=True):
        if state == "not-found":
            return fail(f"Failed to get unit file state for {name}: No such file or directory")
        if "--quiet" not in call.flags:
            print(state)
    return 0 if set(states) <= {"enabled", "static"} else 1


def status(call: Call) -> int:
    """Print a few lines about each unit; exit as LSB says."""
    code = 0
    for name in call.names:
        unit, now, note = units.find(name), units.state(name), units.read_note(name)
        if unit is None:
            return fail(f"Unit {name} could not be found.", UNKNOWN)
        since = f" since {time.strftime('%a %Y-%m-%d %H:%M:%S %Z', time.localtime(note.since))}" if note else ""
        print(f"{'●' if now == 'active' else '○'} {name} - {unit.get('Unit.Description', name)}")
        print(f"     Loaded: loaded ({units.VENDOR}/{name}; {_boot_state(name)})")
        print(f"     Active: {now} ({_sub_state(name, now)}){since}")
        if note and now == "active":
            print(f"   Main PID: {note.pid}")
        code = code or (0 if now == "active" else INACTIVE)
    return code


def _sub_state(name: str, now: str) -> str:
    if now == "active":
        return "waiting" if name.endswith(".timer") else "running"
    return {"activating": "start", "failed": "failed"}.get(now, "dead")


def show(call: Call) -> int:
    """Print properties of units."""
    for name in call.names:
        now, note, unit = units.state(name), units.read_note(name) or Note(), units.find(name)
        known = {
            "Id": name,
            "ActiveState": now,
            "SubState": _sub_state(name, now),
            "LoadState": {"masked": "masked", "not-found": "not-found"}.get(_boot_state(name), "loaded"),
            "UnitFileState": "" if _boot_state(name) == "not-found" else _boot_state(name),
            "MainPID": str(note.pid if now == "active" else 0),
            "Result": note.result,
            "User": unit.get("Service.User") if unit else "",
        }
        for key in call.properties or known:
            value = known.get(key, "")
            print(value if "--value" in call.flags else f"{key}={value}")
    return 0


def list_units(call: Call) -> int:
    """Print every unit, one a line."""
    wanted = ".timer" if call.verb == "list-timers" else ""
    for name in units.all_names():
        unit = units.find(name)
        if unit and name.endswith(wanted):
            now = units.state(name)
            print(f"{name:<32} loaded {now:<10} {_sub_state(name, now):<8} {unit.get('Unit.Description')}")
    return 0


def show_file(call: Call) -> int:
    """Print unit files."""
    for name in call.names:
        paths = [path for folder in (units.ADMIN, units.VENDOR) if (path := at(folder) / name).is_file()]
        if not paths:
            return fail(f"No files found for {name}.")
        print(f"# {paths[0]}\n{paths[0].read_text('utf-8')}", end="")
    return 0


_EACH: Final[dict[str, Callable[[str], int]]] = {
    "start": start,
    "stop": stop,
    "restart": restart,
    "reload": reload,
    "reload-or-restart": lambda name: reload(name) if units.is_running(name) else restart(name),
    "try-restart": lambda name: restart(name) if units.is_running(name) else 0,
}
_WHOLE: Final[dict[str, Callable[[Call], int]]] = {
    "is-active": is_active,
    "is-failed": is_failed,
    "is-enabled": is_enabled,
    "status": status,
    "show": show,
    "cat": show_file,
    "kill": send,
    "enable": set_boot,
    "disable": set_boot,
    "mask": set_boot,
    "unmask": set_boot,
    "list-units": list_units,
    "list-timers": list_units,
    "default": lambda _: boot(),
    "daemon-reload": lambda _: 0,
    "reset-failed": reset_failed,
    "is-system-running": is_system_running,
}


_CHANGES = ("start", "stop", "restart", "reload", "mask", "unmask", "enable", "disable", "kill")


def _note(argv: Sequence[str]) -> None:
    """Leave a line of what was asked to change, and when, as the journal of a real host would."""
    log = at(f"{units.LOGS}/systemctl.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        file.write(f"{time.time():.3f} {' '.join(argv)}\n")


def main(argv: Sequence[str]) -> int:
    """Do what a command line asks; return the exit code."""
    call = parse(argv)
    if "--version" in call.flags:
        print("systemd 252 (a stand-in on a simulated host)")
        return 0
    if call.verb in _CHANGES:
        _note(argv)
    if call.verb in _EACH:
        codes = [_EACH[call.verb](name) for name in call.names]
        return next((code for code in codes if code), 0) if codes else fail("Too few arguments.")
    if call.verb in _WHOLE:
        return _WHOLE[call.verb](call)
    return fail(f"Unknown command verb {call.verb}.")
