"""The reports of a run: from its journal to the report, and to the files beside the journal. They can be made anew at any time.

It may not say anything of its own: what stands in a report is decided in `handrail.report`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from handrail.base.clock import unstamp
from handrail.base.durations import show_clock
from handrail.base.ids import file_word
from handrail.engine.codec import decode_event
from handrail.engine.foretold import foretold
from handrail.report import html, json_form, junit, markdown, text
from handrail.report.build import build
from handrail.report.data import Facts, Happening, Report
from handrail.session.lessons import in_production, last_lines
from handrail.session.output import FolderOutput
from handrail.session.reported import aims_of, clocks_of
from handrail.session.view import Snapshot
from handrail.store.chain import GENESIS, Reading, Record
from handrail.store.disk import DISK, replace_file
from handrail.store.journal import read_run
from handrail.store.run_folder import RunFolder
from handrail.store.trusted import file_mode

FORMS: Final[Mapping[str, Callable[[Report], str]]] = {
    "md": markdown.to_markdown,
    "json": json_form.to_text,
    "html": html.to_html,
    "text": text.to_plain,
    "junit": junit.to_junit,
}
WRITTEN: Final = ("md", "json", "html")


def report_of(folder: RunFolder, shown: Snapshot) -> Report:
    """Return the report of a run as it is shown; its records are read from the journal."""
    reading = read_run(folder.path)
    told = tuple(one for one in map(happening_of, reading.records) if one is not None)
    return build(shown.state, told, _facts(folder, shown, reading, told))


def write_reports(folder: RunFolder, shown: Snapshot) -> tuple[Path, ...]:
    """Write report.md, report.json and report.html into the run's folder; return their paths. OSError as open(2)."""
    report, mode, made = report_of(folder, shown), file_mode(folder.path), []
    for form in WRITTEN:
        path = folder.path / f"report.{form}"
        replace_file(DISK, "report.replace", path, FORMS[form](report).encode(), mode)
        made.append(path)
    return tuple(made)


def file_name(report: Report, ending: str) -> str:
    """Return the name of a file that leaves the run's folder: the mode stands in it."""
    return f"handrail-{file_word(report.mode)}-{file_word(report.runbook)}-{file_word(report.run)}.{ending}"


def happening_of(record: Record) -> Happening | None:
    """Return a record as a report takes it; None for one that this version does not know, or of the store's own."""
    event = decode_event(record.event, record.body)
    if event is None:
        return None
    return Happening(record.seq, unstamp(record.ts), record.actor, record.host, record.epoch, event)


def _facts(folder: RunFolder, shown: Snapshot, reading: Reading, told: Sequence[Happening]) -> Facts:
    info, records, aims = shown.info, reading.records, aims_of(folder)
    return Facts(
        rto=info.rto,
        rto_until=info.rto_until,
        restored=shown.restored,
        simulated=info.simulated,
        shortened=_shortened(shown),
        names=shown.names,
        records=len(records),
        head=records[-1].h if records else GENESIS,
        damage=reading.damage,
        pars=aims.pars,
        objectives=aims.objectives,
        risks=aims.risks,
        ages=aims.ages,
        clocks=clocks_of(folder, told, shown.names),
        came={one.step: last_lines(FolderOutput(folder, shown.state, one.step)) for one in foretold(shown.state)},
    )


def _shortened(shown: Snapshot) -> str:
    """Return what a drill shortens, and what production's waits would make of its time."""
    least = in_production(shown)
    more = f"; with production's it takes at least {show_clock(least)}" if least is not None else ""
    return shown.info.shortened + more
