"""The audit of the simulated patient: did it keep the law? Leaks, unreleased facts, inventions, role breaks, early end.

Works from the transcript, the scenario and the persona alone, and takes nothing on the patient's word: questions are
resolved again, the mood is moved again by how they were put, release rules are applied again, and every utterance is
read again. Must not import agents or sim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from consult.disclosure import admits
from consult.events import Audited, Concluded, Event, Query, Question, Referred, Stopped, StopReason, Told, Utterance
from consult.knowledge.model import Knowledge
from consult.language.extractor import extract
from consult.language.guard import Breach, breaches
from consult.language.lexicon import suits
from consult.language.manner import manner, understood
from consult.language.resolver import resolve
from consult.mood import Notes, heard
from consult.persona import Mood, Persona
from consult.scenario import Release, Scenario, Speaker, State
from consult.terms import Resolver

CALM: Final = 0.5
"""A patient who leaves with less irritation than this has ended too early."""


def audit(
    events: Iterable[Event],
    scenario: Scenario,
    knowledge: Knowledge,
    persona: Persona,
    resolver: Resolver = Resolver.LEXICON,
) -> Audited:
    """Count the breaches in a transcript; `resolver` is the one its header names."""
    a = _Audit(scenario, knowledge, persona, persona.temper.start, resolver)
    for e in events:
        a.hear(e)
    return Audited(
        leaks=a.counts["leak"],
        unreleased=a.counts["unreleased"],
        inventions=a.counts["invention"],
        role_breaks=a.counts["role_break"],
        early_end=a.early,
        evidence=tuple(sorted(a.evidence)),
    )


@dataclass(slots=True)
class _Audit:
    """What the audit knows while it goes through a transcript."""

    scenario: Scenario
    knowledge: Knowledge
    persona: Persona
    mood: Mood
    resolver: Resolver = Resolver.LEXICON
    query: Query | None = None
    """What was asked last; None before the first question."""
    turn: int = 0
    notes: Notes = field(default_factory=Notes)
    before: list[Told] = field(default_factory=list)
    counts: dict[Breach, int] = field(
        default_factory=lambda: {"leak": 0, "unreleased": 0, "invention": 0, "role_break": 0}
    )
    evidence: set[int] = field(default_factory=set)
    early: bool = False

    def hear(self, e: Event) -> None:
        """Take in one event."""
        if isinstance(e, Question):
            self._question(e)
        elif isinstance(e, Utterance):
            self._utterance(e)
        elif isinstance(e, (Concluded, Referred)):
            self.query = Query(asks_nothing=True)  # the last word answers no question
        elif isinstance(e, Stopped) and e.reason is StopReason.PATIENT_LEFT and self.mood.irritation < CALM:
            self.early = True
            self.evidence.add(e.seq)

    def _question(self, e: Question) -> None:
        """What is asked, and the mood that the way of asking leaves behind."""
        read = resolve(e.text, self.knowledge, self.resolver)
        self.query = understood(e.text, read, self.knowledge, self.persona.health_literacy)
        self.turn += 1
        said = manner(e.text, read, self.knowledge)
        self.mood, self.notes, _ = heard(self.mood, self.notes, said, self.query, self.persona, self.turn)

    def _utterance(self, e: Utterance) -> None:
        query = self.query
        if query is not None:
            self.notes = self.notes.answered(query, e.told, e.cue)
        else:
            self.notes = replace(self.notes, cue=e.cue)
        asked = query.findings if query is not None else ()
        found = [f.breach for f in breaches(e.text, asked, e.told, self.before, self.scenario, self.knowledge)]
        said = {
            r.finding: r.state
            for r in extract(e.text, self.knowledge, asked, for_other=self.scenario.patient.speaker is not Speaker.SELF)
        }
        for t in e.told:
            breach = self._unlawful(t, query, said)
            if breach is not None:
                found.append(breach)
        for breach in found:
            self.counts[breach] += 1
            self.evidence.add(e.seq)
        self.before += e.told

    def _unlawful(self, t: Told, query: Query | None, said: Mapping[str, str]) -> Breach | None:
        """What is wrong with `t` being recorded as told in answer to `query` (None: at the opening)."""
        fact = self.scenario.by_finding.get(t.finding)
        finding = self.knowledge.finding.get(t.finding)
        if finding is None:
            return "invention"
        if t.state in ("unknown", "not_noticed"):
            known = fact is not None and fact.release not in (Release.UNKNOWN, Release.ORDER_ONLY)
            forgot = t.state == "unknown" and t.rule == "recall" and self.persona.recall < 1
            return "invention" if known and not forgot else None
        if t.state == "withheld":
            return None
        if said.get(t.finding) != t.state:
            return "invention"  # recorded as told, and not to be found in the words
        if fact is None:
            fits = suits(finding, self.scenario.patient.age, self.scenario.patient.sex)
            return None if t.state == "absent" and (self.scenario.closed_world or not fits) else "invention"
        if fact.state.value != t.state or not set(t.values) <= set(fact.values) or fact.state is State.UNKNOWN:
            return "invention"
        if query is None:
            return None if fact.release is Release.OPENING else "unreleased"
        again = any(b.finding == t.finding and b.state == t.state for b in self.before)
        return None if again or self._admitted(t.finding, query) else "unreleased"

    def _admitted(self, finding: str, query: Query) -> bool:
        known = self.knowledge.finding
        return bool(
            admits(
                self.scenario.by_finding[finding],
                query,
                trust=self.mood.trust,
                topic_of=lambda f: known[f].topic if f in known else "",
                parent_of=lambda f: known[f].parent if f in known else None,
            )
        )
