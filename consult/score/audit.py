"""The audit of the simulated patient: did it keep the law? Leaks, unreleased facts, inventions, contradictions, role breaks.

Works from the transcript, the scenario and the persona alone, and takes nothing on the patient's word: questions are
resolved again, the mood is moved again by how they were put, release rules are applied again, and every utterance is
read again. Must not import agents or sim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from consult.disclosure import admits, at_opening
from consult.events import (
    Audited,
    Changed,
    Concluded,
    Event,
    Query,
    Question,
    Referred,
    Stopped,
    StopReason,
    Told,
    Utterance,
)
from consult.knowledge.model import Knowledge
from consult.language.context import talk_of
from consult.language.extractor import Reading, extract
from consult.language.guard import Breach, against, breaches
from consult.language.lexicon import suits
from consult.language.manner import manner, understood
from consult.language.resolver import resolve
from consult.mood import Notes, heard
from consult.persona import Cause, Mood, Persona
from consult.players import HUMAN
from consult.scenario import Fact, Release, Scenario, Speaker, State
from consult.terms import Resolver

CALM: Final = 0.5
"""A patient who leaves with less irritation than this has ended too early."""
SURE: Final = ("present", "absent")
Teller = tuple[Persona, Scenario]
"""A temperament, and the case as it tells it."""


class Fault(NamedTuple):
    """One breach: what it concerns (a finding, "diagnosis", or the words), and the event's `seq`."""

    breach: Breach
    about: str
    seq: int


def audit(
    events: Iterable[Event],
    scenario: Scenario,
    knowledge: Knowledge,
    persona: Persona,
    resolver: Resolver = Resolver.LEXICON,
    earlier: Sequence[Teller] = (),
) -> Audited:
    """Count the breaches in a transcript; `resolver` is the one its header names.

    `earlier`: for each change of the temperament (of forks), who told what before it; the law is that of the time.
    """
    a = _gone_through(events, (*earlier, (persona, scenario)), knowledge, resolver)
    count = {b: sum(f.breach == b for f in a.faults) for b in {f.breach for f in a.faults}}
    return Audited(
        leaks=count.get("leak", 0),
        unreleased=count.get("unreleased", 0),
        inventions=count.get("invention", 0),
        contradictions=count.get("contradiction", 0),
        role_breaks=count.get("role_break", 0),
        early_end=a.early is not None,
        evidence=tuple(sorted({f.seq for f in a.faults} | ({a.early} if a.early is not None else set()))),
    )


def faults(
    events: Iterable[Event],
    scenario: Scenario,
    knowledge: Knowledge,
    persona: Persona,
    resolver: Resolver = Resolver.LEXICON,
) -> tuple[Fault, ...]:
    """The breaches one by one, in order; an utterance has one at the most about each finding."""
    return tuple(_gone_through(events, ((persona, scenario),), knowledge, resolver).faults)


def _gone_through(
    events: Iterable[Event], tellers: Sequence[Teller], knowledge: Knowledge, resolver: Resolver
) -> _Audit:
    (persona, scenario), *later = tellers
    a = _Audit(scenario, knowledge, persona, persona.temper.start, later, resolver)
    for e in events:
        a.hear(e)
    return a


