"""A finished consultation as the assessor sees it: the case, its events, and views of them made once.

Owns `Case` and the form of a score. Reads events only, never graph state or an agent. Must not import agents, sim,
store, llm, or any score family.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

from consult.events import (
    ByModel,
    Concluded,
    Event,
    Named,
    Ordered,
    Question,
    Referred,
    Result,
    Scored,
    Stopped,
    Triaged,
    Utterance,
    Verdict,
)
from consult.hospital import Hospital
from consult.knowledge.model import Knowledge
from consult.scenario import Fact, Release, Scenario
from consult.score.match import Meant, matched, unmatched
from consult.terms import Urgency

E = TypeVar("E")
_LEVEL = {u: u.level for u in Urgency}


def score(name: str, value: float | None, unit: str, evidence: Iterable[int] = (), reason: str = "") -> Scored:
    """One score. `evidence` are seqs; rounded to 6 places, because the last bit of a logarithm differs by machine.

    Raises ValueError if the value is missing and no reason says why.
    """
    if value is None and not reason:
        raise ValueError(f"score {name} is missing without a reason")
    if value is not None:
        value = round(value, 6) + 0.0  # no minus zero
    return Scored(name=name, value=value, unit=unit, evidence=tuple(sorted(set(evidence))), reason=reason)


@dataclass(frozen=True, eq=False, slots=True)
class Exchange:
    """A question and what came of it."""

    question: Question
    answers: tuple[Utterance, ...]
    """What the patient said before the next question or order; empty if nothing."""
    new: tuple[str, ...]
    """Findings of the scenario's facts that these answers told for the first time, present or absent."""


