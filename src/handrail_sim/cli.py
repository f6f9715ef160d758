"""The command line of the simulated estate: up, ls, down, ctl, looks, play, act, doctor. Every answer is JSON, one line each."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from handrail.base.durations import parse_duration
from handrail.base.problems import Trouble


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 not, 2 usage."""
    arguments = _parser().parse_args(argv)
    try:
        answers, status = arguments.run(arguments)
    except Trouble as e:
        key = "ready" if arguments.command == "up" else "ok"
        answers, status = [{key: False, "problem": str(e)}], 1
    for answer in answers:
        sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return int(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="handrail_sim", description="A simulated estate to drill on.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring an estate up and leave it running")
    up.add_argument("--template", type=Path, required=True, help="an estate file with sim tables")
    up.add_argument("--dir", type=Path, required=True, help="the estate's folder")
    up.add_argument("--rtt", help='round trip between sites, such as "40ms"')
    up.add_argument("--clients", type=int, help="how many hosts a role of many has, if it has a `count`")
    up.add_argument("--mode", choices=("auto", "namespaces", "folders"), default="auto")
    up.add_argument("--home", type=Path, help="where simulated host keys are remembered (HANDRAIL_HOME)")
    up.set_defaults(run=_up)
    ls = commands.add_parser("ls", help="list estates, and end what dead ones left running")
    ls.add_argument("--root", type=Path, help="a folder of estates")
    ls.set_defaults(run=_ls)
    down = commands.add_parser("down", help="end an estate, dead or alive")
    down.add_argument("dir", type=Path)
    down.set_defaults(run=_down)
    ctl = commands.add_parser("ctl", help="power, link, site, part, rtt, drop-ssh, exec, rekey, fill, hosts, status")
    ctl.add_argument("dir", type=Path)
    ctl.add_argument("words", nargs=argparse.REMAINDER)
    ctl.set_defaults(run=_ctl)
    look = commands.add_parser("looks", help="tell what must be the same again after an undo")
    look.add_argument("dir", type=Path)
    look.set_defaults(run=_looks)
    play = commands.add_parser("play", help="a scenario: begin DIR FILE, follow DIR RUN, judge DIR RUN")
    play.add_argument("verb", choices=("begin", "follow", "judge"))
    play.add_argument("dir", type=Path)
    play.add_argument("what", type=Path, help="the scenario's file, or the run's folder")
    play.set_defaults(run=_play)
    act = commands.add_parser("act", help="do one thing as a scenario does: a role stands for its hosts")
    act.add_argument("dir", type=Path)
    act.add_argument("line", help='such as "power primary off"')
    act.set_defaults(run=_act)
    commands.add_parser("doctor", help="tell which kind of estate works here").set_defaults(run=_doctor)
    return parser


Result = tuple[list[dict[str, Any]], int]


def _up(arguments: argparse.Namespace) -> Result:
    from dataclasses import replace

    from handrail_sim.daemon import start
    from handrail_sim.plan import Wanted
    from handrail_sim.template import read_template

    template = arguments.template.absolute()
    plan = read_template(template, arguments.clients)
    if arguments.rtt is not None:
        plan = replace(plan, rtt=parse_duration(arguments.rtt))
    home = (arguments.home or _home()).absolute()
    answer = start(Wanted(template, plan, arguments.dir.absolute(), home, arguments.mode))
    return [answer], 0 if answer["ready"] else 1


def _ls(arguments: argparse.Namespace) -> Result:
    from handrail_sim.registry import listed

    return listed((arguments.root or _home() / "estates").absolute()), 0


def _down(arguments: argparse.Namespace) -> Result:
    from handrail_sim.registry import take_down

    return [{"ok": True, **take_down(arguments.dir.absolute())}], 0


def _ctl(arguments: argparse.Namespace) -> Result:
    from handrail_sim.asking import ask

    answer = ask(arguments.dir.absolute(), arguments.words)
    return [answer], 0 if answer.get("ok") else 1


def _looks(arguments: argparse.Namespace) -> Result:
    from handrail_sim.looks import looks

    return [{"ok": True, "looks": looks(arguments.dir.absolute())}], 0


def _play(arguments: argparse.Namespace) -> Result:
    from handrail_sim import scenario_play

    verbs = {"begin": scenario_play.begin, "follow": scenario_play.set_off, "judge": scenario_play.judge}
    return [{"ok": True, **verbs[arguments.verb](arguments.dir.absolute(), arguments.what.absolute())}], 0


def _act(arguments: argparse.Namespace) -> Result:
    from handrail_sim.scenario_acts import done, hosts_of

    folder = arguments.dir.absolute()
    return [{"ok": True, "problem": done(folder, (arguments.line,), hosts_of(folder))}], 0


def _doctor(_arguments: argparse.Namespace) -> Result:
    from handrail_sim.doctor import examine

    return [examine()], 0


def _home() -> Path:
    named = os.environ.get("HANDRAIL_HOME")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_state_path("handrail", appauthor=False)