@dataclass(slots=True)
class _Audit:
    """What the audit knows while it goes through a transcript."""

    scenario: Scenario
    knowledge: Knowledge
    persona: Persona
    mood: Mood
    later: list[Teller]
    """Who tells after each change of the temperament that is still to come."""
    resolver: Resolver = Resolver.LEXICON
    by_human: bool = False
    """Whether a human has taken the patient over: nobody knows their mood, so it stays as it was."""
    query: Query | None = None
    """What was asked last; None before the first question."""
    unheard: tuple[Cause, ...] | None = None
    """How that was put, until somebody has answered it."""
    turn: int = 0
    notes: Notes = field(default_factory=Notes)
    before: list[Told] = field(default_factory=list)
    said: dict[str, Reading] = field(default_factory=dict)
    """What the words said so far, the last of each finding."""
    faults: list[Fault] = field(default_factory=list)
    early: int | None = None
    """The event with which the patient left for no reason."""

    def hear(self, e: Event) -> None:
        """Take in one event."""
        if isinstance(e, (Question, Utterance, Concluded, Referred, Stopped)):
            self._settle()
        if isinstance(e, Question):
            self._question(e)
        elif isinstance(e, Utterance):
            self._utterance(e)
        elif isinstance(e, (Concluded, Referred)):
            self.query = Query(asks_nothing=True)  # the last word answers no question
        elif isinstance(e, Stopped) and e.reason is StopReason.PATIENT_LEFT and self.mood.irritation < CALM:
            self.early = e.seq
        elif isinstance(e, Changed):
            self._changed(e)

    def _changed(self, e: Changed) -> None:
        if e.what == "persona" and self.later:
            self.persona, self.scenario = self.later.pop(0)
        elif e.what == "patient":
            if e.before == HUMAN and not self.by_human:  # a human was the patient from the beginning
                self.mood, self.notes = self.persona.temper.start, Notes()
            self.by_human = e.now == HUMAN

    def _question(self, e: Question) -> None:
        """What is asked, and the mood that the way of asking leaves behind."""
        read = resolve(e.text, self.knowledge, self.resolver, talk_of(self.before, self.knowledge))
        self.query = understood(e.text, read, self.knowledge, self.persona.health_literacy)
        self.turn += 1
        self.unheard = manner(e.text, read, self.knowledge)

    def _settle(self) -> None:
        """What the last question does to the mood of whoever answers it."""
        if self.unheard is not None and self.query is not None and not self.by_human:
            self.mood, self.notes, _ = heard(self.mood, self.notes, self.unheard, self.query, self.persona, self.turn)
        self.unheard = None

    def _utterance(self, e: Utterance) -> None:
        query = self.query
        if self.by_human:
            pass  # the notes are the agent's
        elif query is not None:
            self.notes = self.notes.answered(query, e.told, e.cue)
        else:
            self.notes = replace(self.notes, cue=e.cue)
        asked = query.findings if query is not None else ()
        for_other = self.scenario.patient.speaker is not Speaker.SELF
        said = {r.finding: r for r in extract(e.text, self.knowledge, asked, for_other=for_other)}
        found: dict[str, Breach] = {}
        for r in said.values():
            if (breach := self._unsaid(r, e.told)) is not None:
                found[r.finding] = breach
        for b in breaches(e.text, asked, e.told, self.before, self.scenario, self.knowledge):
            if not (b.breach == "unreleased" and self._covered(said.get(b.about), query)):
                found.setdefault(b.about, b.breach)
        for t in e.told:
            breach = self._unlawful(t, query, said)
            if breach is not None:
                found.setdefault(t.finding, breach)
        self.faults += [Fault(breach, about, e.seq) for about, breach in found.items()]
        self.said |= {f: r for f, r in said.items() if r.state in SURE}
        self.before += e.told

    def _covered(self, r: Reading | None, query: Query | None) -> bool:
        """Whether a true thing that is not listed as told may be told: said before (and counted then), or by the law."""
        fact = self.scenario.by_finding.get(r.finding) if r is not None else None
        if r is None or fact is None:
            return False
        old = self.said.get(r.finding)
        again = old is not None and old.state == r.state and set(r.values) <= set(old.values)
        return again or self._admitted(fact, query)

    def _unsaid(self, r: Reading, told: Iterable[Told]) -> Breach | None:
        """Whether the words take back earlier ones, or deny knowledge that there is."""
        fact = self.scenario.by_finding.get(r.finding)
        old = self.said.get(r.finding)
        if r.state in SURE:
            turned = fact is None and old is not None and old.state != r.state
            return "contradiction" if turned else None
        listed = any(t.finding == r.finding for t in told)
        if r.state == "not_noticed" and fact is not None and fact.state is State.PRESENT and not listed:
            return "contradiction" if old is not None and old.state == "present" else "invention"
        return None

    def _unlawful(self, t: Told, query: Query | None, said: Mapping[str, Reading]) -> Breach | None:
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
        if fact is not None and against(t.state, t.values, fact, self.knowledge):
            return "contradiction"
        heard_as = said.get(t.finding)
        if heard_as is None or heard_as.state != t.state or not set(t.values) <= set(heard_as.values):
            return "invention"  # recorded as told, and not to be found in the words
        if fact is None:
            fits = suits(finding, self.scenario.patient.age, self.scenario.patient.sex)
            return None if t.state == "absent" and (self.scenario.closed_world or not fits) else "invention"
        if fact.state is State.UNKNOWN or not set(t.values) <= set(fact.values):
            return "invention"
        again = any(b.finding == t.finding and b.state == t.state for b in self.before)
        return None if again or self._admitted(fact, query) else "unreleased"

    def _admitted(self, fact: Fact, query: Query | None) -> bool:
        if query is None:
            return fact.finding in at_opening(self.scenario.facts, self.knowledge.parent_of)
        return bool(
            admits(
                fact,
                query,
                trust=self.mood.trust,
                facts=self.scenario.by_finding,
                topic_of=self.knowledge.topic_of,
                parent_of=self.knowledge.parent_of,
                covered_by=self.knowledge.covered_by,
            )
        )