@dataclass(frozen=True, eq=False)
class Case:
    """What is to be scored. Views are computed on first use; `events` must not change afterwards."""

    scenario: Scenario
    knowledge: Knowledge
    hospital: Hospital
    events: Sequence[Event]
    meant: Meant | None = None
    """What a model said of the diagnoses that the knowledge does not match, where one was asked."""

    @cached_property
    def _by_type(self) -> dict[type, list[Event]]:
        out: dict[type, list[Event]] = {}
        for e in self.events:
            out.setdefault(type(e), []).append(e)
        return out

    def all(self, kind: type[E]) -> Sequence[E]:
        """The events of one class, in order."""
        return cast("Sequence[E]", self._by_type.get(kind, ()))

    @property
    def questions(self) -> Sequence[Question]:
        """What the inquirer said to the patient."""
        return self.all(Question)

    @property
    def utterances(self) -> Sequence[Utterance]:
        """What the patient said, the opening included."""
        return self.all(Utterance)

    @property
    def results(self) -> Sequence[Result]:
        """What the examiner answered."""
        return self.all(Result)

    @property
    def triages(self) -> Sequence[Triaged]:
        """The triage of each round."""
        return self.all(Triaged)

    @cached_property
    def end(self) -> Concluded | Referred | None:
        """The conclusion or referral (the last, should there be two); None if the dialogue ended without."""
        return next((e for e in reversed(self.events) if isinstance(e, (Concluded, Referred))), None)

    @cached_property
    def stop(self) -> Stopped | None:
        """The end of the dialogue; None in a transcript that was cut off."""
        stops = self.all(Stopped)
        return stops[-1] if stops else None

    @cached_property
    def void(self) -> str:
        """Why nothing here may be scored: the dialogue failed or was never finished. Empty if it may."""
        if self.stop is not None and not self.stop.reason.clinical:
            return f"the dialogue did not come to its end: {self.stop.reason}"
        return "the dialogue is not finished" if self.stop is None and self.end is None else ""

    @cached_property
    def ending(self) -> tuple[int, ...]:
        """seq of the event that closed the dialogue, as evidence."""
        last = self.end or self.stop
        return (last.seq,) if last is not None else ()

    def score(
        self, name: str, value: float | None, unit: str, evidence: Iterable[int] = (), reason: str = ""
    ) -> Scored:
        """A score of this case; missing, with the reason, where the case is `void`: a failure is never a zero."""
        return (
            score(name, None, unit, self.ending, self.void) if self.void else score(name, value, unit, evidence, reason)
        )

    @cached_property
    def obtainable(self) -> dict[str, Fact]:
        """The facts that the patient can tell, by finding: all but those unknown to them or known by an order only."""
        out_of_reach = (Release.UNKNOWN, Release.ORDER_ONLY)
        return {f.finding: f for f in self.scenario.facts if f.release not in out_of_reach}

    @cached_property
    def told(self) -> dict[str, int]:
        """seq of the utterance that first told each obtainable fact, present or absent, by finding."""
        out: dict[str, int] = {}
        for u in self.utterances:
            for t in u.told:
                if t.state in ("present", "absent") and t.finding in self.obtainable:
                    out.setdefault(t.finding, u.seq)
        return out

    @cached_property
    def raised(self) -> dict[str, int]:
        """seq of the first event in which each finding was asked for, told, or looked for by an order, by finding."""
        out: dict[str, int] = {}
        for e in self.events:
            if isinstance(e, Utterance):
                for name in e.query.findings if e.query is not None else ():
                    out.setdefault(finding_of(name) if "=" in name else name, e.seq)
                for t in e.told:
                    if t.state != "withheld":
                        out.setdefault(t.finding, e.seq)
            elif isinstance(e, Result):
                order = self.knowledge.order.get(e.order)
                for name in (*(t.finding for t in e.told), *(order.reveals if order is not None else ())):
                    out.setdefault(name, e.seq)
        return out

    @cached_property
    def exchanges(self) -> tuple[Exchange, ...]:
        """Each question with its answers."""
        out: list[tuple[Question, list[Utterance]]] = []
        listening = False
        for e in self.events:
            if isinstance(e, Question):
                out.append((e, []))
                listening = True
            elif isinstance(e, Utterance) and listening:
                out[-1][1].append(e)
            elif isinstance(e, Ordered):
                listening = False
        told: dict[int, list[str]] = {}
        for name, seq in self.told.items():
            told.setdefault(seq, []).append(name)
        return tuple(Exchange(q, tuple(a), tuple(n for u in a for n in told.get(u.seq, ()))) for q, a in out)

    @cached_property
    def verdict(self) -> Verdict:
        """The answer key beside the answer. No conclusion reads as an abstention: an empty differential, no rank."""
        gold = self.scenario.gold
        accepted = tuple(dict.fromkeys((gold.condition, *gold.alternatives)))
        named = self.end.differential if self.end is not None else ()
        differential = matched(self.knowledge, named, self.meant)
        last = self.triages[-1] if self.triages else None
        return Verdict(
            gold=gold.condition,
            accepted=accepted,
            differential=differential,
            rank=_rank(differential, accepted),
            department=self.hospital.for_patient(gold.department, self.scenario.patient.age),
            urgency=gold.urgency,
            triaged=last.department if last is not None else None,
            triaged_urgency=last.urgency if last is not None else None,
            by_model=self._by_model(self.meant, differential, accepted) if self.meant is not None else None,
        )

    def _by_model(self, meant: Meant, differential: Sequence[Named], accepted: Sequence[str]) -> ByModel:
        """What the model was asked, and what there would be without it."""
        named = self.end.differential if self.end is not None else ()
        names = unmatched(self.knowledge, named)
        missing = {name for name, code in names if (name, code) not in meant.conditions}
        places = (i for i, d in enumerate(differential, 1) if d.condition is None and d.name in missing)
        return ByModel(
            matcher=meant.matcher,
            asked=len(names),
            matched=sum(meant.conditions.get(name) is not None for name in names),
            rank=_rank(matched(self.knowledge, named), accepted),
            unanswered=next(places, None),
            reason=meant.reason,
        )


def _rank(differential: Iterable[Named], accepted: Sequence[str]) -> int | None:
    """The 1-based place of the first accepted condition."""
    return next((i for i, d in enumerate(differential, 1) if d.condition in accepted), None)


def finding_of(spec: str) -> str:
    """The finding of `id` or `id=value`."""
    return spec.partition("=")[0]


def levels(urgency: Urgency) -> int:
    """0 (emergency) to 3 (self-care)."""
    return _LEVEL[urgency]
