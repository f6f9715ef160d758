"""One name as every authoritative server sees it: whether they agree, on what, and what stands in a switch's way. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from handrail.base.frozen import dataclass
from handrail.dns.answer import UNTOLD, Answer
from handrail.dns.names import spell


@dataclass(frozen=True)
class Survey:
    """The answers of all authoritative servers about one RRset, and what they were expected to say (None: anything).

    `asked_at` is when the first question went out, `ended_at` when the last answer was in, in monotonic seconds.
    """

    name: str
    rtype: str
    answers: tuple[Answer, ...]
    asked_at: float
    ended_at: float
    expected: tuple[str, ...] | None = None
    expected_ttl: int | None = None

    @property
    def agreed(self) -> bool:
        """Tell whether every server answered, with one RRset, one TTL and one serial, and with what was expected."""
        return bool(self.answers) and not self.differences

    @cached_property
    def _model(self) -> Answer | None:
        """Return the answer the others are held against: the first good one, in the order of the estate."""
        return next((a for a in self.answers if not a.problem), None)

    @property
    def value(self) -> tuple[str, ...]:
        """Return what the first server that answers says: where the updates go, if it is up."""
        return self._model.values if self._model else ()

    @property
    def ttl(self) -> int:
        """Return the TTL of `value` in seconds, -1 if there is none."""
        return self._model.ttl if self._model else UNTOLD

    @property
    def serial(self) -> int | None:
        """Return the zone serial that came with `value`."""
        return self._model.serial if self._model else None

    @property
    def answered(self) -> bool:
        """Tell whether any server gave an answer at all."""
        return self._model is not None

    @cached_property
    def differences(self) -> tuple[str, ...]:
        """Return a sentence for each server that is not where it should be: "ns2 still says 10.0.0.10 (serial 41)"."""
        if not self.answers:
            return ("no authoritative server is listed",)
        return tuple(s for s in (self._difference(a) for a in self.answers) if s)

    @cached_property
    def silent(self) -> tuple[str, ...]:
        """Return a sentence for each server that gave no answer: it may come back with any."""
        return tuple(self._difference(a) for a in self.answers if a.problem)

    @cached_property
    def stale(self) -> tuple[str, ...]:
        """Return a sentence for each server that answers, and with something else than it should."""
        return tuple(s for s in (self._difference(a) for a in self.answers if not a.problem) if s)

    @cached_property
    def blockers(self) -> tuple[str, ...]:
        """Return a sentence for each thing at the name that makes a switch of one address unsafe."""
        found: dict[str, list[str]] = {}
        for answer in self.answers:
            for sentence in self._blocks(answer):
                found.setdefault(sentence, []).append(answer.server.label)
        return tuple(f"{sentence} ({', '.join(labels)})" for sentence, labels in found.items())

    def _difference(self, answer: Answer) -> str:
        label = answer.server.label
        if answer.problem:
            return f"{label} {answer.problem}"
        model = self._model or answer
        values = model.values if self.expected is None else self.expected
        ttl = model.ttl if self.expected_ttl is None else self.expected_ttl
        serial = f" (serial {answer.serial})" if answer.serial is not None else ""
        if answer.values != values:
            says = spell(answer.values) if answer.values or not answer.other else answer.other[0]
            return f"{label} still says {says}{serial}"
        if answer.values and UNTOLD not in (answer.ttl, ttl) and answer.ttl != ttl:
            return f"{label} serves it with a TTL of {answer.ttl} s, not {ttl} s{serial}"
        if answer.serial != model.serial:
            return f"{label} has another serial of the zone: {answer.serial}, not {model.serial}"
        return ""

    def _blocks(self, answer: Answer) -> list[str]:
        """Return why one server's answer forbids a switch."""
        blocks = []
        for other in answer.other:
            kind, _, what = other.partition(" ")
            if kind == "CNAME":
                blocks.append(f"{self.name} is a CNAME for {what}: switch that name, or make this one an {self.rtype}")
            else:
                blocks.append(
                    f"{kind} {what} stands beside the {self.rtype} record: clients that use it would not move"
                )
        if len(answer.values) > 1:
            blocks.append(f"{len(answer.values)} addresses stand at {self.name}: {spell(answer.values)}")
        return blocks


def without_serials(survey: Survey) -> Survey:
    """Return a survey that compares records only: a cloud's servers need not share one serial of the zone."""
    return replace(survey, answers=tuple(replace(a, serial=None) for a in survey.answers))
