"""The engine's words. An enum's value is the word on the screen, in the journal and in the report."""

from __future__ import annotations

from enum import StrEnum


class StepWord(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    AWAITING = "awaiting"  # its gate is open: a person must type the new value
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    UNDOING = "undoing"
    UNDO_FAILED = "undo-failed"
    UNDO_UNKNOWN = "undo-unknown"
    OWED = "owed"  # its undo is set aside: the host is gone


class How(StrEnum):
    """How a step passed."""

    NONE = ""
    RAN = "ran"
    ALREADY = "already so"  # its probe said so: nothing was sent, nothing is to be undone
    BY_HAND = "by hand"
    CHECKED = "checked again"


class Way(StrEnum):
    """What an attempt is for."""

    FORWARD = "forward"
    BACK = "back"
    CHECK = "check"  # verifies only: nothing that changes is sent
    PROBE = "probe"


class UndoKind(StrEnum):
    """What the way back of a step is."""

    NONE = "none"  # the step only reads
    ACTION = "action"
    RESTORE = "restore"
    NOTHING = "nothing"
    IRREVERSIBLE = "irreversible"


class ResultKind(StrEnum):
    """What the world answered for one host of one attempt. A fact, not a verdict."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    LOST = "lost"  # no exit status, and the host cannot say
    UNREACHABLE = "unreachable"  # nothing was sent
    REFUSED = "refused"  # a precondition did not hold: nothing was sent
    TIMED_OUT = "timed out"  # a read was stopped by its clock
    STOPPED = "stopped"  # by a person, and proven gone
    STOP_UNPROVEN = "stop not proven"
    ALREADY = "already so"
    NOT_POSSIBLE = "not possible"  # a person said so: owed


class Verdict(StrEnum):
    """What the engine makes of a result."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Answer(StrEnum):
    """What a probe answers."""

    DONE = "done"
    NOT_DONE = "not done"
    DONT_KNOW = "don't know"


class Line(StrEnum):
    """The lines drawn across the rail."""

    NONE = ""
    CLIENTS_MOVE = "clients move"
    NO_WAY_BACK = "no way back"


class Pace(StrEnum):
    """How far one `enter` goes."""

    STAGE = "by stage"
    STEP = "by step"


class Remarks(StrEnum):
    """What a remark is about: things that are kept of a person who practises, and that nothing is decided by."""

    SLIP = "slip"  # what was refused, and why
    HINT = "hint"
    COACH = "coach"  # a coach's note was shown
    PREDICTED = "predicted"  # what a step will print
    PREDICTED_UNDO = "predicted undo"  # what will undo it
    JUDGED = "judged"  # whether it came as it was foretold: SO or NOT_SO, by who foretold it
    REFLECTION = "reflection"  # an answer in the debrief


class Outcome(StrEnum):
    """What a run has come to."""

    DONE = "done"
    HELD = "held"
    UNDONE = "undone"
    UNDO_FAILED = "undo-failed"
    CLOSED = "closed"
